"""When a maintenance window of RDS opens and is over, from AWS's form of it: `sun:05:00-sun:06:00`, in UTC; pure.

Source: RDS API reference, ModifyDBInstance (PreferredMaintenanceWindow: `ddd:hh24:mi-ddd:hh24:mi`, once a week).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_FORM: Final = re.compile(r"([a-z]{3}):(\d\d):(\d\d)-([a-z]{3}):(\d\d):(\d\d)")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK: Final = timedelta(days=7)


def window_over(window: str, since: datetime) -> datetime | None:
    """Return when the first window that opens after `since` (aware) closes; None where it is not written as AWS does.

    A window that is open already may be too short for what was changed in it.
    """
    found = _next(window, since)
    return None if found is None else found[0] + found[1]


def window_opens(window: str, since: datetime) -> datetime | None:
    """Return from when on AWS may bring into force what waits since `since` (aware): then, where the window is open.

    None where it is not written as AWS does.
    """
    found = _next(window, since)
    if found is None:
        return None
    opens, lasts = found
    return since if opens - _WEEK + lasts > since else opens


def _next(window: str, since: datetime) -> tuple[datetime, timedelta] | None:
    """Return when the first window opens after `since`, and for how long it is open."""
    found = _FORM.fullmatch(window.strip().lower())
    if found is None:
        return None
    first, last = _in_week(*found.groups()[:3]), _in_week(*found.groups()[3:])
    if first is None or last is None:
        return None
    at = since.astimezone(UTC)
    monday = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=at.weekday())
    opens = monday + first
    if opens <= at:
        opens += _WEEK
    return opens, (last - first) % _WEEK


def _in_week(day: str, hours: str, minutes: str) -> timedelta | None:
    if day not in _DAYS or int(hours) > 23 or int(minutes) > 59:
        return None
    return timedelta(days=_DAYS.index(day), hours=int(hours), minutes=int(minutes))
