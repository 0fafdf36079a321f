"""What a volume was read and written at most: seen by 5 minutes, or bounded by what whole hours hold. Pure.

An hour's operations may all have happened within 5 minutes, and one operation moves 256 KiB at most (EBS user guide,
"I/O characteristics"): no 5 minutes of the window were busier than that. Shared by the checks of volumes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts
from finops_operator.plugins.window import not_measured, summaries
from finops_operator.services.ec2.volume import OPERATIONS, VolumeFacts

BYTES: Final = ("volumeReadBytes", "volumeWriteBytes")
_MIB: Final = 2**20
_FINE_SECONDS: Final = 300
_HOUR_SECONDS: Final = 3600
_MIB_PER_OPERATION: Final = 0.25


@dataclass(frozen=True, slots=True)
class Busiest:
    """Operations and MiB a second in the busiest 5 minutes, reads and writes together.

    Attributes:
        seen: whether it was measured by 5 minutes; else no 5 minutes were busier than that.
        window: the summary that shows how much was measured.
    """

    iops: float
    mibps: float
    seen: bool
    window: MetricSummary


def busiest_seen(facts: Facts[VolumeFacts], least: Decimal) -> Busiest | str:
    """Return the busiest 5 minutes, or why they are not known; the highest reads are added to the highest writes."""
    names = (*OPERATIONS, *BYTES)
    reason = not_measured(facts, names, least)
    if reason:
        return reason
    reads, writes, read_bytes, write_bytes = found = summaries(facts, names)
    if any(one.period_seconds > _FINE_SECONDS for one in found):
        return "its reads and writes were not measured by 5 minutes"
    return Busiest(_rate(reads) + _rate(writes), (_rate(read_bytes) + _rate(write_bytes)) / _MIB, True, reads)


def busiest_by_hours(facts: Facts[VolumeFacts], least: Decimal) -> Busiest | str:
    """Return what no 5 minutes can have exceeded, or why that is not known."""
    reason = not_measured(facts, OPERATIONS, least)
    hours = [one for name in OPERATIONS if (one := facts.utilization.metrics.get(name)) is not None]
    if reason or len(hours) < len(OPERATIONS) or any(one.period_seconds != _HOUR_SECONDS for one in hours):
        return reason or "its reads and writes were not measured by hours"
    iops = sum(one.maximum for one in hours) / _FINE_SECONDS
    return Busiest(iops, iops * _MIB_PER_OPERATION, False, hours[0])


def _rate(summary: MetricSummary) -> float:
    """Return how much happened each second in the highest period."""
    return summary.maximum / summary.period_seconds
