"""`finops costs --tag KEY`: what the stored resources cost a month, by the values of one of their tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.report import ShardCost
from finops.domain.resource import Resource, Shard
from finops.store.connection import Store
from finops.store.cost_history import DailyCost
from finops.store.inventory import InventoryStore, ShardHead
from finops.store.resource_costs import ResourceCostStore
from finops_operator.cli.selection import Selection

Tagged = dict[str | None, list[DailyCost]]
"""Value of the tag → the costs of what carries it, per shard; None: of what does not carry the tag."""


def tagged_costs(store: Store, heads: Iterable[ShardHead], only: Sequence[Selection], key: str) -> Tagged:
    """Return the costs of what `heads` hold, of `only` these policies when there are some, by the tag `key`.

    Raises:
        StoreUnavailable: the store does not answer, or lost a part of what was being read.
    """
    found: Tagged = {}
    for head in heads:
        shard, day = head.shard, head.completed.date()
        for value, cost in _of_shard(store, head, only, key).items():
            found.setdefault(value, []).append(DailyCost(day, shard.account, shard.region, shard.kind, cost))
    return found


def _of_shard(store: Store, head: ShardHead, only: Sequence[Selection], key: str) -> dict[str | None, ShardCost]:
    inventory, costs, shard = InventoryStore(store), ResourceCostStore(store), head.shard
    sums: dict[str | None, ShardCost] = {}
    for page in inventory.pages(shard, head.generation):
        priced = costs.many(shard, [one.id for one in page], DEFAULT_HOURS_PER_MONTH)
        for one in page:
            if _is_wanted(shard, one, only):
                value = one.tags.get(key)
                sums[value] = sums.get(value, ShardCost()).plus(priced[one.id])
    return sums


def _is_wanted(shard: Shard, resource: Resource, only: Sequence[Selection]) -> bool:
    return not only or any(policy.selects(shard, resource) for policy in only)
