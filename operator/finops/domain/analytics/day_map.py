"""A value for each of some days, in little memory: what a history of 400 days for hundreds of shards is kept in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar

_Value = TypeVar("_Value", int, float)


class DayMap(Mapping[date, _Value]):
    """Day → value, as a mapping that is not changed: a place for each day from the first one.

    Attributes:
        first: the proleptic ordinal of the day of the first place.
        known: a byte for each place, 1 where there is a value and 0 where none is.
        places: as many values; what stands at a place that is not known means nothing.
    """

    __slots__ = ("first", "known", "places")

    def __init__(self, first: int, known: bytes, places: Sequence[_Value]) -> None:
        self.first = first
        self.known = known
        self.places: Sequence[_Value] = places

    @classmethod
    def of(cls, days: Mapping[date, _Value]) -> DayMap[_Value]:
        """Return the same days and values; what is one already is returned as it is."""
        if isinstance(days, DayMap):
            return days
        if not days:
            return cls(0, b"", [])
        first, last = min(days).toordinal(), max(days).toordinal()
        known, places = bytearray(last - first + 1), [next(iter(days.values()))] * (last - first + 1)
        for day, value in days.items():
            known[day.toordinal() - first] = 1
            places[day.toordinal() - first] = value
        return cls(first, bytes(known), places)

    def __getitem__(self, day: date) -> _Value:
        place = day.toordinal() - self.first
        if 0 <= place < len(self.known) and self.known[place]:
            return self.places[place]
        raise KeyError(day)

    def __iter__(self) -> Iterator[date]:
        return (date.fromordinal(self.first + place) for place, known in enumerate(self.known) if known)

    def __len__(self) -> int:
        return self.known.count(1)
