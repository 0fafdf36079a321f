"""A metric that no service publishes and lines of logs hold: what was read of them for one resource."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from finops.domain.utilization import MetricSummary


@dataclass(frozen=True, slots=True)
class Logged:
    """What the lines of a resource's logs say of a metric.

    Attributes:
        summary: of the whole days that were read; None where they say nothing.
        covered_percent: of what the resource did, how much has a line, on the day that has the fewest; 0 to 100.
        reason: why there is no summary, or which day is covered worst.
        failed: code of a query that was begun, and may have been billed, and brought nothing, or that AWS did not
            begin: a gap of the scan. Empty for none, and where nothing was asked on purpose.
        denied: whether it brought nothing because its answer may not be read: no other one may be either.
        operation: the call that failed, `service:Operation`, where it was none of the query's; else empty.
    """

    summary: MetricSummary | None = None
    covered_percent: float = 0.0
    reason: str = ""
    failed: str = ""
    denied: bool = False
    operation: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why scans leave out the logs of a resource on purpose.

    Attributes:
        reason: of the last scan that did.
        size_bytes: what its logs hold, as last measured.
        measured: when that was, aware.
        since: when the first of those scans was that left it out for the same cause and read nothing in between, aware.
    """

    reason: str
    size_bytes: float
    measured: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """What one query brought.

    Attributes:
        found: id of a resource → what is to be kept of it.
        scanned_bytes: what the service read for it, and bills.
        left_out: id of a resource → why nothing was begun for it; no answer, so that a later scan may ask.
        sizes: id of a resource left out on purpose → the bytes that its logs hold.
    """

    found: dict[str, Logged] = field(default_factory=dict)
    scanned_bytes: float = 0.0
    left_out: dict[str, Logged] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
