"""What a scan cannot see is told, everything else is scanned, and nothing is called idle for want of data."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from tests.integration.scan.conftest import STRICT
from tests.support.scanning import account, policy, report_of

from finops.domain.resource import Resource
from finops.errors import InvalidInput, StoreUnavailable
from finops.store.connection import Store
from finops.store.recommendations import RecommendationStore
from finops_operator.scan.judging import ShardJudge
from finops_operator.scan.report import summary_to_json
from finops_operator.scan.scan import ScanOutcome
from finops_operator.upkeep.covered import covered
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
PRODUCTION, STAGING = "111111111111", "222222222222"


def codes(outcome: ScanOutcome) -> set[tuple[str, str, str]]:
    return {(gap.account, gap.region, gap.code) for gap in outcome.summary.gaps}


def sentence_of(outcome: ScanOutcome, code: str) -> str:
    """Return what is said about the one gap of `code`."""
    (told,) = {gap.message for gap in outcome.summary.gaps if gap.code == code}
    return told


def test_at_40_percent_throttling_every_resource_is_measured_or_unknown_and_none_idle_for_want_of_data(
    scanned: Scan, aws: AwsDouble
) -> None:
    both = policy("production", "staging")
    calm = report_of(scanned(both, apart="calm"))
    before = aws.counts["cloudwatch:GetMetricData"]
    aws.control.inject({"kind": "throttle", "rate": 0.4})
    report = report_of(scanned(both, apart="stormy"))
    assert aws.counts["cloudwatch:GetMetricData"] > before
    assert {one["id"] for one in report["resources"]} == {one["id"] for one in calm["resources"]}
    idle = {one["resource"]["id"] for one in report["recommendations"] if one["check"] == "ec2_instance_idle"}
    assert idle <= {one["resource"]["id"] for one in calm["recommendations"] if one["check"] == "ec2_instance_idle"}
    for one in report["resources"]:
        if one["kind"] == "ec2-instance" and one["state"] == "running":
            assert "cpuPercent" in one["utilization"] or "cpuPercent" in one["unknownUtilization"]


_WITHOUT_METRICS = frozenset(
    {"ebs_volume_gp2", "ec2_instance_graviton", "ec2_instance_public_ipv4", "ec2_instance_stopped"}
)
"""Checks that judge what is set, whatever was measured."""


def test_metrics_that_never_come_leave_all_unknown_and_nothing_recommended_by_load(
    scanned: Scan, aws: AwsDouble
) -> None:
    for action in ("GetMetricData", "ListMetrics"):
        aws.control.inject({"kind": "throttle", "action": action})
    outcome = scanned(policy("production", regions=["us-east-1"]))
    report = report_of(outcome)
    assert {one["check"] for one in report["recommendations"]} <= _WITHOUT_METRICS
    assert outcome.summary.unknown_resources >= 3
    assert {gap["service"] for gap in report["gaps"]} == {"cloudwatch"}
    assert not outcome.summary.complete_failure


def test_a_part_of_the_metrics_that_fails_is_unknown_and_counted(scanned: Scan, aws: AwsDouble) -> None:
    aws.control.inject({"kind": "partial_metrics", "fraction": 1.0})
    outcome = scanned(policy("production", regions=["us-east-1"], resources=["ec2-instance"]))
    gaps = [gap for gap in outcome.summary.gaps if gap.operation == "GetMetricData"]
    assert [(gap.code, gap.resources) for gap in gaps] == [("InternalError", 3)]
    assert {one["check"] for one in report_of(outcome)["recommendations"]} <= _WITHOUT_METRICS


def test_a_denied_region_is_a_gap_and_the_others_complete(scanned: Scan, aws: AwsDouble) -> None:
    aws.control.inject({"kind": "deny", "service": "ec2", "account": STAGING, "region": "eu-central-1"})
    outcome = scanned()
    assert codes(outcome) == {(STAGING, "eu-central-1", "UnauthorizedOperation")}
    assert {gap.operation for gap in outcome.summary.gaps} == {"DescribeInstances", "DescribeVolumes"}
    assert len(outcome.shards) == 6


def test_what_cannot_be_listed_any_more_stays_a_part_of_the_cost_that_is_not_known(
    scanned: Scan, aws: AwsDouble, store: Store
) -> None:
    both = policy("production", "staging", resources=STRICT)
    everything = scanned(both).shards
    aws.control.inject({"kind": "deny", "service": "ec2", "account": STAGING, "region": "eu-central-1"})
    heads = RecommendationStore(store)
    for _ in range(2):
        scanned(both)
        head = heads.head(("default", "all"))
        assert head is not None
        assert {shard.region for shard in head.unlisted} == {"eu-central-1"}
        assert head.covered == {shard for shard, _ in everything}
    no_role = {
        "production": account("production", PRODUCTION),
        "staging": account("staging", STAGING, externalId="no"),
    }
    scanned(both, accounts=no_role)
    head = heads.head(("default", "all"))
    assert head is not None
    assert head.unlisted == tuple(shard for shard, _ in everything if shard.account == STAGING)
    assert covered(store, "default").shards == head.covered == {shard for shard, _ in everything}
    scanned(policy("production", resources=STRICT))
    head = heads.head(("default", "all"))
    assert head is not None
    assert head.unlisted == ()


def test_a_region_that_is_switched_off_is_a_gap(scanned: Scan, aws: AwsDouble) -> None:
    outcome = scanned(policy("production", regions=["us-east-1", "me-south-1"], resources=STRICT))
    assert (PRODUCTION, "me-south-1", "RegionNotEnabled") in codes(outcome)
    assert len(outcome.shards) == 2
    aws.control.inject({"kind": "region_disabled", "region": "eu-central-1", "account": PRODUCTION})
    outcome = scanned(policy("production", resources=STRICT))
    assert {(place, code) for _, place, code in codes(outcome)} == {("eu-central-1", "OptInRequired")}


def test_a_role_that_cannot_be_assumed_is_a_gap_of_the_account_and_the_other_one_completes(
    scanned: Scan, aws: AwsDouble
) -> None:
    accounts = {
        "production": account("production", PRODUCTION),
        "staging": account("staging", STAGING, externalId="no"),
    }
    outcome = scanned(accounts=accounts)
    assert codes(outcome) == {(STAGING, "", "AssumeRoleFailed")}
    assert "externalId" in sentence_of(outcome, "AssumeRoleFailed")
    assert {shard.account for shard, _ in outcome.shards} == {PRODUCTION}


def test_wrong_keys_fail_the_scan_with_a_sentence_that_names_the_cause(
    scanned: Scan, monkeypatch: pytest.MonkeyPatch, store: Store
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONGWRONGWRONG1")
    outcome = scanned()
    assert "InvalidClientTokenId" in {gap.code for gap in outcome.summary.gaps}
    assert outcome.summary.complete_failure.startswith("nothing could be scanned: AwsAccount production")
    assert RecommendationStore(store).head(("default", "all")) is None


def test_the_report_of_a_scan_that_saw_nothing_holds_no_sums(scanned: Scan, monkeypatch: pytest.MonkeyPatch) -> None:
    """0.00 would read as an account that costs nothing and in which nothing can be saved."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAWRONGWRONGWRONG1")
    summary = summary_to_json(scanned().summary)["summary"]
    assert summary["completeFailure"].startswith("nothing could be scanned")
    assert (summary["monthlyCost"], summary["potentialMonthlySavings"]) == (None, None)
    assert summary["savings"] == {"actionable": None, "advice": None, "blocked": None}


