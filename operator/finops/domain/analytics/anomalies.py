"""Days whose cost is out of the ordinary: a robust score on weekday-adjusted cost, with gates.

A day is compared with what the days before it promise: their level, their slope, their weekday's habit, and what the
same day of earlier months did, so that a weekly pattern, steady growth and a charge at month start are no news. Median
and median deviation keep one odd day from hiding the next. An alarm needs all three: a high score, enough money, and
enough percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from statistics import median
from typing import Final

from finops.domain.analytics.series import Series

WARM_UP_DAYS: Final = 28
"""Fewer days before it say too little: such a day is never called an anomaly."""
_WINDOW: Final = 42
_WEEK: Final = 7
_SLOPE_DAYS: Final = 28
_NORMAL: Final = 1.4826
"""Turns a median deviation into the standard deviation of a normal distribution."""
_LEAST_SCALE: Final = 0.01
_MONTHS: Final = 3
_LONGEST_SPIKE_DAYS: Final = 3
"""A change that lasts longer is the new level of a window of a week (`_judged`), and no odd day."""
_LEAST_WEEKS: Final = 3
"""A weekday has no habit before it was seen so often."""


@dataclass(frozen=True, slots=True)
class Gates:
    """What an alarm needs: `score` robust deviations, `money` a day, and `percent` of what was expected."""

    score: float = 4.0
    money: float = 1.0
    percent: float = 10.0


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Consecutive days above or below what was expected.

    Attributes:
        first, last: its days; a lasting change ends when it has become the new level.
        cost, expected: of the first day.
        extra: cost beyond expectation of all its days together; negative when less was spent.
        score: the first day's, in robust deviations.
    """

    first: date
    last: date
    cost: float
    expected: float
    extra: float
    score: float

    @property
    def percent(self) -> float:
        return 100 * (self.cost - self.expected) / self.expected if self.expected else 100.0


@dataclass(frozen=True, slots=True)
class OddDay:
    """A day out of the ordinary that passed: cost came back within days, so it was no new level.

    Attributes:
        place: which value of the series.
        expected: what it would have cost in the ordinary way.
        known_from: how many values have to be known before it is seen that it passed.
    """

    place: int
    expected: float
    known_from: int


@dataclass(frozen=True, slots=True)
class _Judged:
    day: date
    cost: float
    expected: float
    score: float


def anomalies(series: Series, gates: Gates) -> tuple[Anomaly, ...]:
    """Return the anomalies of a series, oldest first; none before the warm-up has ended."""
    found: list[Anomaly] = []
    for number in range(WARM_UP_DAYS, len(series.values)):
        one = _judged(series, number)
        if not _passes(one, gates):
            continue
        extra = one.cost - one.expected
        before = found[-1] if found else None
        if before and before.last + timedelta(days=1) == one.day and (before.extra > 0) == (extra > 0):
            found[-1] = Anomaly(before.first, one.day, before.cost, before.expected, before.extra + extra, before.score)
        else:
            found.append(Anomaly(one.day, one.day, one.cost, one.expected, extra, one.score))
    return tuple(found)


@lru_cache(maxsize=64)
def odd_days(series: Series, gates: Gates) -> tuple[OddDay, ...]:
    """Return the days of anomalies that passed, oldest first: up to three in a row that `gates` let through.

    The day after them has to be nearer to what was expected than to them, so that a lasting step never counts as odd
    days; neither does what goes on until the last day, of which nobody knows yet.
    """
    found: list[OddDay] = []
    run: list[tuple[int, _Judged]] = []
    for number in range(WARM_UP_DAYS, len(series.values)):
        one = _judged(series, number)
        if _passes(one, gates) and (not run or _extra(run[-1][1]) * _extra(one) > 0):
            run.append((number, one))
            continue
        if 0 < len(run) <= _LONGEST_SPIKE_DAYS and abs(_extra(one)) < abs(_extra(run[-1][1])) / 2:
            found += (OddDay(place, odd.expected, number + 1) for place, odd in run)
        run = [(number, one)] if _passes(one, gates) else []
    return tuple(found)


