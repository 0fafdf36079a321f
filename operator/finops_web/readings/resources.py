"""The inventory as rows with cost, read once per scan and shared by all requests.

A row stays the same until a scan replaces it, so the rows of all shards are kept between requests and read again when
a head has changed. What a visitor sees of them is decided for each request.

Kept is what lists order, narrow and add by. The kind's own facts, the time of creation and what was measured are read
for the rows that are shown (`whole`): of 100,000 resources they would fill the memory of the process.
"""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import from_json

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.price import Cost
from finops.domain.report import ShardCost
from finops.domain.resource import Resource, Shard
from finops.domain.tags import carries
from finops.domain.utilization import Utilization
from finops.store.connection import Store
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.resource_costs import ResourceCostStore
from finops.store.utilization import UtilizationStore
from finops_web.readings.kept_tags import Words
from finops_web.readings.policies import ScannedPolicy

HOURS: Final = DEFAULT_HOURS_PER_MONTH
"""All pages count a month of 730 hours, whatever a policy counts with, so that their sums agree with each other."""

_NOTHING: Final = Decimal(0)
_NO_FACTS: Final[Mapping[str, Any]] = MappingProxyType({})
"""One for all rows: 100,000 empty ones are 6 MB."""
_VIEWS: Final = 8
"""Ordered lists that are kept: people with the same rights share one."""


@dataclass(frozen=True, slots=True)
class Push:
    """Where a resource comes from that no scan of ours has seen: who pushed it, when, into which namespace."""

    namespace: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class ResourceRow:
    """One resource, what it costs a month of 730 hours and what it did; `push` of one that was pushed.

    Of one that no `whole` has read the resource has neither facts nor a time of creation, and there is no utilization;
    an ARN that ends in the id is not in it either, but its beginning in `before_id`, which the rows of a shard share.
    """

    resource: Resource
    cost: Cost
    utilization: Utilization | None
    monthly: Decimal | None
    push: Push | None = None
    before_id: str = ""

    @property
    def arn(self) -> str:
        """Return the ARN, empty where the kind has none."""
        return f"{self.before_id}{self.resource.id}" if self.before_id else self.resource.arn

    @property
    def shown(self) -> Decimal | None:
        """Return the figure that lists show and are ordered by; None where they have the words “no price”.

        It is the row's own cost, beside which what its members cost is not counted; of what AWS bills for its members
        alone it is what is known of these.
        """
        if not self.cost.of_members:
            return self.monthly
        return None if self.cost.attributed is None else self.cost.attributed.monthly

    @classmethod
    def of(
        cls, resource: Resource, cost: Cost, utilization: Utilization | None, push: Push | None = None
    ) -> ResourceRow:
        """Return a row; its sum is made once, since every list orders and adds by it."""
        return cls(resource, cost, utilization, cost.monthly, push)

    def over(self, hours_per_month: Decimal) -> ResourceRow:
        """Return the row in a month of so many hours."""
        cost = self.cost.over(hours_per_month)
        return replace(self, cost=cost, monthly=cost.monthly)


