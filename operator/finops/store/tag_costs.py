"""Daily cost of what carries a tag, per account, region and kind: kept for the tags that budgets name, 400 days.

Written by the operator after a scan, from the resources and prices that the scan left; the last scan of the day wins.
The history by shard cannot be split by tag afterwards, so the days before a budget named the tag are not known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import Tag
from finops.store.connection import Store
from finops.store.cost_history import DailyHashes, cost_from_text, cost_to_text


class TagCostStore:
    """Daily costs by tag. Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store) -> None:
        self._days = DailyHashes(store, "tags")

    def put(self, day: date, costs: Mapping[tuple[Shard, Tag], ShardCost]) -> None:
        """Write the monthly cost of what carries each tag in whole shards; the same day again replaces it."""
        self._days.put(day, {_field(shard, tag): cost_to_text(cost) for (shard, tag), cost in costs.items()})

    def of_key(self, first: date, last: date, key: str) -> Iterator[tuple[date, Shard, str, ShardCost]]:
        """Yield day, shard, value and cost of what is kept of a key from `first` to `last`, in order of the days."""
        for day, fields in self._days.between(first, last):
            for name in sorted(fields):
                account, region, kind, named, value = json.loads(name)
                if named == key:
                    yield day, Shard(account, region, kind), value, cost_from_text(fields[name])


def _field(shard: Shard, tag: Tag) -> str:
    return json.dumps([shard.account, shard.region, shard.kind, *tag], ensure_ascii=False, separators=(",", ":"))
