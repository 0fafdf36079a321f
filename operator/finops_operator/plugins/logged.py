"""What a kind declares about a metric that it can also read from lines of logs, where a policy wants that.

Such a query is billed by what it reads, so it is asked only about resources of which nothing else can decide a check.
The scan asks and keeps the answers for a day; a kind says whom to ask about, and reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from finops.crds.scan_policy import Metrics
from finops.domain.logged import LoggedBatch
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader

FROM_LOGS: Final = "metrics-from-logs"
"""Key of `Facts.answers`: our names of the metrics whose summary was read from lines of logs."""
Pause = Callable[[float], None]
"""Waits so many seconds: a query runs in the background."""


@dataclass(frozen=True, slots=True)
class LoggedMetric:
    """A metric that lines of logs hold.

    Attributes:
        metric: our name of the metric that it stands in for.
        check: id of the check that it is read for; where a policy has that off, nothing is asked.
        wanted: whether a policy's `metrics` want it.
        permissions: IAM actions that reading it needs.
        needed: (resource, what was measured, time of the scan) → whether only the logs can decide.
        read: (reader, pause, resources, time of the scan) → yields what each query brought as it ends. Raises AwsError
            where a query could not be begun, which bills nothing; what goes wrong later is in its batch.
    """

    metric: str
    check: str
    wanted: Callable[[Metrics], bool]
    permissions: tuple[str, ...]
    needed: Callable[[Resource, Utilization, datetime], bool]
    read: Callable[[PageReader, Pause, Sequence[Resource], datetime], Iterator[LoggedBatch]]
