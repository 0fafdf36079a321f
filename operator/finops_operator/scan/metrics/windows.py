"""Which windows are asked for: aligned, ending where CloudWatch has surely received everything. Pure.

Used by the measure stage's pictures: whole days, hourly rings, the 5-minute picture of candidates, and the daily points
of what publishes nothing. None of them begins before what CloudWatch keeps (`finops.domain.lookback`): it may answer
such a question with nothing at all, which would read as if nothing had happened.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from finops.domain.lookback import HOURS_DAYS, HOURS_GONE
from finops.domain.rings import Ring
from finops_operator.scan.metrics.queries import FIVE_MINUTES, HOUR, Window

DAY: Final = 86_400
SETTLE_SECONDS: Final = 600
"""Basic monitoring publishes every five minutes; a period that ended ten minutes ago is complete."""
REFRESH_HOURS: Final = 24
"""Rings are extended once a day: GetMetricData bills per metric asked, however short the window."""
AGAIN_HOURS: Final = 48
"""Of a ring's newest hours, asked for with each extension: AWS may publish an hour after it was asked for."""


def last_hour(now: datetime) -> int:
    """Return the first hour (since the epoch) that is not complete yet."""
    return (int(now.timestamp()) - SETTLE_SECONDS) // HOUR


def hours_window(start_hour: int, end_hour: int) -> Window:
    """Return the window of whole hours `[start_hour, end_hour)`."""
    return Window(start_hour * HOUR, end_hour * HOUR, HOUR)


def missing_hours(ring: Ring | None, end_hour: int, needed: int) -> Window | None:
    """Return what must be asked so that a ring covers `needed` hours: nothing, what is missing, or the whole window.

    With the newest hours two days before them are asked for once more, which is billed no higher.
    A ring that lacks both the oldest and the newest hours is asked for as a whole: two questions would be billed twice.
    """
    if ring is not None:
        age = end_hour - ring.end_hour
        if 0 <= age < REFRESH_HOURS:
            if ring.hours >= needed:
                return None
            return hours_window(max(ring.end_hour - needed, _oldest_kept(end_hour)), ring.start_hour)
        if ring.hours >= needed and REFRESH_HOURS <= age <= needed:
            return hours_window(max(ring.start_hour, ring.end_hour - AGAIN_HOURS), end_hour)
    return hours_window(max(end_hour - needed, _oldest_kept(end_hour)), end_hour)


def _oldest_kept(end_hour: int) -> int:
    """Return the first hour that CloudWatch surely keeps while `end_hour` is the first one that is not complete."""
    return end_hour - HOURS_DAYS * 24 + HOURS_GONE


def fine_window(now: datetime, days: int) -> Window:
    """Return the 5-minute window of the last `days` days."""
    end = (int(now.timestamp()) - SETTLE_SECONDS) // FIVE_MINUTES * FIVE_MINUTES
    return Window(end - days * DAY, end, FIVE_MINUTES)


def touched_days(now: datetime, lookback_days: int) -> Window:
    """Return the UTC days that the hourly or the 5-minute window touches, today among them.

    So whatever no day exceeds, no hour and no five minutes exceed.
    """
    return Window(
        (last_hour(now) * HOUR - lookback_days * DAY) // DAY * DAY, -(-int(now.timestamp()) // DAY) * DAY, DAY
    )


def daily_window(now: datetime, days: int, lag_days: int) -> Window:
    """Return the last whole UTC days whose points are surely published, today not among them."""
    end = (int(now.timestamp()) - SETTLE_SECONDS) // DAY * DAY - lag_days * DAY
    return Window(max(end - days * DAY, _oldest_day(now)), end, DAY)


def inactivity_window(now: datetime, days: int) -> Window:
    """Return whole UTC days that reach at least `days` days back, as far as they are kept, and to the end of today."""
    seconds = int(now.timestamp())
    return Window(max((seconds - days * DAY) // DAY * DAY, _oldest_day(now)), -(-seconds // DAY) * DAY, DAY)


def _oldest_day(now: datetime) -> int:
    """Return the first day that CloudWatch keeps whole, in seconds since the epoch."""
    return -(-(int(now.timestamp()) - HOURS_DAYS * DAY) // DAY) * DAY
