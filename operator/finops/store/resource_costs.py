"""What each resource costs, as the last scan priced it: read by reports, listings and pages instead of pricing again.

Written by the scan page by page. Kept as unit prices and quantities, so that a reader can ask for any number of hours a
month. What is gone is dropped by the scan that misses it; a shard that no scan touches for 70 days goes as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.price import BilledQuantity, Cost, Price, cost_from
from finops.domain.resource import Shard
from finops.store.connection import Store, store_errors

_KEPT_SECONDS: Final = 70 * 86_400
NOT_PRICED: Final = Cost(None, None, missing=("the scan that lists it has not priced it yet",))
"""What a reader shows for a resource that a scan has listed a moment ago."""


class ResourceCostStore:
    """Costs of all shards.

    Raises (all methods):
        StoreUnavailable: the server does not answer.
    """

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = store.keys

    def put(self, shard: Shard, costs: Mapping[str, Cost]) -> None:
        """Keep the costs of one page by resource id; writing them twice changes nothing."""
        if not costs:
            return
        key = self._keys.shard(shard).costs
        fields = {resource_id: cost_to_text(cost) for resource_id, cost in costs.items()}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=fields)
            pipe.expire(key, _KEPT_SECONDS)
            pipe.execute()

    def many(self, shard: Shard, ids: Sequence[str], hours_per_month: Decimal) -> dict[str, Cost]:
        """Return resource id → cost in a month of so many hours; `NOT_PRICED` where there is none yet."""
        if not ids:
            return {}
        with store_errors():
            texts = self._client.hmget(self._keys.shard(shard).costs, list(ids))
        return {
            resource_id: cost_from_text(text, hours_per_month) if text else NOT_PRICED
            for resource_id, text in zip(ids, texts, strict=True)
        }

    def forget(self, shard: Shard, ids: Sequence[str]) -> None:
        """Drop the costs of resources that are gone."""
        if ids:
            with store_errors():
                self._client.hdel(self._keys.shard(shard).costs, *ids)


def cost_to_text(cost: Cost) -> str:
    """Return the compact record: a row for each priced part, and what has no price."""
    rows = [
        [
            one.dimension,
            f"{one.quantity:f}",
            f"{one.price.amount:f}",
            one.price.unit,
            one.price.source,
            one.price.as_of.isoformat(),
            one.price.currency,
            None if one.used_in_hours is None else f"{one.used_in_hours:f}",
        ]
        for one in cost.components
    ]
    return json.dumps([rows, list(cost.missing)], separators=(",", ":"))


def cost_from_text(text: str, hours_per_month: Decimal = DEFAULT_HOURS_PER_MONTH) -> Cost:
    """Return the cost behind `cost_to_text` in a month of so many hours."""
    rows, missing = json.loads(text)
    return cost_from(map(_quantity, rows), missing, hours_per_month)


def _quantity(row: Sequence[Any]) -> BilledQuantity:
    """Return one priced part; a row that was stored without the measured hours is no part by use."""
    dimension, quantity, amount, unit, source, as_of, currency = row[:7]
    price = Price(Decimal(amount), unit, source, date.fromisoformat(as_of), currency)
    hours = row[7] if len(row) > len(row[:7]) else None
    return BilledQuantity(dimension, Decimal(quantity), price, None if hours is None else Decimal(hours))
