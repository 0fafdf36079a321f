"""Bounds from coarse points: whatever the 5-minute points behind them are, no bound is above what they give."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_operator.scan.metrics.bounds import (
    Bucket,
    amounts_at_least,
    mean_at_least,
    mean_at_most,
    percentile_at_least,
    percentile_at_least_by_hours,
    percentile_at_most,
    points_above,
)
from finops_operator.scan.metrics.summarize import nearest_rank

SAMPLES = 5
DAY = 288
level = st.floats(0, 100, width=32)


@dataclass(frozen=True)
class Period:
    """Five minutes of samples."""

    samples: tuple[float, ...]


def periods(largest: int) -> st.SearchStrategy[list[Period]]:
    """Most of a kind, so that bounds come close, with some of any other height."""
    one = st.lists(level, min_size=1, max_size=SAMPLES).map(lambda found: Period(tuple(found)))
    runs = st.lists(st.tuples(one, st.integers(1, 60)), min_size=1, max_size=8)
    return runs.map(lambda found: [period for period, times in found for _ in range(times)][:largest])


def bucket(inside: list[Period]) -> Bucket:
    samples = [sample for period in inside for sample in period.samples]
    return Bucket(sum(samples) / len(samples), max(samples), len(samples))


def cut(found: list[Period], length: int) -> list[Bucket]:
    return [bucket(found[start : start + length]) for start in range(0, len(found), length)]


@given(periods(480), st.integers(1, 48), st.sampled_from([900, 950, 990, 995]), st.integers(0, 100))
def test_a_percentile_is_never_below_its_bound_also_with_gaps_and_unseen_buckets(
    found: list[Period], length: int, permille: int, missing: int
) -> None:
    exact = nearest_rank(sorted(max(one.samples) for one in found), permille)
    buckets = cut(found, length)
    for seen in (buckets, buckets[1:], buckets[::2]):
        assert percentile_at_least(seen, permille, len(found) + missing, SAMPLES) <= exact + 1e-9


@given(periods(1200), st.sampled_from([900, 950, 990, 995]), st.integers(0, 100))
def test_a_percentile_of_amounts_is_never_below_what_the_sums_of_days_leave_it(
    found: list[Period], permille: int, missing: int
) -> None:
    amounts = [sum(one.samples) for one in found]
    exact = nearest_rank(sorted(amounts), permille)
    whole = [amounts[start : start + DAY] for start in range(0, len(amounts) - DAY + 1, DAY)]
    days = [(sum(day), min(sum(day), SAMPLES * 100.0)) for day in whole]
    for seen in (days, days[1:], [(total, max(day)) for (total, _), day in zip(days, whole, strict=True)]):
        assert amounts_at_least(seen, permille, len(found) + missing, DAY) <= exact + 1e-9


def test_a_steady_amount_is_known_from_the_sums_of_its_days_within_a_few_percent() -> None:
    steady = [(288 * 100.0, 150.0)] * 13
    assert 99 < amounts_at_least(steady, 990, 14 * DAY, DAY) <= 100
    assert amounts_at_least([(100.0, 100.0)] * 13, 990, 14 * DAY, DAY) == 0


@given(periods(480), st.integers(0, 5))
def test_a_mean_of_hours_is_never_below_its_bound(found: list[Period], missing: int) -> None:
    hours = cut(found, 12)
    exact = sum(one.average for one in hours) / len(hours)
    for length in (12, 24, 48):
        assert mean_at_least(cut(found, length), len(hours) + missing, 12 * SAMPLES) <= exact + 1e-9


def test_steady_load_is_known_to_within_a_few_percent_from_its_days_alone() -> None:
    days = [Bucket(50.0, 65.0, SAMPLES * DAY)] * 13
    assert 49 < percentile_at_least(days, 995, 14 * DAY, SAMPLES) <= 50
    assert 46 < mean_at_least(days, 14 * 24, 60) < 50


def test_one_busy_day_of_fourteen_raises_the_bound_of_the_percentile() -> None:
    days = [Bucket(2.0, 5.0, SAMPLES * DAY)] * 12
    busy = Bucket(60.0, 100.0, SAMPLES * DAY)
    assert percentile_at_least([*days, busy], 995, 14 * DAY, SAMPLES) == pytest.approx(57, abs=0.1)


def test_a_single_high_point_proves_nothing_about_a_percentile() -> None:
    days = [Bucket(2.0, 5.0, SAMPLES * DAY)] * 12
    assert percentile_at_least([*days, Bucket(2.0, 100.0, SAMPLES * DAY)], 995, 14 * DAY, SAMPLES) <= 5


def test_more_maxima_than_points_that_may_lie_above_bound_the_percentile_by_themselves() -> None:
    hours = [Bucket(0.0, 90.0, 1)] * 21 + [Bucket(0.0, 10.0, 1)] * 315
    assert points_above(14 * DAY, 995) == 20
    assert percentile_at_least(hours, 995, 14 * DAY, SAMPLES) == 90
    assert percentile_at_least(hours[1:], 995, 14 * DAY, SAMPLES) == 10


@given(periods(480), st.integers(1, 48), st.sampled_from([900, 950, 990, 995]), st.lists(level, max_size=3))
def test_a_percentile_is_never_above_its_bound_also_with_points_of_other_windows(
    found: list[Period], length: int, permille: int, others: list[float]
) -> None:
    exact = nearest_rank(sorted(max(one.samples) for one in found), permille)
    buckets = [*cut(found, length), *(Bucket(one, one, 1) for one in others)]
    for fewest in (len(found), len(found) // 2):
        assert percentile_at_most(buckets, permille, fewest, length) >= exact


@given(periods(480), st.sampled_from([900, 950, 990, 995]), st.data())
def test_a_percentile_is_never_below_the_bound_of_hours_with_gaps(
    found: list[Period], permille: int, data: st.DataObject
) -> None:
    full = [Period((one.samples * SAMPLES)[:SAMPLES]) for one in found]
    gone = data.draw(st.sets(st.integers(0, len(full) - 1), max_size=min(20, len(full) - 1)))
    there = [None if number in gone else one for number, one in enumerate(full)]
    exact = nearest_rank(sorted(max(one.samples) for one in there if one is not None), permille)
    hours = [[one for one in there[start : start + 12] if one is not None] for start in range(0, len(there), 12)]
    seen = [(bucket(hour).average, bucket(hour).maximum) for hour in hours if hour]
    missing = len(gone) + 12 * len(hours) - len(there)
    assert percentile_at_least_by_hours(seen, permille, 12 * len(hours), missing, 12) <= exact + 1e-9


@given(periods(864), st.data())
def test_a_mean_of_hours_is_never_above_its_bound(found: list[Period], data: st.DataObject) -> None:
    full = [Period((one.samples * SAMPLES)[:SAMPLES]) for one in found] * 3
    whole = full[: len(full) // 12 * 12] or full[:1] * 12
    gone = data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=30))
    there = [None if number in gone else one for number, one in enumerate(whole)]
    hours = [[one for one in there[start : start + 12] if one is not None] for start in range(0, len(there), 12)]
    exact = sum(bucket(hour).average for hour in hours if hour) / sum(1 for hour in hours if hour)
    days = [[one for one in there[start : start + DAY] if one is not None] for start in range(0, len(there), DAY)]
    # The fullest day says how many samples a day can hold; here a steady day of zeros is one.
    buckets = [bucket(day) for day in days if day] + [Bucket(0.0, 0.0, SAMPLES * DAY)]
    assert mean_at_most(buckets, len(hours), len(gone), 12) >= exact - 1e-9


def test_twenty_busy_hours_are_as_many_points_as_a_percentile_can_not_hide() -> None:
    hours = [(88.0, 96.0)] * 20 + [(2.7, 4.0)] * 316
    assert percentile_at_least_by_hours(hours, 995, 14 * DAY, 3, 12) > 85
    assert percentile_at_least_by_hours(hours[18:], 995, 14 * DAY, 3, 12) < 50


def test_of_hours_the_second_highest_bounds_the_percentile_of_fourteen_days() -> None:
    hours = [Bucket(1.0, float(height), 60) for height in (90, 40, 30, *[5] * 333)]
    assert percentile_at_most(hours, 995, 14 * DAY, 12) == 40
    assert percentile_at_most(hours, 995, 7 * DAY, 12) == 90
