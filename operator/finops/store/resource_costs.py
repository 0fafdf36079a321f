"""What each resource costs, as the last scan priced it: read by reports, listings and pages instead of pricing again.

Written by the scan page by page. Kept as unit prices and quantities, so that a reader can ask for any number of hours a
month. What is gone is dropped by the scan that misses it; a shard that no scan touches for 70 days goes as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from finops.domain.money import DEFAULT_HOURS_PER_MONTH
from finops.domain.price import Attributed, BilledQuantity, Cost, GroupOf, Price, cost_from, cost_of_group
from finops.domain.resource import Shard
from finops.store.connection import Store, store_errors

_KEPT_SECONDS: Final = 70 * 86_400
_HOURS: Final = 7
_SKU: Final = 8
_LAST: Final = 9
"""Where a row has the measured hours, the number of the product and the price of the last units, if it has them."""
_REMEMBERED: Final = 4096
"""Costs that are remembered, some 2 KB each."""
NOT_PRICED: Final = Cost(None, None, missing=("the scan that lists it has not priced it yet",))
"""What a reader shows for a resource that a scan has listed a moment ago."""
_OF_AN_OLDER_RELEASE: Final = Cost(None, None, missing=("an older release priced it; the next scan does so anew",))


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
        """Return resource id → cost in a month of so many hours; `NOT_PRICED` where there is none yet.

        A group comes with what its members cost in the same month, as far as scans have priced them.
        """
        own = self._own(shard, ids, hours_per_month)
        for groups in _alike(own):
            members = self._members(shard, groups, hours_per_month)
            own |= {one: replace(own[one], attributed=Attributed(members[one])) for one in groups}
        return own

    def _own(self, shard: Shard, ids: Sequence[str], hours_per_month: Decimal) -> dict[str, Cost]:
        if not ids:
            return {}
        with store_errors():
            texts = self._client.hmget(self._keys.shard(shard).costs, list(ids))
        return {
            resource_id: cost_from_text(text, hours_per_month) if text else NOT_PRICED
            for resource_id, text in zip(ids, texts, strict=True)
        }

    def _members(
        self, shard: Shard, groups: Mapping[str, GroupOf], hours_per_month: Decimal
    ) -> dict[str, tuple[tuple[str, Cost], ...] | None]:
        """Return group → its members with their costs, None where they are not known; `groups` are of one sort."""
        first = next(iter(groups.values()))
        ids = {name: one.ids for name, one in groups.items()}
        if first.through:
            ids = self._through(replace(shard, kind=first.through), ids, hours_per_month)
        asked = list(dict.fromkeys(one for named in ids.values() for one in named or ()))
        costs = self._own(replace(shard, kind=first.kind), asked, hours_per_month)
        return {
            name: None if named is None else tuple((one, costs[one]) for one in named) for name, named in ids.items()
        }

    def _through(
        self, between: Shard, ids: Mapping[str, tuple[str, ...] | None], hours_per_month: Decimal
    ) -> dict[str, tuple[str, ...] | None]:
        """Return group → the members of the groups behind it, None as soon as those of one are not known."""
        asked = list(dict.fromkeys(one for named in ids.values() for one in named or ()))
        known = {
            one: None if cost.group is None else cost.group.ids
            for one, cost in self._own(between, asked, hours_per_month).items()
        }
        return {name: _all_members(named, known) for name, named in ids.items()}

    def forget(self, shard: Shard, ids: Sequence[str]) -> None:
        """Drop the costs of resources that are gone."""
        if ids:
            with store_errors():
                self._client.hdel(self._keys.shard(shard).costs, *ids)


def _alike(costs: Mapping[str, Cost]) -> list[dict[str, GroupOf]]:
    """Return the groups among `costs`, those apart that have members of another sort."""
    found: dict[tuple[str, str], dict[str, GroupOf]] = {}
    for name, cost in costs.items():
        if cost.group is not None:
            found.setdefault((cost.group.kind, cost.group.through), {})[name] = cost.group
    return list(found.values())


def _all_members(named: Sequence[str] | None, known: Mapping[str, tuple[str, ...] | None]) -> tuple[str, ...] | None:
    if named is None or any(known[one] is None for one in named):
        return None
    # No machine is in two groups; if AWS says so, it is counted once.
    return tuple(dict.fromkeys(member for one in named for member in known[one] or ()))


def cost_to_text(cost: Cost) -> str:
    """Return the compact record: a row for each priced part, and what has no price; of a group whose cost is its.

    The third place is null for what is no group: a record of an older release has none, and may be of either.
    """
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
            *_further(one.price),
        ]
        for one in cost.components
    ]
    group = None if cost.group is None else [cost.group.kind, cost.group.ids, cost.group.through, not cost.of_members]
    return json.dumps([rows, list(cost.missing), group], separators=(",", ":"))


def _further(price: Price) -> list[str]:
    if price.last is not None:
        return [price.sku, f"{price.last:f}"]
    return [price.sku] if price.sku else []


@lru_cache(maxsize=_REMEMBERED)
def cost_from_text(text: str, hours_per_month: Decimal = DEFAULT_HOURS_PER_MONTH) -> Cost:
    """Return the cost behind `cost_to_text` in a month of so many hours.

    What costs the same has the same text: a fleet has few of them, and all resources that share one share the value.
    A record of an older release with nothing billed is not known: it may be that of a group, which costs what its
    members cost.
    """
    rows, missing, *further = json.loads(text)
    if not (further or rows or missing):
        return _OF_AN_OLDER_RELEASE
    own = cost_from(map(_quantity, rows), missing, hours_per_month)
    if not further or further[0] is None:
        return own
    kind, ids, through, *billed_itself = further[0]
    group = GroupOf(kind, None if ids is None else tuple(ids), through)
    return replace(own, group=group) if any(billed_itself) else cost_of_group(group)


def _quantity(row: Sequence[Any]) -> BilledQuantity:
    """Return one priced part; a row without the measured hours is no part by use."""
    dimension, quantity, amount, unit, source, as_of, currency = row[:_HOURS]
    hours, sku = row[_HOURS] if len(row) > _HOURS else None, row[_SKU] if len(row) > _SKU else ""
    last = Decimal(row[_LAST]) if len(row) > _LAST else None
    price = Price(Decimal(amount), unit, source, date.fromisoformat(as_of), currency, sku, last)
    return BilledQuantity(dimension, Decimal(quantity), price, None if hours is None else Decimal(hours))
