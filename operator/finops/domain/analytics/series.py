"""Daily cost as series: what the history keeps by shard, filled over short gaps, added up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from finops.domain.analytics.known_days import Run, known_of_all

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
    """Return the days up to the last one that is known of all parts, summed over them; None where there is none.

    Until a part has begun there is nothing to add; from then on a day is known where the part has a cost, or was not
    scanned for `LONGEST_GAP_DAYS` days at most. A series ends before the day that is not known of one part, and starts
    again after it, after the last day on which a part is unknown, and where a part begins with a cost: without it the
    days before would be too cheap.
    """
    members = list(parts)
    filled = [_filled(part.costs, until) for part in members]
    since = max((day for part in members for day in part.unknown if day <= until), default=date.min)
    runs = [_run(part, days) for part, days in zip(members, filled, strict=True) if days or part.unknown]
    known = known_of_all(runs, min(since, date.max - timedelta(days=1)).toordinal() + 1, until.toordinal())
    if not known:
        return None
    days = list(map(date.fromordinal, known))
    return Series(days[0], tuple(sum(one.get(day, 0.0) for one in filled) for day in days))


def late(parts: Iterable[Part], today: date) -> dict[date, list[Part]]:
    """Return last day → the parts of which nothing was kept since, of those too long ago to count as unchanged."""
    found: dict[date, list[Part]] = {}
    for one in parts:
        last = max((*one.costs, *one.unknown, *one.unpriced), default=today)
        if last < today - timedelta(days=LONGEST_GAP_DAYS):
            found.setdefault(last, []).append(one)
    return dict(sorted(found.items()))


def comparable(parts: Iterable[Part], until: date) -> list[Part]:
    """Return the parts of which all days compare with each other: what anomalies and forecasts lean on.

    A part that is `late` is left out of every day, so that a change of the others is seen all the same.
    """
    members = list(parts)
    left_out = {id(one) for found in late(members, until).values() for one in found}
    return [one for one in members if id(one) not in left_out]


def grouped(parts: Iterable[Part], key: Callable[[Part], str]) -> dict[str, list[Part]]:
    """Return the parts of each group, in order of their names."""
    groups: dict[str, list[Part]] = {}
    for one in parts:
        groups.setdefault(key(one), []).append(one)
    return dict(sorted(groups.items()))


def lacking_prices(parts: Iterable[Part]) -> frozenset[date]:
    """Return the days on which a resource of any part has no price."""
    return frozenset(day for one in parts for day in one.unpriced)


def _run(part: Part, filled: Mapping[date, float]) -> Run:
    """Return the known days of a part, none where all that is kept of it is not what is counted."""
    if not filled:
        end = max(part.unknown).toordinal()
        return Run(end, end - 1)
    first, last = min(filled), max(filled)
    count = (last - first).days + 1
    days = (first + timedelta(days=number) for number in range(count)) if len(filled) < count else ()
    holes = tuple(day.toordinal() for day in days if day not in filled)
    begins_free = not filled[first] and not any(day < first for day in part.unknown)
    return Run(first.toordinal(), last.toordinal(), holes, begins_free)


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
