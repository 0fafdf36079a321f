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
from finops.domain.logged import LeftOut, LoggedBatch
from finops.domain.price import Cost, PriceQuery
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader

FROM_LOGS: Final = "metrics-from-logs"
"""Key of `Facts.answers`: our names of the metrics whose summary was read from lines of logs."""
SAVING_UNKNOWN: Final = "SavingUnknown: what its check could save, or what reading its logs costs, is not known"
TOO_DEAR: Final = "CostsMoreThanItSaves: reading its logs each day costs more than its check could save"
OVER_THE_CEILING: Final = "OverTheCeiling: its logs hold more than the scan may still read (spec.metrics.logsMaxGb)"
Pause = Callable[[float], None]
"""Waits so many seconds: a query runs in the background."""


@dataclass(slots=True)
class ByteBudget:
    """The bytes that one scan may have read, or one pod of it, shared by the threads of all its shards."""

    bytes_left: float
    _lock: Lock = field(default_factory=Lock, repr=False)

    def take(self, expected: float, held: float = 0.0) -> bool:
        """Set so many bytes aside, and return whether as many were left beside those held for others; else none are."""
        with self._lock:
            if expected + held > self.bytes_left:
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
        held: id → bytes of that which are held for it, because it has waited longest; each until it takes them.
    """

    resources: Sequence[Resource]
    now: datetime
    most_bytes: Mapping[str, float | None]
    budget: ByteBudget
    held: dict[str, float] = field(default_factory=dict)

    def left_out(self, resource: str, size_bytes: float) -> str:
        """Return why logs that hold so many bytes are not read, empty: they are, and their bytes are set aside."""
        why = self.too_much(resource, size_bytes)
        if not why and not self.budget.take(size_bytes, self._held_for_others(resource)):
            return OVER_THE_CEILING
        if not why:
            self.held.pop(resource, None)
        return why

    def too_much(self, resource: str, size_bytes: float) -> str:
        """Return what `left_out` does as it stands now, and set nothing aside."""
        most = self.most_bytes.get(resource)
        if most is None:
            return SAVING_UNKNOWN
        if size_bytes > most:
            return TOO_DEAR
        over = size_bytes + self._held_for_others(resource) > self.budget.bytes_left
        return OVER_THE_CEILING if over else ""

    def _held_for_others(self, resource: str) -> float:
        # Those that bytes are held for fit all together, or whoever comes first has them.
        return 0.0 if resource in self.held else sum(self.held.values())


def first_in_turn(left_out: Mapping[str, LeftOut], bytes_left: float) -> dict[str, float]:
    """Return id → bytes to hold for it: of those that the ceiling left out, who has waited longest, as far as they fit.

    What was read waits from the next scan on that leaves it out. So each has its turn within one account and region,
    whatever the order of listing; another place that is scanned first may take what the ceiling leaves.
    """
    held: dict[str, float] = {}
    waiting = [(one.since, name, one.size_bytes) for name, one in left_out.items() if one.reason == OVER_THE_CEILING]
    for _, name, size in sorted(waiting):
        if size <= bytes_left:
            held[name] = size
            bytes_left -= size
    return held


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
