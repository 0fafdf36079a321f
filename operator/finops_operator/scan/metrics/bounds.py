"""What coarse points prove about 5-minute points that were never read: bounds of percentiles and of means. Pure.

Called for the days picture of the measure stage. A percentile is the nearest rank of the 5-minute maxima that are
there, as `summarize` computes it. Only so many points may lie above it, so whatever more points than that reach, it
reaches too. A point that is missing only makes them fewer, so the bounds hold with gaps as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

_PERMILLE: Final = 1000
_HOURS_A_DAY: Final = 24
_ROUNDING: Final = 1e-5
"""Share of the maximum by which a bound is eased: points are 32-bit floats."""


class Bucket(NamedTuple):
    """What a coarse point, of a day or of an hour, says about the samples in it; none is negative.

    Attributes:
        average: mean of its samples.
        maximum: highest of its samples.
        samples: how many there are.
    """

    average: float
    maximum: float
    samples: float


def points_above(periods: int, permille: int) -> int:
    """Return how many of `periods` points may lie above their nearest-rank percentile."""
    return periods * (_PERMILLE - permille) // _PERMILLE


def percentile_at_least(buckets: Sequence[Bucket], permille: int, periods: int, samples_in_period: int) -> float:
    """Return what the percentile of the 5-minute maxima of a window reaches at least, from some of its buckets.

    The means say more than the maxima of few buckets: if no more than `above` periods are higher than the percentile,
    the samples in them explain only so much of the sum, and the rest of the samples must carry what is left. This holds
    for the busiest bucket, for the two busiest and so on; the best of these bounds counts.

    Args:
        buckets: of the window, not necessarily all.
        permille: 995 for P99.5.
        periods: 5-minute periods in the window.
        samples_in_period: the most samples that a period can hold.
    """
    above = points_above(periods, permille)
    falling = sorted((one.maximum for one in buckets), reverse=True)
    best = falling[above] if above < len(falling) else 0.0
    may_be_higher = above * samples_in_period
    total = samples = highest = 0.0
    for bucket in sorted(buckets, key=lambda one: one.average, reverse=True):
        total += bucket.average * bucket.samples
        samples += bucket.samples
        highest = max(highest, bucket.maximum)
        if samples > may_be_higher:
            best = max(best, (total - may_be_higher * highest) / (samples - may_be_higher) - _ROUNDING * highest)
    return best


def amounts_at_least(days: Sequence[tuple[float, float]], permille: int, periods: int, periods_in_day: int) -> float:
    """Return what the percentile of the 5-minute sums of a window reaches at least, from (sum, peak) of its days.

    Args:
        days: that lie in the window whole, not necessarily all; `peak` is no lower than any 5-minute sum of the day.
        permille: 995 for P99.5.
        periods: 5-minute periods in the window.
        periods_in_day: 288.
    """
    above = points_above(periods, permille)
    best = total = highest = 0.0
    for number, (amount, peak) in enumerate(sorted(days, reverse=True), 1):
        total += amount
        highest = max(highest, peak)
        left = number * periods_in_day - above
        if left > 0:
            best = max(best, (total - above * highest) / left - _ROUNDING * highest)
    return best


def percentile_at_least_by_hours(
    hours: Sequence[tuple[float, float]], permille: int, periods: int, missing: int, periods_in_hour: int
) -> float:
    """Return the same from (average, maximum) of hours whose samples are not known, only how many may be missing.

    Args:
        hours: hours with data that lie in the window whole, not necessarily all.
        permille: 995 for P99.5.
        periods: 5-minute periods in the window.
        missing: the most of them that have no data.
        periods_in_hour: 12.
    """
    above = points_above(periods, permille)
    falling = sorted((maximum for _, maximum in hours), reverse=True)
    best = falling[above] if above < len(falling) else 0.0
    total = highest = 0.0
    busiest = max((average for average, _ in hours), default=0.0)
    for number, (average, maximum) in enumerate(sorted(hours, reverse=True), 1):
        total += average * periods_in_hour
        highest = max(highest, maximum)
        left = number * periods_in_hour - above
        if left > 0:
            best = max(best, (total - missing * busiest - above * highest) / left - _ROUNDING * highest)
    return best


def mean_at_least(buckets: Sequence[Bucket], hours: int, samples_in_hour: int) -> float:
    """Return what the mean of the hourly averages of a window of `hours` reaches at least, from some of its buckets.

    An hour counts for one whether it holds all its samples or a single one, which then weighs more than here.
    """
    total = math.fsum(one.average * one.samples for one in buckets) / samples_in_hour / hours
    return total * (1 - _ROUNDING)


def percentile_at_most(buckets: Sequence[Bucket], permille: int, periods: int, periods_in_bucket: int) -> float:
    """Return what the percentile of the 5-minute maxima of a window does not exceed.

    The highest bucket may hold all the points that lie above the percentile, as many as it has periods; only when more
    points may lie above than that, the second highest says more, and so on.

    Args:
        buckets: of the whole window and, it may be, beyond it.
        permille: 995 for P99.5.
        periods: the fewest points that the window can hold.
        periods_in_bucket: the most points that a bucket can hold.
    """
    falling = sorted((one.maximum for one in buckets), reverse=True)
    passed = points_above(periods, permille) // periods_in_bucket
    return falling[min(passed, len(falling) - 1)]


def mean_at_most(buckets: Sequence[Bucket], hours: int, missing: int, periods_in_hour: int) -> float:
    """Return what the mean of the hourly averages of a window of `hours` does not exceed.

    An hour that holds fewer samples than it could weighs as much as a full one. So what is missing counts as if it had
    been at the maximum, and hours without any sample do not count at all.

    Args:
        buckets: of the whole window and, it may be, beyond it.
        hours: hours of the window.
        missing: the most 5-minute periods that are missing.
        periods_in_hour: 12.
    """
    highest = max(one.maximum for one in buckets)
    fullest = max(one.samples for one in buckets)
    length = _HOURS_A_DAY * math.fsum(one.average * one.samples for one in buckets) / fullest
    total = length + highest * missing / periods_in_hour
    return min(highest, total * (1 + _ROUNDING) / max(1.0, hours - missing / periods_in_hour))
