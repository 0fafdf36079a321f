"""Runs scans of policies from files with exactly the operator's pipeline; called by `finops scan`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from rich.console import Console

from finops.crds.scan_policy import ScanPolicy
from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.connection import Store
from finops.store.limits import SharedRateLimits
from finops_operator.aws.clients import make_readers
from finops_operator.aws.limiter import share_of_published
from finops_operator.aws.own_identity import region_of
from finops_operator.aws.reader import CallPacing
from finops_operator.cli.documents import Documents
from finops_operator.cli.heap import bound_heap
from finops_operator.cli.scan_progress import terminal_progress
from finops_operator.plugins.loaded import Plugins
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.progress import UNWATCHED, Progress
from finops_operator.scan.scan import ScanOutcome, scan


@contextmanager
def _pool(workers: int, name: str) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
    complete = False
    try:
        yield pool
        complete = True
    finally:
        # An interrupted person does not wait for calls that are still out.
        pool.shutdown(wait=complete, cancel_futures=not complete)


class _Current:
    """Hands the waits of all scans to what shows the one that runs: readers outlast it."""

    def __init__(self) -> None:
        self.watcher = UNWATCHED

    def waits(self, bucket: str, seconds: float) -> None:
        self.watcher.waits(bucket, seconds)


@contextmanager
def _progress(current: _Current) -> Iterator[Progress]:
    """Yield what shows where the scan is, on a terminal only."""
    if not sys.stderr.isatty():
        yield current.watcher
        return
    with terminal_progress(Console(stderr=True, markup=False, highlight=False)) as shown:
        current.watcher = shown
        yield shown


@contextmanager
def shown_status(first: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that shows where the work is, on a terminal only; `first` is shown until it is called."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with Console(stderr=True, markup=False, highlight=False).status(first) as status:
        yield status.update


def scan_all(
    documents: Documents, store: Store, plugins: Plugins, settings: Settings, clock: Clock
) -> Iterator[tuple[ScanPolicy, ScanOutcome]]:
    """Yield each policy with the outcome of its scan, in the order of the files.

    Raises:
        StoreUnavailable: the store went away.
        Refused: demo mode and an endpoint that is not on this machine.
    """
    bound_heap()
    workers = settings.scan_workers
    with _pool(workers, "cloudwatch") as metric_requests, _pool(workers, "aws") as pool:
        quotas = share_of_published(settings.aws_quota_percent)
        current = _Current()
        pacing = CallPacing(SharedRateLimits(store), clock, quotas=quotas, waits=current.waits)
        readers = make_readers(pacing, demo=settings.demo)
        for policy in documents.policies:
            with _progress(current) as progress:
                deps = ScanDependencies(
                    readers=readers,
                    store=store,
                    kinds=plugins.kinds,
                    checks=plugins.checks,
                    price_sources=plugins.price_sources,
                    actions=plugins.actions,
                    pool=pool,
                    metric_requests=metric_requests,
                    progress=progress,
                    own_region=region_of(os.environ),
                )
                outcome = scan(policy, documents.accounts, deps, clock)
            yield policy, outcome
