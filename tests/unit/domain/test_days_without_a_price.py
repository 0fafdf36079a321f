"""What has no price is named: no day of it is free, no figure of it is whole, and no change of its price is a cost."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

import pytest

from finops.domain.analytics.causes import explained
from finops.domain.analytics.series import added, lacking_prices
from finops.domain.budget import month_forecast, month_so_far, parts_of
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay
from finops_web.readings.history import left_out_of, outlook

TODAY = date(2026, 11, 20)
NEAR, FAR = Shard("1", "eu-central-1", "ec2-instance"), Shard("1", "eu-west-1", "ec2-instance")
ALL = range(81)


def days(shard: Shard, cost: int, *, priceless: Collection[int] = (), partly: Collection[int] = ()) -> list[CostOfDay]:
    """Return 81 days until today of so much a day; days ago without any price, and without that of a resource."""

    def of(ago: int) -> ShardCost:
        whole = ShardCost(Decimal(cost) * 730 / 24, 7, 1 if ago in partly else 0)
        return ShardCost(Decimal(0), 7, 7) if ago in priceless else whole

    return [CostOfDay(TODAY - timedelta(days=ago), shard, of(ago)) for ago in reversed(ALL)]


def ago(number: int) -> date:
    return TODAY - timedelta(days=number)


def test_a_day_without_any_price_is_a_day_of_the_series_and_is_filled_with_no_other() -> None:
    parts = parts_of(days(NEAR, 100, priceless=[0, 2]), frozenset({NEAR}), TODAY)
    series = added(parts, TODAY)

    assert series is not None
    assert (series.last, series.values[-3:]) == (TODAY, (0.0, 100.0, 0.0))
    assert lacking_prices(parts) == {ago(0), ago(2)}


def test_a_day_that_counts_as_one_before_it_lacks_the_same_prices() -> None:
    costs = [one for one in days(NEAR, 100, partly=[2]) if one.day != ago(1)]

    assert lacking_prices(parts_of(costs, frozenset({NEAR}), TODAY)) == {ago(1), ago(2)}


def test_a_part_that_begins_without_a_price_begins_the_series() -> None:
    far = [one for one in days(FAR, 1, priceless=ALL) if one.day >= ago(4)]
    series = added(parts_of([*days(NEAR, 100), *far], frozenset({NEAR, FAR}), TODAY), TODAY)

    assert series is not None
    assert series.first == ago(4)


@pytest.mark.parametrize("priceless", [[0], [0, 1, 2, 3, 4, 5], [5], range(5, 12), range(40, 81), ALL])
def test_a_price_that_goes_or_comes_is_no_anomaly(priceless: Collection[int]) -> None:
    costs = [*days(NEAR, 100), *days(FAR, 500, priceless=priceless)]

    assert explained(parts_of(costs, frozenset({NEAR, FAR}), TODAY), TODAY) == ()


def test_a_part_without_a_price_keeps_no_change_of_the_others_from_being_seen() -> None:
    near = days(NEAR, 100)[:-1] + days(NEAR, 900)[-1:]
    parts = parts_of([*near, *days(FAR, 500, priceless=[0])], frozenset({NEAR, FAR}), TODAY)

    (found,) = explained(parts, TODAY)

    assert (found.anomaly.first, found.anomaly.cost) == (TODAY, 900.0)
    assert left_out_of(parts, TODAY) == ("ec2-instance in eu-west-1 of account 1 has no price on 2026-11-20",)


def test_a_part_that_counts_as_without_a_price_on_the_last_day_hides_no_change_of_the_others() -> None:
    near = [*days(NEAR, 100)[:-4], *days(NEAR, 900)[-4:-1]]
    far = [one for one in days(FAR, 500, priceless=range(60)) if one.day != ago(1)]
    parts = parts_of([*near, *far], frozenset({NEAR, FAR}), TODAY)

    assert [one.anomaly.first for one in explained(parts, TODAY)] == [ago(3)]
    assert left_out_of(parts, TODAY) == ("ec2-instance in eu-west-1 of account 1 has no price on 2026-11-19",)


def test_a_month_in_which_a_part_has_a_price_on_some_days_has_no_end_and_is_at_least_what_has_one_so_far() -> None:
    far = days(FAR, 1, priceless=range(19))
    found = outlook(parts_of([*days(NEAR, 100), *far], frozenset({NEAR, FAR}), TODAY), TODAY)

    assert (found.to_date, found.known_days, found.at_least, found.month_end) == (2001.0, 20, True, None)
    assert (found.month, found.quarter) == (None, None)
    assert found.reason == "ec2-instance in eu-west-1 of account 1 has no price on 19 days of this month"


def test_a_month_in_which_a_resource_has_no_price_is_at_least_what_the_others_cost() -> None:
    found = outlook(parts_of(days(NEAR, 100, partly=[5]), frozenset({NEAR}), TODAY), TODAY)

    assert (found.to_date, found.at_least) == (2000.0, True)
    assert found.month_end == pytest.approx((3000.0,) * 3)
    assert not outlook(parts_of(days(NEAR, 100, partly=[50]), frozenset({NEAR}), TODAY), TODAY).at_least


def test_a_forecast_leans_on_no_day_without_a_price() -> None:
    found = outlook(parts_of(days(NEAR, 100, priceless=range(25, 32)), frozenset({NEAR}), TODAY), TODAY)

    assert (found.to_date, found.month) == (2000.0, None)
    assert found.reason == (
        "not enough history: 25 of 28 days, since ec2-instance in eu-central-1 of account 1 was not known, or had no "
        "price, for more than 3 days until 2026-10-26"
    )


@pytest.mark.parametrize("priceless", [range(1, 6), range(10, 16)])
def test_a_part_that_had_no_price_for_days_hides_no_change_of_the_others(priceless: Collection[int]) -> None:
    near = days(NEAR, 100)[:-1] + days(NEAR, 900)[-1:]
    parts = parts_of([*near, *days(FAR, 500, priceless=priceless)], frozenset({NEAR, FAR}), TODAY)

    (found,) = explained(parts, TODAY)

    assert (found.anomaly.first, found.anomaly.cost) == (TODAY, 900.0)
    (words,) = left_out_of(parts, TODAY)
    name = "ec2-instance in eu-west-1 of account 1"
    assert words == f"{name} was not known, or had no price, for more than 3 days until {ago(min(priceless))}"


def test_a_budgets_forecast_leans_on_no_day_without_a_price() -> None:
    costs = days(NEAR, 100, priceless=range(25, 32))
    month = month_so_far(costs, {NEAR}, TODAY)

    assert month.is_whole
    assert month_forecast(costs, {NEAR}, month) is None


def test_nothing_is_said_of_a_month_whose_first_days_are_not_known_of_all_parts() -> None:
    today = date(2026, 11, 2)
    costs = [one for one in days(NEAR, 100) if one.day <= date(2026, 10, 30)]

    found = outlook(parts_of(costs, frozenset({NEAR}), today), today)

    assert (found.month_end, found.reason) == (None, "no day after 2026-10-30 is known of all parts of the cost")


@pytest.mark.parametrize("today", [TODAY, date(2026, 11, 30), date(2026, 12, 1)])
def test_a_month_of_which_nothing_but_what_is_stopped_has_a_price_has_no_end(today: date) -> None:
    free = ShardCost(Decimal(0), 2, 1)
    costs = [
        CostOfDay(day, NEAR, free)
        for day in (today - timedelta(days=number) for number in reversed(ALL))
        if day.month != 12
    ]

    found = outlook(parts_of(costs, frozenset({NEAR}), today), today)

    when = "2026-11-30" if today.month == 12 else "this month"
    assert (found.to_date, found.month, found.month_end) == (None, None, None)
    assert found.reason == f"nothing of {when} has a price"
