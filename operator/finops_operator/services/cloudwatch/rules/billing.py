"""What AWS bills of an alarm: each metric that it evaluates, by its resolution. Pure; called by the kind.

An alarm on an anomaly band evaluates its metric and the two edges of the band, three in all. What a query or a search
finds changes from hour to hour, so that the number of its metrics is not known. Source: the pricing page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

STANDARD: Final = "alarm_standard"
HIGH_RESOLUTION: Final = "alarm_high_resolution"
COMPOSITE: Final = "alarm_composite"
_MINUTE_SECONDS: Final = 60
_BAND: Final = re.compile(r"\bANOMALY_DETECTION_BAND\s*\(", re.IGNORECASE)
_FOUND: Final = re.compile(r"^\s*SELECT\b|\bSEARCH\s*\(", re.IGNORECASE)
_METRICS_OF_BAND: Final = 2
"""Beside the metric itself."""


def metrics_of(alarm: Mapping[str, Any]) -> int | None:
    """Return how many metrics a metric alarm evaluates, None where that is not known."""
    queries: Sequence[Mapping[str, Any]] = alarm.get("Metrics") or ()
    if not queries:
        return 1 if alarm.get("MetricName") else None
    count = 0
    for query in queries:
        expression = str(query.get("Expression") or "")
        if _FOUND.search(expression):
            return None
        count += _METRICS_OF_BAND if _BAND.search(expression) else 0
        count += bool(query.get("MetricStat"))
    return count or None


def period_of(alarm: Mapping[str, Any]) -> int | None:
    """Return the shortest period of a metric alarm in seconds, None where AWS did not say."""
    queries: Sequence[Mapping[str, Any]] = alarm.get("Metrics") or ()
    periods = [alarm.get("Period"), *(query.get("Period") for query in queries)]
    periods += [(query.get("MetricStat") or {}).get("Period") for query in queries]
    return min((int(period) for period in periods if period), default=None)


def dimension_of(period: int | None) -> str:
    """Return the dimension of the price of a metric alarm, empty when its resolution is not known."""
    if period is None:
        return ""
    return STANDARD if period >= _MINUTE_SECONDS else HIGH_RESOLUTION
