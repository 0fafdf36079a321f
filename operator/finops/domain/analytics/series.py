"""Daily cost as series: what the history keeps by shard, filled over short gaps, added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

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
    filled = [_filled(part.costs, until) for part in members]
    unknown = max((day for part in members for day in part.unknown), default=date.min)
    begins = max((min(one) for one in filled if one and one[min(one)]), default=date.min)
    known = sorted({day for one in filled for day in one if unknown < day >= begins})
    if not known:
        return None
    first = known[-1]
    days = set(known)
    while first - timedelta(days=1) in days:
        first -= timedelta(days=1)
    count = (known[-1] - first).days + 1
    values = tuple(sum(one.get(first + timedelta(days=number), 0.0) for one in filled) for number in range(count))
    return Series(first, values)


def grouped(parts: Iterable[Part], key: Callable[[Part], str]) -> dict[str, list[Part]]:
    """Return the parts of each group, in order of their names."""
    groups: dict[str, list[Part]] = {}
    for one in parts:
        groups.setdefault(key(one), []).append(one)
    return dict(sorted(groups.items()))


def lacking_prices(parts: Iterable[Part]) -> frozenset[date]:
    """Return the days on which a resource of any part has no price."""
    return frozenset(day for one in parts for day in one.unpriced)


def _filled(costs: Mapping[date, float], until: date) -> dict[date, float]:
    known = sorted(day for day in costs if day <= until)
    filled: dict[date, float] = {}
    for number, day in enumerate(known):
        filled[day] = costs[day]
        following = known[number + 1] if number + 1 < len(known) else day
        gap = (following - day).days - 1
        if 0 < gap <= LONGEST_GAP_DAYS:
            filled |= {day + timedelta(days=offset): costs[day] for offset in range(1, gap + 1)}
    return filled
