"""Whether there is enough data to judge, and how a metric is written as evidence. Pure; used by every check.

Missing data is never zero and never idle: a check that cannot see says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from finops.domain.canonical import Json
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import JudgeSettings

_DAY_HOURS: Final = 24
LONGEST_MISSING_HOURS: Final = 3
"""Of the newest data: the share that may be missing could otherwise be the hours in which the work began."""


def insufficient(utilization: Utilization, name: str, settings: JudgeSettings) -> str:
    """Return why the metric `name` cannot be judged, empty when it can."""
    summary, words = utilization.best(name), metric_words(name)
    if summary is None:
        return f"{words} is unknown ({utilization.unknown.get(name, 'not measured')})"
    if summary.hours < float(settings.minimum_hours):
        return f"only {figure(summary.hours)} hours of {words}, {settings.minimum_hours} are needed"
    if summary.coverage_percent < float(settings.minimum_coverage_percent):
        # Rounded down: what is not enough must not read like enough.
        coverage = figure(math.floor(summary.coverage_percent * 10) / 10)
        return f"{words} covers {coverage} % of its window, {settings.minimum_coverage_percent} % are needed"
    missing = summary.hours_missing_at_end
    if missing > LONGEST_MISSING_HOURS:
        return f"nothing is known of {words} in the last {figure(missing)} hours of its window"
    return ""


def day_lost(utilization: Utilization, name: str) -> str:
    """Return why nothing may be called idle by the metric `name`, empty where less than a day of its window is missing.

    A share of a long window may be more than the one day on which it worked, whatever coverage a policy asks for.
    """
    summary = utilization.best(name)
    if summary is None:
        return ""
    missing = max(0, summary.expected - summary.points) * summary.period_seconds / 3600
    return "" if missing < _DAY_HOURS else f"nothing is known of {metric_words(name)} in {figure(missing)} of its hours"


@lru_cache(maxsize=1024)  # asked for every metric of every resource, of the few names that kinds declare
def metric_words(name: str) -> str:
    """Return a metric's name in words: `cpuPercent` → CPU, `networkInBytes` → network in bytes."""
    words = [word.lower() for word in _WORD.findall(name)]
    if len(words) > 1 and words[-1] == "percent":
        words.pop()
    return " ".join(word.upper() if word in _SPELLED else word for word in words)


_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
_SPELLED: Final = frozenset({"cpu", "gpu", "io", "ecpu"})

SEEN_IN_PART: Final = "SeenInPart"
"""CloudWatch holds some of its points, too few to judge by: what the others were may be anything."""
ANSWERED: Final = frozenset({"NotPublished", "NotPublishedSinceLaunch", "TooNew", "NotApplicable", SEEN_IN_PART})
"""Reasons that CloudWatch's own answer gives; every other one says that the question failed this time."""


def unread(utilization: Utilization, names: Iterable[str]) -> str:
    """Return which metric could not be read this time, empty when none: a failed read is no absence to size by."""
    for name in names:
        reason = utilization.unknown.get(name)
        if reason is not None and reason not in ANSWERED and utilization.best(name) is None:
            return f"{metric_words(name)} could not be read ({reason})"
    return ""


def seen_whole(utilization: Utilization, names: Iterable[str], settings: JudgeSettings) -> Utilization:
    """Return what was measured without those of the metrics that were seen in part: they are unknown (`SeenInPart`)."""
    partly = {name for name in names if utilization.best(name) and insufficient(utilization, name, settings)}
    if not partly:
        return utilization
    return replace(
        utilization,
        metrics={name: one for name, one in utilization.metrics.items() if name not in partly},
        fine={name: one for name, one in utilization.fine.items() if name not in partly},
        unknown={**utilization.unknown, **dict.fromkeys(partly, SEEN_IN_PART)},
    )


def figure(value: float | Decimal, digits: int = 2) -> str:
    """Return a decimal string for evidence: JSON that is hashed carries no floats."""
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def coverage_evidence(summary: MetricSummary) -> dict[str, Json]:
    """Return window and coverage of a summary."""
    read: dict[str, Json] = {"readSeconds": summary.read_seconds} if summary.read_seconds else {}
    return {
        **read,
        "windowStart": summary.start.isoformat(),
        "windowEnd": summary.end.isoformat(),
        "periodSeconds": summary.period_seconds,
        "hoursOfData": figure(summary.hours),
        "coveragePercent": figure(summary.coverage_percent),
    }
