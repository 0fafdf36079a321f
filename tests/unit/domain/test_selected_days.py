"""What policies count of a day is what their selectors took on it, no resource twice, and nothing of it is guessed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from finops.domain.analytics.series import added
from finops.domain.budget import drivers, month_so_far, parts_of
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay, KeptSelections, Parts, Selecting, by_shard, counted

SHARD = Shard("111122223333", "us-east-1", "ec2-instance")
OTHER = Shard("444455556666", "us-east-1", "ec2-instance")
TODAY = date(2026, 3, 10)
WHOLE = CostOfDay(TODAY, SHARD, ShardCost(Decimal(100), 10, 0))
PARTS: Parts = (
    (frozenset({"a/web"}), ShardCost(Decimal(30), 3, 0)),
    (frozenset({"a/pay"}), ShardCost(Decimal(20), 2, 1)),
    (frozenset({"a/web", "a/pay"}), ShardCost(Decimal(5), 1, 0)),
)


def selecting(policy: str, shard: Shard = SHARD) -> Selecting:
    return Selecting(policy, frozenset({shard}), {"team": (policy,)}, {})


def taking_all(policy: str) -> Selecting:
    return Selecting(policy, frozenset({SHARD}), {}, {})


def kept(*whole: str, parts: Parts = PARTS) -> KeptSelections:
    names = frozenset().union(*(takers for takers, _ in parts))
    return KeptSelections(frozenset(whole), names, {(SHARD, None): parts} if parts else {})


@pytest.mark.parametrize(
    ("policies", "cost", "resources"),
    [
        ([selecting("a/web")], 35, 4),
        ([selecting("a/web"), selecting("a/pay")], 55, 6),
        ([selecting("a/web"), selecting("a/new")], 35, 4),
        ([selecting("a/web"), taking_all("a/all")], 100, 10),
        ([taking_all("a/new")], 100, 10),
        # It selected on that day, whatever it does today.
        ([taking_all("a/web")], 35, 4),
        ([selecting("a/all")], 100, 10),
    ],
)
def test_policies_count_what_at_least_one_of_them_took(policies: list[Selecting], cost: int, resources: int) -> None:
    found = counted(WHOLE, kept("a/all"), policies)

    assert found is not None
    assert found.cost is not None
    assert (found.cost.monthly_cost, found.cost.resources) == (Decimal(cost), resources)


def test_a_policy_that_selects_adds_nothing_to_a_day_before_it_was_there() -> None:
    assert counted(WHOLE, kept("a/all"), [selecting("b/new")]) is None
    assert counted(WHOLE, kept("a/all"), []) is None


def test_where_nothing_is_there_to_select_from_a_policy_that_was_there_counts_nothing() -> None:
    empty = CostOfDay(TODAY, SHARD, ShardCost())

    assert counted(empty, kept(), [selecting("a/web")]) == empty
    assert counted(empty, None, [selecting("a/web")]) == empty
    assert counted(empty, kept(), [selecting("b/new")]) is None


def test_a_day_of_which_whole_shards_alone_were_kept_is_unknown_to_who_selects() -> None:
    assert counted(WHOLE, None, [selecting("a/web")]) == CostOfDay(TODAY, SHARD, None)
    assert counted(WHOLE, None, [selecting("a/web"), taking_all("a/all")]) == WHOLE


def test_policies_are_found_by_the_shards_that_they_cover() -> None:
    both = [selecting("a/web"), selecting("a/pay", OTHER)]

    assert by_shard(both) == {SHARD: (both[0],), OTHER: (both[1],)}


def test_a_series_begins_after_the_last_day_of_which_a_part_is_unknown() -> None:
    def days(shard: Shard, unknown: int) -> list[CostOfDay]:
        cost = ShardCost(Decimal(730), 1, 0)
        return [
            CostOfDay(TODAY - timedelta(days=ago), shard, None if ago >= unknown else cost)
            for ago in reversed(range(5))
        ]

    costs = [*days(SHARD, 2), *days(OTHER, 9)]
    parts = parts_of(costs, frozenset({SHARD, OTHER}), TODAY)
    series, alone = added(parts, TODAY), added(parts[1:], TODAY)

    assert series is not None
    assert (series.first, series.values) == (TODAY - timedelta(days=1), (48.0, 48.0))
    assert alone is not None
    assert len(alone.values) == 5
    month = month_so_far(costs, {SHARD, OTHER}, TODAY)
    assert (month.known, month.missing_days) == (Decimal(7 * 24), 8)
    assert drivers(costs, {SHARD, OTHER}, month) == ((OTHER, Decimal(120)), (SHARD, Decimal(48)))