class ResourceReadings:
    """Rows of all shards; thread-safe. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._inventory = InventoryStore(store, prolongs=False)
        self._costs = ResourceCostStore(store)
        self._utilization = UtilizationStore(store)
        self._kept: dict[Shard, tuple[str, tuple[ResourceRow, ...]]] = {}
        self._members: dict[Shard, frozenset[Shard]] = {}
        self._seen: OrderedDict[Any, tuple[ResourceRow, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def seen_by(self, policies: Collection[ScannedPolicy]) -> tuple[ResourceRow, ...]:
        """Return the resources that at least one of `policies` counts, the dearest first and unpriced ones last."""
        kept = self._rows(policies)
        key = (
            tuple((shard, mark) for shard, (mark, _) in kept.items()),
            tuple(
                (one.key, one.head.generation, repr(one.head.include_tags), repr(one.head.exclude_tags))
                for one in policies
            ),
        )
        # Two that ask for the same at once make one list, not two.
        with self._lock:
            seen = self._seen.get(key)
            if seen is None:
                seen = self._seen[key] = dearest_first(_counted(policies, kept))
                if len(self._seen) > _VIEWS:
                    self._seen.popitem(last=False)
        return seen

    def whole(self, rows: Iterable[ResourceRow]) -> list[ResourceRow]:
        """Return rows with everything that is known of them; of what went in between that is what the row has."""
        found = list(rows)
        by_shard: dict[Shard, list[str]] = {}
        for row in found:
            if row.push is None:
                by_shard.setdefault(row.resource.shard, []).append(row.resource.id)
        full = {shard: self._inventory.many(shard, ids) for shard, ids in by_shard.items()}
        used = {shard: self._utilization.summaries(shard, ids) for shard, ids in by_shard.items()}
        return [row if row.push is not None else _filled(row, full, used) for row in found]

    def _rows(self, policies: Collection[ScannedPolicy]) -> dict[Shard, tuple[str, tuple[ResourceRow, ...]]]:
        wanted = {shard for one in policies for shard, _ in one.head.shards}
        with self._lock:
            heads = {head.shard: head for head in self._inventory.heads()}
            for shard in self._kept.keys() - heads.keys():
                del self._kept[shard]
            read_anew = False
            for shard in wanted & heads.keys():
                # What groups cost changes with each scan of their members.
                mark = _marks(heads, shard, self._members.get(shard, frozenset()))
                if self._kept.get(shard, ("", ()))[0] != mark:
                    read_anew = True
                    rows = tuple(self._read(heads[shard]))
                    self._members[shard] = frozenset(_members_shards(rows))
                    self._kept[shard] = (_marks(heads, shard, self._members[shard]), rows)
            if read_anew:
                # What the scan before left and what reading needed goes at once, not when so much more has come.
                gc.collect()
            return {shard: self._kept[shard] for shard in sorted(wanted & heads.keys(), key=str)}

    def _read(self, head: ShardHead) -> Iterable[ResourceRow]:
        words = Words()
        for texts in self._inventory.texts(head.shard, head.generation):
            page = [slim(text, head.shard, words) for text in texts]
            costs = self._costs.many(head.shard, [one.id for one, _ in page], HOURS)
            for one, before in page:
                cost = costs[one.id]
                yield ResourceRow(one, cost, None, cost.monthly, before_id=before)


def slim(text: str, shard: Shard, words: Words) -> tuple[Resource, str]:
    """Return a stored resource as lists keep it, and what its ARN has before the id (a row's `before_id`).

    It has neither facts nor a time of creation; what many resources of the shard share is one object of `words`.
    """
    found = from_json(text, cache_strings="none")
    name, arn = found["id"], found["arn"]
    before = words.text(arn.removesuffix(name)) if arn.endswith(name) else ""
    resource = Resource(
        kind=shard.kind,
        id=name,
        arn="" if before else arn,
        name=found["name"],
        account=shard.account,
        region=shard.region,
        state=words.text(found["state"]),
        tags=words.tags(found["tags"], found["name"]),
        attributes=_NO_FACTS,
    )
    return resource, before


def _filled(
    row: ResourceRow, full: Mapping[Shard, Mapping[str, Resource]], used: Mapping[Shard, Mapping[str, Utilization]]
) -> ResourceRow:
    shard, name = row.resource.shard, row.resource.id
    resource = full[shard].get(name) or replace(row.resource, arn=row.arn)
    return replace(row, resource=resource, utilization=used[shard].get(name), before_id="")


def _counted(
    policies: Collection[ScannedPolicy], kept: Mapping[Shard, tuple[str, tuple[ResourceRow, ...]]]
) -> Iterator[ResourceRow]:
    """Yield the rows that at least one of the policies counts."""
    for shard, (_, rows) in kept.items():
        covering = [one for one in policies if one.covers(shard)]
        selecting = [(one.head.include_tags, one.head.exclude_tags) for one in covering]
        if any(not include and not exclude for include, exclude in selecting):
            yield from rows
            continue
        for row in rows:
            if any(carries(row.resource.tags, include, exclude) for include, exclude in selecting):
                yield row


def _members_shards(rows: Iterable[ResourceRow]) -> Iterator[Shard]:
    """Yield where the members of groups are, and the groups between."""
    for row in rows:
        if row.cost.group is not None:
            yield replace(row.resource.shard, kind=row.cost.group.kind)
            if row.cost.group.through:
                yield replace(row.resource.shard, kind=row.cost.group.through)


def _marks(heads: Mapping[Shard, ShardHead], shard: Shard, members: Collection[Shard]) -> str:
    return " ".join(_mark(heads[one]) for one in (shard, *sorted(members, key=str)) if one in heads)


def _mark(head: ShardHead) -> str:
    """Return what changes with every scan of a shard, also with one that lists the same resources."""
    return f"{head.generation} {head.attempted.isoformat()}"


def dearest_first(rows: Iterable[ResourceRow]) -> tuple[ResourceRow, ...]:
    """Return rows in the order of lists: the cost they show falling, unknown ones last; of the same by kind and id.

    Sorted one criterion after the other, by what is there already: 100,000 keys of their own would be 20 MB.
    """
    named = sorted(rows, key=lambda row: row.resource.id)
    named.sort(key=lambda row: row.resource.kind)
    named.sort(key=lambda row: row.shown or _NOTHING, reverse=True)
    named.sort(key=lambda row: row.shown is None)
    return tuple(named)


def pushed_among(rows: Iterable[ResourceRow]) -> int:
    """Return how many rows were pushed: they are in no history, forecast, anomaly or budget."""
    return sum(row.push is not None for row in rows)


def pushed_cost(rows: Iterable[ResourceRow]) -> Decimal | None:
    """Return what of the cost a month somebody pushed, and no scan of ours has seen; None where none of it is priced.

    0 where nothing was pushed.
    """
    pushed = [row for row in rows if row.push is not None]
    return sum_of(pushed)[0] if pushed else Decimal(0)


def sum_of(rows: Iterable[ResourceRow]) -> tuple[Decimal | None, int, int]:
    """Return what rows cost a month together, how many they are, and of how many a part has no price.

    With rows without a price the sum is at least that much; it is None when nothing of any row has a price: that is not
    free. A group lacks no price and adds nothing: its members are rows of their own.
    """
    total = ShardCost.of(row.cost for row in rows)
    return total.own_cost, total.resources, total.unpriced


def grouped(
    rows: Iterable[ResourceRow], key: Callable[[ResourceRow], str]
) -> list[tuple[str, Decimal | None, int, int]]:
    """Return (name, cost, count, unpriced) of each group, the dearest first."""
    groups: dict[str, list[ResourceRow]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    sums = [(name, *sum_of(group)) for name, group in groups.items()]
    return sorted(sums, key=lambda one: (one[1] is None, -(one[1] or Decimal(0)), one[0]))
