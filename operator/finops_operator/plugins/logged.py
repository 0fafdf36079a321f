"""What a kind declares about a metric that it can also read from lines of logs, where a policy wants that.

Such a query is billed by what it reads, so it is asked only about resources of which nothing else can decide a check,
where that costs no more than the check could save, and up to the bytes that a policy lets a scan read.
The scan asks and keeps the answers for a day; a kind says whom to ask about, and reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Final

from finops.crds.scan_policy import Metrics
from finops.domain.logged import LoggedBatch
from finops.domain.price import Cost, PriceQuery
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader

FROM_LOGS: Final = "metrics-from-logs"
"""Key of `Facts.answers`: our names of the metrics whose summary was read from lines of logs."""
Pause = Callable[[float], None]
"""Waits so many seconds: a query runs in the background."""


@dataclass(slots=True)
class ByteBudget:
    """The bytes that one scan may have read, or one pod of it, shared by the threads of all its shards."""

    bytes_left: float
    _lock: Lock = field(default_factory=Lock, repr=False)

    def take(self, expected: float) -> bool:
        """Set so many bytes aside, and return whether as many were left; else none are."""
        with self._lock:
            if expected > self.bytes_left:
                return False
            self.bytes_left -= expected
            return True

    def settle(self, expected: float, read: float) -> None:
        """Put what was read in the place of what was set aside for it; what was read unexpectedly counts too."""
        with self._lock:
            self.bytes_left += expected - read


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked about, and what that may cost.

    Attributes:
        resources: those of which only the logs can decide.
        now: time of the scan.
        most_bytes: id → the bytes above which reading costs more than the check could save; None: not known.
        budget: what the scan may still read.
    """

    resources: Sequence[Resource]
    now: datetime
    most_bytes: Mapping[str, float | None]
    budget: ByteBudget


@dataclass(frozen=True, slots=True)
class LoggedMetric:
    """A metric that lines of logs hold.

    Attributes:
        metric: our name of the metric that it stands in for.
        check: id of the check that it is read for; where a policy has that off, nothing is asked.
        wanted: whether a policy's `metrics` want it.
        permissions: IAM actions that reading it needs.
        needed: (resource, what was measured, time of the scan) → whether only the logs can decide.
        most_saved: (resource, its cost) → what the check could save a month at most, unrounded; None: not known.
        price: region → what to ask about the price of a GB that is read.
        read: (reader, pause, what is asked) → yields what each query brought as it ends. Raises AwsError where a query
            could not be begun, which bills nothing, and after the batch of one whose answer may not be read; what else
            goes wrong later is in its batch.
    """

    metric: str
    check: str
    wanted: Callable[[Metrics], bool]
    permissions: tuple[str, ...]
    needed: Callable[[Resource, Utilization, datetime], bool]
    most_saved: Callable[[Resource, Cost], Decimal | None]
    price: Callable[[str], PriceQuery]
    read: Callable[[PageReader, Pause, Asking], Iterator[LoggedBatch]]
