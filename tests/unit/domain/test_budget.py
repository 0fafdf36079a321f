"""A month is judged by what is known of it, and a gap never makes it cheaper than it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.budget import (
    Basis,
    BudgetState,
    MonthSoFar,
    Scope,
    drivers,
    judge,
    month_forecast,
    month_so_far,
    share_of,
)
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay

INSTANCES = Shard("111122223333", "us-east-1", "ec2-instance")
VOLUMES = Shard("111122223333", "eu-west-1", "ebs-volume")
TODAY = date(2026, 3, 10)


def days(shard: Shard, monthly: str, count: int, *, unpriced: int = 0, last: date = TODAY) -> list[CostOfDay]:
    """The last `count` days of a shard, each at so much a month of 730 hours."""
    cost = ShardCost(Decimal(monthly), 4, unpriced)
    return [CostOfDay(last - timedelta(days=ago), shard, cost) for ago in range(count)]


def test_a_month_of_whole_days_is_known_to_the_cent() -> None:
    month = month_so_far([*days(INSTANCES, "730", 40), *days(VOLUMES, "73", 40)], {INSTANCES, VOLUMES}, TODAY)

    assert (month.known, month.through, month.is_whole) == (Decimal("264.0"), TODAY, True)


def test_today_counts_only_when_every_part_was_scanned_today() -> None:
    costs = [*days(INSTANCES, "730", 10), *days(VOLUMES, "730", 9, last=TODAY - timedelta(days=1))]

    month = month_so_far(costs, {INSTANCES, VOLUMES}, TODAY)

    assert (month.through, month.known, month.is_whole) == (TODAY - timedelta(days=1), Decimal(432), True)


def test_a_day_that_one_part_was_not_scanned_leaves_the_month_unknown() -> None:
    volumes = [one for one in days(VOLUMES, "730", 10) if one.day.day != 5]

    month = month_so_far([*days(INSTANCES, "730", 10), *volumes], {INSTANCES, VOLUMES}, TODAY)

    assert (month.missing_days, month.is_whole, month.known) == (1, False, Decimal(456))


def test_resources_without_a_price_are_counted_on_the_worst_day() -> None:
    costs = [*days(INSTANCES, "730", 10), *days(VOLUMES, "0", 9, last=TODAY - timedelta(days=1), unpriced=3)]
    costs += days(VOLUMES, "0", 1, unpriced=1)

    month = month_so_far(costs, {INSTANCES, VOLUMES}, TODAY)

    assert (month.unpriced, month.missing_days, month.is_whole) == (3, 0, False)


def test_what_no_policy_scans_is_unknown_and_not_free() -> None:
    for expected in (set[Shard](), {VOLUMES}):
        month = month_so_far(days(INSTANCES, "730", 10), expected, TODAY)
        assert (month.through, month.is_whole) == (None, False)
        assert judge(Decimal(5), month, None, (80,), ()).state is BudgetState.UNKNOWN


def test_on_the_first_of_a_month_before_any_scan_nothing_is_known() -> None:
    first = TODAY.replace(day=1)

    month = month_so_far(days(INSTANCES, "730", 40, last=first - timedelta(days=1)), {INSTANCES}, first)

    assert (month.through, month.is_whole) == (None, False)


def test_the_forecast_is_the_month_so_far_and_the_days_left() -> None:
    costs = days(INSTANCES, "730", 60)
    month = month_so_far(costs, {INSTANCES}, TODAY)

    assert month_forecast(costs, {INSTANCES}, month) == pytest.approx(Decimal(31 * 24), abs=Decimal("0.01"))


def test_without_28_days_or_with_a_day_that_is_not_known_there_is_no_forecast() -> None:
    short = days(INSTANCES, "730", 27)
    missing = [one for one in days(INSTANCES, "730", 60) if one.day.day != 5]

    for costs in (short, missing):
        assert month_forecast(costs, {INSTANCES}, month_so_far(costs, {INSTANCES}, TODAY)) is None


@pytest.mark.parametrize("last", [TODAY, date(2026, 3, 31)])
def test_the_forecast_of_what_has_a_price_is_a_lower_bound_beside_what_has_none(last: date) -> None:
    partly = days(INSTANCES, "730", 60, unpriced=1, last=last)
    never = days(VOLUMES, "0", 60, unpriced=4, last=last)

    for costs in (partly, [*partly, *never], [*partly, *never[:3]]):
        wanted = {one.shard for one in costs}
        month = replace(month_so_far(costs, wanted, last), missing_days=0)
        ahead = month_forecast(costs, wanted, month)
        assert ahead == pytest.approx(Decimal(31 * 24), abs=Decimal("0.01"))
        found = judge(Decimal(900), month, ahead, (80,), (80, 100))
        assert (found.state, found.actual, found.forecast_at_least) == (BudgetState.UNKNOWN, None, True)
        assert [one.percent for one in found.reached if one.basis is Basis.FORECAST] == [80]


@pytest.mark.parametrize("last", [TODAY, date(2026, 3, 31)])
def test_what_has_a_price_on_some_days_of_a_month_only_leaves_it_without_a_forecast(last: date) -> None:
    priced = days(INSTANCES, "730", 60, last=last)
    costs = [
        *priced,
        *days(VOLUMES, "73", 55, last=last - timedelta(days=5)),
        *days(VOLUMES, "0", 5, unpriced=4, last=last),
    ]

    assert month_forecast(costs, {INSTANCES, VOLUMES}, month_so_far(costs, {INSTANCES, VOLUMES}, last)) is None


@pytest.mark.parametrize("since", [1, 3, 27])
def test_days_without_all_prices_teach_no_forecast_of_a_month_that_has_them(since: int) -> None:
    last = TODAY.replace(day=since)
    costs = [
        *days(INSTANCES, "73", 60 - since, unpriced=1, last=last - timedelta(days=since)),
        *days(INSTANCES, "7300", since, last=last),
    ]
    month = month_so_far(costs, {INSTANCES}, last)

    assert month.is_whole
    assert month_forecast(costs, {INSTANCES}, month) is None


def test_where_nothing_has_a_price_there_is_no_forecast() -> None:
    costs = days(INSTANCES, "0", 60, unpriced=4)

    assert month_forecast(costs, {INSTANCES}, month_so_far(costs, {INSTANCES}, TODAY)) is None


def test_on_the_last_day_the_forecast_is_the_cost() -> None:
    last = date(2026, 3, 31)
    costs = days(INSTANCES, "730", 31, last=last)
    month = month_so_far(costs, {INSTANCES}, last)

    assert month_forecast(costs, {INSTANCES}, month) == month.known == Decimal(31 * 24)


@pytest.mark.parametrize(
    ("amount", "state", "reached"),
    [
        ("301", BudgetState.WITHIN_BUDGET, []),
        ("300", BudgetState.ALERT_REACHED, [(Basis.ACTUAL, 80)]),
        ("240.01", BudgetState.ALERT_REACHED, [(Basis.ACTUAL, 80)]),
        ("240", BudgetState.EXCEEDED, [(Basis.ACTUAL, 80), (Basis.ACTUAL, 100)]),
    ],
)
def test_a_threshold_is_reached_at_its_exact_share(
    amount: str, state: BudgetState, reached: list[tuple[Basis, int]]
) -> None:
    month = month_so_far(days(INSTANCES, "730", 10), {INSTANCES}, TODAY)

    found = judge(Decimal(amount), month, None, (100, 80), (100,))

    assert (found.state, [(one.basis, one.percent) for one in found.reached]) == (state, reached)


def test_what_is_known_may_reach_a_threshold_though_the_rest_is_not_known() -> None:
    month = MonthSoFar(Decimal(90), TODAY, 0, 2)

    partly = judge(Decimal(100), month, None, (80, 100), (100,))
    past = judge(Decimal(90), month, None, (80, 100), (100,))

    assert (partly.state, partly.actual, partly.forecast) == (BudgetState.UNKNOWN, None, None)
    assert [(one.basis, one.percent) for one in partly.reached] == [(Basis.ACTUAL, 80)]
    assert (past.state, past.actual, past.known) == (BudgetState.EXCEEDED, None, Decimal("90.00"))


def test_what_the_scans_could_not_list_makes_the_cost_unknown() -> None:
    month = MonthSoFar(Decimal(1), TODAY, 0, 0)

    found = judge(Decimal(100), month, Decimal(500), (80,), (100,), unseen=1)

    assert (found.state, found.actual, found.forecast, found.reached) == (BudgetState.UNKNOWN, None, None, ())


def test_a_scope_takes_what_fits_every_field_that_is_set() -> None:
    assert Scope().takes(INSTANCES)
    assert Scope(regions=frozenset({"us-east-1"}), kinds=frozenset({"ec2-instance"})).takes(INSTANCES)
    assert not Scope(regions=frozenset({"eu-west-1"}), kinds=frozenset({"ec2-instance"})).takes(INSTANCES)
    assert not Scope(accounts=frozenset({"999999999999"})).takes(INSTANCES)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from([INSTANCES, VOLUMES]),
            st.decimals(min_value=0, max_value=10**6, places=2),
        ),
        unique_by=lambda one: one[:2],
    ),
    st.sets(st.sampled_from([INSTANCES, VOLUMES])),
)
def test_what_drives_a_month_adds_up_to_what_is_known_of_it(
    seen: list[tuple[int, Shard, Decimal]], expected: set[Shard]
) -> None:
    costs = [CostOfDay(TODAY - timedelta(days=ago), shard, ShardCost(cost, 1, 0)) for ago, shard, cost in seen]
    month = month_so_far(costs, expected, TODAY)

    found = drivers(costs, expected, month)

    # To the last of 28 digits: the shares are parts of days.
    assert abs(sum((cost for _, cost in found), Decimal(0)) - month.known) < Decimal("1e-15")
    assert [cost for _, cost in found] == sorted((cost for _, cost in found), reverse=True)


COSTS = st.decimals(min_value=0, max_value=10**9, places=4)


@given(st.decimals(min_value="0.01", max_value=10**9, places=2), COSTS, COSTS, st.booleans())
def test_more_cost_never_stands_better_and_a_gap_is_never_within_budget(
    amount: Decimal, cost: Decimal, more: Decimal, whole: bool
) -> None:
    def state(known: Decimal) -> tuple[BudgetState, int]:
        found = judge(amount, MonthSoFar(known, TODAY, 0 if whole else 1, 0), None, (50, 80, 100), ())
        return found.state, len(found.reached)

    order = [BudgetState.UNKNOWN, BudgetState.WITHIN_BUDGET, BudgetState.ALERT_REACHED, BudgetState.EXCEEDED]
    (before, fewer), (after, all_) = state(cost), state(cost + more)
    assert order.index(before) <= order.index(after)
    assert fewer <= all_
    assert whole or after in {BudgetState.UNKNOWN, BudgetState.EXCEEDED}
    assert (after is BudgetState.EXCEEDED) == ((share_of(amount, cost + more) or 0) >= 100)
