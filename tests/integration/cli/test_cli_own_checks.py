"""Checks that a policy brings itself, from the scan to the listing, and `finops policy test` before it is applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import redis
from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Files, Finops

NO_OWNER: Final = {
    "id": "volume_without_owner",
    "kind": "ebs-volume",
    "when": "!has(tags.owner) && cost.monthly >= 0",
    "message": "Nobody is named as the owner of this volume.",
}
HOT: Final = {
    "id": "instance_hot",
    "kind": "ec2-instance",
    "when": "resource.state == 'running' && utilization.memoryPercent.maximum > 1",
    "message": "This instance uses memory.",
    "severity": "High",
}


@pytest.fixture
def scanned(aws: AwsProcess, finops: Finops, files: Files, valkey_url: str) -> dict[str, Any]:
    """Return the report of a scan by the live policy, which brings one check of its own."""
    path = files(policy("production", customChecks=[NO_OWNER]), account("production"))
    ended = finops("scan", "-f", path, "--redis", valkey_url, "-o", "json", "--why")
    assert ended.code == 0, ended.err
    report: dict[str, Any] = json.loads(ended.out)
    return report


def test_findings_of_an_own_check_are_reported_listed_and_explained(
    scanned: dict[str, Any], finops: Finops, valkey_url: str
) -> None:
    volumes = {one["id"] for one in scanned["resources"] if one["kind"] == "ebs-volume" and "owner" not in one["tags"]}
    found = [one for one in scanned["recommendations"] if one["check"] == NO_OWNER["id"]]
    assert volumes
    assert {one["resource"]["id"] for one in found} == volumes
    assert {(one["status"], one["action"] or "", one["monthlySavings"]) for one in found} == {("Advice", "", None)}

    asked = ("--check", NO_OWNER["id"], "--redis", valkey_url, "-o", "json")
    listed = json.loads(finops("recommendations", "--all", *asked).out)
    assert {one["id"] for one in listed} == {one["id"] for one in found}
    assert {one["id"] for one in json.loads(finops("resources", *asked).out)} == volumes
    explained = finops("explain", found[0]["id"], "--redis", valkey_url).out
    assert str(NO_OWNER["message"]) in explained
    assert str(NO_OWNER["when"]) in " ".join(explained.split())

    wrong = finops("recommendations", "--check", "volume_without_owne", "--redis", valkey_url)
    assert wrong.code == 2
    assert "did you mean volume_without_owner?" in wrong.err


def test_the_live_policy_tested_on_its_own_data_changes_nothing(
    scanned: dict[str, Any], finops: Finops, files: Files, valkey_url: str
) -> None:
    path = files(policy("production", customChecks=[NO_OWNER]), account("production"))
    ended = finops("policy", "test", "-f", path, "--redis", valkey_url, "-o", "json")
    assert ended.code == 0, ended.err
    compared = json.loads(ended.out)
    assert {one["change"] for one in compared} == {"Same"}
    assert {one["id"] for one in compared} == {one["id"] for one in scanned["recommendations"]}


def test_a_changed_policy_shows_what_is_new_and_gone_and_what_is_not_known(
    scanned: dict[str, Any], finops: Finops, files: Files, valkey_url: str
) -> None:
    off = [{"id": "ec2_instance_idle", "enabled": False}]
    everything = {**NO_OWNER, "id": "every_instance", "kind": "ec2-instance", "when": "true"}
    path = files(policy("production", checks=off, customChecks=[everything, HOT]), account("production"))
    ended = finops("policy", "test", "-f", path, "--redis", valkey_url, "-o", "json", "--only-changes")
    compared = json.loads(ended.out)
    new = [one for one in compared if one["change"] == "New"]
    gone = [one for one in compared if one["change"] == "Gone"]
    instances = {one["id"] for one in scanned["resources"] if one["kind"] == "ec2-instance"}
    assert {one["resource"]["id"] for one in new if one["check"] == "every_instance"} == instances
    assert {"ec2_instance_idle", NO_OWNER["id"]} == {one["check"] for one in gone}
    assert "instance_hot: insufficient data about" in ended.err

    table = finops("policy", "test", "-f", path, "--redis", valkey_url).out
    assert f"{len(new)} new · {len(gone)} gone" in table
    # Nothing was written: the advice that stands is the scan's.
    standing = json.loads(finops("recommendations", "--all", "--redis", valkey_url, "-o", "json").out)
    assert {one["id"] for one in standing} == {one["id"] for one in scanned["recommendations"]}


def test_what_a_scan_would_ask_aws_and_nobody_kept_is_said_and_takes_no_advice_away(
    scanned: dict[str, Any], finops: Finops, files: Files, valkey_url: str
) -> None:
    path = files(policy("production", customChecks=[NO_OWNER]), account("production"))
    tested = ("policy", "test", "-f", path, "--redis", valkey_url, "-o", "json")
    assert "not available" not in finops(*tested).err
    client = redis.Redis.from_url(valkey_url)
    kept = [key for kind in ("offered", "ring") for key in client.scan_iter(f"*{kind}:*")]
    assert client.delete(*kept)
    ended = finops(*tested)
    assert "; a scan would ask AWS" in ended.err
    assert "Gone" not in {one["change"] for one in json.loads(ended.out)}


def test_own_checks_are_tried_on_a_report(
    scanned: dict[str, Any], finops: Finops, files: Files, tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    report.write_text(json.dumps(scanned), encoding="utf-8")
    busy = {**NO_OWNER, "id": "busy", "kind": "ec2-instance", "when": "utilization.cpuPercent.maximum > 0"}
    lost = {**busy, "id": "lost", "when": "utilization.cpuPercent.p95 > 0"}
    path = files(policy("production", customChecks=[NO_OWNER, busy, lost]), account("production"))
    ended = finops("policy", "test", "-f", path, "--report", str(report), "-o", "json")
    assert ended.code == 0, ended.err
    compared = json.loads(ended.out)
    changes = {(one["check"], one["change"]) for one in compared}
    assert changes == {(NO_OWNER["id"], "Same"), ("busy", "New")}
    measured = {one["id"] for one in scanned["resources"] if "cpuPercent" in one["utilization"]}
    assert {one["resource"]["id"] for one in compared if one["check"] == "busy"} <= measured
    assert "lost: insufficient data about" in ended.err
    assert "a report does not hold what AWS offers in which zone, quotas, alarms, hours one by one" in ended.err


def test_wrong_input_says_what_to_write(finops: Finops, files: Files, tmp_path: Path) -> None:
    good = files(policy("production", customChecks=[NO_OWNER]), account("production"))
    plain = tmp_path / "plain.json"
    plain.write_text('{"kind": "List"}', encoding="utf-8")
    for arguments, words in (
        (("-f", good, "--report", str(plain)), "is no ScanReport"),
        (("-f", good, "--report", str(tmp_path / "none.json")), "No such file"),
        (("-f", good, "--report", str(plain), "--against", "a/b"), "is for stored data"),
    ):
        ended = finops("policy", "test", *arguments)
        assert ended.code == 2
        assert words in ended.err
    bad = files(policy("production", customChecks=[{**NO_OWNER, "when": "cost.monthli > 1"}]), account("production"))
    ended = finops("policy", "validate", "-f", bad)
    assert ended.code == 2
    assert "spec.customChecks[0].when: line 1, column 5: there is no cost.monthli" in ended.err
    assert "did you mean cost.monthly?" in ended.err
