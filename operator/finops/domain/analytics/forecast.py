"""Forecasts of daily cost: the mean of three simple methods, with an error and an interval that were back-tested.

The methods are seasonal-naive (the same weekday of last week), damped exponential smoothing and Theta, the latter two
on cost without its weekly pattern. Means of such methods did well in the M competitions (Makridakis et al., 2020, “The
M4 Competition”), and each is a page of arithmetic: statsmodels would add numpy, scipy and pandas to an image that
needs none of them. One odd day is no habit: a day that we call an anomaly, and after which cost came back, counts with
what it would have cost in the ordinary way. The interval is empirical: what the same forecast missed by at earlier days
of the same series, odd days among them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from statistics import fmean, median
from typing import Final

from finops.domain.analytics.anomalies import Gates, OddDay, may_pass, odd_days
from finops.domain.analytics.series import Series

WEEK: Final = 7
LEAST_DAYS: Final = 28
"""Fewer days say too little of a weekly pattern: there is no forecast then."""
LEAST_DAYS_FOR_MONTHS: Final = 90
"""A forecast of three months needs as many days of history."""
_ORIGINS: Final = 12
_SHORTEST_TRAINING: Final = 14
_LEVELS: Final = (0.1, 0.2, 0.4, 0.6, 0.8)
_TRENDS: Final = (0.02, 0.1, 0.3)
_DAMPING: Final = 0.95
_HELD: Final = 0.8
_ODD: Final = Gates()
"""Those of the page of anomalies."""
_ANY_DAY: Final = date(2001, 1, 1)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the coming days will cost.

    Attributes:
        values: expected cost of each day.
        total, low, high: their sum, and the range around it that would have held the sum in 8 of 10 back-tests or more.
        error_percent: mean absolute error of the back-tested sums, in percent of what came.
        tests: how many back-tests there were.
        tested_days: how many days ahead they went; a longer forecast widens the range with the root of its length.
    """

    values: tuple[float, ...]
    total: float
    low: float
    high: float
    error_percent: float
    tests: int
    tested_days: int


