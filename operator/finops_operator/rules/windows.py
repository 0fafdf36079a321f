"""Whether acts may start now, by the policy's windows; pure. Called by the gate before an act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

from finops.crds.policy_actions import Window
from finops.errors import InvalidInput
from finops_operator.rules.due import next_run

_FIELD: Final = "spec.actions.windows"


def is_open(windows: Sequence[Window], now: datetime) -> bool:
    """Return whether one of `windows` is open; without any window every time is fine.

    Raises:
        InvalidInput: a schedule or zone cannot be read; then nothing may start.
    """
    return not windows or any(_covers(window, now) for window in windows)


def next_opening(windows: Sequence[Window], now: datetime) -> datetime | None:
    """Return when the next window opens, None when there are none.

    Raises:
        InvalidInput: as `is_open`.
    """
    return min((_next(window, now) for window in windows), default=None)


def _next(window: Window, after: datetime) -> datetime:
    try:
        return next_run(window.schedule, window.time_zone, after)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=_FIELD, hint=error.hint) from error


def _covers(window: Window, now: datetime) -> bool:
    _next(window, now)
    found = next(CronSim(window.schedule, now.astimezone(ZoneInfo(window.time_zone)), reverse=True))
    # Hours are counted as they pass: between two times of one zone Python would count those on the wall.
    opened = found.astimezone(UTC)
    # A schedule that fires exactly now is found by the forward search only.
    return opened <= now < opened + window.duration.delta or _opens_this_minute(window, now)


def _opens_this_minute(window: Window, now: datetime) -> bool:
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    return _next(window, minute - timedelta(minutes=1)) == minute
