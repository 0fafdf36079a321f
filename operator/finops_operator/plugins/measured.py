"""Measurements in words and units, for summaries and evidence facts. Pure; used by every check.

A percentile and the true maximum are different statements, and each says what it is: "99.5 % of the time below 2.9 %;
the highest 5 minutes reached 94 %".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from finops.domain.recommendation import EvidenceFact, PerformanceRisk
from finops.domain.utilization import MetricSummary

_PERIODS: Final[Mapping[int, str]] = {300: "5 minutes", 3600: "hour", 86_400: "day"}
_HOUR_SECONDS: Final = 3600
_DAY_HOURS: Final = 24
_PERCENT: Final = 100.0
_WHOLE_FROM: Final = 10
"""From here on a decimal says nothing to a reader."""
_RISKS: Final = (
    (40.0, PerformanceRisk.VERY_LOW),
    (60.0, PerformanceRisk.LOW),
    (80.0, PerformanceRisk.MEDIUM),
    (_PERCENT, PerformanceRisk.HIGH),
)
"""Percent of the target that the projected P99.5 stays below → risk. AWS Compute Optimizer shows the same five steps
from the same projection and publishes no limits for them; these are ours."""


def percent(value: float) -> str:
    """Return a share with one decimal at most: `2.9 %`, `31 %`."""
    return f"{_decimals(value)} %"


def about_percent(value: float) -> str:
    """Return a projected share, which no decimal makes truer: `31 %`."""
    return f"{value:.0f} %"


def count(number: float) -> str:
    """Return a whole number with thousands separated: `4,032`."""
    return f"{number:,.0f}"


def bit_rate(gigabits: float) -> str:
    """Return a rate of a network in the unit in which it has digits to read: `1.25 Gbit/s`, `38 Mbit/s`, `1.5 kbit/s`.

    A rate that is not zero never reads as zero.
    """
    if gigabits >= 1:
        return f"{gigabits:.2f}".rstrip("0").rstrip(".") + " Gbit/s"
    for unit in ("Mbit/s", "kbit/s"):
        gigabits *= 1000
        if gigabits >= 1:
            return f"{_decimals(gigabits) if gigabits < _WHOLE_FROM else f'{gigabits:.0f}'} {unit}"
    return "below 1 kbit/s" if gigabits else "0 kbit/s"


def period(summary: MetricSummary) -> str:
    """Return the length of one period in words: `5 minutes`, `hour`."""
    seconds = summary.period_seconds
    return _PERIODS.get(seconds, f"{seconds // 60} minutes" if seconds < _HOUR_SECONDS else f"{seconds // 3600} hours")


def peak_sentence(label: str, summary: MetricSummary, percentile: str) -> str:
    """Return what a gauge did, percentile and true maximum kept apart, without a full stop.

    Args:
        label: what was measured (`CPU`).
        summary: of a gauge in percent.
        percentile: `p90`, `p95`, `p99`, `p99_5`.
    """
    below = getattr(summary, percentile)
    if percent(below) == percent(summary.maximum):
        return f"{label} never exceeded {percent(summary.maximum)}"
    return (
        f"{percentile_words(percentile)} of the time {label} stayed below {percent(below)}; "
        f"the highest {period(summary)} reached {percent(summary.maximum)}{_how_often(summary, percentile)}"
    )


def gauge_facts(label: str, summary: MetricSummary, percentile: str) -> Iterator[EvidenceFact]:
    """Yield the percentile, the true maximum and the mean of a gauge in percent."""
    below = getattr(summary, percentile)
    yield EvidenceFact(f"{label}, {percentile_words(percentile)} of the time below", percent(below))
    highest = f"{percent(summary.maximum)}{_how_often(summary, percentile)}"
    yield EvidenceFact(f"{label}, highest {period(summary)}", highest)
    yield EvidenceFact(f"{label}, mean", percent(summary.average))


def window_fact(summary: MetricSummary) -> EvidenceFact:
    """Return how long was measured and how much of it carried data."""
    length = days(summary.expected * summary.period_seconds / _HOUR_SECONDS)
    covered = percent(summary.coverage_percent)
    values = f"{count(summary.points)} of {count(summary.expected)} values"
    until = f"{summary.end:%Y-%m-%d %H:%M} UTC"
    return EvidenceFact("Measured", f"{length} until {until}: {values} ({covered}){read_by(summary)}")


def read_by(summary: MetricSummary) -> str:
    """Return, to end a sentence about a summary, that longer points than its own were read; empty when they were not.

    They bound what the shorter ones can have been, so figures made of them are no lower than the real ones.
    """
    if not summary.read_seconds:
        return ""
    return f"; read by the {_PERIODS[summary.read_seconds]}, so each figure is the most it can be"


def days(hours: float) -> str:
    """Return a length of time: `14 days`, below two days in hours."""
    return f"{_decimals(hours / _DAY_HOURS)} days" if hours >= 2 * _DAY_HOURS else f"{hours:.0f} hours"


def percentile_words(percentile: str) -> str:
    """Return a percentile as a share: `p99_5` → `99.5 %`."""
    return f"{percentile.removeprefix('p').replace('_', '.')} %"


def performance_risk(projected_percent: Iterable[float]) -> PerformanceRisk:
    """Return the risk of the tightest measure, from the projected P99.5 of each on the target."""
    worst = max(projected_percent)
    return next((risk for limit, risk in _RISKS if worst < limit), PerformanceRisk.VERY_HIGH)


def _how_often(summary: MetricSummary, percentile: str) -> str:
    """How many periods came near the maximum, where that is as rare as the percentile says.

    Empty where the metric comes near its maximum all the time: "99.5 % of the time below 14.5 %" beside "1,605 of
    4,032" would read as a contradiction. Empty also where an older summary does not say.
    """
    near = summary.near_maximum
    above = summary.points * (_PERCENT - float(percentile.removeprefix("p").replace("_", "."))) / _PERCENT
    return "" if near is None or near > above else f" ({count(near)} of {count(summary.points)})"


def _decimals(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
