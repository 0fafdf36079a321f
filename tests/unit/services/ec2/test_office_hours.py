"""The week of a machine: which of its 168 hours are off, by which clock, and the schedule that follows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from finops_operator.services.ec2.judging.office_hours import Week, week_of

MONDAY = datetime(2026, 11, 9, tzinfo=UTC)
"""The beginning of a week of UTC."""
HOURS = 14 * 24


def hours_from(start: datetime, works: set[tuple[int, int]], zone: str = "UTC") -> list[bool]:
    """Return two weeks of hours; `works` holds (weekday, hour) of the clock of `zone`."""
    moments = [(start + timedelta(hours=number)).astimezone(ZoneInfo(zone)) for number in range(HOURS)]
    return [(one.weekday(), one.hour) in works for one in moments]


def week(start: datetime, works: list[bool], zone: str = "UTC") -> Week:
    return week_of(int(start.timestamp()) // 3600 + len(works), works, ZoneInfo(zone))


OFFICE = {(day, hour) for day in range(5) for hour in range(8, 18)}


def test_office_hours_leave_nights_and_the_weekend_out_with_an_hour_to_spare() -> None:
    found = week(MONDAY, hours_from(MONDAY, OFFICE))
    assert found.days == ((7, 19),) * 5 + (None, None)
    assert found.off_hours == 168 - 5 * 12
    assert found.two_days_off
    assert list(found.lines) == [("Monday to Friday", "07:00 to 19:00"), ("Saturday to Sunday", "off")]


def test_one_hour_of_work_takes_its_day_and_the_days_in_a_row() -> None:
    works = hours_from(MONDAY, OFFICE)
    works[7 * 24 + 5 * 24 + 12] = True  # Saturday of the second week, at noon
    found = week(MONDAY, works)
    assert found.days[5] == (11, 14)
    assert not found.two_days_off


def test_days_that_work_in_one_week_alone_are_no_habit() -> None:
    twice = week(MONDAY, hours_from(MONDAY, OFFICE))
    assert (twice.repeated, twice.is_habit) == (5, True)
    once = week(MONDAY, hours_from(MONDAY, OFFICE)[: 7 * 24] + [False] * 7 * 24)
    assert (once.repeated, once.is_habit) == (0, False)


def test_two_single_hours_that_fall_on_the_same_day_of_two_weeks_are_no_habit() -> None:
    """A machine that is busy for five minutes a week, at any time, is on the same weekday in one of seven pairs."""
    works = [False] * HOURS
    works[4 * 24 + 8] = works[7 * 24 + 4 * 24 + 11] = True
    found = week(MONDAY, works)
    assert found.two_days_off
    assert (found.repeated, found.is_habit) == (1, False)
    works[7 * 24 + 4 * 24 + 8] = True  # The first of them comes again.
    assert week(MONDAY, works).is_habit


def test_hours_of_office_days_need_not_all_come_again() -> None:
    every_other = {(day, hour) for day, hour in OFFICE if (day + hour) % 2}
    first, second = (
        hours_from(MONDAY, every_other),
        hours_from(MONDAY, OFFICE - every_other | {(d, 9) for d in range(5)}),
    )
    works = first[: 7 * 24] + second[7 * 24 :]
    found = week(MONDAY, works)
    assert (found.hours, found.repeated_hours) == (50, 3)
    assert not found.is_habit
    more = hours_from(MONDAY, {one for one in OFFICE if one[1] < 12} | (OFFICE - every_other))
    assert week(MONDAY, first[: 7 * 24] + more[7 * 24 :]).repeated_hours == 10
    assert not week(MONDAY, first[: 7 * 24] + more[7 * 24 :]).is_habit
    most = hours_from(MONDAY, {one for one in OFFICE if one[1] < 14} | (OFFICE - every_other))
    assert week(MONDAY, first[: 7 * 24] + most[7 * 24 :]).is_habit


def test_the_clock_of_the_zone_decides_what_a_day_is() -> None:
    works = hours_from(MONDAY, OFFICE, "Asia/Tokyo")
    assert week(MONDAY, works, "Asia/Tokyo").two_days_off
    assert week(MONDAY, works, "Asia/Tokyo").days[0] == (7, 19)
    assert week(MONDAY, works, "UTC").days[6] == (22, 24)


def test_two_days_off_may_lie_over_the_end_of_the_week() -> None:
    found = week(MONDAY, hours_from(MONDAY, {(day, 9) for day in range(1, 6)}))
    assert (found.days[0], found.days[6]) == (None, None)
    assert found.two_days_off


def test_an_hour_counts_for_both_hours_of_a_clock_that_is_not_whole_hours_from_utc() -> None:
    # 04:00 UTC is 09:30 to 10:30 in India.
    works = [(MONDAY + timedelta(hours=number)).hour == 4 for number in range(HOURS)]
    assert week(MONDAY, works, "Asia/Kolkata").days[0] == (8, 12)


def test_the_end_of_daylight_saving_time_moves_no_office_hour() -> None:
    start = datetime(2026, 10, 19, tzinfo=UTC)
    works = hours_from(start, OFFICE, "Europe/Berlin")
    assert week(start, works, "Europe/Berlin").days == ((7, 19),) * 5 + (None, None)


def test_an_hour_of_the_week_that_was_never_seen_is_not_off() -> None:
    works = hours_from(MONDAY, OFFICE)[: 6 * 24]
    assert week(MONDAY, works).days[6] == (0, 24)


@given(st.lists(st.booleans(), min_size=HOURS, max_size=HOURS), st.integers(0, HOURS - 1))
def test_more_work_never_adds_an_hour_off(works: list[bool], more: int) -> None:
    before = week(MONDAY, works)
    after = week(MONDAY, [one or number == more for number, one in enumerate(works)])
    assert 0 <= after.off_hours <= before.off_hours <= 168
    assert before.two_days_off or not after.two_days_off


@given(
    st.lists(st.booleans(), min_size=HOURS, max_size=HOURS),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"]),
)
def test_no_hour_of_work_lies_outside_of_the_schedule(works: list[bool], zone: str) -> None:
    found = week(MONDAY, works, zone)
    for number, busy in enumerate(works):
        local = (MONDAY + timedelta(hours=number)).astimezone(ZoneInfo(zone))
        span = found.days[local.weekday()]
        assert not busy or (span is not None and span[0] <= local.hour < span[1])
