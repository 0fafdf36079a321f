"""Discover: what to scan (accounts, regions, kinds), and one shard's pages into an inventory generation.

Called by the pipeline, `discover_shard` in worker threads. A page is a slim record in the store before the next one is
asked for; what cannot be listed becomes a Gap, and a shard of which nothing was seen keeps its old generation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from finops.domain.resource import Gap, Resource, Shard
from finops.errors import AwsError
from finops.ports.aws_access import AccountAccess
from finops.ports.aws_read import PageReader
from finops.ports.clock import Clock
from finops.store.inventory import InventoryStore, ShardHead
from finops_operator.aws.regions import LISTED_BY
from finops_operator.killpoint import killpoint
from finops_operator.plugins.kind import Memory, ResourceKind

_CHUNK: Final = 500
"""Records of one write: about half a megabyte, so one AWS page is two writes."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard to list: with whose rights, which kind."""

    access: AccountAccess
    region: str
    kind: ResourceKind[Any]

    @property
    def shard(self) -> Shard:
        return Shard(self.access.account_id, self.region, self.kind.id)


@dataclass(frozen=True, slots=True)
class ShardResult:
    """What listing one shard brought; `generation` is empty when nothing was seen, `replaced` is the one before it."""

    shard: Shard
    generation: str
    count: int
    gaps: tuple[Gap, ...]
    replaced: str = ""


def shard_tasks(
    access: AccountAccess, regions: Sequence[str], kinds: Iterable[ResourceKind[Any]]
) -> Iterator[ShardTask]:
    """Yield the shards of one account: a kind in each region, one that is global once, in the home region.

    A global kind is listed whichever regions were chosen: it is in none of them.
    """
    for kind in kinds:
        for region in (access.home_region,) if kind.is_global else regions:
            yield ShardTask(access, region, kind)


def choose_regions(
    wanted: Sequence[str], allowed: Sequence[str], enabled: frozenset[str] | None, access: AccountAccess
) -> tuple[tuple[str, ...], tuple[Gap, ...]]:
    """Return the regions to scan, sorted, and a Gap for each wanted one that cannot be scanned.

    Args:
        wanted: the policy's regions; empty: all.
        allowed: the account object's regions; empty: all.
        enabled: what AWS says, None when it did not answer: then what was named is tried.
        access: the account, for the gaps.
    """
    gaps: list[Gap] = []
    chosen = list(wanted or allowed or sorted(enabled or ()))
    for region in list(chosen):
        code, message = "", ""
        if allowed and region not in allowed:
            code = "RegionNotAllowed"
            message = (
                f"AwsAccount {access.name} does not list {region} in spec.regions; "
                "add it there, or take it out of the policy's spec.regions"
            )
        elif enabled is not None and region not in enabled:
            code = "RegionNotEnabled"
            # AWS lists neither what is not enabled nor what does not exist.
            named_by = "the policy" if wanted else f"AwsAccount {access.name}"
            message = (
                f"region {region} does not exist or is not enabled in account {access.account_id}; "
                f"correct spec.regions of {named_by}, or enable it in AWS"
            )
        if code:
            chosen.remove(region)
            gaps.append(Gap(access.account_id, region, *LISTED_BY, code, message))
    return tuple(sorted(set(chosen))), tuple(gaps)


class _CountedPages:
    """A PageReader that counts the pages its collector reads, and the one it was promised and lost."""

    def __init__(self, reader: PageReader) -> None:
        self._reader = reader
        self.account = reader.account
        self.region = reader.region
        self.read = 0
        self.lost = 0

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        return self._reader.once(operation, parameters, datapoints=datapoints, metrics=metrics)

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        try:
            for page in self._reader.pages(operation, parameters):
                self.read += 1
                yield page
        except AwsError:
            self.lost += 1
            raise


@dataclass(slots=True)
class _Listing:
    """The progress of one shard's listing."""

    shard: Shard
    memory: Memory | None
    generation: str
    inventory: InventoryStore
    now: datetime
    chunks: int = 0
    count: int = 0

    def write(self, resources: Sequence[Resource]) -> None:
        """Add one chunk to the invisible generation."""
        self.count += self.inventory.add(self.shard, self.generation, self.chunks, self._remembering(resources))
        self.chunks += 1
        killpoint("scan.page")

    def _remembering(self, resources: Sequence[Resource]) -> list[Resource]:
        """Carry over what the kind keeps from scan to scan because AWS does not say it."""
        memory = self.memory
        if memory is None:
            return list(resources)
        kept = {one.id for one in resources if memory.applies(one)}
        before = self.inventory.many(self.shard, sorted(kept)) if memory.reads_back else {}
        return [memory.carry_over(one, before.get(one.id), self.now) if one.id in kept else one for one in resources]


def discover_shard(
    task: ShardTask,
    reader: PageReader,
    inventory: InventoryStore,
    generation: str,
    *,
    clock: Clock,
    api_calls: Callable[[], Mapping[str, int]],
) -> ShardResult:
    """List one shard into `generation` and make it visible; `api_calls` says what the listing cost, for the head.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    started = clock.now()
    counted = _CountedPages(reader)
    listing = _Listing(task.shard, task.kind.memory, generation, inventory, started)
    gaps: list[Gap] = []
    waiting: list[Resource] = []
    for item in task.kind.listing.collect(counted, task.access.partition):
        if isinstance(item, Gap):
            gaps.append(item)
            continue
        waiting.append(item)
        if len(waiting) >= _CHUNK:
            listing.write(waiting)
            waiting = []
    if waiting:
        listing.write(waiting)
    if counted.read == 0:
        inventory.note_failure(task.shard, gaps, clock.now())
        return ShardResult(task.shard, "", 0, tuple(gaps))
    killpoint("scan.swap")
    completed = clock.now()
    replaced = inventory.swap(
        ShardHead(
            shard=task.shard,
            generation=generation,
            count=listing.count,
            pages=counted.read,
            expected_pages=counted.read + counted.lost,
            gaps=tuple(gaps),
            started=started,
            completed=completed,
            attempted=completed,
            api_calls=api_calls(),
        )
    )
    return ShardResult(task.shard, generation, listing.count, tuple(gaps), replaced)


def account_gap(error: AwsError, access: AccountAccess) -> Gap:
    """Return the Gap of an account that could not be entered at all."""
    service, _, operation = error.operation.partition(":")
    message = f"AwsAccount {access.name}: {error}"
    return Gap(access.account_id, "", service, operation, error.code, message)
