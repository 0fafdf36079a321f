"""A day is in the sum where every part of the cost is known; nothing that is not known counts as zero."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from decimal import Decimal

import pytest

from finops.domain.analytics.causes import ALERT_GATES, explained
from finops.domain.analytics.comparing import comparable
from finops.domain.analytics.expected import unexpected
from finops.domain.analytics.series import Part, added, late
from finops.domain.budget import month_forecast, month_so_far
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay
from finops_web.readings.history import left_out_of, outlook

FIRST, TODAY = date(2026, 9, 1), date(2026, 11, 20)
NEAR, FAR = Shard("1", "eu-central-1", "ec2-instance"), Shard("1", "eu-west-1", "ec2-instance")


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def part(region: str, cost: float, *, first: date = FIRST, last: date = TODAY, without: Collection[date] = ()) -> Part:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    costs = {day: cost for day in days if day not in without}
    return Part("1", region, "ec2-instance", costs, dict.fromkeys(costs, 1))


def beside(far: Part) -> list[Part]:
    return [part("eu-central-1", 100.0), far]


OUTAGE = [ago(days) for days in range(1, 6)]


def test_a_series_ends_at_the_last_day_that_is_known_of_all_parts() -> None:
    series = added(beside(part("eu-west-1", 500.0, last=ago(1))), TODAY)

    assert series is not None
    assert (series.first, series.last, set(series.values)) == (FIRST, ago(1), {600.0})


def test_a_series_begins_after_a_long_gap_of_one_part() -> None:
    series = added(beside(part("eu-west-1", 500.0, without=OUTAGE)), TODAY)

    assert series is not None
    assert (series.first, series.values) == (TODAY, (600.0,))


def test_a_series_fills_a_short_gap_of_one_part() -> None:
    series = added(beside(part("eu-west-1", 500.0, without=OUTAGE[:3])), TODAY)

    assert series is not None
    assert (series.first, series.last, set(series.values)) == (FIRST, TODAY, {600.0})


def test_a_series_ends_before_a_gap_of_one_part_where_another_is_not_known_since() -> None:
    near = part("eu-central-1", 100.0, last=ago(3))

    series = added([near, part("eu-west-1", 500.0, without=OUTAGE)], TODAY)

    assert series is not None
    assert (series.last, set(series.values)) == (ago(6), {600.0})


def test_a_part_that_is_unknown_and_was_not_seen_since_leaves_the_days_since_unknown() -> None:
    far = Part("1", "eu-west-1", "ec2-instance", {}, {}, frozenset({ago(1)}))

    assert added(beside(far), TODAY) is None


def test_parts_of_which_no_day_is_known_together_have_no_sum() -> None:
    assert added([part("a", 100.0, last=ago(40)), part("b", 500.0, first=ago(30))], TODAY) is None


@pytest.mark.parametrize(
    "far",
    [
        part("eu-west-1", 500.0, last=ago(1)),
        part("eu-west-1", 500.0, without=OUTAGE),
        part("eu-west-1", 500.0, last=ago(10)),
    ],
)
def test_a_part_that_was_not_scanned_is_no_anomaly(far: Part) -> None:
    assert explained(beside(far), TODAY) == ()
    assert unexpected(beside(far), TODAY, ALERT_GATES, ()) == ()


def test_a_part_that_is_not_known_for_long_keeps_no_change_of_the_others_from_being_seen() -> None:
    near = part("eu-central-1", 100.0)
    near = Part("1", "eu-central-1", "ec2-instance", {**near.costs, TODAY: 900.0}, near.resources)

    (found,) = explained([near, part("eu-west-1", 500.0, last=ago(10))], TODAY)

    assert (found.anomaly.first, found.anomaly.cost) == (TODAY, 900.0)
    assert [one.part.region for one in found.causes] == ["eu-central-1"]


@pytest.mark.parametrize("again", [0, 10, 27])
def test_a_part_that_was_not_known_for_days_hides_no_change_of_the_others_once_it_is_known_again(again: int) -> None:
    near = part("eu-central-1", 100.0)
    near = Part("1", "eu-central-1", "ec2-instance", {**near.costs, TODAY: 900.0}, near.resources)
    far = part("eu-west-1", 500.0, without=[ago(again + days) for days in range(1, 5)])

    (found,) = explained([near, far], TODAY)

    assert (found.anomaly.first, found.anomaly.cost) == (TODAY, 900.0)
    (words,) = left_out_of([near, far], TODAY)
    name = "ec2-instance in eu-west-1 of account 1"
    assert words == f"{name} was not known, or had no price, for more than 3 days until {ago(again + 1)}"


def test_a_part_is_judged_again_once_enough_days_are_known_since_it_was_not() -> None:
    far = part("eu-west-1", 500.0, without=[ago(28 + days) for days in range(1, 5)])
    far = Part("1", "eu-west-1", "ec2-instance", {**far.costs, TODAY: 900.0}, far.resources)

    (found,) = explained(beside(far), TODAY)

    assert (found.anomaly.cost, found.causes[0].part.region) == (1000.0, "eu-west-1")
    assert left_out_of(beside(far), TODAY) == ()


def test_where_no_part_was_known_for_days_none_is_left_out() -> None:
    parts = [part("eu-central-1", 100.0, without=OUTAGE), part("eu-west-1", 500.0, without=OUTAGE)]

    assert comparable(parts, TODAY) == parts
    assert left_out_of(parts, TODAY) == ()


def test_what_was_not_scanned_on_the_first_day_of_an_anomaly_is_no_cause_of_it() -> None:
    far = part("eu-west-1", 500.0, without=[ago(1)])
    near = part("eu-central-1", 900.0)
    near = Part(*("1", "eu-central-1", "ec2-instance"), {**near.costs, ago(1): 100.0, TODAY: 100.0}, near.resources)

    (found,) = explained([near, far], TODAY)

    assert found.anomaly.first == ago(1)
    assert [(one.part.region, one.extra) for one in found.causes] == [("eu-central-1", -800.0)]


@pytest.mark.parametrize("days", [1, 3])
def test_a_month_that_is_known_until_some_days_ago_counts_what_it_is_known_to_cost(days: int) -> None:
    found = outlook(beside(part("eu-west-1", 500.0, last=ago(days))), TODAY)

    assert found.series is not None
    assert (found.series.last, found.known_days, found.to_date) == (ago(days), 20 - days, 600.0 * (20 - days))
    assert found.month_end == pytest.approx((18_000.0,) * 3)
    assert found.reason == ""


def test_a_month_of_which_a_part_is_not_known_for_long_has_no_end_and_says_which_part_it_is() -> None:
    found = outlook(beside(part("eu-west-1", 500.0, last=ago(10))), TODAY)

    assert (found.to_date, found.known_days, found.month_end) == (None, 0, None)
    assert found.reason == (
        "nothing is known of the days after 2026-11-10: ec2-instance in eu-west-1 of account 1 was not listed whole "
        "since"
    )


def test_parts_that_were_never_known_together_are_named_too() -> None:
    gone, there = part("a", 100.0, last=ago(40)), part("b", 500.0, first=ago(30))

    found = outlook([gone, there], TODAY)

    assert found.month_end is None
    assert found.reason.endswith("ec2-instance in a of account 1 was not listed whole since")
    assert late([gone, there], TODAY) == {ago(40): [gone]}


def test_a_month_in_which_a_part_was_not_known_says_so_in_place_of_its_end() -> None:
    found = outlook(beside(part("eu-west-1", 500.0, without=OUTAGE)), TODAY)

    assert (found.to_date, found.known_days, found.month_end) == (600.0, 1, None)
    assert found.reason == (
        "not enough history: 1 of 28 days, since ec2-instance in eu-west-1 of account 1 was not known, or had no "
        "price, for more than 3 days until 2026-11-19"
    )


def test_where_parts_are_known_on_other_days_each_no_part_is_blamed_for_it() -> None:
    near = part("eu-central-1", 100.0, last=ago(1))

    found = outlook([near, part("eu-west-1", 500.0, without=OUTAGE)], TODAY)

    assert found.month_end is None
    assert found.reason == "no day after 2026-11-14 is known of all parts of the cost"


def days(shard: Shard, cost: int, without: Collection[date] = ()) -> list[CostOfDay]:
    found = (FIRST + timedelta(days=number) for number in range((TODAY - FIRST).days + 1))
    return [CostOfDay(day, shard, ShardCost(Decimal(cost) * 730 / 24, 1, 0)) for day in found if day not in without]


def test_a_budgets_forecast_leans_on_no_day_on_which_a_shard_was_not_scanned() -> None:
    outage = [date(2026, 10, number) for number in range(24, 31)]
    costs = [*days(NEAR, 100), *days(FAR, 500, outage)]
    month = month_so_far(costs, {NEAR, FAR}, TODAY)

    assert month.is_whole
    assert month_forecast(costs, {NEAR, FAR}, month) is None
