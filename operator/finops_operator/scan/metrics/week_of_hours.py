"""A week of hours: how often a level was high, where the days alone leave a check open. Pure.

Called for the days picture of the measure stage. A load that is high every day shows it within a week: more hours with
a peak above a level than the percentile of the whole window can hide prove the percentile, for half the points of all
its hours and without those of the other metrics.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from finops.domain.utilization import LeastPeaks, MetricSummary
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.between import PERIODS_A_DAY, Between, Span
from finops_operator.scan.metrics.bounds import points_above
from finops_operator.scan.metrics.queries import HOUR, Window
from finops_operator.scan.metrics.windows import DAY

STATISTICS: Final = ("Maximum",)
_DAYS: Final = 7
"""Which hold each day of the week once: what is high on workdays alone is seen on any day."""
_HOURS_A_DAY: Final = DAY // HOUR


def says_more(spec: MetricSpec) -> bool:
    """Return whether hours of a week may say more about a metric than its days: of a level with a 5-minute picture."""
    return spec.hourly and spec.fine and not spec.counter and not spec.discovered


def week_window(days: Window, lookback_days: int) -> Window | None:
    """Return the whole days that are asked for by hours, None where the lookback hardly holds a week.

    Args:
        days: as they were asked for, today among them.
        lookback_days: of the policy.
    """
    end = days.end - DAY
    return None if lookback_days <= _DAYS else Window(end - _DAYS * DAY, end, HOUR)


def least_peaks(maxima: array[float], window: Window, span: Span, lookback_days: int) -> LeastPeaks:
    """Return what the percentiles of the 5-minute maxima reach at least, from the maxima of the hours of `window`.

    Only hours of days that lie in the finer windows whole count. As many points may lie above a percentile as the
    longest window of this lookback leaves, so that it holds for a question of the same day later on.
    """
    began = span.days.start + span.whole[0] * DAY
    skipped = max(0, (began - window.start) // HOUR)
    falling = sorted((one for one in maxima[skipped:] if not math.isnan(one)), reverse=True)

    def at_least(permille: int) -> float:
        above = points_above(lookback_days * PERIODS_A_DAY, permille)
        return falling[above] if above < len(falling) else 0.0

    return LeastPeaks(p90=at_least(900), p95=at_least(950), p99_5=at_least(995), average=0.0)


def at_best(one: Between, lookback_days: int) -> Between:
    """Return the same as if each hour of the week had reached what no day exceeds: the most that asking could prove."""
    if one.fine is None:
        return one
    most = one.fine[1].maximum
    hours = _DAYS * _HOURS_A_DAY

    def at_least(permille: int) -> float:
        return most if points_above(lookback_days * PERIODS_A_DAY, permille) < hours else 0.0

    return raised(one, LeastPeaks(at_least(900), at_least(950), at_least(995), 0.0))


def raised(one: Between, proven: LeastPeaks) -> Between:
    """Return the same with the least of its 5 minutes no lower than what is proven."""
    if one.fine is None:
        return one
    least, most = one.fine
    return replace(one, fine=(_raised(least, proven), most))


def _raised(least: MetricSummary, proven: LeastPeaks) -> MetricSummary:
    return replace(
        least,
        p90=max(least.p90, proven.p90),
        p95=max(least.p95, proven.p95),
        # Between two percentiles that are known, one that was not counted is no lower than the lower.
        p99=max(least.p99, proven.p95),
        p99_5=max(least.p99_5, proven.p99_5),
    )


def all_raised(metrics: Mapping[str, Between | str], proven: Mapping[str, LeastPeaks]) -> dict[str, Between | str]:
    """Return what is known of each metric, raised where something is proven."""
    return {
        name: raised(one, proven[name]) if name in proven and isinstance(one, Between) else one
        for name, one in metrics.items()
    }
