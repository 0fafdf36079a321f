"""A whole scan against the AWS double: what it finds, what it stores, what it reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.integration.scan.conftest import ACCOUNTS
from tests.support.scanning import dependencies, policy, report_of

from finops.domain.price import Price, PriceQuery
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.errors import StoreUnavailable
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore, DailyCost
from finops.store.inventory import InventoryStore
from finops.store.recommendations import RecommendationStore
from finops.store.selected_costs import all_selecting, days_counted
from finops_operator.scan.progress import FinishedShard, Progress
from finops_operator.scan.scan import ScanOutcome, scan
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
KEY = ("default", "all")


def test_status_store_and_report_show_the_same_figures(scanned: Scan, store: Store) -> None:
    outcome = scanned()
    summary = outcome.summary
    report = report_of(outcome)
    head = RecommendationStore(store).head(KEY)
    assert head is not None
    assert head.summary == summary
    assert summary.gaps == ()
    assert not summary.complete_failure
    told = report["summary"]
    assert told["resources"] == summary.resources == len(report["resources"])
    assert Decimal(told["monthlyCost"]) == summary.monthly_cost
    known = [Decimal(one["knownMonthlyCost"]) for one in report["resources"] if one["knownMonthlyCost"] is not None]
    assert summary.monthly_cost == sum(known)
    counted = [one for one in report["recommendations"] if one["counted"]]
    assert summary.recommendations == told["recommendations"] == len(counted)
    by_status = {
        status: sum(Decimal(one["monthlySavings"] or 0) for one in counted if one["status"] == status)
        for status in ("Actionable", "Advice", "Blocked")
    }
    assert told["potentialMonthlySavings"] == told["savings"]["actionable"]
    assert {status: Decimal(told["savings"][status.lower()]) for status in by_status} == by_status
    assert all(one["blockedBy"] for one in counted if one["status"] == "Blocked")


def test_every_region_of_every_account_is_scanned_and_ignored_resources_do_not_count(scanned: Scan) -> None:
    outcome = scanned()
    report = report_of(outcome)
    places = {(one["account"], one["region"], one["kind"]) for one in report["resources"]}
    assert len(places) == 8
    assert "ignored" not in {one["name"] for one in report["resources"]}
    assert len([one for one in report["resources"] if one["kind"] == "ec2-instance"]) == 16


def test_each_check_finds_its_case_and_no_near_miss(scanned: Scan) -> None:
    report = report_of(scanned(), why=True)
    names = {one["id"]: one["name"] for one in report["resources"]}
    found = {(one["check"], names[one["resource"]["id"]]) for one in report["recommendations"] if one["counted"]}
    assert ("ec2_instance_idle", "idle") in found
    assert ("ec2_instance_overprovisioned", "low") in found
    assert ("ebs_volume_unattached", "loose") in found
    # It works: another processor or a larger type may suit it, and nothing that takes anything away.
    assert {check for check, name in found if name == "busy"} <= {
        "ec2_instance_graviton",
        "ec2_instance_underprovisioned",
    }
    reasons = {(one["check"], names[one["resource"]]): one["reason"] for one in report["notRecommended"]}
    assert "not running" in reasons["ec2_instance_idle", "stopped"]
    assert "CPU reached" in reasons["ec2_instance_idle", "busy"]


def test_a_second_scan_reads_the_inventory_again_and_no_metrics(scanned: Scan, aws: AwsDouble) -> None:
    first = scanned().summary
    before = aws.counts["cloudwatch:GetMetricData"]
    second = scanned().summary
    assert aws.counts["cloudwatch:GetMetricData"] == before
    assert second.estimated_api_cost == 0
    assert first.estimated_api_cost > 0
    assert (second.monthly_cost, second.savings) == (first.monthly_cost, first.savings)


def test_the_calls_that_are_reported_are_the_calls_that_were_made(scanned: Scan, aws: AwsDouble) -> None:
    outcome = scanned()
    # The double counts by the names of signatures, which for one service is not the SDK's.
    made = {name.replace("servicequotas:", "service-quotas:"): count for name, count in aws.counts.items() if count}
    assert dict(outcome.summary.api_calls) == made


def test_a_selector_narrows_the_policy_and_not_the_shared_inventory(scanned: Scan, store: Store) -> None:
    outcome = scanned(policy("production", regions=["us-east-1"], selector={"includeTags": {"Name": ["idle"]}}))
    assert outcome.summary.resources == 1
    head = InventoryStore(store).head(Shard("111111111111", "us-east-1", "ec2-instance"))
    assert head is not None
    assert head.count == 5


def test_kinds_and_regions_of_the_policy_are_kept_to(scanned: Scan, aws: AwsDouble) -> None:
    outcome = scanned(policy("staging", regions=["eu-central-1"], resources=["ebs-volume"]))
    assert [str(shard) for shard, _ in outcome.shards] == ["222222222222:eu-central-1:ebs-volume"]
    assert aws.counts["ec2:DescribeInstances"] == 0


def test_the_days_cost_is_kept_per_shard(scanned: Scan, store: Store) -> None:
    outcome = scanned()
    day = outcome.summary.start_time.date()
    history = list(CostHistoryStore(store).between(day, day))
    assert len(history) == 8
    assert sum(one.cost.monthly_cost for one in history) >= outcome.summary.monthly_cost
    # In each of the four places one instance is ignored: the policy leaves it out, the history does not.
    assert sum(one.cost.resources or 0 for one in history) == outcome.summary.resources + 4


def test_the_days_cost_of_what_a_policy_selects_is_that_of_its_status(scanned: Scan, store: Store) -> None:
    idle = scanned(policy("production", name="idle", selector={"includeTags": {"Name": ["idle"]}}))
    every = scanned(policy("production", "staging", selector={"excludeTags": {}}))
    day = every.summary.start_time.date()

    for outcome, name in ((idle, "idle"), (every, "all")):
        (asked,) = [one for one in all_selecting(store) if one.policy == f"default/{name}"]
        days = [one.cost for one in days_counted(store, day, day, [asked]) if one.cost is not None]
        assert sum(one.monthly_cost for one in days) == outcome.summary.monthly_cost
        assert sum(one.resources for one in days) == outcome.summary.resources


def test_a_scan_that_is_stopped_before_it_has_kept_what_policies_select_keeps_no_whole_shard_either(
    scanned: Scan, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise StoreUnavailable("the store went away")

    monkeypatch.setattr("finops_operator.scan.scan.keep_selected", gone)
    today = SystemClock().now().date()

    with pytest.raises(StoreUnavailable):
        scanned()

    days = CostHistoryStore(store).between(today - timedelta(days=1), today + timedelta(days=1))
    assert list(days) == []


def test_the_days_cost_counts_a_month_of_730_hours_whatever_the_policy_counts(scanned: Scan, store: Store) -> None:
    def kept() -> list[DailyCost]:
        return list(CostHistoryStore(store).between(day, day))

    outcome = scanned(policy("production", "staging", name="usual"))
    day = outcome.summary.start_time.date()
    before = kept()
    other = scanned(policy("production", "staging", name="other", pricing={"hoursPerMonth": 672}))
    assert other.summary.monthly_cost < outcome.summary.monthly_cost
    assert kept() == before


def test_the_share_of_each_policy_is_shown_with_what_has_no_price(scanned: Scan, aws: AwsDouble, store: Store) -> None:
    found = report_of(scanned(policy("production", regions=["us-east-1"], resources=["ec2-instance"])))
    idle = next(one["id"] for one in found["resources"] if one["name"] == "idle")
    aws.control.change("111111111111", "us-east-1", idle, {"type": "m99.large"})
    summary = scanned(policy("production", regions=["us-east-1"], resources=["ec2-instance"])).summary
    head = RecommendationStore(store).head(KEY)
    assert head is not None
    shard = Shard("111111111111", "us-east-1", "ec2-instance")
    assert head.costs == {shard: ShardCost(summary.monthly_cost, 4, 1)}


@dataclass(frozen=True, slots=True)
class _DearOnlyInFrankfurt:
    """Sells metrics of one region for a dollar each, those of the others for nothing, and knows no other price."""

    id: str = "dear"

    def lookup(self, query: PriceQuery) -> Price | None:
        if query.dimension != "get_metric_data_metric":
            return None
        return Price(Decimal(query.region == "eu-central-1"), "metric", self.id, date(2026, 11, 1))


def test_the_estimate_of_what_the_scan_itself_costs_uses_the_price_of_each_region(aws: AwsDouble, store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        usual = dependencies(store, pool)
        deps = replace(usual, price_sources=(_DearOnlyInFrankfurt(), *usual.price_sources))
        only = {
            name: scan(policy("production", regions=[name]), ACCOUNTS, deps, SystemClock()).summary
            for name in ("us-east-1", "eu-central-1")
        }
    assert only["us-east-1"].api_calls["cloudwatch:GetMetricData"] > 0
    assert only["us-east-1"].estimated_api_cost == 0
    assert only["eu-central-1"].estimated_api_cost >= 10


def test_what_is_gone_in_aws_is_gone_from_inventory_and_utilization(
    scanned: Scan, aws: AwsDouble, store: Store
) -> None:
    wanted = policy("production", regions=["us-east-1"])
    before = report_of(scanned(wanted))
    gone = next(one["id"] for one in before["resources"] if one["name"] == "busy")
    aws.control.change("111111111111", "us-east-1", gone, {"delete": True})
    after = report_of(scanned(wanted))
    assert gone not in {one["id"] for one in after["resources"]}
    shard = Shard("111111111111", "us-east-1", "ec2-instance")
    assert not store.client.hexists(store.keys.shard(shard).utilization, gone)
    assert not store.client.hexists(store.keys.shard(shard).ring("cpuPercent"), gone)


def test_a_report_in_one_line_is_the_same_document(scanned: Scan) -> None:
    outcome = scanned(policy("production", regions=["us-east-1"]))
    report = report_of(outcome)
    assert report["kind"] == "ScanReport"
    assert set(report) == {
        "apiVersion",
        "kind",
        "policy",
        "startTime",
        "completionTime",
        "summary",
        "resources",
        "recommendations",
        "gaps",
    }
    one = report["resources"][0]
    assert {"kind", "id", "arn", "tags", "hourlyCost", "monthlyCost", "annualCost", "price", "utilization"} <= set(one)
    assert not isinstance(one["monthlyCost"], float)


@dataclass
class _Watching(Progress):
    """Keeps what a scan says of itself."""

    shards: list[Shard] = field(default_factory=list)
    found: Counter[Shard] = field(default_factory=Counter)
    seen: Counter[Shard] = field(default_factory=Counter)
    ended: list[FinishedShard] = field(default_factory=list)

    def planned(self, shards: Sequence[Shard]) -> None:
        self.shards += shards

    def listed(self, shard: Shard, resources: int) -> None:
        self.found[shard] += resources

    def judged(self, shard: Shard, resources: int) -> None:
        self.seen[shard] += resources

    def finished(self, done: FinishedShard) -> None:
        self.ended.append(done)


def test_whoever_watches_sees_every_shard_planned_listed_judged_and_at_its_end(aws: AwsDouble, store: Store) -> None:
    watching = _Watching()
    with ThreadPoolExecutor(4) as pool:
        deps = replace(dependencies(store, pool), progress=watching)
        wanted = policy("production", regions=["us-east-1"], resources=["ec2-instance", "ebs-volume"])
        summary = scan(wanted, ACCOUNTS, deps, SystemClock()).summary
    assert {shard.kind for shard in watching.shards} == {"ec2-instance", "ebs-volume"}
    assert watching.found == watching.seen
    assert {one.shard for one in watching.ended} == set(watching.shards)
    assert sum(one.resources for one in watching.ended) == summary.resources
    assert sum(one.monthly_cost for one in watching.ended) == summary.monthly_cost
    assert sum(one.recommendations for one in watching.ended) == summary.recommendations
