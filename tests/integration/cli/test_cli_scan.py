"""`finops scan -f` against the AWS double and a real Valkey: reports, gaps, exit codes, and every bad world."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import yaml
from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Files, Finops
from tests.support.valkey import running_valkey

from finops.store.connection import open_store
from finops.store.recommendations import RecommendationStore

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"


def test_a_scan_reports_everything_and_the_store_then_holds_the_same_numbers(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    path = files(policy("production", "staging"), account("production"), account("staging"))
    ended = finops("scan", "-f", path, "--redis", valkey_url, "-o", "json", "--why")
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    summary = report["summary"]
    assert report["kind"] == "ScanReport"
    assert summary["gaps"] == 0
    assert summary["resources"] == len(report["resources"])
    assert isinstance(summary["monthlyCost"], str)
    assert report["notRecommended"]

    listed = json.loads(finops("recommendations", "--redis", valkey_url, "-o", "json").out)
    assert {one["id"] for one in listed} == {one["id"] for one in report["recommendations"] if one["counted"]}
    everything = json.loads(finops("recommendations", "--redis", valkey_url, "-o", "json", "--all").out)
    assert {one["id"] for one in everything} == {one["id"] for one in report["recommendations"]}
    resources = json.loads(finops("resources", "--redis", valkey_url, "-o", "json").out)
    assert {(one["id"], one["monthlyCost"]) for one in resources} == {
        (one["id"], one["monthlyCost"]) for one in report["resources"]
    }
    for by in ("service", "region", "account"):
        costs = json.loads(finops("costs", "--by", by, "--redis", valkey_url, "-o", "json").out)
        assert f"{sum(float(one['monthlyCost']) for one in costs):.2f}" == summary["monthlyCost"]


def test_what_a_policy_leaves_out_is_listed_and_both_totals_are_shown(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    selector = {"excludeTags": {"Name": ["forgotten", "busy"]}}
    path = files(policy("production", selector=selector), account("production"))
    summary = json.loads(finops("scan", "-f", path, "--redis", valkey_url, "-o", "json").out)["summary"]
    everything = json.loads(finops("resources", "--redis", valkey_url, "-o", "json").out)
    name = json.loads(finops("recommendations", "--redis", valkey_url, "-o", "json").out)[0]["policy"]
    ignored = [one for one in everything if not one["policies"]]
    assert {one["name"] for one in ignored} == {"forgotten", "busy"}
    assert len(everything) - len(ignored) == summary["resources"]

    counted = json.loads(finops("resources", "--policy", name, "--redis", valkey_url, "-o", "json").out)
    assert [one["id"] for one in counted] == [one["id"] for one in everything if one["policies"]]
    costs = json.loads(finops("costs", "--policy", name, "--redis", valkey_url, "-o", "json").out)
    assert f"{sum(float(one['monthlyCost']) for one in costs):.2f}" == summary["monthlyCost"]
    whole = json.loads(finops("costs", "--redis", valkey_url, "-o", "json").out)
    assert f"{sum(float(one['policies'][name]) for one in whole):.2f}" == summary["monthlyCost"]
    total = f"{sum(float(one['monthlyCost']) for one in whole):.2f}"
    assert float(total) > float(summary["monthlyCost"])

    for command, words in (
        ("resources", f"policy {name} selects {summary['resources']} of them, at least {summary['monthlyCost']} USD"),
        ("costs", f"policy {name} selects {summary['monthlyCost']} USD of it"),
    ):
        printed = finops(command, "--redis", valkey_url).err
        assert words in printed
        assert f"{total} USD a month" in printed
        assert f"{summary['monthlyCost']} USD a month" in finops(command, "--policy", name, "--redis", valkey_url).err


def test_a_resource_without_a_price_is_shown_as_null_and_counted_as_unpriced(
    aws: AwsProcess, finops: Finops, files: Files
) -> None:
    path = files(policy("production"), account("production"))
    report = json.loads(finops("scan", "-f", path, "-o", "json").out)
    (dedicated,) = [one for one in report["resources"] if one["name"] == "unpriced"]
    assert dedicated["monthlyCost"] is None
    assert dedicated["price"] is None or dedicated["priceMissing"]
    assert report["summary"]["unpricedResources"] == 1
    assert "1 not fully priced" in finops("scan", "-f", path).out


def test_where_nothing_has_a_price_the_cost_is_unknown_and_not_zero(
    aws: AwsProcess, finops: Finops, files: Files
) -> None:
    only = policy("production", selector={"includeTags": {"Name": ["unpriced"]}}, resources=["ec2-instance"])
    path = files(only, account("production"))
    summary = json.loads(finops("scan", "-f", path, "-o", "json").out)["summary"]
    assert (summary["resources"], summary["unpricedResources"], summary["monthlyCost"]) == (1, 1, None)
    (printed,) = [line for line in finops("scan", "-f", path).out.splitlines() if line.startswith("monthly cost")]
    assert printed.split() == ["monthly", "cost", "unknown"]


def test_without_a_store_the_next_scan_and_the_listings_use_what_the_last_one_left(
    aws: AwsProcess, finops: Finops, files: Files, tmp_path: Path
) -> None:
    path = files(policy("production"), account("production"))
    first = json.loads(finops("scan", "-f", path, "-o", "json").out)["summary"]["apiCalls"]
    second = json.loads(finops("scan", "-f", path, "-o", "json").out)["summary"]["apiCalls"]
    fresh = json.loads(finops("scan", "-f", path, "-o", "json", "--fresh").out)["summary"]["apiCalls"]
    assert first["cloudwatch:GetMetricData"] == fresh["cloudwatch:GetMetricData"]
    assert second.get("cloudwatch:GetMetricData", 0) < first["cloudwatch:GetMetricData"]
    assert (tmp_path / "state" / "finops").stat().st_mode & 0o777 == 0o700
    identifier = json.loads(finops("recommendations", "-o", "json").out)[0]["id"]
    explained = finops("explain", identifier)
    assert explained.code == 0
    assert "evidence" in explained.out
    assert "bundled, as of" in explained.out


def test_explain_takes_a_resource_and_knows_what_it_does_not_know(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    finops("scan", "-f", files(policy("production"), account("production")), "--redis", valkey_url)
    listed = json.loads(finops("recommendations", "--redis", valkey_url, "-o", "json").out)
    explained = json.loads(finops("explain", listed[0]["resource"]["id"], "--redis", valkey_url, "-o", "json").out)
    assert listed[0]["check"] in [one["check"] for one in explained]
    assert all(one["documentation"].startswith("https://") for one in explained)
    single = json.loads(finops("explain", listed[0]["id"], "--redis", valkey_url, "-o", "json").out)
    assert single["check"] == listed[0]["check"]
    missing = finops("explain", "i-none", "--redis", valkey_url)
    assert missing.code == 2
    assert "i-none" in missing.err


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml", "csv"])
def test_hostile_tags_stay_text_in_every_format(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str, shell: pytest.MonkeyPatch, output: str
) -> None:
    # Wide enough that no name is cut.
    shell.setenv("COLUMNS", "200")
    path = files(policy("production"), account("production"))
    for ended in (
        finops("scan", "-f", path, "--redis", valkey_url, "-o", output),
        finops("resources", "--redis", valkey_url, "-o", output),
    ):
        assert ended.code == 0, ended.err
        assert "\x9b" not in ended.out
        assert "\u202e" not in ended.out
        assert "cmd()" in ended.out
        if output == "csv":
            cells = [cell for row in csv.reader(io.StringIO(ended.out)) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
        if output == "yaml":
            assert yaml.safe_load(ended.out)


def test_a_denied_region_is_a_gap_everywhere_and_the_rest_completes(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    aws.inject(kind="deny", service="ec2", region="eu-central-1")
    path = files(policy("production"), account("production"))
    ended = finops("scan", "-f", path, "--redis", valkey_url, "-o", "json")
    report = json.loads(ended.out)
    assert ended.code == 3
    assert {(gap["account"], gap["region"]) for gap in report["gaps"]} == {("111111111111", "eu-central-1")}
    assert all(gap["message"] for gap in report["gaps"])
    assert {one["region"] for one in report["resources"]} == {"us-east-1"}
    listed = finops("recommendations", "--redis", valkey_url)
    assert listed.code == 3
    assert "eu-central-1" in listed.err
    assert "eu-central-1" in finops("scan", "-f", path, "--redis", valkey_url).out


def test_an_account_without_rights_is_a_gap_and_the_others_complete(
    aws: AwsProcess, finops: Finops, files: Files
) -> None:
    wrong = account("staging", externalId="wrong-id")
    ended = finops("scan", "-f", files(policy("production", "staging"), account("production"), wrong), "-o", "json")
    report = json.loads(ended.out)
    assert ended.code == 3
    assert {gap["account"] for gap in report["gaps"]} == {"222222222222"}
    assert {one["account"] for one in report["resources"]} == {"111111111111"}
    assert "externalId" in report["gaps"][0]["message"]


@pytest.mark.parametrize(
    ("accounts", "code", "gap", "words"),
    [
        ([account("production"), account("staging", namespaces=())], 3, "AccountNotGranted", "spec.allow"),
        ([account("production"), account("staging", namespaces=("other",))], 3, "AccountNotGranted", "spec.allow"),
        ([account("production")], 3, "AccountNotFound", "staging"),
        ([account("production", namespaces=()), account("staging", namespaces=())], 1, "AccountNotGranted", "default"),
        ([], 1, "AccountNotFound", "AwsAccount"),
    ],
    ids=["no-grant", "other-namespace", "missing", "none-granted", "none-there"],
)
def test_an_account_that_is_missing_or_not_granted_is_named_with_the_fix(
    aws: AwsProcess,
    finops: Finops,
    files: Files,
    accounts: list[dict[str, object]],
    code: int,
    gap: str,
    words: str,
) -> None:
    ended = finops("scan", "-f", files(policy("production", "staging"), *accounts), "-o", "json")
    assert ended.code == code
    report = json.loads(ended.out)
    (found, *_) = [one for one in report["gaps"] if one["code"] == gap]
    assert words in found["message"]
    if gap == "AccountNotFound":
        assert "-f" in ended.err


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "credentials"),
        ({"AWS_ACCESS_KEY_ID": "AKIAWRONG00000000000"}, "renew the credentials"),
        ({"AWS_SESSION_TOKEN": "expired"}, "credentials"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "credentials"),
    ],
    ids=["missing", "unknown-key", "bad-token", "wrong-secret"],
)
def test_credentials_that_are_missing_or_wrong_end_with_1_and_the_fix(
    aws: AwsProcess,
    finops: Finops,
    files: Files,
    shell: pytest.MonkeyPatch,
    variables: dict[str, str | None],
    words: str,
) -> None:
    for name, value in variables.items():
        if value is None:
            shell.delenv(name)
        else:
            shell.setenv(name, value)
    ended = finops("scan", "-f", files(policy("production"), account("production")))
    assert ended.code == 1
    assert words in ended.err
    assert "wrong" not in ended.err.replace("wrong-id", "")


def test_expired_credentials_end_with_1_and_the_fix(aws: AwsProcess, finops: Finops, files: Files) -> None:
    aws.inject(kind="error", service="sts", code="ExpiredToken", message="The security token is expired", status=403)
    ended = finops("scan", "-f", files(policy("production"), account("production")))
    assert ended.code == 1
    assert "expired" in ended.err
    assert "renew" in ended.err


def test_an_endpoint_that_is_down_ends_with_1_and_names_it(
    aws: AwsProcess, finops: Finops, files: Files, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    ended = finops("scan", "-f", files(policy("production"), account("production")))
    assert ended.code == 1
    assert "could not be reached" in ended.err
    assert "AWS_ENDPOINT_URL" in ended.err


def test_demo_mode_never_leaves_this_machine(
    aws: AwsProcess, finops: Finops, files: Files, shell: pytest.MonkeyPatch
) -> None:
    shell.setenv("AWS_ENDPOINT_URL", "https://ec2.example.invalid")
    ended = finops("scan", "-f", files(policy("production"), account("production")))
    assert ended.code == 4
    assert "only to this machine" in ended.err


def test_a_region_that_does_not_exist_is_a_gap_that_says_so(aws: AwsProcess, finops: Finops, files: Files) -> None:
    path = files(policy("production", regions=["us-east-1", "eu-south-9"]), account("production"))
    ended = finops("scan", "-f", path)
    assert ended.code == 3
    assert "eu-south-9" in ended.out
    assert "not enabled" in ended.out


def test_files_without_a_policy_or_with_mistakes_ask_nobody_anything(
    finops: Finops, files: Files, tmp_path: Path
) -> None:
    ended = finops("scan", "-f", files(account("production")))
    assert ended.code == 2
    assert "ScanPolicy" in ended.err
    bad = files(policy("production", schedule="99 * * * *"), account("production"))
    ended = finops("scan", "-f", bad)
    assert ended.code == 2
    assert bad in ended.err
    assert "spec.schedule" in ended.err
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("arguments", "url", "words"),
    [
        (("--maxmemory-policy", "allkeys-lru"), "", "noeviction"),
        (("--appendonly", "no"), "", "appendonly yes"),
        (("--requirepass", "right"), "", "password"),
    ],
    ids=["evicting", "volatile", "wrong-password"],
)
def test_a_store_that_would_lose_data_or_refuses_us_is_refused_with_the_fix(
    finops: Finops, files: Files, arguments: tuple[str, ...], url: str, words: str
) -> None:
    path = files(policy("production"), account("production"))
    if "--requirepass" in arguments:
        with running_valkey() as server:
            store = open_store(server.url)
            store.client.config_set("requirepass", "right")
            store.client.close()
            ended = finops("scan", "-f", path, "--redis", f"unix://:guessed@{server.directory}/valkey.sock")
    else:
        with running_valkey(*arguments) as server:
            ended = finops("scan", "-f", path, "--redis", server.url)
    assert ended.code == 1
    assert words in ended.err
    assert "guessed" not in ended.err


def test_a_store_that_is_down_is_reported_with_the_fix(finops: Finops, files: Files) -> None:
    path = files(policy("production"), account("production"))
    ended = finops("scan", "-f", path, "--redis", "redis://127.0.0.1:1/0")
    assert ended.code == 1
    assert "does not answer" in ended.err


def test_a_named_store_is_never_emptied(finops: Finops, files: Files, valkey_url: str) -> None:
    path = files(policy("production"), account("production"))
    ended = finops("scan", "-f", path, "--redis", valkey_url, "--fresh")
    assert ended.code == 2
    assert "--fresh" in ended.err


def test_the_first_example_of_the_docs_scans_as_it_stands_once_its_external_id_is_filled_in(
    aws: AwsProcess, finops: Finops, valkey_url: str, tmp_path: Path
) -> None:
    for name in ("first-policy", "approve-in-slack", "thresholds"):
        text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
        path = tmp_path / f"{name}.yaml"
        path.write_text(text.replace("choose-your-own", "finops-sandbox"), encoding="utf-8")
        ended = finops("scan", "-f", str(path), "--redis", valkey_url, "-o", "json")
        assert ended.code == 0, ended.err
        assert json.loads(ended.out)["summary"]["resources"] > 0


def test_several_policies_are_scanned_one_after_the_other(
    aws: AwsProcess, finops: Finops, files: Files, shell: pytest.MonkeyPatch, valkey_url: str
) -> None:
    path = files(policy("production", name="a"), policy("staging", name="b"), account("production"), account("staging"))
    ended = finops("scan", "-f", path, "--redis", valkey_url, "-o", "yaml")
    assert ended.code == 0
    assert [one["policy"] for one in yaml.safe_load_all(ended.out)] == ["default/a", "default/b"]
    listed = finops("recommendations", "--redis", valkey_url, "--policy", "default/b", "-o", "json")
    assert {one["policy"] for one in json.loads(listed.out)} == {"default/b"}
    assert finops("recommendations", "--redis", valkey_url, "--policy", "none").code == 2


def test_a_scan_leaves_nothing_behind_in_aws(aws: AwsProcess, finops: Finops, files: Files, valkey_url: str) -> None:
    before = [call for call in aws.calls() if call["service"] != "sts"]
    finops("scan", "-f", files(policy("production"), account("production")), "--redis", valkey_url)
    assert [call for call in aws.calls() if call["service"] != "sts"] == before


def test_the_prefix_keeps_two_users_of_one_server_apart(
    aws: AwsProcess, finops: Finops, files: Files, shell: pytest.MonkeyPatch, valkey_url: str
) -> None:
    finops("scan", "-f", files(policy("production"), account("production")), "--redis", valkey_url)
    shell.setenv("FINOPS_REDIS_PREFIX", "nobody-else:")
    store = open_store(valkey_url, prefix="nobody-else:")
    assert RecommendationStore(store).policies() == ()
    store.client.close()
    ended = finops("resources", "--redis", valkey_url)
    assert ended.code == 0
    assert "Nothing is known" in ended.err
