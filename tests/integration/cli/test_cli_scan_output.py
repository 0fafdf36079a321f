"""What `finops scan` prints can be read back, whatever the number of policies, and its columns explain themselves."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml
from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Files, Finops


@pytest.fixture
def two(files: Files) -> str:
    """Return a file with two policies, one of each account."""
    first, second = policy("production"), policy("staging")
    second["metadata"] = {**second["metadata"], "name": "second"}
    return files(first, second, account("production"), account("staging"))


def _names(reports: list[dict[str, Any]]) -> list[str]:
    return [one["policy"].rpartition("/")[2] for one in reports]


def test_several_policies_give_one_report_a_line(aws: AwsProcess, finops: Finops, two: str) -> None:
    ended = finops("scan", "-f", two, "-o", "json", "--why")
    reports = [json.loads(line) for line in ended.out.splitlines()]
    assert ended.code == 0, ended.err
    assert _names(reports)[1:] == ["second"]
    assert {one["kind"] for one in reports} == {"ScanReport"}
    assert all(one["resources"] and "notRecommended" in one for one in reports)


def test_one_policy_stays_one_indented_object(aws: AwsProcess, finops: Finops, files: Files) -> None:
    ended = finops("scan", "-f", files(policy("production"), account("production")), "-o", "json")
    assert ended.out.startswith('{\n  "apiVersion"')
    assert json.loads(ended.out)["kind"] == "ScanReport"


def test_several_policies_share_one_csv_header_and_each_row_names_its_policy(
    aws: AwsProcess, finops: Finops, two: str
) -> None:
    rows = list(csv.DictReader(io.StringIO(finops("scan", "-f", two, "-o", "csv").out)))
    assert "id" not in {row["id"] for row in rows}
    assert len({row["policy"] for row in rows}) == 2


def test_several_policies_are_one_yaml_document_each(aws: AwsProcess, finops: Finops, two: str) -> None:
    assert _names(list(yaml.safe_load_all(finops("scan", "-f", two, "-o", "yaml").out)))[1:] == ["second"]


def test_a_report_names_the_policy_and_a_listing_hides_alternatives_until_they_are_asked_for(
    aws: AwsProcess, finops: Finops, files: Files, valkey_url: str
) -> None:
    path = files(policy("production"), account("production"))
    report = json.loads(finops("scan", "-f", path, "--redis", valkey_url, "-o", "json").out)
    uncounted = [one["id"] for one in report["recommendations"] if not one["counted"]]
    assert uncounted, "the estate must hold a resource with two recommendations"
    table = finops("scan", "-f", path, "--redis", valkey_url).out

    assert report["policy"] in table
    assert uncounted[0][:8] not in table
    assert uncounted[0][:8] not in finops("recommendations", "--redis", valkey_url).out
    assert uncounted[0][:8] in finops("recommendations", "--redis", valkey_url, "--all").out
