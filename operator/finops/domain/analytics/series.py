"""Daily cost as series: what the history keeps by shard, filled over short gaps, added up."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from operator import add
from typing import Final

from finops.domain.analytics.day_map import DayMap
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
    scanned for `LONGEST_GAP_DAYS` days at most. Where nothing of it has a price it adds nothing, and the sum is at
    least that (`lacking_prices`). A series ends before the day that is not known of one part, and starts
    again after it, after the last day on which a part is unknown, and where a part begins with a cost: without it the
    days before would be too cheap.
    """
    members = list(parts)
    filled = [_filled(_with_priceless(part), until.toordinal()) for part in members]
    since = max((max(part.unknown).toordinal() + 1 for part in members if part.unknown), default=0)
    runs = [_run(part, days) for part, days in zip(members, filled, strict=True) if days is not None or part.unknown]
    known = known_of_all(runs, since, until.toordinal())
    if not known:
        return None
    sums = [0.0] * len(known)
    for one in filled:
        if one is not None and one.first <= known[-1]:
            # One list onto the other: a sum for each day by itself takes ten times as long.
            start = max(one.first, known[0])
            place, values = start - known[0], one.values[start - one.first : known[-1] + 1 - one.first]
            sums[place : place + len(values)] = map(add, sums[place:], values)
    return Series(date.fromordinal(known[0]), tuple(sums))


def late(parts: Iterable[Part], today: date) -> dict[date, list[Part]]:
    """Return last day → the parts of which nothing was kept since, of those too long ago to count as unchanged."""
    found: dict[date, list[Part]] = {}
    for one in parts:
        last = max((*_last_of(one.costs), *one.unknown, *one.unpriced), default=today)
        if last < today - timedelta(days=LONGEST_GAP_DAYS):
            found.setdefault(last, []).append(one)
    return dict(sorted(found.items()))


def grouped(parts: Iterable[Part], key: Callable[[Part], str]) -> dict[str, list[Part]]:
    """Return the parts of each group, in order of their names."""
    groups: dict[str, list[Part]] = {}
    for one in parts:
        groups.setdefault(key(one), []).append(one)
    return dict(sorted(groups.items()))


def lacking_prices(parts: Iterable[Part]) -> frozenset[date]:
    """Return the days on which a resource of any part has no price, with those that count as such a day before."""
    return frozenset(day for one in parts for day in _lasting(one, one.unpriced))


def priceless(one: Part) -> frozenset[date]:
    """Return the days on which nothing of a part has a price, with those that count as such a day before."""
    return _lasting(one, [day for day in one.unpriced if day not in one.costs])


def _lasting(part: Part, days: Iterable[date]) -> frozenset[date]:
    found = set[date]()
    for day in days:
        found.add(day)
        following = [day + timedelta(days=number) for number in range(1, LONGEST_GAP_DAYS + 2)]
        kept = next((place for place, one in enumerate(following) if one in part.costs or one in part.unpriced), 0)
        found.update(following[:kept])
    return frozenset(found)


def last_hole(part: Part, until: date) -> date | None:
    """Return the last day of the last gap between costs that is too long to be filled; None where there is none."""
    costs = DayMap.of(part.costs)
    known = costs.known[: max(0, until.toordinal() - costs.first + 1)]
    place = known.rfind(bytes(LONGEST_GAP_DAYS + 1), max(0, known.find(1)), known.rfind(1) + 1)
    return None if place < 0 else date.fromordinal(costs.first + place + LONGEST_GAP_DAYS)


def first_cost(part: Part) -> date | None:
    """Return the first day on which a part has a cost; None where it has none."""
    costs = DayMap.of(part.costs)
    place = costs.known.find(1)
    return date.fromordinal(costs.first + place) if place >= 0 else None


def _with_priceless(part: Part) -> DayMap[float]:
    """Return the costs of a part, zero where nothing has a price."""
    days = [day for day in part.unpriced if day not in part.costs]
    return DayMap.of({**part.costs, **dict.fromkeys(days, 0.0)} if days else part.costs)


def _last_of(costs: Mapping[date, float]) -> tuple[date, ...]:
    """Return the last of these days, as one or none."""
    days = DayMap.of(costs)
    place = days.known.rfind(1)
    return (date.fromordinal(days.first + place),) if place >= 0 else ()


@dataclass(frozen=True, slots=True)
class _Filled:
    """The days of one part from its first known one to its last, by ordinals; 0.0 where nothing is known.

    `holes` are the places of which nothing is known: those of gaps that are too long to be filled.
    """

    first: int
    values: array[float]
    holes: frozenset[int]

    @property
    def last(self) -> int:
        return self.first + len(self.values) - 1


def _filled(costs: DayMap[float], until: int) -> _Filled | None:
    """Return the days up to `until`, short gaps filled with the day before them; None where none is known."""
    known = costs.known[: max(0, until - costs.first + 1)]
    start, end = known.find(1), known.rfind(1) + 1
    if start < 0:
        return None
    # Hundreds of parts are held at once: as lists they would take five times the memory.
    values, holes = array("d", costs.places[start:end]), set[int]()
    gap = known.find(0, start, end)
    while gap >= 0:
        following = known.find(1, gap)
        places = range(gap - start, following - start)
        is_short = len(places) <= LONGEST_GAP_DAYS
        filling = values[places.start - 1] if is_short else 0.0
        values[places.start : places.stop] = array("d", [filling]) * len(places)
        if not is_short:
            holes.update(places)
        gap = known.find(0, following, end)
    return _Filled(costs.first + start, values, frozenset(holes))


def _run(part: Part, filled: _Filled | None) -> Run:
    """Return the known days of a part, none where all that is kept of it is not what is counted."""
    if filled is None:
        end = max(part.unknown).toordinal()
        return Run(end, end - 1)
    is_free = not filled.values[0] and date.fromordinal(filled.first) not in part.unpriced
    begins_free = is_free and not any(day.toordinal() < filled.first for day in part.unknown)
    return Run(filled.first, filled.last, [filled.first + place for place in filled.holes], begins_free)
