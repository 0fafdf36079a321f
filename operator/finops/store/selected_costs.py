"""Daily cost of what policies select, beside that of whole shards: one hash a day, kept 400 days.

Written after every scan for the shards that it judged whole, from the inventory and the prices that it left and the
selectors of all policies as their last scans had them; the last scan of the day wins. A day without it is one of a
release that kept whole shards alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from typing import Final

from pydantic_core import from_json

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import (
    Asked,
    CostOfDay,
    Counted,
    KeptSelections,
    Parts,
    Selecting,
    Tag,
    asked_by_shard,
    by_shard,
    counted,
)
from finops.store.connection import Store
from finops.store.cost_history import DailyHashes, cost_from_text, cost_to_text, days_between
from finops.store.inventory import InventoryStore
from finops.store.recommendations import HeadUnreadable, PolicyHead, RecommendationStore
from finops.store.resource_costs import ResourceCostStore
from finops.store.tag_costs import TagCostStore

SELECTED: Final = "selected"
_NOTHING: Final = "[]"
_TEXTS: Final = 4096
_DAYS_AT_ONCE: Final = 8
"""Answers of so many days are in memory together."""


class SelectedCostStore:
    """Daily costs of parts of shards. Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store) -> None:
        self._days = DailyHashes(store, SELECTED)

    def put(self, day: date, parts: KeptSelections) -> None:
        """Write the parts of shards; the same day again replaces them."""
        self._days.put(day, {_field(shard, tag): _parts_to_text(found) for (shard, tag), found in parts.items()})

    def of_days(
        self, days: Collection[date], names: Sequence[tuple[Shard, Tag | None]]
    ) -> Iterator[tuple[date, list[Parts]]]:
        """Yield each day with the parts of these names; empty parts where nothing is kept."""
        fields = [_field(shard, tag) for shard, tag in names]
        for day, texts in self._days.of_days(days, fields):
            yield day, [_parts_from_text(text or _NOTHING) for text in texts]


class CountedDays:
    """What policies counted of shards, read day by day. Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store) -> None:
        self._whole = DailyHashes(store)
        self._selected = DailyHashes(store, SELECTED)

    def writes(self, first: date, last: date) -> dict[date, tuple[int, int]]:
        """Return each of the days `first` to `last` and how often its hashes were written, as `DailyHashes` says it."""
        whole, selected = self._whole.writes(first, last), self._selected.writes(first, last)
        return {day: (count, selected[day]) for day, count in whole.items()}

    def read(
        self, days: Collection[date], asked: Sequence[tuple[Shard, Asked]]
    ) -> Iterator[tuple[date, list[Counted | None]]]:
        """Yield each day with what was counted of each shard on it, None where nothing was kept of the shard."""
        wanted, names = list(days) if asked else [], [str(shard) for shard, _ in asked]
        for start in range(0, len(wanted), _DAYS_AT_ONCE):
            page = wanted[start : start + _DAYS_AT_ONCE]
            whole = list(self._whole.of_days(page, names))
            # Most kinds have no resource in most regions: nothing was selected there.
            chosen = [
                place
                for place, (_, of_shard) in enumerate(asked)
                if not of_shard.takes_all and any(_has_resources(costs[place]) for _, costs in whole)
            ]
            selected = dict(self._selected.of_days(page, [_field(asked[place][0], None) for place in chosen]))
            for day, costs in whole:
                parts: list[str | None] = [None] * len(asked)
                for place, text in zip(chosen, selected.get(day, ()), strict=True):
                    parts[place] = text
                yield (
                    day,
                    [
                        None if cost is None else _counted(cost, part, of_shard)
                        for cost, part, (_, of_shard) in zip(costs, parts, asked, strict=True)
                    ],
                )


def selecting_of(policy: tuple[str, str], head: PolicyHead) -> Selecting:
    """Return what a policy selects, as its last scan had it, also where that could not list what one before did."""
    return Selecting("/".join(policy), head.covered, head.include_tags, head.exclude_tags)


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
    asked = sorted(asked_by_shard(policies).items(), key=lambda item: str(item[0]))
    for day, found in CountedDays(store).read(list(days_between(first, last)), asked):
        for (shard, _), one in zip(asked, found, strict=True):
            if one is not None:
                yield CostOfDay(day, shard, *one)


def tagged_days_counted(
    store: Store, first: date, last: date, key: str, policies: Collection[Selecting]
) -> Iterator[tuple[str, CostOfDay]]:
    """Yield the same of what carries a tag, with its value, as far as budgets name it. Raises StoreUnavailable."""
    asked, selected = asked_by_shard(policies), SelectedCostStore(store)
    for day, of_day in groupby(TagCostStore(store).of_key(first, last, key), lambda one: one[0]):
        rows = [(shard, value, cost) for _, shard, value, cost in of_day if shard in asked]
        for _, parts in selected.of_days([day], [(shard, (key, value)) for shard, value, _ in rows]):
            for (shard, value, cost), kept in zip(rows, parts, strict=True):
                yield value, CostOfDay(day, shard, *counted(cost, kept, asked[shard]))


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


def _parts_to_text(parts: Parts) -> str:
    return json.dumps([[sorted(takers), cost_to_text(cost)] for takers, cost in parts], separators=(",", ":"))


def _parts_from_text(text: str) -> Parts:
    return tuple((frozenset(takers), cost_from_text(cost)) for takers, cost in from_json(text))


@lru_cache(maxsize=_TEXTS)
def _has_resources(cost: str | None) -> bool:
    return cost is not None and cost_from_text(cost).resources > 0


@lru_cache(maxsize=_TEXTS)
def _counted(cost: str, parts: str | None, asked: Asked) -> Counted:
    """Return what was counted by what the store holds; of most shards that is the same on many days."""
    return counted(cost_from_text(cost), _parts_from_text(parts or _NOTHING), asked)
