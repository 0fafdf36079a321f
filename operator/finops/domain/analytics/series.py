"""Daily cost as series: what the history keeps by shard, filled over short gaps, added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from operator import add
from typing import Final

from finops.domain.analytics.day_map import DayMap

LONGEST_GAP_DAYS: Final = 3
"""A shard that was not scanned for so many days counts as unchanged meanwhile; after more its cost is unknown."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one account spends in one region on one kind of resource, day by day.

    Attributes:
        costs: day → cost of that day in the currency of the history.
        resources: day → how many there were.
        unknown: days of which something was kept that is not what is counted, so that they are in no sum.
        unpriced: days on which a resource has no price: the cost is at least that, and unknown where none has one.
    """

    account: str
    region: str
    kind: str
    costs: Mapping[date, float]
    resources: Mapping[date, int]
    unknown: frozenset[date] = frozenset()
    unpriced: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Series:
    """Costs of consecutive days, oldest first; no day is missing."""

    first: date
    values: tuple[float, ...]

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(days=number) for number in range(len(self.values)))

    @property
    def last(self) -> date:
        return self.first + timedelta(days=len(self.values) - 1)

    def before(self, count: int) -> Series:
        """Return the first `count` days."""
        return Series(self.first, self.values[:count])


def added(parts: Iterable[Part], until: date) -> Series | None:
    """Return the days up to the last one that is known, summed over all parts; None when nothing is known.

    A series starts again after a gap of more than `LONGEST_GAP_DAYS` days in which nothing at all was scanned, after
    the last day on which a part is unknown, and where a part begins with a cost: without it the days before would be
    too cheap. One that begins with none adds nothing.
    """
    members = list(parts)
    runs = [run for run in (_filled(DayMap.of(part.costs), until.toordinal()) for part in members) if run is not None]
    unknown = max((max(part.unknown) for part in members if part.unknown), default=date.min)
    begins = max((run.first for run in runs if run.values[0]), default=0)
    last = max((run.last for run in runs), default=0)
    earliest = max(unknown.toordinal() + 1, begins)
    if not runs or last < earliest:
        return None
    first = _first_of_unbroken(runs, max(earliest, min(run.first for run in runs)), last)
    sums = [0.0] * (last - first + 1)
    for run in runs:
        start = max(run.first, first)
        if start <= run.last:
            # One list onto the other: a sum for each day by itself takes ten times as long.
            place, values = start - first, run.values[start - run.first :]
            sums[place : place + len(values)] = map(add, sums[place:], values)
    return Series(date.fromordinal(first), tuple(sums))


def grouped(parts: Iterable[Part], key: Callable[[Part], str]) -> dict[str, list[Part]]:
    """Return the parts of each group, in order of their names."""
    groups: dict[str, list[Part]] = {}
    for one in parts:
        groups.setdefault(key(one), []).append(one)
    return dict(sorted(groups.items()))


def lacking_prices(parts: Iterable[Part]) -> frozenset[date]:
    """Return the days on which a resource of any part has no price."""
    return frozenset(day for one in parts for day in one.unpriced)


@dataclass(frozen=True, slots=True)
class _Run:
    """The days of one part from its first known one to its last, by ordinals; 0.0 where nothing is known.

    `holes` are the places of which nothing is known: those of gaps that are too long to be filled.
    """

    first: int
    values: list[float]
    holes: frozenset[int]

    @property
    def last(self) -> int:
        return self.first + len(self.values) - 1


def _filled(costs: DayMap[float], until: int) -> _Run | None:
    """Return the days up to `until`, short gaps filled with the day before them; None where none is known."""
    known = costs.known[: max(0, until - costs.first + 1)]
    start, end = known.find(1), known.rfind(1) + 1
    if start < 0:
        return None
    values, holes = list(costs.places[start:end]), set[int]()
    gap = known.find(0, start, end)
    while gap >= 0:
        following = known.find(1, gap)
        places = range(gap - start, following - start)
        is_short = len(places) <= LONGEST_GAP_DAYS
        values[places.start : places.stop] = [values[places.start - 1] if is_short else 0.0] * len(places)
        if not is_short:
            holes.update(places)
        gap = known.find(0, following, end)
    return _Run(costs.first + start, values, frozenset(holes))


def _first_of_unbroken(runs: Iterable[_Run], earliest: int, last: int) -> int:
    """Return the first day from which every day until `last` is known of a part, none before `earliest`."""
    known = bytearray(last - earliest + 1)
    for run in runs:
        start = max(run.first, earliest)
        if start > run.last:
            continue
        if not run.holes:
            known[start - earliest : run.last - earliest + 1] = b"\1" * (run.last - start + 1)
            continue
        for day in range(start, run.last + 1):
            if day - run.first not in run.holes:
                known[day - earliest] = 1
    return earliest + known.rfind(0) + 1
