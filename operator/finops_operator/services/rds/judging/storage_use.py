"""How much a database asked of its storage at its busiest, reads and writes together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Facts
from finops_operator.plugins.window import not_measured, summaries, too_young
from finops_operator.services.rds.instance import DatabaseFacts

_NAMES: Final = ("readIops", "writeIops", "readThroughput", "writeThroughput")
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StorageUse:
    """Operations a second and MiB/s that no minute exceeded; `window` is of the metrics."""

    iops: float
    mibps: float
    window: MetricSummary


def storage_use(facts: Facts[DatabaseFacts], least: Decimal) -> StorageUse | str:
    """Return the use over at least `least` days, or why it is not known.

    The highest reads and the highest writes are added as if they had come at once, so that the sum is a bound.
    """
    reason = too_young(facts, least) or not_measured(facts, _NAMES, least)
    if reason:
        return reason
    reads, writes, read, written = summaries(facts, _NAMES)
    return StorageUse(reads.maximum + writes.maximum, (read.maximum + written.maximum) / _MIB, reads)
