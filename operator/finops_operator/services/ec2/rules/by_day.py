"""Metrics that are read twice: by the hour over a policy's lookback, and by the day over as long as a check needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from finops_operator.plugins.kind import MetricSpec

_SUFFIX: Final = "ByDay"


def by_day(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names under which the days of metrics are kept."""
    return tuple(name + _SUFFIX for name in names)


def days_of(spec: MetricSpec) -> MetricSpec:
    """Return what reads the days of a metric."""
    (name,) = by_day((spec.name,))
    return replace(spec, name=name, hourly=False, fine=False, daily=True)
