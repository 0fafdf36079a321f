"""Recommendations, cost history and shared rate limits on a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.contract.store_scan.side_by_side import swap_side_by_side

from finops.domain.recommendation import ActionType, Block, Effort, NotRecommended, Recommendation, ResourceRef, Status
from finops.domain.report import Savings, ScanSummary, ShardCost, StatusSum
from finops.domain.resource import Gap, Shard
from finops.errors import StoreUnavailable
from finops.ports.limits import Bucket
from finops.store.connection import Store, open_store
from finops.store.cost_history import CostHistoryStore
from finops.store.inventory import InventoryStore
from finops.store.limits import SharedRateLimits
from finops.store.recommendations import HeadUnreadable, PolicyHead, RecommendationStore, savings_to_text

POLICY = ("team-a", "all")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SHARD = Shard("111111111111", "us-east-1", "ec2-instance")


def recommendation(number: int, saving: str | None, *, counted: bool = True) -> Recommendation:
    return Recommendation(
        id=f"{number:016x}",
        policy="team-a/all",
        check="ec2_instance_overprovisioned",
        action="ec2_instance_resize",
        action_type=ActionType.RIGHTSIZE,
        destructive=False,
        resource=ResourceRef("ec2-instance", f"i-{number}", f"arn:{number}", "111111111111", "us-east-1", "<web>"),
        parameters={"instanceType": "t3.small"},
        current_monthly_cost=Decimal("66.82"),
        new_monthly_cost=None if saving is None else Decimal("66.82") - Decimal(saving),
        monthly_savings=None if saving is None else Decimal(saving),
        price_source="bundled",
        price_as_of="2026-11-01",
        effort=Effort.MEDIUM,
        restart_needed=True,
        rollback_possible=True,
        evidence={"cpuPeakPercent": "12.5"},
        summary="a sentence",
        group=f"arn:{number}",
        counted=counted,
        alternatives=({"instanceType": "t3.medium"},),
        attributes={"listMonthlySavings": saving},
        target="t3.small",
        status=Status.BLOCKED if saving is None else Status.ACTIONABLE,
        blocked_by=(Block("NoPrice", "The saving is unknown."),) if saving is None else (),
        tags={"team": "web"},
    )


def head(generation: str, began: datetime = NOW) -> PolicyHead:
    gap = Gap("222222222222", "", "sts", "AssumeRole", "AssumeRoleFailed", "no")
    summary = ScanSummary(
        policy="team-a/all",
        start_time=began,
        completion_time=max(began, NOW),
        resources=3,
        monthly_cost=Decimal("200.46"),
        unpriced_resources=1,
        unknown_resources=2,
        savings=Savings(
            StatusSum(Decimal("40.00"), 2, unknown=1), blocked=StatusSum(Decimal("3.00"), 1, Decimal("9.50"))
        ),
        gaps=(gap,),
        api_calls={"ec2:DescribeInstances": 3},
        estimated_api_cost=Decimal("0.00125"),
    )
    return PolicyHead(
        generation,
        summary,
        ((SHARD, "g0"),),
        costs={SHARD: ShardCost(Decimal("200.46"), 3, 1)},
        include_tags={"team": ("a", "b")},
        exclude_tags={"finops.dev/ignore": ("true",)},
        hours_per_month=744,
    )


def test_recommendations_come_back_by_saving_with_unknown_ones_last(store: Store) -> None:
    recommendations = RecommendationStore(store)
    some = [recommendation(1, "5.00"), recommendation(2, None), replace(recommendation(3, "35.10"), lasts_days=7)]
    recommendations.add(POLICY, "g1", some, [])
    assert list(recommendations.stream(POLICY)) == []
    recommendations.swap(POLICY, head("g1"))
    assert list(recommendations.stream(POLICY)) == [some[2], some[0], some[1]]
    assert recommendations.get(POLICY, some[1].id) == some[1]
    assert recommendations.policies() == (POLICY,)


def test_what_an_earlier_release_wrote_is_read_with_nothing_that_comes_once(store: Store) -> None:
    earlier = savings_to_text(Savings(StatusSum(Decimal("4.90"), 1))).replace(', "0.00"]', "]")
    assert earlier.startswith('{"actionable": ["4.90", 1], ')
    recommendations = RecommendationStore(store)
    recommendations.swap(POLICY, head("g1"))
    store.client.hset(store.keys.policy(*POLICY).head, "savings", earlier)

    shown = recommendations.head(POLICY)
    assert shown is not None
    assert shown.summary.savings == Savings(StatusSum(Decimal("4.90"), 1))


def test_a_scan_that_began_earlier_and_ended_later_does_not_replace_the_newer_one(store: Store) -> None:
    recommendations = RecommendationStore(store)
    newer, older = head("newer", NOW - timedelta(seconds=1, microseconds=1)), head("older", NOW - timedelta(seconds=2))
    recommendations.swap(POLICY, newer)
    recommendations.swap(POLICY, older)
    assert recommendations.head(POLICY) == newer
    recommendations.swap(POLICY, head("now"))
    assert recommendations.head(POLICY) == head("now")


def test_a_scan_dated_in_the_future_by_a_wrong_clock_is_replaced(store: Store) -> None:
    recommendations = RecommendationStore(store)
    recommendations.swap(POLICY, head("wrong", NOW + timedelta(hours=1)))
    recommendations.swap(POLICY, head("right"))
    assert recommendations.head(POLICY) == head("right")


def test_the_counted_member_of_a_group_comes_before_its_equal_alternative(store: Store) -> None:
    recommendations = RecommendationStore(store)
    counted, other = recommendation(1, "5.00"), recommendation(2, "5.00", counted=False)
    recommendations.add(POLICY, "g1", [other, counted], [])
    recommendations.swap(POLICY, head("g1"))
    assert list(recommendations.stream(POLICY)) == [counted, other]


def test_what_a_preflight_refused_moves_its_saving_from_ready_to_blocked(store: Store) -> None:
    recommendations = RecommendationStore(store)
    first, second = recommendation(1, "35.10"), recommendation(2, "4.90")
    recommendations.add(POLICY, "g1", [first, second], [])
    recommendations.swap(POLICY, head("g1"))
    gone = recommendation(9, "1.00")
    refused = replace(first, status=Status.BLOCKED, blocked_by=(Block("RefusedByPreflight:SpotInstance", "No."),))

    recommendations.correct(POLICY, [refused, replace(second, note="It waits."), gone])

    assert list(recommendations.stream(POLICY)) == [refused, replace(second, note="It waits.")]
    shown = recommendations.head(POLICY)
    assert shown is not None
    assert shown.summary.savings == Savings(
        StatusSum(Decimal("4.90"), 1, unknown=1), blocked=StatusSum(Decimal("38.10"), 2, Decimal("9.50"))
    )


def test_a_correction_of_a_policy_without_a_scan_writes_nothing(store: Store) -> None:
    recommendations = RecommendationStore(store)

    recommendations.correct(POLICY, [recommendation(1, "35.10")])

    assert recommendations.head(POLICY) is None
    assert recommendations.get(POLICY, recommendation(1, "35.10").id) is None


def test_many_recommendations_are_streamed_in_pages(store: Store) -> None:
    recommendations = RecommendationStore(store)
    recommendations.add(POLICY, "g1", [recommendation(number, f"{number}.00") for number in range(450)], [])
    recommendations.swap(POLICY, head("g1"))
    found = [one.monthly_savings for one in recommendations.stream(POLICY)]
    assert found == [Decimal(number) for number in reversed(range(450))]


def test_one_swap_shows_recommendations_totals_and_gaps_together(store: Store) -> None:
    recommendations = RecommendationStore(store)
    recommendations.swap(POLICY, head("g1"))
    recommendations.add(POLICY, "g2", [recommendation(1, "5.00")], [])
    assert recommendations.head(POLICY) == head("g1")
    recommendations.swap(POLICY, head("g2"))
    assert recommendations.head(POLICY) == head("g2")
    assert len(list(recommendations.stream(POLICY))) == 1


def test_the_next_scan_finds_what_was_advised_and_why_nothing_was(store: Store) -> None:
    recommendations = RecommendationStore(store)
    why = [NotRecommended("ec2_instance_idle", "i-2", "CPU reached 50 %")]
    recommendations.add(POLICY, "g1", [recommendation(1, "5.00")], why)
    recommendations.swap(POLICY, head("g1"))
    asked = [("ec2_instance_overprovisioned", "i-1"), ("ec2_instance_idle", "i-2"), ("ec2_instance_idle", "i-9")]
    assert recommendations.previous_targets(POLICY, asked) == {("ec2_instance_overprovisioned", "i-1"): "t3.small"}
    assert recommendations.reasons(POLICY, "g1", asked) == why


def test_a_policy_that_is_gone_leaves_nothing_but_an_hour_for_its_readers(store: Store) -> None:
    recommendations = RecommendationStore(store)
    recommendations.add(POLICY, "g1", [recommendation(1, "5.00")], [])
    recommendations.swap(POLICY, head("g1"))
    recommendations.forget(POLICY, "g1")
    recommendations.forget(POLICY, "g1")
    assert recommendations.head(POLICY) is None
    assert recommendations.policies() == ()
    assert list(recommendations.stream(POLICY, "g1")) == [recommendation(1, "5.00")]
    left = [store.client.ttl(key) for key in store.client.scan_iter(f"{store.keys.prefix}*")]
    assert left
    assert all(0 < seconds <= 3600 for seconds in left)


def test_a_generation_that_was_not_known_is_not_forgotten(store: Store) -> None:
    recommendations = RecommendationStore(store)
    recommendations.swap(POLICY, head("g1"))
    recommendations.add(POLICY, "g2", [recommendation(1, "5.00")], [])
    recommendations.swap(POLICY, replace(head("g2"), uid="made anew"))
    recommendations.forget(POLICY, "g1")
    assert recommendations.head(POLICY) == replace(head("g2"), uid="made anew")
    assert recommendations.policies() == (POLICY,)
    assert store.client.ttl(store.keys.policy(*POLICY).part("g2", "recs")) == -1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("shards", "{"),
        ("monthlyCost", "much"),
        ("costs", "[]"),
        ("startTime", "today"),
        ("completeFailure", None),
        ("costs", None),
        ("uid", None),
    ],
)
def test_a_head_that_is_none_is_an_error_of_ours_until_the_next_scan_writes_it_anew(
    store: Store, name: str, text: str | None
) -> None:
    recommendations = RecommendationStore(store)
    recommendations.swap(POLICY, head("g1"))
    key = store.keys.policy(*POLICY).head
    if text is None:
        store.client.hdel(key, name)
    else:
        store.client.hset(key, name, text)
    with pytest.raises(HeadUnreadable, match="team-a/all"):
        recommendations.head(POLICY)
    recommendations.swap(POLICY, head("g2"))
    assert recommendations.head(POLICY) == head("g2")


def test_of_two_scans_of_one_policy_that_end_together_no_generation_stays_for_ever(
    store: Store, valkey_url: str
) -> None:
    made = [f"g{number}" for number in range(40)]
    for generation in made:
        RecommendationStore(store).add(POLICY, generation, [recommendation(1, "5.00")], [])
    swap_side_by_side(valkey_url, store, made, lambda one, name: RecommendationStore(one).swap(POLICY, head(name)))
    visible = RecommendationStore(store).head(POLICY)
    assert visible is not None
    lasting = [name for name in made if store.client.ttl(store.keys.policy(*POLICY).part(name, "recs")) == -1]
    assert lasting == [visible.generation]


def test_the_last_scan_of_a_day_is_the_days_cost_and_it_is_kept_for_400_days(store: Store) -> None:
    history = CostHistoryStore(store)
    costs = [ShardCost(Decimal(amount), 3, 1) for amount in ("10.00", "11.00", "12.50")]
    for day, cost in zip((23, 24, 24), costs, strict=True):
        history.put(date(2026, 11, day), {SHARD: cost})
    found = [(one.day.day, one.kind, one.cost) for one in history.between(date(2026, 11, 1), NOW.date())]
    assert found == [(23, "ec2-instance", costs[0]), (24, "ec2-instance", costs[2])]
    kept = store.client.ttl(store.keys.cost("2026-11-24"))
    assert kept == pytest.approx(400 * 86_400, abs=10)


def test_processes_share_one_bucket(store: Store, valkey_url: str) -> None:
    bucket = Bucket("111111111111", "us-east-1", "ec2", 2.0, 10.0)
    other = open_store(valkey_url, prefix=store.keys.prefix)
    one, two = SharedRateLimits(store), SharedRateLimits(other)
    waits = [one.take(bucket), two.take(bucket), one.take(bucket), two.take(bucket)]
    other.client.close()
    assert waits[:2] == [0.0, 0.0]
    assert 0 < waits[2] < waits[3] <= 0.2


def test_throttling_slows_the_shared_bucket_down(store: Store) -> None:
    limits, bucket = SharedRateLimits(store), Bucket("1", "r", "ec2", 100.0, 10.0)
    limits.throttled(bucket)
    assert limits.take(bucket) > 0.15


def test_a_server_that_does_not_answer_is_an_error_of_ours() -> None:
    nowhere = open_store("unix:///nonexistent/valkey.sock", timeout_seconds=0.1)
    with pytest.raises(StoreUnavailable):
        InventoryStore(nowhere).head(SHARD)
    with pytest.raises(StoreUnavailable):
        RecommendationStore(nowhere).add(POLICY, "g", [replace(recommendation(1, "1"))], [])
