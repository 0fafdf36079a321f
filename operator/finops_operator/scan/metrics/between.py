"""Between what two pictures the finer points lie: the least and the most that days allow them to say. Pure.

Called for the days picture of the measure stage. The days reach over both ends of the hourly and the 5-minute window,
so what no day exceeds, no finer point exceeds; the least comes from the days that lie in the window whole. How much of
the window was seen is counted from SampleCount, and a sample may be missing where it counts most.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.bounds import (
    Bucket,
    amounts_at_least,
    mean_at_least,
    mean_at_most,
    percentile_at_least,
    percentile_at_least_by_hours,
    percentile_at_most,
)
from finops_operator.scan.metrics.queries import FIVE_MINUTES, HOUR, Window
from finops_operator.scan.metrics.summarize import Series, clean, first_period, summarize
from finops_operator.scan.metrics.windows import DAY, fine_window, last_hour, touched_days

SAMPLE_COUNT: Final = "SampleCount"
PERIODS_A_DAY: Final = DAY // FIVE_MINUTES
PERIODS_AN_HOUR: Final = HOUR // FIVE_MINUTES
_ZEROS: Final = (0.0, 0.0, 0.0, 0.0)
MOST_MISSING: Final = 0.5
"""Share of a window of which days may lack more than they show."""
_LATE: Final = 3
"""Periods after the end of the finer windows whose samples the newest day may already hold."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which of the days count for a resource, and the windows that they stand for.

    Attributes:
        days: the days as they were asked for, over both ends of the other windows.
        first: number of the first of them in which the resource may have reported.
        whole: `[start, end)`, numbers of those that lie in both finer windows whole, after the launch.
        fine, hours: the finer windows, cut at the launch; none of them is empty.
        launched: whether a launch cuts them: the first day that counts may then hold samples from before it.
    """

    days: Window
    first: int
    whole: tuple[int, int]
    fine: Window
    hours: Window
    launched: bool


@lru_cache(maxsize=64)
def span_of(now: datetime, lookback_days: int, launch: datetime | None) -> Span | None:
    """Return what days say about a resource, None when it is too young for them to say anything."""
    days = touched_days(now, lookback_days)
    whole_fine = fine_window(now, lookback_days)
    end = last_hour(now) * HOUR
    hours = Window(first_period(launch, end - lookback_days * DAY, HOUR), end, HOUR)
    fine = Window(first_period(launch, whole_fine.start, FIVE_MINUTES), whole_fine.end, FIVE_MINUTES)
    first = 0 if launch is None else max(0, int(launch.timestamp()) // DAY - days.start // DAY)
    whole = -(-max(fine.start, hours.start) // DAY), min(fine.end, hours.end) // DAY
    if whole[0] >= whole[1]:
        return None
    whole = whole[0] - days.start // DAY, whole[1] - days.start // DAY
    return Span(days, first, whole, fine, hours, launched=fine.start > whole_fine.start)


@dataclass(frozen=True, slots=True)
class Between:
    """What a metric did at least and at most.

    Attributes:
        shown: its days as they are, for readers; None: it is not part of the hourly picture.
        hourly: the least and the most that its hours say; None: it has none.
        fine: the same of its 5 minutes; None: it is not part of that picture.
        missing: the most 5-minute periods of the window that have no data.
        newest: highest value of the newest day.
    """

    shown: MetricSummary | None
    hourly: tuple[MetricSummary, MetricSummary] | None
    fine: tuple[MetricSummary, MetricSummary] | None
    missing: int = 0
    newest: float = 0.0


@dataclass(frozen=True, slots=True)
class _Bound:
    """Figures of 5 minutes, of which hours and 5 minutes have a summary each; names as in `MetricSummary`."""

    maximum: float = 0.0
    percentiles: tuple[float, float, float, float] = _ZEROS
    average: float = 0.0
    total: float | None = None
    busiest_day: float | None = None
    lowest: float = 0.0

    def unordered(self) -> _Bound:
        """Return the same without percentiles of sums: nothing says that busy 5 minutes came within one hour."""
        return self if self.total is None else replace(self, percentiles=_ZEROS)


@dataclass(frozen=True, slots=True)
class _Missing:
    """Most 5-minute periods of the window without data: in all, and in a row at its end."""

    periods: int
    at_end: int | None


def between(
    spec: MetricSpec,
    statistics: Sequence[str],
    columns: Sequence[array[float]],
    span: Span,
    most_missing: float = MOST_MISSING,
) -> Between | None:
    """Return what days prove about a metric; None when a day is not there, or much of one.

    Args:
        spec: the metric.
        statistics: what was asked of its days.
        columns: the answers, one point for each day of `span.days`.
        span: which of them count.
        most_missing: the share of the window that they may lack, 0 to 1.
    """
    columns = [_counting(spec, one[span.first :]) for one in columns]
    by_name = dict(zip(statistics, columns, strict=True))
    if any(math.isnan(value) for column in columns for value in column[:-1]):
        return None
    # The newest day has just begun and holds nothing yet.
    begun = not math.isnan(columns[0][-1])
    if not begun and span.fine.end > span.days.end - DAY + _LATE * FIVE_MINUTES:
        return None
    by_name = by_name if begun else {name: column[:-1] for name, column in by_name.items()}
    samples = by_name.get(SAMPLE_COUNT)
    missing = _Missing(0, 0) if samples is None else _missing(spec, samples if begun else [*samples, 0.0], span)
    if missing.periods > most_missing * span.fine.points:
        return None
    bounds = _levels(spec, by_name, span, missing) if "Average" in by_name else _amounts(spec, by_name, span, missing)
    least, most = bounds
    return Between(
        _shown(spec, by_name, span) if spec.hourly else None,
        (_of_hours(least.unordered(), span, missing), _of_hours(most, span, missing)) if spec.hourly else None,
        (_of_fine(least, span, missing), _of_fine(most, span, missing)) if spec.fine else None,
        missing.periods,
        by_name["Maximum"][-1] if "Maximum" in by_name else 0.0,
    )


def _counting(spec: MetricSpec, column: array[float]) -> array[float]:
    if not spec.missing_means_zero:
        return column
    return array("f", (0.0 if math.isnan(value) else value for value in column))


def narrowed(one: Between, hourly: MetricSummary, hours: Sequence[array[float]], span: Span) -> Between:
    """Return the same of a level whose hours are known: their mean is exact, and no day lies as close to 5 minutes.

    The 5-minute window begins within the first hour and ends after the last one, in the newest day.

    Args:
        one: what its days say.
        hourly: summary of its hours.
        hours: averages and maxima of the hours of `span`.
        span: of the resource.
    """
    assert one.fine is not None, "only what is part of the 5-minute picture can come closer to it"
    known = [pair for pair in zip(*hours, strict=True) if not math.isnan(pair[1])]
    cut = span.fine.start > span.hours.start and not math.isnan(hours[1][0])
    inside, periods = known[cut:], span.fine.points
    reached = [*(Bucket(average, maximum, 0) for average, maximum in known), Bucket(one.newest, one.newest, 0)]
    least, most = (replace(end, average=hourly.average, lowest=hourly.lowest, read_seconds=HOUR) for end in one.fine)
    least = replace(least, maximum=max((maximum for _, maximum in inside), default=0.0))
    most = replace(most, maximum=max(bucket.maximum for bucket in reached))
    seen = periods - one.missing
    least = _with_percentiles(
        least,
        lambda permille: percentile_at_least_by_hours(inside, permille, periods, one.missing, PERIODS_AN_HOUR),
    )
    most = _with_percentiles(most, lambda permille: percentile_at_most(reached, permille, seen, PERIODS_AN_HOUR))
    return replace(one, shown=hourly, hourly=(hourly, hourly), fine=(least, most))


@lru_cache(maxsize=64)
def nothing_between(span: Span) -> MetricSummary:
    """Return the summary of a metric of which nothing was asked, as if it were always zero."""
    return _of_fine(_Bound(), span, _Missing(0, None))


@lru_cache(maxsize=64)
def everything_between(span: Span) -> MetricSummary:
    """Return the summary of a counter of which nothing was asked, as if it were always more than anything carries."""
    none = nothing_between(span)
    return replace(
        none,
        maximum=math.inf,
        p99_5=math.inf,
        p99=math.inf,
        p95=math.inf,
        p90=math.inf,
        average=math.inf,
        total=math.inf,
    )


def _missing(spec: MetricSpec, samples: Sequence[float], span: Span) -> _Missing:
    """Return the most that can be missing. AWS takes one sample in five minutes, or one a minute; never another number.

    Of the day of a launch only what came after it is expected, and the samples may all be from before it.
    """
    in_period = 1 if max(samples) <= PERIODS_A_DAY else (spec.samples_in_five_minutes or 1)
    today = span.days.end - DAY
    gone = []
    for number, count in enumerate(samples, span.first):
        start = span.days.start + number * DAY
        seen = int(count / in_period)
        if start >= today:
            gone.append(max(0, (span.fine.end - start) // FIVE_MINUTES - max(0, seen - _LATE)))
        elif number == span.first and span.fine.start > start:
            expected = (start + DAY - span.fine.start) // FIVE_MINUTES
            gone.append(expected if span.launched else min(expected, max(0, PERIODS_A_DAY - seen)))
        else:
            gone.append(max(0, PERIODS_A_DAY - seen))
    return _Missing(sum(gone), sum(gone[-2:]))


def _levels(spec: MetricSpec, columns: dict[str, array[float]], span: Span, missing: _Missing) -> tuple[_Bound, _Bound]:
    start, end = (number - span.first for number in span.whole)
    maxima = columns["Maximum"]
    lowest = min(columns["Minimum"]) if "Minimum" in columns else 0.0
    top = max(maxima)
    samples, in_period = columns.get(SAMPLE_COUNT), spec.samples_in_five_minutes
    if samples is None or not in_period:
        return _Bound(max(maxima[start:end]), lowest=lowest), _Bound(top, (top,) * 4, top, lowest=lowest)
    buckets = [Bucket(*one) for one in zip(columns["Average"], maxima, samples, strict=True)]
    whole, periods, hours = buckets[start:end], span.fine.points, span.hours.points
    seen = periods - missing.periods
    least = _Bound(
        max(maxima[start:end]),
        _of_each(lambda permille: percentile_at_least(whole, permille, periods, in_period)),
        mean_at_least(whole, hours, in_period * PERIODS_AN_HOUR),
        lowest=lowest,
    )
    most = _Bound(
        top,
        _of_each(lambda permille: percentile_at_most(buckets, permille, seen, PERIODS_A_DAY)),
        mean_at_most(buckets, hours, missing.periods, PERIODS_AN_HOUR),
        lowest=lowest,
    )
    return least, most


def _with_percentiles(summary: MetricSummary, at: Callable[[int], float]) -> MetricSummary:
    p99_5, p99, p95, p90 = _of_each(at)
    return replace(summary, p99_5=p99_5, p99=p99, p95=p95, p90=p90)


def _of_each(at: Callable[[int], float]) -> tuple[float, float, float, float]:
    return at(995), at(990), at(950), at(900)


def _amounts(
    spec: MetricSpec, columns: dict[str, array[float]], span: Span, missing: _Missing
) -> tuple[_Bound, _Bound]:
    """Return bounds of sums. A day of UTC is a day in a row; any day in a row lies in two days of UTC."""
    start, end = (number - span.first for number in span.whole)
    sums, highest = columns.get("Sum"), columns.get("Maximum")
    samples, periods = spec.samples_in_five_minutes or 1, span.fine.points
    # All of a day may have come within 5 minutes.
    peak = min(max(one) for one in (sums, highest and [top * samples for top in highest]) if one is not None)
    if sums is None:
        # Without sums, every five minutes may have brought as much as the busiest.
        return _Bound(), _Bound(peak, (peak,) * 4, peak, total=peak * periods, busiest_day=peak * PERIODS_A_DAY)
    pairs = [before + after for before, after in pairwise(sums)] or list(sums)
    most = _Bound(peak, (peak,) * 4, peak, total=math.fsum(sums), busiest_day=max(pairs))
    whole = sums[start:end]
    # A mean is over the hours that were seen: what may not be missing after all makes it no higher.
    total, busiest = math.fsum(whole) * (1 - missing.periods / periods), max(whole)
    if highest is None:
        return _Bound(total=total, busiest_day=busiest), most
    days = [(amount, min(amount, top * samples)) for amount, top in zip(whole, highest[start:end], strict=True)]
    # Of amounts no check asks for a lower percentile than this; the next one up is no lower.
    p99 = amounts_at_least(days, 990, periods, PERIODS_A_DAY)
    return _Bound(0.0, (p99, p99, 0.0, 0.0), total=total, busiest_day=busiest), most


def _of_fine(one: _Bound, span: Span, missing: _Missing) -> MetricSummary:
    periods = span.fine.points
    return MetricSummary(
        one.maximum,
        *one.percentiles,
        one.average,
        one.total,
        periods - missing.periods,
        periods,
        FIVE_MINUTES,
        span.fine.start_time,
        span.fine.end_time,
        one.lowest,
        one.busiest_day,
        missing_at_end=missing.at_end,
        read_seconds=DAY,
    )


def _of_hours(one: _Bound, span: Span, missing: _Missing) -> MetricSummary:
    """Return the same of the hours; an hour is missing only when all its periods are.

    An hour counts up to what its periods count together, of a level it is no higher than the highest of them.
    """
    times, hours = 1 if one.total is None else PERIODS_AN_HOUR, span.hours.points
    p99_5, p99, p95, p90 = one.percentiles
    return MetricSummary(
        one.maximum * times,
        p99_5 * times,
        p99 * times,
        p95 * times,
        p90 * times,
        one.average * times,
        one.total,
        hours - missing.periods // PERIODS_AN_HOUR,
        hours,
        HOUR,
        span.hours.start_time,
        span.hours.end_time,
        one.lowest,
        one.busiest_day,
        missing_at_end=None if missing.at_end is None else missing.at_end // PERIODS_AN_HOUR,
        read_seconds=DAY,
    )


def _shown(spec: MetricSpec, columns: dict[str, array[float]], span: Span) -> MetricSummary:
    asked = tuple(columns[one] for one in spec.statistics)
    start = span.days.start + span.first * DAY
    made = summarize(spec, Series(start, DAY, asked), None)
    assert not isinstance(made, str), "days that are all there have a summary"
    began = datetime.fromtimestamp(start, tz=UTC)
    days = max(1, (span.fine.end_time - began) // timedelta(days=1))
    lowest = made.lowest
    if "Minimum" not in columns:
        # What a day brings, and its mean, say little of a day until it has ended.
        first, end = (number - span.first for number in span.whole)
        lowest = clean(min(columns.get("Average", asked[0])[first:end]))
    return replace(made, points=days, expected=days, end=span.fine.end_time, lowest=lowest)
