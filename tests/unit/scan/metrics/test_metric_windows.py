"""Windows: what a ring lacks, aligned, and settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finops.domain.rings import Ring, blank
from finops_operator.scan.metrics.windows import (
    fine_window,
    hours_window,
    inactivity_window,
    last_hour,
    missing_hours,
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
        (ring(END - 24), (END - 24, END)),
        (ring(END - 60), (END - 60, END)),
        (ring(END - 336), (END - 336, END)),
        (ring(END - 337), (END - 336, END)),
        (ring(END, 100), (END - 336, END)),
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
        "from the future",
    ],
)
def test_only_what_is_missing_is_asked_for(kept: Ring | None, expected: tuple[int, int] | None) -> None:
    assert missing_hours(kept, END, 336) == (hours_window(*expected) if expected else None)


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