def may_pass(series: Series, gates: Gates) -> tuple[OddDay, ...]:
    """Return the anomalous days that a series ends with while nobody knows whether they pass; none after three days."""
    count, run = len(series.values), list[tuple[int, _Judged]]()
    for number in range(count - 1, max(WARM_UP_DAYS, count - 1 - _LONGEST_SPIKE_DAYS) - 1, -1):
        one = _judged(series, number)
        if not _passes(one, gates) or (run and _extra(run[-1][1]) * _extra(one) <= 0):
            break
        run.append((number, one))
    if len(run) > _LONGEST_SPIKE_DAYS:
        return ()
    return tuple(OddDay(place, one.expected, count + 1) for place, one in reversed(run))


def _extra(one: _Judged) -> float:
    return one.cost - one.expected


def _passes(one: _Judged, gates: Gates) -> bool:
    difference = abs(one.cost - one.expected)
    return (
        abs(one.score) >= gates.score
        and difference >= gates.money
        and 100 * difference >= gates.percent * max(one.expected, 0.0)
    )


def _judged(series: Series, number: int) -> _Judged:
    start = max(0, number - _WINDOW)
    values = series.values[start:number]
    habits = _habits(values)
    plain = [value / habits[place % _WEEK] for place, value in enumerate(values)]
    level = max(0.0, median(plain[-_WEEK:]) + _slope(plain[-_SLOPE_DAYS:]) * (_WEEK + 1) / 2)
    day = series.first + timedelta(days=number)
    habit = habits[len(values) % _WEEK]
    expected = level * habit
    cost = series.values[number]
    known = [expected, *_month_habits(series, number, habits, start, expected)]
    expected = min(known, key=lambda one: abs(cost - one))
    scale = max(_spread(plain) * habit, _LEAST_SCALE * expected, 1e-9)
    return _Judged(day, cost, expected, (cost - expected) / scale)


def _habits(values: Sequence[float]) -> list[float]:
    """Return each weekday's factor; places count from the first value."""
    ratios: list[list[float]] = [[] for _ in range(_WEEK)]
    for place in range(len(values)):
        near = values[max(0, place - 3) : place + 4]
        if len(near) == _WEEK and (level := sum(near) / _WEEK) > 0:
            ratios[place % _WEEK].append(values[place] / level)
    factors = [median(one) if len(one) >= _LEAST_WEEKS else 1.0 for one in ratios]
    return factors if min(factors) > 0 else [1.0] * _WEEK


def _slope(values: Sequence[float]) -> float:
    """Return the Theil-Sen slope by pairs a week apart: a step lies between a third of them and does not sway it."""
    steps = [(values[place + _WEEK] - values[place]) / _WEEK for place in range(len(values) - _WEEK)]
    return median(steps) if steps else 0.0


def _spread(plain: Sequence[float]) -> float:
    """Return the robust deviation of a day from the median of the week before it."""
    misses = [plain[place] - median(plain[place - _WEEK : place]) for place in range(_WEEK, len(plain))]
    middle = median(misses)
    return _NORMAL * median(abs(one - middle) for one in misses)


def _month_habits(series: Series, number: int, habits: Sequence[float], start: int, expected: float) -> list[float]:
    """Return what the day would cost if it did as the same day of an earlier month: as much more, or as many times.

    `habits` are the weekdays' factors, counted from the place `start`.
    """
    day = series.first + timedelta(days=number)
    found = []
    for months in range(1, _MONTHS + 1):
        place = (_earlier(day, months) - series.first).days
        near = range(max(0, place - _WEEK), min(place + _WEEK + 1, number))
        if place < 0 or not near:
            continue
        level = median(series.values[one] / habits[(one - start) % _WEEK] for one in near)
        usual, came = level * habits[(place - start) % _WEEK], series.values[place]
        found.append(expected + came - usual)
        if usual > 0:
            found.append(expected * came / usual)
    return found


def _earlier(day: date, months: int) -> date:
    first = day.replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=min(day.day, (following - first).days) - 1)
