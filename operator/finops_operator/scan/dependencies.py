"""What a scan needs of the world; made by the composition roots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.aws_read import PageReader
from finops.ports.price_source import PriceSource
from finops.store.connection import Store
from finops_operator.aws.counting import CallCounter
from finops_operator.plugins.action import Action
from finops_operator.plugins.check import Check
from finops_operator.plugins.kind import ResourceKind
from finops_operator.scan.progress import UNWATCHED, Progress


class Readers(Protocol):
    """Makes readers; see `finops_operator.aws.clients.AwsReaders`."""

    def reader(
        self, access: AccountAccess, region: str, tenant: Tenant, counter: CallCounter | None = None
    ) -> PageReader: ...


class Pods(Protocol):
    """Runs pods that scan a part each; see `finops.k8s.scan_jobs.ScanJobs`."""

    def run(self, name: str, count: int, parallelism: int, done: Callable[[int], None]) -> Mapping[int, str]:
        """Run pods with the indexes 0 to `count` - 1 for the scan `name`; return why those failed that did.

        `done` is called every second or so with the number of parts that are done; what it raises breaks the pods off.

        Raises:
            Refused: the cluster does not let us.
        """


@dataclass(frozen=True, slots=True)
class ScanDependencies:
    """What a scan needs of the world.

    Attributes:
        own_region: region of the process's own configuration; empty: none.
        pool: threads that read AWS, shared by all scans; the scan itself must not run in it.
        metric_requests: further threads, for CloudWatch alone; those of `pool` wait for them.
        progress: is kept informed of where the scan is.
        pods: for policies whose shards are scanned in pods; None: none can be made, all are scanned here.
    """

    readers: Readers
    store: Store
    kinds: Mapping[str, ResourceKind[Any]]
    checks: Mapping[str, Check[Any]]
    actions: Mapping[str, Action]
    price_sources: tuple[PriceSource, ...]
    pool: Executor
    metric_requests: Executor
    progress: Progress = UNWATCHED
    pods: Pods | None = None
    own_region: str = ""