def forecast(values: Sequence[float], days: int, *, first: date = _ANY_DAY) -> Forecast | None:
    """Return the forecast of the next `days`, None when the history is too short for one: that is never guessed.

    Args:
        values: cost of consecutive days, oldest first, in any currency.
        days: how many follow.
        first: the day of the first value; by it a charge of every month is no odd day.
    """
    least = LEAST_DAYS_FOR_MONTHS if days > 2 * LEAST_DAYS else LEAST_DAYS
    if len(values) < least or days < 1:
        return None
    series = Series(first, tuple(values))
    odd = odd_days(series, _ODD)
    ordinary = _ordinary(values, odd)
    # Of what began in the last days nobody knows whether it stays: both are forecast, and the range holds both.
    stays, passes = combined(ordinary, days), combined(_replaced(ordinary, may_pass(series, _ODD)), days)
    expected = [fmean(pair) for pair in zip(stays, passes, strict=True)]
    total, tested_days = sum(expected), min(days, (len(values) - _SHORTEST_TRAINING) // 2)
    ratios = _back_test(values, odd, tested_days)
    reach = _reach(ratios) * (days / tested_days) ** 0.5
    return Forecast(
        tuple(expected),
        total,
        min(sum(stays), sum(passes)) * max(0.0, 1 - reach),
        max(sum(stays), sum(passes)) * (1 + reach),
        100 * fmean(abs(1 - 1 / one) if one else 1.0 for one in ratios),
        len(ratios),
        tested_days,
    )


def _ordinary(values: Sequence[float], odd: Iterable[OddDay]) -> list[float]:
    """Return the values, odd days replaced as far as these values show that they passed."""
    return _replaced(values, (one for one in odd if one.known_from <= len(values)))


def _replaced(values: Sequence[float], odd: Iterable[OddDay]) -> list[float]:
    found = list(values)
    for one in odd:
        found[one.place] = one.expected
    return found


def combined(values: Sequence[float], days: int) -> list[float]:
    """Return the mean of the three methods for the next `days`; never below zero."""
    methods: tuple[Callable[[Sequence[float], int], list[float]], ...] = (
        seasonal_naive,
        lambda given, ahead: _seasonal(given, ahead, _damped),
        lambda given, ahead: _seasonal(given, ahead, _theta),
    )
    found = [method(values, days) for method in methods]
    return [max(0.0, fmean(column)) for column in zip(*found, strict=True)]


def seasonal_naive(values: Sequence[float], days: int) -> list[float]:
    """Return the last week again and again."""
    week = values[-WEEK:]
    return [week[number % len(week)] for number in range(days)]


def weekly_pattern(values: Sequence[float]) -> list[float]:
    """Return for each of seven places by how much it differs from the mean of its week, as a factor.

    The places count from the first value; the median over the weeks keeps a single odd day out.
    """
    ratios: list[list[float]] = [[] for _ in range(WEEK)]
    for number in range(3, len(values) - 3):
        level = fmean(values[number - 3 : number + 4])
        if level > 0:
            ratios[number % WEEK].append(values[number] / level)
    factors = [median(one) if len(one) > 1 else 1.0 for one in ratios]
    mean = fmean(factors)
    return [one / mean for one in factors] if mean > 0 and min(factors) > 0 else [1.0] * WEEK


def _seasonal(values: Sequence[float], days: int, method: Callable[[Sequence[float], int], list[float]]) -> list[float]:
    pattern = weekly_pattern(values)
    plain = [value / pattern[number % WEEK] for number, value in enumerate(values)]
    count = len(values)
    return [one * pattern[(count + number) % WEEK] for number, one in enumerate(method(plain, days))]


def _damped(values: Sequence[float], days: int) -> list[float]:
    """Return Holt's linear trend, damped; smoothing by the smallest squared one-day error."""
    fits = [_damped_fit(values, level, trend) for level in _LEVELS for trend in _TRENDS]
    _, level, slope = min(fits)
    ahead, sum_of_damping = [], 0.0
    for number in range(1, days + 1):
        sum_of_damping += _DAMPING**number
        ahead.append(level + slope * sum_of_damping)
    return ahead


def _damped_fit(values: Sequence[float], alpha: float, beta: float) -> tuple[float, float, float]:
    level, slope, error = values[0], 0.0, 0.0
    for value in values[1:]:
        expected = level + _DAMPING * slope
        error += (value - expected) ** 2
        before, level = level, alpha * value + (1 - alpha) * expected
        slope = beta * (level - before) + (1 - beta) * _DAMPING * slope
    return error, level, slope


def _theta(values: Sequence[float], days: int) -> list[float]:
    """Return the Theta method: half the linear drift on simple exponential smoothing (Hyndman and Billah, 2003)."""
    count = len(values)
    middle, mean = (count - 1) / 2, fmean(values)
    spread = sum((number - middle) ** 2 for number in range(count))
    slope = sum((number - middle) * (value - mean) for number, value in enumerate(values)) / spread
    _, level, alpha = min(_smoothing(values, alpha) for alpha in _LEVELS)
    start = (1 - (1 - alpha) ** count) / alpha - 1
    return [level + slope / 2 * (number + start) for number in range(1, days + 1)]


def _smoothing(values: Sequence[float], alpha: float) -> tuple[float, float, float]:
    level, error = values[0], 0.0
    for value in values[1:]:
        error += (value - level) ** 2
        level += alpha * (value - level)
    return error, level, alpha


def _back_test(values: Sequence[float], odd: Sequence[OddDay], days: int) -> list[float]:
    """Return for earlier days what came as a share of what would have been forecast by what was known then."""
    last = len(values) - days
    step = max(1, (last - _SHORTEST_TRAINING) // _ORIGINS)
    origins = range(last, _SHORTEST_TRAINING - 1, -step)
    pairs = ((sum(combined(_ordinary(values[:at], odd), days)), sum(values[at : at + days])) for at in origins)
    return [came / expected if expected > 0 else 1.0 for expected, came in pairs]


def _reach(ratios: Sequence[float]) -> float:
    """Return by what share of the forecast to either side a range holds 8 of 10 sums that come.

    The rank among the back-tests is that of split conformal prediction (Vovk et al., 2005), which makes up for how few
    they are.
    """
    misses = sorted(abs(one - 1) for one in ratios)
    return misses[min(len(misses), ceil((len(misses) + 1) * _HELD)) - 1]
