"""Windows: what a ring lacks, aligned, and settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finops.domain.lookback import FINE_DAYS, WHOLE_DAYS
from finops.domain.rings import Ring, blank
from finops_operator.scan.metrics.windows import (
    daily_window,
    fine_window,
    hours_window,
    inactivity_window,
    last_hour,
    missing_hours,
    touched_days,
)

NOW = datetime(2026, 11, 24, 14, 25, 3, tzinfo=UTC)
END = last_hour(NOW)


def ring(end: int, hours: int = 336) -> Ring:
    return Ring(end, (blank(hours),))


def test_an_hour_counts_ten_minutes_after_it_ended() -> None:
    assert last_hour(datetime(2026, 11, 24, 14, 9, tzinfo=UTC)) == END - 1
    assert last_hour(datetime(2026, 11, 24, 14, 10, tzinfo=UTC)) == END


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (None, (END - 336, END)),
        (ring(END), None),
        (ring(END - 23), None),
        (ring(END - 24), (END - 72, END)),
        (ring(END - 60), (END - 108, END)),
        (ring(END - 336), (END - 384, END)),
        (ring(END - 337), (END - 336, END)),
        (ring(END, 100), (END - 336, END - 100)),
        (ring(END - 5, 100), (END - 341, END - 105)),
        (ring(END - 24, 100), (END - 336, END)),
        (ring(END + 5), (END - 336, END)),
    ],
    ids=[
        "first",
        "fresh",
        "this day",
        "a day old",
        "a pause",
        "a long pause",
        "too old",
        "too short",
        "too short this day",
        "too short and a day old",
        "from the future",
    ],
)
def test_only_what_is_missing_is_asked_for(kept: Ring | None, expected: tuple[int, int] | None) -> None:
    assert missing_hours(kept, END, 336) == (hours_window(*expected) if expected else None)


@pytest.mark.parametrize(("days", "lacking"), [(62, 0), (63, 0), (454, 0), (455, 2)])
def test_no_hour_is_asked_for_that_is_kept_no_longer(days: int, lacking: int) -> None:
    for minutes in range(0, 60, 5):
        now = NOW.replace(minute=minutes)
        end = last_hour(now)
        window = missing_hours(None, end, days * 24)
        assert window is not None
        assert now - window.start_time <= timedelta(days=455)
        assert window.points == days * 24 - lacking
        kept = Ring(end, (blank(100),))
        assert missing_hours(kept, end, days * 24) == hours_window(window.start // 3600, end - 100)


@pytest.mark.parametrize(("days", "whole"), [(62, 63), (63, 64), (455, 455)])
def test_no_day_is_asked_for_that_is_kept_no_longer(days: int, whole: int) -> None:
    window = inactivity_window(NOW, days)
    assert (window.points, NOW - window.start_time <= timedelta(days=455)) == (whole, True)
    by_day = daily_window(NOW, days, 0)
    assert (by_day.points, NOW - by_day.start_time <= timedelta(days=455)) == (min(days, 454), True)


def test_five_minutes_of_62_days_are_kept_and_those_of_63_are_not() -> None:
    for minutes in range(60):
        now = NOW.replace(minute=minutes)
        assert now - fine_window(now, FINE_DAYS).start_time <= timedelta(days=63)
        assert now - fine_window(now, FINE_DAYS + 1).start_time > timedelta(days=63)


def test_days_stand_for_hours_that_are_all_kept() -> None:
    for hour in range(24):
        now = NOW.replace(hour=hour, minute=9)
        assert now - touched_days(now, WHOLE_DAYS).start_time <= timedelta(days=455)
    assert any(
        now - touched_days(now, WHOLE_DAYS + 1).start_time > timedelta(days=455)
        for now in (NOW.replace(hour=hour, minute=9) for hour in range(24))
    )


def test_fine_windows_end_on_a_settled_five_minutes() -> None:
    window = fine_window(NOW, 14)
    assert window.points == 4032
    assert window.end_time == datetime(2026, 11, 24, 14, 15, tzinfo=UTC)


def test_idleness_is_asked_in_whole_days_that_reach_back_far_enough() -> None:
    window = inactivity_window(NOW, 32)
    assert window.start_time == datetime(2026, 10, 23, tzinfo=UTC)
    assert window.start_time <= NOW - timedelta(days=32)
    assert window.end_time == datetime(2026, 11, 25, tzinfo=UTC)
    assert window.points == 33
