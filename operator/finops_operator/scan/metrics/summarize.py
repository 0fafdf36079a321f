"""Points to summaries: percentiles by nearest rank, coverage since the later of window start and launch. Pure.

Called by the measure stage. CloudWatch computes percentiles only from raw samples, which EC2 does not send, so they are
computed here from the period maxima (counters: from the period sums).
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Final

from finops.domain.rings import Ring
from finops.domain.utilization import HourPoints, MetricSummary, MonthlyUse
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.ran import Ran

TOO_NEW: Final = "TooNew"
"""No whole period has passed since the launch."""
NOT_PUBLISHED: Final = "NotPublished"
"""CloudWatch answered and holds nothing in the whole window: the only reason that may serve as evidence."""
NOT_SINCE_LAUNCH: Final = "NotPublishedSinceLaunch"
"""CloudWatch holds points of the window, all older than the launch."""
NOT_APPLICABLE: Final = "NotApplicable"
"""The resource publishes no such metric as it stands (stopped, not burstable)."""
WHOLE_UNKNOWN: Final = "WholeUnknown"
"""An agent says how much is left, and of how much is not known."""
BEYOND_RETENTION: Final = "BeyondRetention"
"""The policy's lookback is longer than CloudWatch keeps points of that period."""
_PERMILLE: Final = 1000
_NEAR: Final = 0.9
"""Share of the maximum from which a period counts as near it: whether a peak was one moment or a habit."""
_HOUR_SECONDS: Final = 3600
_DAY_SECONDS: Final = 86_400
_DAY_HOURS: Final = 24
MONTH_DAYS: Final = 30
"""Days of which the use is worked out for a month's bill."""
_ENOUGH_DAYS: Final = 0.95
"""Share of the days that must be there where a missing one is not zero; those that are there stand for the others."""


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one metric: one array per statistic of its spec, from `start` (epoch seconds) in steps of `period`."""

    start: int
    period: int
    values: tuple[array[float], ...]

    @property
    def end(self) -> int:
        return self.start + self.period * (len(self.values[0]) if self.values else 0)


def first_period(launch: datetime | None, window_start: int, period: int) -> int:
    """Return where data may be expected from: the window's start, or the first whole period after the launch.

    What happened before the launch happened on another machine or another type and does not count.
    """
    if launch is None:
        return window_start
    return max(window_start, -(-int(launch.timestamp()) // period) * period)


def summarize(spec: MetricSpec, series: Series, launch: datetime | None, ran: Ran | None = None) -> MetricSummary | str:
    """Return the summary of one metric, or why there is none: one of the reasons above.

    What happened before `launch` does not count; in the periods that `ran` calls stopped nothing is expected.
    """
    start = first_period(launch, series.start, series.period)
    skipped = (start - series.start) // series.period
    stopped = () if ran is None else ran.since(start, max(0, (series.end - start) // series.period))
    not_running = sum(stopped)
    expected = (series.end - start) // series.period - not_running
    if expected <= 0:
        return TOO_NEW
    columns = [one[skipped:] for one in series.values]
    if spec.missing_means_zero:
        columns = [array("f", (0.0 if math.isnan(value) else value for value in one)) for one in columns]
    peaks = sorted(_present(columns[_peak_column(spec)]))
    if not peaks:
        never_published = all(math.isnan(value) for value in series.values[_peak_column(spec)])
        return NOT_PUBLISHED if never_published else NOT_SINCE_LAUNCH
    levels = _present(columns[_level_column(spec)]) or peaks
    return MetricSummary(
        maximum=clean(peaks[-1]),
        p99_5=clean(nearest_rank(peaks, 995)),
        p99=clean(nearest_rank(peaks, 990)),
        p95=clean(nearest_rank(peaks, 950)),
        p90=clean(nearest_rank(peaks, 900)),
        average=clean(math.fsum(levels) / len(levels)),
        total=clean(math.fsum(peaks)) if spec.counter else None,
        points=max(1, len(peaks) - (0 if ran is None else ran.lost)),
        expected=expected,
        period_seconds=series.period,
        start=datetime.fromtimestamp(start, tz=UTC),
        end=datetime.fromtimestamp(series.end, tz=UTC),
        lowest=clean(min(_present(columns[_lowest_column(spec)]) or levels)),
        busiest_day=clean(busiest_day(columns[_peak_column(spec)], series.period)) if spec.counter else None,
        near_maximum=len(peaks) - bisect_left(peaks, _NEAR * peaks[-1]),
        missing_at_end=_missing_at_end(columns[_peak_column(spec)], stopped),
        not_running=not_running or None,
    )


def hour_points(spec: MetricSpec, ring: Ring, hours: int, launch: datetime | None) -> HourPoints:
    """Return the newest `hours` of a metric one by one; those before the launch are unknown."""
    first = first_period(launch, 0, _HOUR_SECONDS) // _HOUR_SECONDS
    start = max(ring.start_hour, ring.end_hour - hours)
    held = ring.slice_from(start)[_peak_column(spec)]
    return HourPoints(
        ring.end_hour,
        tuple(None if math.isnan(value) or hour < first else clean(value) for hour, value in enumerate(held, start)),
    )


def monthly_use(
    spec: MetricSpec, series: Series, launch: datetime | None, *, stands: bool = False
) -> MonthlyUse | None:
    """Return what the last 30 days of a series of days brought, fewer since a launch; None when it is not known.

    A missing point adds nothing where the metric says so, else its day counts like the mean of the others, and too many
    of them make the use unknown. A level counts as the newest day has it, with `stands` as the newest of the
    days that has a figure, or by the hours of its units where those are billed.
    """
    days = min(MONTH_DAYS, (series.end - first_period(launch, series.start, _DAY_SECONDS)) // _DAY_SECONDS)
    if days <= 0:
        return None
    column = series.values[0][-days:]
    if spec.missing_means_zero:
        column = array("f", (0.0 if math.isnan(value) else value for value in column))
    if not spec.counter and not spec.billed_hours:
        known = _present(column) if stands else column
        return None if not known or math.isnan(known[-1]) else MonthlyUse(clean(known[-1]))
    seen = _present(column)
    if not seen or len(seen) < _ENOUGH_DAYS * days:
        return None
    # The mean of a day stood for all of its hours.
    amount = math.fsum(seen) * (_DAY_HOURS if spec.billed_hours else 1)
    return MonthlyUse(clean(amount), float(len(seen) * _DAY_HOURS))


def busiest_day(sums: Sequence[float], period: int) -> float:
    """Return the largest sum of any 24 hours in a row, of a shorter series its total; a missing point adds nothing.

    `sums` holds one sum for each `period` seconds.
    """
    running: list[float] = list(accumulate((0.0 if math.isnan(value) else value for value in sums), initial=0.0))
    length = min(_DAY_SECONDS // period, len(sums))
    return max(after - before for after, before in zip(running[length:], running, strict=False))


def nearest_rank(ascending: Sequence[float], permille: int) -> float:
    """Return the smallest value that at least `permille` thousandths of the values do not exceed.

    `ascending` is sorted and not empty. Whole-number arithmetic: 0.995 has no exact float.
    """
    rank = -(-len(ascending) * permille // _PERMILLE)
    return ascending[max(0, rank - 1)]


def _present(values: array[float]) -> list[float]:
    """Return the points that are there; only NaN differs from itself, and asking so is three times faster."""
    return [value for value in values if value == value]  # noqa: PLR0124 - that is the test for NaN


def _missing_at_end(values: array[float], stopped: Sequence[bool]) -> int:
    """Return how many periods are missing at the end, without those in which the resource was stopped."""
    missing = next((place for place, value in enumerate(reversed(values)) if not math.isnan(value)), len(values))
    return missing - sum(stopped[len(stopped) - missing :]) if stopped else missing


def _peak_column(spec: MetricSpec) -> int:
    return spec.statistics.index("Maximum") if "Maximum" in spec.statistics else 0


def _level_column(spec: MetricSpec) -> int:
    return spec.statistics.index("Average") if "Average" in spec.statistics else 0


def _lowest_column(spec: MetricSpec) -> int:
    return spec.statistics.index("Minimum") if "Minimum" in spec.statistics else _level_column(spec)


def clean(value: float) -> float:
    """Return seven significant digits: what 32-bit points hold, without the noise behind them."""
    return float(f"{value:.7g}")
