"""When in a week a machine works: its 168 hours by the clock of a time zone, and the schedule that leaves the rest out.

An hour of the week is off when in no week of the window anything was done in it; of an hour about which nothing is
known that cannot be said. A day's schedule reaches from its first working hour to its last one, with an hour before
and after, so that nobody finds the machine off who comes early. Hours follow the clock of the zone across daylight
saving time; in zones that are not whole hours from UTC an hour counts for both hours of the clock that it touches.
Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import Final

HOURS_A_WEEK: Final = 168
_HOURS_A_DAY: Final = 24
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_HABIT: Final = 4
"""One hour of so many that worked must have come again: people do not work every hour of an office day."""
_MARGIN: Final = 1
"""Hours before the first and after the last working hour of a day."""

Span = tuple[int, int]
"""First hour of the clock, and the first one after the last."""


@dataclass(frozen=True, slots=True)
class Week:
    """What must be on in a week.

    Attributes:
        days: for each day, Monday first, its span, or None where the whole day is off.
        repeated: how many of the days worked in more than one week.
        hours, repeated_hours: how many hours of the week worked, and how many of them in more than one week.
    """

    days: tuple[Span | None, ...]
    repeated: int = 0
    hours: int = 0
    repeated_hours: int = 0

    @property
    def off_hours(self) -> int:
        """Hours of the week outside of all spans."""
        return HOURS_A_WEEK - sum(end - start for start, end in filter(None, self.days))

    @property
    def is_habit(self) -> bool:
        """Whether most of the days that worked, and enough of their hours, did so in more than one week.

        What happened once is no schedule, nor are two single hours that happen to fall on the same day of two weeks.
        """
        days = 2 * self.repeated > sum(one is not None for one in self.days)
        return days and _HABIT * self.repeated_hours >= self.hours

    @property
    def two_days_off(self) -> bool:
        """Whether two days in a row, over the end of the week too, are off as a whole."""
        return any(
            one is None and other is None for one, other in zip(self.days, (*self.days[1:], self.days[0]), strict=True)
        )

    @property
    def lines(self) -> Iterator[tuple[str, str]]:
        """Days with the same span in words, and the span: `Monday to Friday`, `07:00 to 19:00`."""
        for span, group in groupby(zip(_DAYS, self.days, strict=True), key=lambda one: one[1]):
            names = [name for name, _ in group]
            label = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
            yield label, "off" if span is None else f"{span[0]:02d}:00 to {span[1]:02d}:00"


def week_of(end_hour: int, works: Sequence[bool], zone: tzinfo) -> Week:
    """Return the week of a machine.

    Args:
        end_hour: first hour since the epoch that is not in `works`.
        works: for each hour, the oldest first, whether anything was done in it or nothing is known of it.
        zone: whose clock counts.
    """
    seen = set[int]()
    dates: dict[int, set[date]] = {}
    times: dict[int, set[date]] = {}
    for hour, busy in enumerate(works, end_hour - len(works)):
        for second in (hour * 3600, hour * 3600 + 3599):
            local = datetime.fromtimestamp(second, tz=zone)
            cell = local.weekday() * _HOURS_A_DAY + local.hour
            seen.add(cell)
            if busy:
                times.setdefault(cell, set()).add(local.date())
                dates.setdefault(local.weekday(), set()).add(local.date())
    working = times.keys() | (set(range(HOURS_A_WEEK)) - seen)
    by_day = ([hour for hour in range(_HOURS_A_DAY) if day * _HOURS_A_DAY + hour in working] for day in range(7))
    days = tuple(_span(hours) for hours in by_day)
    return Week(days, _again(dates), len(times), _again(times))


def _again(seen: Mapping[int, Collection[date]]) -> int:
    """Return how many were seen on more than one date, each a week apart."""
    return sum(len(one) > 1 for one in seen.values())


def _span(hours: Sequence[int]) -> Span | None:
    if not hours:
        return None
    return max(0, hours[0] - _MARGIN), min(_HOURS_A_DAY, hours[-1] + 1 + _MARGIN)
