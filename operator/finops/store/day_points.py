"""Daily values in Redis: packed, by metric and resource.

Part of the utilization store, for the measure stage, which decides by them and asks once a day, and for the charts of
readers. A shard that no scan touches for 70 days goes as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from redis.client import NEVER_DECODE

from finops.domain.days import DayPoints, pack_days, unpack_days
from finops.domain.resource import Shard
from finops.store.connection import Store, store_errors

_KEPT_SECONDS: Final = 70 * 86_400


class DayPointStore:
    """Daily values of all shards.

    Raises (all methods):
        StoreUnavailable: the server does not answer.
    """

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = store.keys

    def read(self, shard: Shard, metrics: Sequence[str], ids: Sequence[str]) -> dict[tuple[str, str], DayPoints]:
        """Return (resource id, metric) → what its days were last answered with, in one round trip."""
        if not ids or not metrics:
            return {}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for metric in metrics:
                # The client decodes text; these are bytes.
                pipe.execute_command("HMGET", self._key(shard, metric), *ids, **{NEVER_DECODE: []})
            answers = pipe.execute()
        found: dict[tuple[str, str], DayPoints] = {}
        for metric, row in zip(metrics, answers, strict=True):
            for resource_id, data in zip(ids, row, strict=True):
                points = unpack_days(data) if data else None
                if points is not None:
                    found[resource_id, metric] = points
        return found

    def put(self, shard: Shard, days: Mapping[tuple[str, str], DayPoints]) -> None:
        """Keep daily values by (resource id, metric); writing them twice changes nothing."""
        by_metric: dict[str, dict[str, bytes]] = {}
        for (resource_id, metric), points in days.items():
            by_metric.setdefault(metric, {})[resource_id] = pack_days(points)
        if not by_metric:
            return
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for metric, fields in by_metric.items():
                key = self._key(shard, metric)
                pipe.hset(key, mapping=fields)
                pipe.expire(key, _KEPT_SECONDS)
            pipe.execute()

    def forget(self, shard: Shard, metrics: Sequence[str], ids: Sequence[str]) -> None:
        """Drop the days of resources that no longer exist."""
        if not ids or not metrics:
            return
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for metric in metrics:
                pipe.hdel(self._key(shard, metric), *ids)
            pipe.execute()

    def _key(self, shard: Shard, metric: str) -> str:
        return f"{self._keys.shard(shard).ring(metric)}:days"
