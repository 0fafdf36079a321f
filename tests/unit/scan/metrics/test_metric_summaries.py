"""Summaries: nearest rank, coverage since launch, and reasons instead of zeros."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.queries import HOUR
from finops_operator.scan.metrics.summarize import Series, busiest_day, first_period, nearest_rank, summarize

GAUGE = MetricSpec("cpuPercent", "AWS/EC2", "CPUUtilization", "InstanceId", ("Average", "Maximum"), "percent")
COUNTER = MetricSpec("networkInBytes", "AWS/EC2", "NetworkIn", "InstanceId", ("Sum",), "bytes")
NAN = math.nan


def series(*columns: list[float]) -> Series:
    return Series(0, HOUR, tuple(array("f", one) for one in columns))


def at(hour: float) -> datetime:
    return datetime.fromtimestamp(hour * HOUR, tz=UTC)


def summary(spec: MetricSpec, given_series: Series, launch: datetime | None = None) -> MetricSummary:
    found = summarize(spec, given_series, launch)
    assert isinstance(found, MetricSummary)
    return found


def test_a_gauge_gives_the_maxima_and_the_mean_of_the_averages() -> None:
    found = summary(GAUGE, series([1, 2, 3, NAN], [10, 20, 30, NAN]))
    assert (found.maximum, found.average, found.total) == (30.0, 2.0, None)
    assert (found.points, found.expected, found.coverage_percent) == (3, 4, 75.0)


def test_a_gauge_with_minima_gives_the_lowest_of_them_and_else_the_lowest_mean() -> None:
    asked = replace(GAUGE, statistics=("Average", "Maximum", "Minimum"))
    found = summary(asked, series([5, 6, NAN], [9, 9, NAN], [4, 1, NAN]))
    assert (found.lowest, found.average, found.maximum) == (1.0, 5.5, 9.0)
    assert summary(GAUGE, series([5, 6, NAN], [9, 9, NAN])).lowest == 5.0


@pytest.mark.parametrize(("points", "missing"), [([NAN, 2, 2, 2], 0), ([2, NAN, 2, NAN], 1), ([2, NAN, NAN, NAN], 3)])
def test_periods_without_data_at_the_end_of_the_window_are_counted(points: list[float], missing: int) -> None:
    assert summary(GAUGE, series(points, points)).missing_at_end == missing
    zero = replace(COUNTER, missing_means_zero=True)
    assert summary(zero, series(points)).missing_at_end == 0


def test_a_single_peak_and_a_habit_are_distinguished() -> None:
    once = summary(GAUGE, series([1.0] * 20, [2.0] * 19 + [94.0]))
    often = summary(GAUGE, series([1.0] * 20, [2.0] * 10 + [90.0] * 9 + [94.0]))
    assert (once.maximum, once.p90, once.near_maximum) == (94.0, 2.0, 1)
    assert often.near_maximum == 10


def test_a_counter_gives_sums_and_their_total() -> None:
    found = summary(COUNTER, series([100, 300, NAN, 200]))
    assert (found.maximum, found.average, found.total, found.points) == (300.0, 200.0, 600.0, 3)


def test_hours_before_the_launch_are_neither_expected_nor_counted() -> None:
    found = summary(GAUGE, series([9, 9, 1, 1], [99, 99, 2, 2]), at(1.5))
    assert (found.maximum, found.points, found.expected) == (2.0, 2, 2)
    assert found.start == at(2)


def test_idleness_over_the_whole_window_is_distinguished_from_idleness_since_the_launch() -> None:
    assert summarize(COUNTER, series([NAN] * 4), None) == "NotPublished"
    assert summarize(COUNTER, series([5, NAN, NAN, NAN]), at(1)) == "NotPublishedSinceLaunch"


def test_a_machine_without_a_whole_period_is_too_new() -> None:
    assert summarize(COUNTER, series([NAN] * 4), at(3.2)) == "TooNew"


def test_missing_means_zero_only_where_the_metric_says_so() -> None:
    sparse = series([NAN, NAN, 8, NAN])
    assert summary(COUNTER, sparse).points == 1
    found = summary(replace(COUNTER, missing_means_zero=True), sparse)
    assert (found.points, found.average, found.total) == (4, 2.0, 8.0)
    assert found.coverage_percent == 100.0


def test_one_point_shows_in_the_maximum_of_a_long_quiet_window() -> None:
    quiet = [1.0] * 335 + [97.5]
    found = summary(GAUGE, series(quiet, quiet))
    assert (found.maximum, found.p99_5, found.p99) == (97.5, 1.0, 1.0)


@pytest.mark.parametrize(("permille", "expected"), [(900, 90), (950, 95), (990, 99), (995, 100), (1, 1)])
def test_percentiles_are_values_that_occurred(permille: int, expected: float) -> None:
    assert nearest_rank([float(number) for number in range(1, 101)], permille) == expected


@given(st.lists(st.floats(0, 2.0**40, width=32), min_size=1, max_size=200), st.integers(1, 1000))
def test_at_least_the_named_share_lies_at_or_below_a_percentile(values: list[float], permille: int) -> None:
    ordered = sorted(values)
    found = nearest_rank(ordered, permille)
    assert sum(value <= found for value in ordered) * 1000 >= permille * len(ordered)
    below = [value for value in ordered if value < found]
    assert len(below) * 1000 < permille * len(ordered)


def test_the_first_period_is_whole() -> None:
    assert first_period(None, 7200, HOUR) == 7200
    assert first_period(at(1), 0, HOUR) == HOUR
    assert first_period(at(1.01), 0, HOUR) == 2 * HOUR
    assert first_period(at(0), 7200, HOUR) == 7200


@given(sums=st.lists(st.one_of(st.just(math.nan), st.integers(0, 1000).map(float)), min_size=1, max_size=80))
def test_the_busiest_day_is_the_largest_sum_of_twenty_four_hours_in_a_row(sums: list[float]) -> None:
    known = [0.0 if math.isnan(one) else one for one in sums]
    days = [sum(known[start : start + 24]) for start in range(max(1, len(known) - 23))]
    assert busiest_day(array("f", sums), 3600) == max(days)
