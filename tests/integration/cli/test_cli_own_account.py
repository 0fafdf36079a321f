"""`finops scan` without a policy: the caller's own account, observed only, as a report a person can send on."""

from __future__ import annotations

import itertools
import json
import re

import pytest
from tests.integration.cli.aws_process import AwsProcess
from tests.integration.cli.conftest import Finops
from tests.support.own_credentials import reading_credentials

from finops.store.connection import open_store
from finops.store.recommendations import RecommendationStore

ACCOUNT = "111111111111"


@pytest.fixture
def own(aws: AwsProcess, shell: pytest.MonkeyPatch) -> AwsProcess:
    """Return the double; the shell holds credentials that may read one account of it."""
    for name, value in reading_credentials(aws.environment(), ACCOUNT).items():
        shell.setenv(name, value)
    return aws


def test_the_callers_account_is_scanned_in_all_regions_and_nothing_can_be_approved(
    own: AwsProcess, finops: Finops
) -> None:
    ended = finops("scan", "-o", "json")
    report = json.loads(ended.out)

    assert ended.code == 0, ended.err
    assert f"account {ACCOUNT}" in ended.err
    assert {one["account"] for one in report["resources"]} == {ACCOUNT}
    assert {one["region"] for one in report["resources"]} == {"us-east-1", "eu-central-1"}
    assert report["summary"]["savings"]["actionable"] == "0.00"
    codes = {block["code"] for one in report["recommendations"] for block in one["blockedBy"]}
    assert "ModeRecommend" in codes


def test_the_report_begins_with_what_can_be_saved_and_fits_eighty_columns(
    own: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("COLUMNS", "80")
    lines = finops("scan", "--why").out.splitlines()

    headline = re.match(r"([\d,.]+) USD a month can be saved in (\d+) resources if approved", lines[0])
    assert headline
    (savings,) = (line for line in lines if line.startswith("savings "))
    assert f"{headline[1]} USD possible in {headline[2]}" in savings
    assert [line for line in lines if len(line) > 80] == []
    assert "Nothing recommended, and why" in lines
    # That a volume is in use or an instance stopped is no news.
    assert not [line for line in lines if "it is in-use" in line or "not running" in line]


def test_rows_of_one_status_stand_together_and_those_to_approve_first(
    own: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("COLUMNS", "200")
    listed = itertools.dropwhile(lambda line: not line.startswith("SAVES/MONTH"), finops("scan").out.splitlines())
    heading, *rows = itertools.takewhile(bool, listed)
    place = heading.index("STATUS")
    statuses = [re.split(r" {2,}", row[place:].rstrip())[0] for row in rows]

    assert [status for status, _ in itertools.groupby(statuses)] == ["possible", "advice", "blocked"]


def test_an_operators_store_is_not_written_unless_it_is_named(
    own: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch, valkey_url: str
) -> None:
    shell.setenv("FINOPS_REDIS_URL", valkey_url)
    shell.setenv("FINOPS_REDIS_PREFIX", "operators:")
    assert finops("scan", "-o", "json").code == 0

    store = open_store(valkey_url, prefix="operators:")
    assert RecommendationStore(store).policies() == ()
    store.client.close()


@pytest.mark.parametrize("output", ["markdown", "html"])
def test_a_report_to_send_on_holds_savings_reasons_and_no_live_text_of_strangers(
    own: AwsProcess, finops: Finops, output: str
) -> None:
    ended = finops("scan", "--why", "-o", output)

    assert ended.code == 0, ended.err
    for words in ("can be saved in", "Not ready to approve, and why", "Nothing recommended, and why", "forgotten"):
        assert words in ended.out
    assert "<!channel>" not in ended.out
    assert "\u202e" not in ended.out


def test_the_html_report_is_one_file_that_fetches_nothing(own: AwsProcess, finops: Finops) -> None:
    page = finops("scan", "-o", "html").out

    assert page.startswith("<!doctype html>")
    assert not re.search(r"<(script|img|link|iframe)|https?:|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_no_name_of_the_html_report_is_broken_at_a_hyphen(own: AwsProcess, finops: Finops) -> None:
    page = finops("scan", "-o", "html").out

    assert re.search(r'<td class="whole">[^<]*forgotten[^<]*</td>', page)


def test_without_credentials_it_ends_with_1_and_the_fix(
    own: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        shell.delenv(name)
    ended = finops("scan")

    assert ended.code == 1
    assert "credentials" in ended.err


def test_before_the_first_scan_nothing_is_known_and_no_figure_is_shown(
    own: AwsProcess, finops: Finops, valkey_url: str
) -> None:
    for command in ("recommendations", "resources", "costs"):
        ended = finops(command, "--redis", valkey_url)
        assert ended.code == 0
        assert "Nothing is known" in ended.err
        assert "0.00" not in ended.out + ended.err


def test_an_empty_or_failed_export_is_never_intact(
    own: AwsProcess, finops: Finops, tmp_path: object, valkey_url: str
) -> None:
    empty = finops("audit", "verify", "--file", "/dev/null")
    assert empty.code == 1
    assert "no record" in empty.err
    assert finops("audit", "verify", "--redis", valkey_url).code == 1
    assert json.loads(finops("audit", "verify", "--file", "/dev/null", "-o", "json").out)["ok"] is False
