"""Generated series: deterministic, consistent among periods, without values where their resource has none."""

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops_sandbox.aws.metrics import Series, make_series, points
from finops_sandbox.aws.shapes import SHAPES, SLOT_SECONDS, SLOTS_PER_DAY

# A Monday, 00:00 UTC.
MONDAY = 1_767_571_200
DAY = 86_400
ALWAYS = ((0, 2**40),)


def series(shape: str, active: tuple[tuple[int, int], ...] = ALWAYS, identity: str = "1/us-east-1/i-1/CPU") -> Series:
    return make_series(identity, shape, active)


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_shape_gives_the_same_series_twice_and_another_one_elsewhere(shape: str) -> None:
    one = points(series(shape), "Average", 300, MONDAY, MONDAY + 7 * DAY)
    assert one == points(series(shape), "Average", 300, MONDAY, MONDAY + 7 * DAY)
    assert all(value >= 0.0 for value in one[1])


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_an_hour_is_made_of_its_five_minute_points(shape: str) -> None:
    one = series(shape)
    hours = {name: dict(zip(*points(one, name, 3600, MONDAY, MONDAY + 8 * DAY), strict=True)) for name in NAMES}
    fine = {name: dict(zip(*points(one, name, 300, MONDAY, MONDAY + 8 * DAY), strict=True)) for name in NAMES}
    for hour in range(MONDAY, MONDAY + 8 * DAY, 3600):
        inside = [moment for moment in range(hour, hour + 3600, 300) if moment in fine["Average"]]
        assert (hour in hours["Average"]) == bool(inside)
        if not inside:
            continue
        assert hours["Maximum"][hour] == max(fine["Maximum"][moment] for moment in inside)
        assert hours["Minimum"][hour] == min(fine["Minimum"][moment] for moment in inside)
        assert hours["Sum"][hour] == pytest.approx(sum(fine["Sum"][moment] for moment in inside))
        assert hours["SampleCount"][hour] == sum(fine["SampleCount"][moment] for moment in inside)
        assert hours["Average"][hour] == pytest.approx(hours["Sum"][hour] / hours["SampleCount"][hour])
        assert hours["Minimum"][hour] <= hours["Average"][hour] <= hours["Maximum"][hour]


NAMES = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")


@given(
    st.integers(0, 5 * SLOTS_PER_DAY),
    st.integers(1, 3 * SLOTS_PER_DAY),
    st.integers(0, 200),
    st.sampled_from(["idle", "gap", "spike", "nightly_peak"]),
    st.sampled_from([600, 900, 3600, 21_600, DAY]),
)
@settings(max_examples=40)
def test_stops_and_launches_cut_every_period_alike(
    begin: int, length: int, pause: int, shape: str, period: int
) -> None:
    first = MONDAY // SLOT_SECONDS + begin
    active = ((first, first + length), (first + length + pause, first + 2 * length + pause))
    one = make_series("x", shape, active)
    span = (MONDAY, MONDAY + 12 * DAY)
    times, sums = points(one, "Sum", period, *span)
    fine_times, fine_sums = points(one, "Sum", 300, *span)
    assert all(any(low <= moment // 300 < high for low, high in active) for moment in fine_times)
    assert sum(sums) == pytest.approx(sum(fine_sums))
    assert set(times) == {moment // period * period for moment in fine_times}


def test_nothing_is_reported_before_the_launch() -> None:
    launched = MONDAY + 10_000
    one = series("idle", ((launched // 300 + 1, 2**40),))
    times, _ = points(one, "Average", 300, MONDAY, MONDAY + DAY)
    assert min(times) > launched


def test_a_volume_that_was_never_attached_reports_nothing() -> None:
    assert points(series("ops_busy", ()), "Sum", 3600, MONDAY, MONDAY + DAY) == ((), [])


def test_a_period_below_five_minutes_gives_what_basic_monitoring_has() -> None:
    assert points(series("idle"), "Average", 60, MONDAY, MONDAY + 3600) == points(
        series("idle"), "Average", 300, MONDAY, MONDAY + 3600
    )


def test_the_shapes_are_on_the_side_of_the_thresholds_that_their_names_say() -> None:
    fortnight = (MONDAY, MONDAY + 14 * DAY)

    def peak(shape: str) -> float:
        return max(points(series(shape), "Maximum", 300, *fortnight)[1])

    assert peak("idle") < 5.0
    assert 5.0 < peak("low") < 20.0
    assert peak("spike") > 80.0
    assert statistics.mean(points(series("spike"), "Average", 300, *fortnight)[1]) < 3.0
    both_ways = 2 * sum(points(series("quiet"), "Sum", 3600, MONDAY, MONDAY + DAY)[1])
    assert both_ways < 5e6
    assert sum(points(series("normal"), "Sum", 3600, MONDAY, MONDAY + DAY)[1]) > 5e8
    assert sum(points(series("ops_idle"), "Sum", 3600, *fortnight)[1]) == 0.0
    # An idle volume is idle all the time, which the sum of idle seconds must say exactly.
    assert set(points(series("idle_time_full"), "Sum", 3600, *fortnight)[1]) == {3600.0}
    gap = points(series("gap"), "Average", 3600, *fortnight)[1]
    assert len(gap) == 14 * 24 * 3 // 7


def test_peaks_fall_into_the_hours_that_the_shape_names() -> None:
    times, values = points(series("nightly_peak"), "Average", 3600, MONDAY, MONDAY + DAY)
    busy = {(moment - MONDAY) // 3600 for moment, value in zip(times, values, strict=True) if value > 50}
    assert busy == {1, 2, 3}
    times, values = points(series("weekly"), "Average", 3600, MONDAY, MONDAY + 7 * DAY)
    busy_days = {(moment - MONDAY) // DAY for moment, value in zip(times, values, strict=True) if value > 50}
    assert busy_days == {0}


def test_a_fortnight_of_hours_for_a_thousand_series_takes_a_moment() -> None:
    for number in range(1000):
        one = make_series(f"1/r/i-{number}/CPUUtilization", "idle", ALWAYS)
        assert len(points(one, "Maximum", 3600, MONDAY, MONDAY + 14 * DAY)[1]) == 336
