"""The packed form of daily values: what was asked about a metric by the day, in a short byte string.

Pure; used by the store and the measure stage. Layout, little endian: version (1 byte), number of statistics (1), days
held (2), instant of the question (4, seconds since the epoch), first day (4, days since the epoch), then that many
32-bit floats for each statistic, the oldest first; a missing point is NaN.
"""

from __future__ import annotations

import struct
import sys
from array import array
from dataclasses import dataclass
from typing import Final

_HEADER: Final = struct.Struct("<BBHII")
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class DayPoints:
    """Values of whole UTC days of one metric of one resource.

    Attributes:
        asked: seconds since the epoch; the last day may have gone on since.
        first_day: days since the epoch.
        values: one array of floats per statistic, oldest first, all of one length.
    """

    asked: int
    first_day: int
    values: tuple[array[float], ...]

    def since(self, day: int) -> tuple[array[float], ...] | None:
        """Return the values from `day` on, None when they begin later."""
        skipped = day - self.first_day
        return None if skipped < 0 else tuple(one[skipped:] for one in self.values)


def pack_days(points: DayPoints) -> bytes:
    """Return the bytes of daily values."""
    count = len(points.values[0]) if points.values else 0
    head = _HEADER.pack(_VERSION, len(points.values), count, points.asked, points.first_day)
    return head + b"".join(_little_endian(one).tobytes() for one in points.values)


def unpack_days(data: bytes) -> DayPoints | None:
    """Return the values behind `data`; None when they are damaged or of another version: they are then asked anew."""
    if len(data) < _HEADER.size:
        return None
    version, statistics, count, asked, first_day = _HEADER.unpack_from(data)
    if version != _VERSION or len(data) != _HEADER.size + 4 * statistics * count:
        return None
    values = []
    for number in range(statistics):
        start = _HEADER.size + 4 * count * number
        one = array("f")
        one.frombytes(data[start : start + 4 * count])
        values.append(_little_endian(one))
    return DayPoints(asked, first_day, tuple(values))


def _little_endian(values: array[float]) -> array[float]:
    if sys.byteorder == "little":
        return values
    swapped = array("f", values)
    swapped.byteswap()
    return swapped
