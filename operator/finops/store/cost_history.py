"""Daily cost per account, region and kind: one hash a day, the last scan of the day wins, kept 400 days.

Written at the end of every scan for the shards it judged whole; read by `finops costs` and by the outlook. Kinds
(`ec2-instance`) are finer than AWS's services, and add up to them.
All policies write here, so the figures are those of a month of 730 hours, whatever a policy counts with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.store.connection import Store, store_errors

KEPT_DAYS: Final = 400
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class DailyCost:
    """What one account spent per month in one region on one kind of resource, at that day's inventory and prices."""

    day: date
    account: str
    region: str
    kind: str
    cost: ShardCost


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield the days `first` to `last`."""
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


class DailyHashes:
    """A hash for each day: of the costs of whole shards, or of one `part` of them, as `keys` names it.

    Raises (all methods):
        StoreUnavailable: the server does not answer.
    """

    def __init__(self, store: Store, part: str = "") -> None:
        self._client: Any = store.client
        self._keys = store.keys
        self._part = part

    def put(self, day: date, fields: Mapping[str, str]) -> None:
        """Write fields of a day; the same fields again replace what they held."""
        if not fields:
            return
        key, writes = (self._keys.cost(day.isoformat(), self._part, written=one) for one in (False, True))
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping=fields)
            pipe.expire(key, KEPT_DAYS * _DAY_SECONDS)
            pipe.incr(writes)
            pipe.expire(writes, KEPT_DAYS * _DAY_SECONDS)
            pipe.execute()

    def writes(self, first: date, last: date) -> dict[date, int]:
        """Return each of the days `first` to `last` and how often it was written.

        It is 0 where that is not known: nothing is kept of the day, or a release wrote it that did not count. Of days
        that come from a backup it goes on from when they were restored, in milliseconds since 1970.
        """
        days = list(days_between(first, last))
        with store_errors():
            found = self._client.mget([self._keys.cost(day.isoformat(), self._part, written=True) for day in days])
        return {day: int(text or 0) for day, text in zip(days, found, strict=True)}

    def of_days(self, days: Collection[date], names: Sequence[str]) -> Iterator[tuple[date, list[str | None]]]:
        """Yield each day with its fields of these names, None for each that is not kept of it; one answer for all."""
        if not days or not names:
            return
        # Once for all days: the client would encode each name again for each of them.
        encoded = [name.encode() for name in names]
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for day in days:
                pipe.hmget(self._keys.cost(day.isoformat(), self._part), encoded)
            found = pipe.execute()
        yield from zip(days, found, strict=True)

    def between(self, first: date, last: date) -> Iterator[tuple[date, Mapping[str, str]]]:
        """Yield each of the days `first` to `last` and its fields, none where nothing is kept of it."""
        for day in days_between(first, last):
            with store_errors():
                fields = self._client.hgetall(self._keys.cost(day.isoformat(), self._part))
            yield day, fields


class CostHistoryStore:
    """Daily costs. Raises as `DailyHashes`."""

    def __init__(self, store: Store) -> None:
        self._days = DailyHashes(store)

    def put(self, day: date, costs: Mapping[Shard, ShardCost]) -> None:
        """Write the monthly cost of whole shards; writing them again the same day replaces them."""
        self._days.put(day, {str(shard): cost_to_text(cost) for shard, cost in costs.items()})

    def between(self, first: date, last: date) -> Iterator[DailyCost]:
        """Yield what is kept of the days `first` to `last`, in order of day, account, region and kind."""
        for day, fields in self._days.between(first, last):
            for name in sorted(fields):
                account, region, kind = name.split(":", 2)
                yield DailyCost(day, account, region, kind, cost_from_text(fields[name]))


def cost_to_text(cost: ShardCost) -> str:
    """Return a cost as `amount resources unpriced`, with the number of groups where there are some."""
    groups = f" {cost.groups}" if cost.groups else ""
    return f"{cost.monthly_cost:f} {cost.resources} {cost.unpriced}{groups}"


def cost_from_text(text: str) -> ShardCost:
    """Return the cost behind `cost_to_text`."""
    amount, *counts = text.split()
    return ShardCost(Decimal(amount), *map(int, counts))
