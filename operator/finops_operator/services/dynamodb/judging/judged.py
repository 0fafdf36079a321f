"""Which tables may be judged at all, and what capacity their use needs. Pure; shared by the checks."""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from typing import Final

from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins import window
from finops_operator.plugins.check import Facts
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.dynamodb.rules.metrics import (
    INDEXES,
    READ_PEAKS,
    READS,
    WRITE_PEAKS,
    WRITES,
    index_reads,
    index_writes,
)
from finops_operator.services.dynamodb.table import ACTIVE, TableFacts

_FINE_SECONDS: Final = 300
_DAYS: Final = Decimal(14)


def not_judged(facts: Facts[TableFacts], mode: str = "") -> str:
    """Return why nothing may be said about the table, empty when something may; `mode`: which one it must have."""
    own = facts.own
    if facts.resource.state != ACTIVE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {ACTIVE}"
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if own.table_replicas is None or own.table_replicas:
        return "it is replicated, and each region needs what the others write"
    wrong = mode and own.billing_mode != mode
    return f"its billing mode is {own.billing_mode or 'not known'}" if wrong else ""


def not_scaled(own: TableFacts) -> str:
    """Return why its capacity is not to be judged: something else changes it."""
    if own.scaled is None:
        return "whether its capacity is scaled could not be read"
    return "Application Auto Scaling changes its capacity" if own.scaled else ""


def not_measured(facts: Facts[TableFacts], names: tuple[str, ...], least: Decimal = _DAYS) -> str:
    """Return why `least` days of each metric were not seen, empty when they were."""
    return window.not_measured(facts, names, least)


def used_names(own: TableFacts) -> tuple[str, ...]:
    """Return the daily metrics of the table and of those of its indexes that are measured."""
    slots = range(1, min(len(own.index_names or ()), INDEXES) + 1)
    return (READS, WRITES, *map(index_reads, slots), *map(index_writes, slots))


def too_many_indexes(own: TableFacts) -> str:
    """Return why its indexes are not all measured."""
    if own.index_names is None:
        return "its indexes are not known"
    return f"only {INDEXES} of its indexes are measured" if len(own.index_names) > INDEXES else ""


def rate(summary: MetricSummary) -> float:
    """Return the units that its busiest period consumed in a second."""
    return summary.maximum / summary.period_seconds


def mean_rate(summary: MetricSummary) -> float:
    """Return the units that it consumed in a second, over the whole window."""
    return summary.average / summary.period_seconds


def not_fine(utilization: Utilization) -> str:
    """Return why its peaks are not known: hours hide what lasted minutes."""
    for name in (READ_PEAKS, WRITE_PEAKS):
        summary = utilization.best(name)
        if summary is None or summary.period_seconds > _FINE_SECONDS:
            return f"{metric_words(name)} was not measured by five minutes"
    return ""


def capacity_for(units_a_second: float, target_percent: Decimal) -> int:
    """Return the capacity that a peak fills up to a share of; one unit is the least that can be provisioned."""
    return max(1, ceil(units_a_second * 100 / float(target_percent)))
