"""What policies count of a day is what their selectors took on it, no resource twice, and nothing of it is guessed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from finops.domain.analytics.causes import ALERT_GATES, explained
from finops.domain.analytics.series import added
from finops.domain.budget import BudgetState, drivers, judge, month_so_far, parts_of
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import Asked, CostOfDay, KeptSelections, Parts, Selecting, asked_by_shard, by_shard
from finops.domain.selected import counted as counted_of_shard

SHARD = Shard("111122223333", "us-east-1", "ec2-instance")
OTHER = Shard("444455556666", "us-east-1", "ec2-instance")
TODAY = date(2026, 3, 10)
WHOLE = CostOfDay(TODAY, SHARD, ShardCost(Decimal(100), 10, 0))


def selecting(policy: str, shard: Shard = SHARD, team: str = "") -> Selecting:
    return Selecting(policy, frozenset({shard}), {"team": (team or policy,)}, {})


def taking_all(policy: str) -> Selecting:
    return Selecting(policy, frozenset({SHARD}), {}, {})


WEB, PAY = selecting("a/web"), selecting("a/pay")
PARTS: Parts = (
    (frozenset({WEB.mark}), ShardCost(Decimal(30), 3, 0)),
    (frozenset({PAY.mark}), ShardCost(Decimal(20), 2, 1)),
    (frozenset({WEB.mark, PAY.mark}), ShardCost(Decimal(5), 1, 0)),
)
KEPT: KeptSelections = {(SHARD, None): PARTS}


def counted(whole: CostOfDay, kept: KeptSelections, policies: list[Selecting]) -> CostOfDay | None:
    asked = asked_by_shard(policies).get(whole.shard)
    if asked is None or whole.cost is None:
        return None
    return CostOfDay(whole.day, whole.shard, *counted_of_shard(whole.cost, kept.get((whole.shard, None), ()), asked))


@pytest.mark.parametrize(
    ("policies", "cost", "resources"),
    [
        ([WEB], 35, 4),
        ([WEB, PAY], 55, 6),
        ([WEB, taking_all("a/all")], 100, 10),
        ([taking_all("a/new")], 100, 10),
        # What it took then is not what it takes now, and that is known.
        ([taking_all("a/web")], 100, 10),
    ],
)
def test_policies_count_what_at_least_one_of_them_took(policies: list[Selecting], cost: int, resources: int) -> None:
    found = counted(WHOLE, KEPT, policies)

    assert found is not None
    assert found.cost is not None
    assert found.is_whole
    assert (found.cost.monthly_cost, found.cost.resources) == (Decimal(cost), resources)


@pytest.mark.parametrize("other", [selecting("b/new"), selecting("a/web", team="other")])
def test_a_day_on_which_a_policy_was_not_there_or_selected_otherwise_is_unknown_of_it(other: Selecting) -> None:
    assert counted(WHOLE, KEPT, [other]) == CostOfDay(TODAY, SHARD, None, is_whole=False)
    assert counted(WHOLE, KEPT, [PAY, other]) == CostOfDay(TODAY, SHARD, ShardCost(Decimal(25), 3, 1), is_whole=False)
    assert counted(WHOLE, KEPT, []) is None


def test_where_nothing_is_there_to_select_from_every_policy_counts_nothing() -> None:
    empty = CostOfDay(TODAY, SHARD, ShardCost(), is_empty=True)

    assert counted(empty, KEPT, [WEB]) == empty
    assert counted(empty, {}, [selecting("b/new")]) == empty


def test_a_day_of_which_whole_shards_alone_were_kept_is_unknown_to_who_selects() -> None:
    assert counted(WHOLE, {}, [WEB]) == CostOfDay(TODAY, SHARD, None, is_whole=False, is_split=False)
    assert counted(WHOLE, {}, [WEB, taking_all("a/all")]) == WHOLE


def test_a_selector_has_the_same_mark_in_whatever_order_it_is_written() -> None:
    one = Selecting("a/web", frozenset(), {"a": ("1", "2"), "b": ("3",)}, {})
    same = Selecting("a/web", frozenset({SHARD}), {"b": ("3",), "a": ("2", "1")}, {})

    assert one.mark == same.mark
    assert one.mark != Selecting("a/web", frozenset(), {}, one.include).mark


def changed_today(before: KeptSelections, after: KeptSelections, policies: list[Selecting]) -> list[CostOfDay]:
    """Return 60 days of 73000 a month, of which policies selected as `before`, and today as `after`."""
    whole = [CostOfDay(TODAY - timedelta(days=ago), SHARD, ShardCost(Decimal(73000), 10, 0)) for ago in range(60)]
    found = (counted(one, after if one.day == TODAY else before, policies) for one in whole)
    return [one for one in found if one is not None]


def took(*found: tuple[Selecting, int, int]) -> KeptSelections:
    return {(SHARD, None): tuple((frozenset({one.mark}), ShardCost(Decimal(cost), n, 0)) for one, cost, n in found)}


WIDER = selecting("a/web", team="wider")


@pytest.mark.parametrize(
    ("before", "after", "policies"),
    [
        (took((WEB, 7300, 3)), took((WEB, 7300, 3), (PAY, 65700, 7)), [WEB, PAY]),
        (took((WEB, 7300, 3)), took((WIDER, 73000, 10)), [WIDER]),
        (took((WIDER, 73000, 10)), took((WEB, 7300, 3)), [WEB]),
        ({}, took((WEB, 7300, 3)), [WEB]),
        (took((WEB, 7300, 3)), {}, [taking_all("a/web")]),
    ],
)
def test_a_new_policy_and_a_changed_selector_are_no_anomaly(
    before: KeptSelections, after: KeptSelections, policies: list[Selecting]
) -> None:
    parts = parts_of(changed_today(before, after, policies), frozenset({SHARD}), TODAY)

    assert explained(parts, TODAY, ALERT_GATES) == ()


def test_an_account_that_a_new_policy_adds_is_no_anomaly() -> None:
    days = [CostOfDay(TODAY - timedelta(days=ago), SHARD, ShardCost(Decimal(7300), 1, 0)) for ago in range(60)]
    days.append(CostOfDay(TODAY, OTHER, ShardCost(Decimal(73000), 9, 0)))

    assert explained(parts_of(days, frozenset({SHARD, OTHER}), TODAY), TODAY, ALERT_GATES) == ()


def test_a_month_of_which_days_of_a_policy_are_missing_has_no_known_actual_and_counts_at_least_the_others() -> None:
    costs = changed_today(took((WEB, 7300, 3)), took((WEB, 7300, 3), (PAY, 65700, 7)), [WEB, PAY])
    month = month_so_far(costs, {SHARD}, TODAY)

    assert (month.known, month.missing_days, month.through) == (Decimal(9 * 240 + 2400), 9, TODAY)
    found = judge(Decimal(10000), month, None, [80], [100])
    assert (found.state, found.actual) == (BudgetState.UNKNOWN, None)


def test_policies_are_found_by_the_shards_that_they_cover() -> None:
    both = [selecting("a/web"), selecting("a/pay", OTHER)]

    assert by_shard(both) == {SHARD: (both[0],), OTHER: (both[1],)}


def test_what_policies_count_of_a_shard_together_is_all_of_it_where_one_takes_all() -> None:
    everything = taking_all("a/all")

    assert asked_by_shard([WEB, PAY, selecting("a/other", OTHER)]) == {
        SHARD: Asked(frozenset({WEB.mark, PAY.mark})),
        OTHER: Asked(frozenset({selecting("a/other", OTHER).mark})),
    }
    all_of_it = {SHARD: Asked(frozenset(), takes_all=True)}
    assert asked_by_shard([WEB, everything, PAY]) == asked_by_shard([everything]) == all_of_it


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


def kept_of(days: dict[int, KeptSelections], costs: dict[int, ShardCost] | None = None) -> list[CostOfDay]:
    """Return what WEB counts on days ago → what was kept of policies on it."""
    whole = ShardCost(Decimal(7300), 10, 0)
    found = (
        counted(CostOfDay(TODAY - timedelta(days=ago), SHARD, (costs or {}).get(ago, whole)), kept, [WEB])
        for ago, kept in sorted(days.items(), reverse=True)
    )
    return [one for one in found if one is not None]


def test_a_day_whose_parts_were_not_written_is_missing_and_no_other_selector() -> None:
    web = took((WEB, 730, 3))
    costs = kept_of({ago: {} if ago == 10 else web for ago in range(81)})

    (part,) = parts_of(costs, frozenset({SHARD}), TODAY)
    series = added([part], TODAY)

    assert part.unknown == frozenset()
    assert TODAY - timedelta(days=10) not in part.costs
    assert series is not None
    assert series.values == (24.0,) * 81
    assert month_so_far(costs, {SHARD}, TODAY).missing_days == 0
    assert month_so_far(kept_of({ago: {} if ago == 5 else web for ago in range(81)}), {SHARD}, TODAY).missing_days == 1


@pytest.mark.parametrize("resources", [0, 3])
def test_a_day_without_parts_is_missing_also_where_a_policy_takes_nothing_of_the_shard(resources: int) -> None:
    web = took((WEB, 730 if resources else 0, resources))
    costs = kept_of({ago: {} if ago == 5 else web for ago in range(81)})

    (part,) = parts_of(costs, frozenset({SHARD}), TODAY)
    series = added([part], TODAY)

    assert (part.unknown, TODAY - timedelta(days=5) in part.costs) == (frozenset(), False)
    assert series is not None
    assert len(series.values) == 81


def test_days_before_the_first_one_that_has_parts_stay_unknown_also_after_one_without_resources() -> None:
    web = took((WEB, 730, 3))
    costs = kept_of({3: {}, 2: {}, 1: {}, 0: web}, {3: ShardCost()})

    (part,) = parts_of(costs, frozenset({SHARD}), TODAY)
    series = added([part], TODAY)

    assert part.unknown == {TODAY - timedelta(days=2), TODAY - timedelta(days=1)}
    assert series is not None
    assert (series.first, series.values) == (TODAY, (24.0,))
