"""What a table and its global secondary indexes consumed: by the day for the bill, by the hour and less for capacity.

The figure of a table leaves its indexes out; each has its own, of which five are read. A unit that nobody consumed
leaves no point, so a missing point is zero. Five minutes are the right grain for capacity: DynamoDB keeps unused
capacity for five minutes and lends it to bursts. Source:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec

READS: Final = "consumedReadUnits"
WRITES: Final = "consumedWriteUnits"
READ_PEAKS: Final = "readUnits"
WRITE_PEAKS: Final = "writeUnits"
INDEXES: Final = 5
"""How many indexes of a table are measured; with more, what they consume is unknown."""
_READ: Final = "ConsumedReadCapacityUnits"
_WRITE: Final = "ConsumedWriteCapacityUnits"


def index_names(table: Resource) -> tuple[str, ...]:
    """Return the names of a table's global secondary indexes."""
    names = table.attributes.get("index_names")
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def index_reads(slot: int) -> str:
    """Return our name of what an index consumed by reading."""
    return f"indexReadUnits{slot}"


def index_writes(slot: int) -> str:
    """Return our name of what an index consumed by writing."""
    return f"indexWriteUnits{slot}"


def _by_day(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/DynamoDB",
        metric,
        "TableName",
        ("Sum",),
        "count",
        missing_means_zero=True,
        hourly=False,
        daily=True,
    )


def _peaks(name: str, metric: str) -> MetricSpec:
    return MetricSpec(name, "AWS/DynamoDB", metric, "TableName", ("Sum",), "count", missing_means_zero=True, fine=True)


def _of_index(name: str, metric: str, slot: int) -> MetricSpec:
    def has_it(table: Resource) -> bool:
        return len(index_names(table)) >= slot

    def its_name(table: Resource) -> tuple[tuple[str, str], ...]:
        return (("GlobalSecondaryIndexName", index_names(table)[slot - 1]),)

    return MetricSpec(
        name,
        "AWS/DynamoDB",
        metric,
        "TableName",
        ("Sum",),
        "count",
        missing_means_zero=True,
        hourly=False,
        daily=True,
        also_of=its_name,
        applies=has_it,
    )


_SLOTS: Final[tuple[tuple[Callable[[int], str], str], ...]] = ((index_reads, _READ), (index_writes, _WRITE))
METRICS: Final = (
    _by_day(READS, _READ),
    _by_day(WRITES, _WRITE),
    _peaks(READ_PEAKS, _READ),
    _peaks(WRITE_PEAKS, _WRITE),
    *(_of_index(named(slot), metric, slot) for slot in range(1, INDEXES + 1) for named, metric in _SLOTS),
)
