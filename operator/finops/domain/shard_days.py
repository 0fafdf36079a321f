"""What was counted of a shard, day by day, in 17 bytes a day: hundreds of shards and 400 days are a few megabytes.

Most kinds have no resource in most regions: of such a shard only the state of each day is kept.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from finops.domain.analytics.day_map import DayMap
from finops.domain.analytics.series import Part
from finops.domain.money import DAY_OF_MONTH
from finops.domain.resource import Shard
from finops.domain.selected import Counted

_KNOWN: Final = 1
_UNKNOWN: Final = 2
_UNPRICED: Final = 4
_EMPTY: Final = 8
"""Known, and the whole shard had no resource: nothing was kept of its parts, however policies selected then."""
_UNSPLIT: Final = 16
_STATES: Final = range(32)
_AS_KNOWN, _AS_UNKNOWN, _AS_UNPRICED, _AS_UNSPLIT = (
    bytes(1 if state & flag else 0 for state in _STATES) + bytes(256 - len(_STATES))
    for flag in (_KNOWN, _UNKNOWN, _UNPRICED, _UNSPLIT)
)
_AS_SPLIT: Final = bytes(1 if state and not state & (_EMPTY | _UNSPLIT) else 0 for state in range(256))
_SETS: Final = 64


class ShardDays:
    """The days of one shard, with room for those that `days` promises from `first` on. Not thread-safe."""

    __slots__ = ("_costs", "_first", "_resources", "_states")
    _costs: array[float] | None
    _resources: array[int] | None

    def __init__(self, first: date = date.min, days: int = 0) -> None:
        self._first = first.toordinal()
        self._states = bytearray(days)
        # None while all are zero.
        self._costs, self._resources = None, None

    def put(self, day: date, found: Counted | None) -> None:
        """Write what was counted of a day in place of what stood there; None where nothing was kept of it."""
        place = day.toordinal() - self._first
        if not 0 <= place < len(self._states):
            if found is None:
                return
            place = self._make_room(day.toordinal())
        state, cost, resources = (0, 0.0, 0) if found is None else _read(found)
        self._states[place] = state
        if self._costs is None and cost:
            self._costs = array("d", bytes(8 * len(self._states)))
        if self._resources is None and resources:
            self._resources = array("q", bytes(8 * len(self._states)))
        if self._costs is not None:
            self._costs[place] = cost
        if self._resources is not None:
            self._resources[place] = resources

    def drop_before(self, day: date) -> None:
        """Forget the days before one."""
        count = min(max(0, day.toordinal() - self._first), len(self._states))
        if count:
            del self._states[:count]
            for column in (self._costs, self._resources):
                if column is not None:
                    del column[:count]
            self._first += count

    def part(self, shard: Shard) -> Part | None:
        """Return the days as a series, which later writes leave as it is; None where nothing was kept.

        A day of the whole shard alone is unknown until the first one that was kept for policies: a release before did
        not keep more, or no policy selected. Later it is a day that is missing, as one without any scan.
        """
        states = self._split()
        if not any(states):
            return None
        known = states.translate(_AS_KNOWN)
        costs = _no_costs(len(states)) if self._costs is None else self._costs[:]
        resources = _no_resources(len(states)) if self._resources is None else self._resources[:]
        return Part(
            *(shard.account, shard.region, shard.kind),
            *(DayMap(self._first, known, costs), DayMap(self._first, known, resources)),
            *(_days(self._first, states.translate(_AS_UNKNOWN)), _days(self._first, states.translate(_AS_UNPRICED))),
        )

    def _split(self) -> bytes:
        """Return the states, of days that were kept of the whole shard alone that of unknown or of missing ones."""
        states = bytes(self._states)
        if not any(states.translate(_AS_UNSPLIT)):
            return states
        first = states.translate(_AS_SPLIT).find(1)
        before, since = (states, b"") if first < 0 else (states[:first], states[first:])
        return before.replace(bytes([_UNSPLIT]), bytes([_UNKNOWN])) + since.replace(bytes([_UNSPLIT]), b"\0")

    def _make_room(self, day: int) -> int:
        """Return the place of a day that has none yet."""
        if not self._states:
            self._first = day
        place = day - self._first
        before, after = max(0, -place), max(0, place + 1 - len(self._states))
        self._states = bytearray(before) + self._states + bytearray(after)
        if self._costs is not None:
            self._costs = array("d", bytes(8 * before)) + self._costs + array("d", bytes(8 * after))
        if self._resources is not None:
            self._resources = array("q", bytes(8 * before)) + self._resources + array("q", bytes(8 * after))
        self._first = min(self._first, day)
        return max(0, place)


def parts_of_rows(rows: Mapping[Shard, ShardDays]) -> list[Part]:
    """Return a series for each shard of which something was kept, in order of their names."""
    found = (rows[shard].part(shard) for shard in sorted(rows, key=str))
    return [one for one in found if one is not None]


def _read(found: Counted) -> tuple[int, float, int]:
    """Return the state of a day, its cost and how many resources there were; zeros where that is not known."""
    cost = found.cost
    if cost is None or not found.is_whole:
        return _UNKNOWN if found.is_split else _UNSPLIT, 0.0, 0
    state, known = _UNPRICED if cost.unpriced else 0, cost.known_cost
    if known is None:
        return state, 0.0, 0
    return state | _KNOWN | (_EMPTY if found.is_empty else 0), float(known * DAY_OF_MONTH), cost.resources


@lru_cache(maxsize=_SETS)
def _no_costs(days: int) -> array[float]:
    """Return so many zeros, which shards without a cost have in common; nobody writes into them."""
    return array("d", bytes(8 * days))


@lru_cache(maxsize=_SETS)
def _no_resources(days: int) -> array[int]:
    return array("q", bytes(8 * days))


@lru_cache(maxsize=_SETS)
def _days(first: int, places: bytes) -> frozenset[date]:
    """Return the days of the places that are 1; most shards have the same."""
    return frozenset(date.fromordinal(first + place) for place, one in enumerate(places) if one)
