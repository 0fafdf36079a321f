"""A part of the cost that has no price takes no figure away from the others: they are lower bounds, and it is named."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.domain.analytics.series import LONGEST_GAP_DAYS, Part
from finops.domain.analytics.unpriced_parts import DAYS_USED, days_at_least, split_by_price
from finops_web.readings.history import Lacking, Outlook, outlook

TODAY = date(2026, 11, 20)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def priced(kind: str = "ec2-instance", cost: float = 100.0, days: int = 81, *, without: Collection[int] = ()) -> Part:
    """Return a part of so many days until today; on the days ago of `without` nothing of it has a price."""
    costs = {ago(one): cost for one in range(days) if one not in without}
    return Part("1", "us-east-1", kind, costs, dict.fromkeys(costs, 1), unpriced=frozenset(map(ago, without)))


def unpriced(kind: str = "workspace", days: Collection[int] = range(81), *, empty: Collection[int] = ()) -> Part:
    """Return a part without a price on the days ago, and without any resource on those of `empty`."""
    free = {ago(one): 0.0 for one in empty}
    return Part("1", "us-east-1", kind, free, dict.fromkeys(free, 0), unpriced=frozenset(map(ago, days)))


def figures_of(found: Outlook) -> Outlook:
    """Return an outlook without what says that its figures are lower bounds."""
    return replace(found, lacking_prices=frozenset(), lacking=Lacking())


def test_a_month_with_a_part_that_has_no_price_ends_at_what_the_others_cost_at_least() -> None:
    found = outlook([priced(), unpriced()], TODAY)

    assert (found.to_date, found.known_days, found.at_least, found.reason) == (2000.0, 20, True, "")
    assert found.month_end == pytest.approx((3000.0,) * 3)
    assert found.left_out == ("workspace",)


def test_the_kinds_that_are_left_out_are_named_once_each() -> None:
    parts = [unpriced(kind) for kind in ("workspace", "msk-cluster", "workspace")]

    assert outlook([priced(), *parts], TODAY).left_out == ("msk-cluster", "workspace")


@pytest.mark.parametrize("without", [[0], [19], range(5), range(15, 25)])
def test_a_part_that_has_a_price_on_some_of_the_days_is_not_left_out_of_a_month_end(without: Collection[int]) -> None:
    found = outlook([priced(), priced("rds-instance", 500.0, without=without)], TODAY)

    assert found.month_end is None
    assert "rds-instance" in found.reason
    assert found.left_out == ()


@pytest.mark.parametrize(("days", "month_end"), [(30, None), (31, 3000.0)])
def test_a_price_that_went_keeps_a_month_end_away_for_as_long_as_the_days_used_have_it(
    days: int, month_end: float | None
) -> None:
    found = outlook([priced(), priced("rds-instance", 500.0, without=range(days))], TODAY)

    assert found.month_end == (None if month_end is None else pytest.approx((month_end,) * 3))


def test_a_price_that_came_gives_no_month_end_until_enough_days_have_it() -> None:
    found = outlook([priced(), priced("rds-instance", 500.0, without=range(20, 81))], TODAY)

    assert found.month_end is None
    assert found.reason == (
        "not enough history: 20 of 28 days, since rds-instance in us-east-1 of account 1 is known from 2026-11-01 on"
    )


def test_a_new_part_without_a_price_takes_no_day_of_the_others_away() -> None:
    whole, beside = outlook([priced()], TODAY), outlook([priced(), unpriced(days=range(3))], TODAY)

    assert figures_of(beside) == figures_of(whole)
    assert not whole.at_least
    assert beside.at_least


def test_where_nothing_has_a_price_nothing_is_said_of_the_month() -> None:
    found = outlook([unpriced(), priced("s3-bucket", 0.0)], TODAY)

    assert (found.to_date, found.month_end, found.reason) == (None, None, "nothing of this month has a price")
    assert (
        outlook([unpriced()], TODAY).reason
        == "workspace in us-east-1 of account 1 has no price on 20 days of this month"
    )


def test_what_never_had_a_price_and_is_gone_for_a_month_marks_nothing() -> None:
    gone = outlook([priced(), unpriced(days=[60], empty=[one for one in range(81) if one != 60])], TODAY)

    assert (gone.at_least, gone.left_out) == (False, ())
    assert gone.month_end == outlook([priced()], TODAY).month_end
    assert outlook([unpriced(days=[60], empty=range(50))], TODAY).to_date == 0.0


@pytest.mark.parametrize("days", [1, 3, 20])
def test_a_forecast_that_has_learnt_from_days_without_all_prices_is_at_least_that(days: int) -> None:
    # Of two resources one had no price until so many days ago.
    rising = priced("rds-instance", 10.0)
    costs = {day: 300.0 if day > ago(days) else cost for day, cost in rising.costs.items()}
    found = outlook([priced(), replace(rising, costs=costs, unpriced=frozenset(map(ago, range(days, 81))))], TODAY)

    assert found.month_end is not None
    assert (found.at_least, found.to_date_at_least) == (True, days < TODAY.day)


def test_a_day_is_at_least_its_sum_from_the_first_resource_without_a_price_on() -> None:
    days = [ago(one) for one in range(10)]
    begun = unpriced(days=range(3), empty=range(3, 10))

    assert days_at_least(split_by_price([priced(), begun]), days) == set(map(ago, range(3)))
    assert days_at_least(split_by_price([priced(), unpriced(days=range(3))]), days) == set(days)
    assert days_at_least(split_by_price([priced()]), days) == frozenset()


def histories() -> st.SearchStrategy[list[Part]]:
    """Return parts with a cost, some days of which were not scanned, have no price, or were kept for no policy."""
    day = st.integers(0, 100)

    def made(costs: dict[int, float], lacking: set[int], unknown: set[int], place: int) -> Part:
        known = {ago(one): cost for one, cost in costs.items() if one not in unknown}
        return Part(
            *("1", "us-east-1", f"kind-{place}", known, dict.fromkeys(known, 1)),
            *(frozenset(map(ago, unknown)), frozenset(map(ago, lacking - unknown))),
        )

    dense = st.tuples(st.integers(0, 3), st.integers(1, 100), st.floats(1, 1000)).map(
        lambda drawn: dict.fromkeys(range(drawn[0], drawn[1] + 1), drawn[2])
    )
    costs = st.one_of(dense, st.dictionaries(day, st.floats(0, 1000), max_size=40))
    few = st.sets(day, max_size=3)
    return st.lists(st.builds(made, costs, few, few, st.integers(0, 9)), max_size=4)


@given(histories(), st.sets(st.integers(0, 100), min_size=1), st.sets(st.integers(0, 100), max_size=20))
@settings(max_examples=300, deadline=None)
def test_a_part_without_a_price_beside_any_history_changes_no_figure(
    history: list[Part], days: set[int], empty: set[int]
) -> None:
    alone = outlook(history, TODAY)
    beside = outlook([*history, unpriced("without", days, empty=empty - days)], TODAY)
    if not alone.to_date and not (alone.month and alone.month.total):
        # Where all else is free, or not known, there is no figure: a bound of nothing says nothing.
        assert not beside.to_date
        return

    assert figures_of(beside) == figures_of(alone)
    assert (beside.month_end, beside.reason) == (alone.month_end, alone.reason)
    lacks = min(days) < DAYS_USED or not any(one <= LONGEST_GAP_DAYS for one in empty - days)
    assert beside.at_least >= lacks
    assert ("without" in beside.left_out) is lacks
