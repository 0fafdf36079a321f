"""Parts of timestamps in a time zone, as CEL defines them and Go's time zone names resolve.

cel-python finds zones whatever their case, the API server does not: a rule that checks zone names needs the real list.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from celpy import celtypes

_OFFSET = re.compile(r"(?P<sign>[+-]?)(?P<hours>\d\d):(?P<minutes>\d\d)")


def zone(name: str) -> dt.tzinfo:
    """A zone by IANA name or by offset (``+02:00``); the empty name is UTC.

    Raises:
        ValueError: no such zone.
    """
    if name in ("", "UTC"):
        return dt.UTC
    if match := _OFFSET.fullmatch(name):
        offset = dt.timedelta(hours=int(match["hours"]), minutes=int(match["minutes"]))
        return dt.timezone(-offset if match["sign"] == "-" else offset)
    try:
        if name in available_timezones():
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"unknown time zone {name}") from error
    raise ValueError(f"unknown time zone {name}")


def _part(
    of_time: Callable[[dt.datetime], int], of_duration: Callable[[float], float] | None = None
) -> Callable[..., Any]:
    def part(value: Any, name: Any = "") -> celtypes.IntType:
        if isinstance(value, dt.timedelta) and of_duration is not None:
            return celtypes.IntType(int(of_duration(value.total_seconds())))
        if not isinstance(value, dt.datetime):
            message = f"no such overload: {type(value).__name__} has no parts of time"
            raise TypeError(message)
        return celtypes.IntType(of_time(value.astimezone(zone(str(name)))))

    return part


TIME_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "getFullYear": _part(lambda t: t.year),
    "getMonth": _part(lambda t: t.month - 1),
    "getDate": _part(lambda t: t.day),
    "getDayOfMonth": _part(lambda t: t.day - 1),
    "getDayOfWeek": _part(lambda t: t.isoweekday() % 7),
    "getDayOfYear": _part(lambda t: t.timetuple().tm_yday - 1),
    "getHours": _part(lambda t: t.hour, lambda seconds: seconds / 3600),
    "getMinutes": _part(lambda t: t.minute, lambda seconds: seconds / 60),
    "getSeconds": _part(lambda t: t.second, lambda seconds: seconds),
    "getMilliseconds": _part(lambda t: t.microsecond // 1000, lambda seconds: seconds * 1000 % 1000),
}