def test_an_account_that_is_another_one_than_it_says_is_refused(scanned: Scan, aws: AwsDouble) -> None:
    # Without a role the base identity is used, and that belongs to the first account.
    liar = account("liar", STAGING, scannerRoleArn=None, externalId=None)
    outcome = scanned(policy("liar"), {"liar": liar})
    assert codes(outcome) == {(STAGING, "", "AccountMismatch")}
    assert PRODUCTION in sentence_of(outcome, "AccountMismatch")
    assert aws.counts["ec2:DescribeRegions"] == 0


def test_an_account_that_is_not_granted_is_never_asked_anything(scanned: Scan, aws: AwsDouble) -> None:
    accounts = {"production": account("production", PRODUCTION, namespaces=("team-b",))}
    outcome = scanned(policy("production", "missing", namespace="team-a"), accounts)
    assert codes(outcome) == {("production", "", "AccountNotGranted"), ("missing", "", "AccountNotFound")}
    assert "team-a" in sentence_of(outcome, "AccountNotGranted")
    assert outcome.summary.complete_failure
    assert sum(aws.counts.values()) == 0


def test_one_account_under_two_names_is_counted_once(scanned: Scan) -> None:
    accounts = {"one": account("one", PRODUCTION), "two": account("two", PRODUCTION)}
    outcome = scanned(policy("one", "two", resources=STRICT), accounts)
    assert codes(outcome) == {("two", "", "AccountTwice")}
    assert len(outcome.shards) == 4


def test_a_lost_page_is_a_gap_and_what_was_read_stays(scanned: Scan, aws: AwsDouble) -> None:
    aws.control.fleet(PRODUCTION, "us-east-1", instances=1500)
    aws.control.inject({"kind": "lost_page", "service": "ec2"})
    checks = [{"id": "ec2_instance_overprovisioned", "enabled": False}]
    outcome = scanned(policy("production", regions=["us-east-1"], resources=["ec2-instance"], checks=checks))
    assert codes(outcome) == {(PRODUCTION, "us-east-1", "InternalError")}
    assert outcome.summary.resources == 1000


def test_a_scan_whose_inventory_goes_while_it_judges_fails_and_what_was_visible_stays(
    scanned: Scan, aws: AwsDouble, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.control.fleet(PRODUCTION, "us-east-1", instances=1500)
    checks = [{"id": "ec2_instance_overprovisioned", "enabled": False}]
    wanted = policy("production", regions=["us-east-1"], resources=["ec2-instance"], checks=checks)
    whole = scanned(wanted).summary
    judged = ShardJudge.page

    def page(judge: ShardJudge, resources: Sequence[Resource]) -> None:
        judged(judge, resources)
        for generation in store.client.scan_iter(f"{store.keys.prefix}inv:*:ec2-instance:2*"):
            store.client.delete(generation)

    monkeypatch.setattr(ShardJudge, "page", page)
    with pytest.raises(StoreUnavailable, match="lost resources of"):
        scanned(wanted)
    head = RecommendationStore(store).head(("default", "all"))
    assert head is not None
    assert head.summary == whole
    monkeypatch.undo()


def test_an_endpoint_that_is_down_fails_the_scan_and_says_where_to_check(
    scanned: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    outcome = scanned(policy("production"))
    assert "AWS_ENDPOINT_URL" in outcome.summary.complete_failure


def test_a_check_that_does_not_exist_names_the_field(scanned: Scan) -> None:
    with pytest.raises(InvalidInput, match=r"spec\.checks\[0\]"):
        scanned(policy("production", checks=[{"id": "ec2_instance_lazy"}]))
