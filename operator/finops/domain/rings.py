"""The packed form of hourly values: one short byte string per resource and metric, never JSON points.

Pure; used by `utilization.py` (Redis) and the metrics package. Layout, little endian: version (1 byte), number of
statistics (1), hours held (2), end as hours since the epoch (4), then that many 32-bit floats for each statistic, the
oldest first; a missing point is NaN. Every hour in a ring was asked for: NaN means that CloudWatch has nothing to say,
or keeps that hour no longer.
"""

from __future__ import annotations

import math
import struct
import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_HEADER: Final = struct.Struct("<BBHI")
_VERSION: Final = 1
MISSING: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Ring:
    """Hourly values `[end_hour - hours, end_hour)` of one metric of one resource.

    Attributes:
        end_hour: first hour (since the epoch) that is not held.
        values: one array of floats per statistic, oldest first, all of one length.
    """

    end_hour: int
    values: tuple[array[float], ...]

    @property
    def hours(self) -> int:
        return len(self.values[0]) if self.values else 0

    @property
    def start_hour(self) -> int:
        return self.end_hour - self.hours

    def extended(self, end_hour: int, values: Sequence[array[float]], keep_hours: int) -> Ring:
        """Return this ring continued by `values`, which start in it or at its end; only the newest `keep_hours` stay.

        An hour that both have is as `values` has it, and as it was where that is missing.
        """
        again = -1 if len(values) != len(self.values) else self.end_hour - end_hour + len(values[0])
        if not 0 <= again <= min(self.hours, len(values[0])):
            raise ValueError("the increment does not start where the ring ends, or in it")
        kept = self.hours - again
        joined = (
            old[:kept] + _newer(old[kept:], new[:again]) + new[again:]
            for old, new in zip(self.values, values, strict=True)
        )
        return Ring(end_hour, tuple(one[-keep_hours:] for one in joined))

    def preceded(self, start_hour: int, values: Sequence[array[float]]) -> Ring:
        """Return this ring with `values` before it, which begin at `start_hour` and end where it starts."""
        if len(values) != len(self.values) or start_hour + len(values[0]) != self.start_hour:
            raise ValueError("the older hours do not end where the ring starts")
        return Ring(self.end_hour, tuple(old + new for old, new in zip(values, self.values, strict=True)))

    def padded(self, hours: int) -> Ring:
        """Return this ring with so many hours: the oldest are missing where it holds fewer."""
        lacking = hours - self.hours
        return self if lacking <= 0 else Ring(self.end_hour, tuple(blank(lacking) + one for one in self.values))

    def slice_from(self, hour: int) -> tuple[array[float], ...]:
        """Return the values at and after `hour`."""
        skipped = max(0, hour - self.start_hour)
        return tuple(one[skipped:] for one in self.values)


def blank(hours: int) -> array[float]:
    """Return `hours` missing points."""
    return array("f", (MISSING,)) * hours


def _newer(old: array[float], new: array[float]) -> array[float]:
    return array("f", (before if math.isnan(value) else value for before, value in zip(old, new, strict=True)))


def pack(ring: Ring) -> bytes:
    """Return the bytes of a ring."""
    head = _HEADER.pack(_VERSION, len(ring.values), ring.hours, ring.end_hour)
    return head + b"".join(_little_endian(one).tobytes() for one in ring.values)


def unpack(data: bytes) -> Ring | None:
    """Return the ring behind `data`; None when it is damaged or of another version: it is then fetched anew."""
    if len(data) < _HEADER.size:
        return None
    version, statistics, hours, end_hour = _HEADER.unpack_from(data)
    if version != _VERSION or len(data) != _HEADER.size + 4 * statistics * hours:
        return None
    values = []
    for number in range(statistics):
        start = _HEADER.size + 4 * hours * number
        one = array("f")
        one.frombytes(data[start : start + 4 * hours])
        values.append(_little_endian(one))
    return Ring(end_hour, tuple(values))


def _little_endian(values: array[float]) -> array[float]:
    if sys.byteorder == "little":
        return values
    swapped = array("f", values)
    swapped.byteswap()
    return swapped
