"""When the window in which a change comes into force opens, and when it is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from finops_operator.services.rds.rules.maintenance_window import window_opens, window_over

_SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "over"),
    [
        ("mon:03:00-mon:03:30", datetime(2026, 3, 2, 3, 30, tzinfo=UTC)),
        ("sun:23:30-mon:00:30", datetime(2026, 3, 2, 0, 30, tzinfo=UTC)),
        ("Sun:05:00-Sun:06:00", datetime(2026, 3, 8, 6, 0, tzinfo=UTC)),
        ("sun:11:30-sun:12:30", datetime(2026, 3, 8, 12, 30, tzinfo=UTC)),
        ("", None),
        ("day:05:00-sun:06:00", None),
        ("sun:25:00-sun:06:00", None),
    ],
)
def test_a_change_that_waits_is_in_force_when_the_next_window_to_open_has_closed(
    window: str, over: datetime | None
) -> None:
    assert window_over(window, _SUNDAY) == over


@pytest.mark.parametrize(
    ("window", "opens"),
    [
        ("mon:03:00-mon:03:30", datetime(2026, 3, 2, 3, 0, tzinfo=UTC)),
        ("sun:05:00-sun:06:00", datetime(2026, 3, 8, 5, 0, tzinfo=UTC)),
        ("sun:11:30-sun:12:30", _SUNDAY),
        ("sat:23:00-sun:12:30", _SUNDAY),
        ("sun:11:30-sun:12:00", datetime(2026, 3, 8, 11, 30, tzinfo=UTC)),
        ("sun:12:00-sun:12:30", _SUNDAY),
        ("", None),
        ("sun:05:00-day:06:00", None),
    ],
)
def test_a_change_that_waits_may_come_into_force_once_a_window_is_open(window: str, opens: datetime | None) -> None:
    assert window_opens(window, _SUNDAY) == opens
