"""Scans shards: each is listed, judged and priced by itself, in a pool of threads.

Called by a scan with all its shards, and by a pod that scans one place for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass

from finops.ports.aws_access import Tenant
from finops.ports.clock import Clock
from finops_operator.aws.counting import CallCounter
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.discover import ShardTask, discover_shard
from finops_operator.scan.judging import Brief, ShardJudge, ShardTotals


@dataclass(frozen=True, slots=True)
class JudgedShard:
    """One finished shard."""

    generation: str
    whole: bool
    totals: ShardTotals
    counter: CallCounter


def scan_shards(
    tasks: Sequence[ShardTask], deps: ScanDependencies, brief: Brief, clock: Clock, *, generation: str
) -> Iterator[tuple[ShardTask, JudgedShard]]:
    """Scan all shards and yield each as it ends; `generation` is the name of the listings that are made.

    Raises:
        StoreUnavailable: the store went away.
    """
    for together in _turns(tasks):
        futures = {deps.pool.submit(_scan_shard, task, deps, brief, clock, generation): task for task in together}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            # After a failure nothing new starts; what runs ends with the store's error by itself.
            for future in futures:
                future.cancel()


def _turns(tasks: Sequence[ShardTask]) -> tuple[list[ShardTask], ...]:
    """Return what is scanned one after the other: what a group costs is known when its members are priced."""
    turns: tuple[list[ShardTask], ...] = ([], [], [])
    for task in tasks:
        members = task.kind.members
        turns[0 if members is None else 2 if members.through else 1].append(task)
    return turns


def _scan_shard(task: ShardTask, deps: ScanDependencies, brief: Brief, clock: Clock, generation: str) -> JudgedShard:
    counter = CallCounter()
    tenant = Tenant(namespace=brief.policy[0], policy=brief.policy[1])
    reader = deps.readers.reader(task.access, task.region, tenant, counter)
    stores = brief.stores
    found = discover_shard(task, reader, stores.inventory, generation, clock=clock, api_calls=lambda: counter.calls)
    if found.generation and not found.gaps:
        # Only a complete listing can show that a resource is gone; the one before it lasts an hour, judging may not.
        metrics = [spec.name for spec in task.kind.metrics]
        for ids in stores.inventory.gone(task.shard, found.replaced, found.generation):
            stores.utilization.forget(task.shard, metrics, ids)
            stores.costs.forget(task.shard, ids)
    deps.progress.listed(task.shard, found.count)
    judge = ShardJudge(brief, task.shard, reader, found.generation, clock)
    judge.totals.gaps += found.gaps
    judge.share(stores.inventory.pages(task.shard, found.generation), found.count)
    for page in stores.inventory.pages(task.shard, found.generation):
        judge.page(page)
        deps.progress.judged(task.shard, len(page))
    whole = bool(found.generation) and not found.gaps
    return JudgedShard(found.generation, not found.gaps, judge.close(whole=whole), counter)
