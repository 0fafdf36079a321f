"""Daily cost of what policies select, beside that of whole shards: one hash a day, kept 400 days.

Written after every scan for the shards that it judged whole, from the inventory and the prices that it left and the
selectors of all policies as their last scans had them; the last scan of the day wins. A day without it is one of a
release that kept whole shards alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from pydantic_core import from_json

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import CostOfDay, KeptSelections, Parts, Selecting, Tag, by_shard, counted
from finops.store.connection import Store
from finops.store.cost_history import CostHistoryStore, DailyHashes, cost_from_text, cost_to_text
from finops.store.inventory import InventoryStore
from finops.store.recommendations import HeadUnreadable, PolicyHead, RecommendationStore
from finops.store.resource_costs import ResourceCostStore


class SelectedCostStore:
    """Daily costs of parts of shards. Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store) -> None:
        self._days = DailyHashes(store, "selected")

    def put(self, day: date, parts: KeptSelections) -> None:
        """Write the parts of shards; the same day again replaces them."""
        self._days.put(day, {_field(shard, tag): _parts_to_text(found) for (shard, tag), found in parts.items()})

    def between(self, first: date, last: date) -> dict[date, KeptSelections]:
        """Return what is kept of the days `first` to `last`; a day of which nothing is kept is absent."""
        found: dict[date, KeptSelections] = {}
        # A name stands on each of 400 days: it is kept once.
        shared: dict[Any, Any] = {}
        for day, fields in self._days.between(first, last):
            if fields:
                found[day] = {_named(name, shared): _parts_from_text(text, shared) for name, text in fields.items()}
        return found


def selecting_of(policy: tuple[str, str], head: PolicyHead) -> Selecting:
    """Return what a policy selects, as its last scan had it."""
    shards = frozenset(shard for shard, _ in head.shards)
    return Selecting("/".join(policy), shards, head.include_tags, head.exclude_tags)


def all_selecting(store: Store) -> tuple[Selecting, ...]:
    """Return what every policy with a finished scan selects; one whose head cannot be read is left out.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    stored, found = RecommendationStore(store), list[Selecting]()
    for policy in stored.policies():
        try:
            head = stored.head(policy)
        except HeadUnreadable:
            # Its next scan writes it anew, and the day's parts with it.
            continue
        if head is not None:
            found.append(selecting_of(policy, head))
    return tuple(found)


def days_counted(store: Store, first: date, last: date, policies: Collection[Selecting]) -> Iterable[CostOfDay]:
    """Yield what policies counted of each shard on the days `first` to `last`. Raises StoreUnavailable."""
    covering = by_shard(policies)
    kept = SelectedCostStore(store).between(first, last)
    for one in CostHistoryStore(store).between(first, last):
        shard = Shard(one.account, one.region, one.kind)
        found = counted(CostOfDay(one.day, shard, one.cost), kept.get(one.day, {}), covering.get(shard, ()))
        if found is not None:
            yield found


def keep_selected(store: Store, day: date, tags: Mapping[Shard, Collection[Tag | None]]) -> None:
    """Write what policies select of shards that were listed whole: of all of each, and of what carries its tags.

    Args:
        store: holds the inventory, its prices and the heads of all policies.
        day: of the scan.
        tags: shard → None for all of it, and tags that budgets name.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    covering = by_shard(one for one in all_selecting(store) if not one.takes_all)
    parts: dict[tuple[Shard, Tag | None], Parts] = {}
    for shard in sorted(tags.keys() & covering.keys(), key=str):
        found = _parts_of(store, shard, covering[shard], tags[shard])
        parts |= {(shard, tag): of_tag for tag, of_tag in found.items()}
    SelectedCostStore(store).put(day, parts)


def _parts_of(
    store: Store, shard: Shard, covering: Collection[Selecting], tags: Collection[Tag | None]
) -> dict[Tag | None, Parts]:
    """Return tag → the parts of what carries it.

    Nothing is returned of a shard without resources, and where a listing with gaps has replaced the whole one.
    """
    inventory, kept = InventoryStore(store), ResourceCostStore(store)
    head = inventory.head(shard)
    if head is None or head.gaps or not head.count:
        return {}
    # Who selects is named, also where it takes nothing.
    sums = {tag: {frozenset((one.mark,)): ShardCost() for one in covering} for tag in tags}
    for texts in inventory.texts(shard, head.generation):
        page = [(str(found["id"]), found["tags"]) for found in (from_json(text) for text in texts)]
        takers = {name: frozenset(one.mark for one in covering if one.takes(carried)) for name, carried in page}
        carrying = [
            (name, tag) for name, carried in page for tag in tags if tag is None or carried.get(tag[0]) == tag[1]
        ]
        costs = kept.many(shard, list(dict.fromkeys(name for name, _ in carrying)), DEFAULT_HOURS_PER_MONTH)
        for name, tag in carrying:
            if takers[name]:
                of_tag = sums[tag]
                of_tag[takers[name]] = of_tag.get(takers[name], ShardCost()).plus(costs[name])
    return {tag: tuple(of_tag.items()) for tag, of_tag in sums.items()}


def _field(shard: Shard, tag: Tag | None) -> str:
    return json.dumps(
        [shard.account, shard.region, shard.kind, *(tag or ())], ensure_ascii=False, separators=(",", ":")
    )


def _named(field: str, shared: dict[Any, Any]) -> tuple[Shard, Tag | None]:
    if field not in shared:
        account, region, kind, *tag = json.loads(field)
        shared[field] = Shard(account, region, kind), (tag[0], tag[1]) if tag else None
    named: tuple[Shard, Tag | None] = shared[field]
    return named


def _parts_to_text(parts: Parts) -> str:
    return json.dumps([[sorted(takers), cost_to_text(cost)] for takers, cost in parts], separators=(",", ":"))


def _parts_from_text(text: str, shared: dict[Any, Any]) -> Parts:
    """Return the parts; what is the same as before is the same object."""
    if text not in shared:
        read = ((frozenset(takers), cost_from_text(cost)) for takers, cost in json.loads(text))
        shared[text] = tuple((shared.setdefault(takers, takers), cost) for takers, cost in read)
    parts: Parts = shared[text]
    return parts
