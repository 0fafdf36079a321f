"""What lines of logs said of each resource, kept for a day each: the query that reads them is billed by what it reads.

What was read serves all policies. Beside it, which resources the scans of each policy left out on purpose, with why and
since when, until they are read or gone: another one selects others and may read more or less. Written and read by the
scan, for an account and region. About 640 bytes a resource.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from finops.domain.logged import LeftOut, Logged
from finops.domain.resource import Shard
from finops.store.connection import Store, store_errors
from finops.store.keys import LoggedKeys
from finops.store.records import Record

KEPT_SECONDS: Final = 86_400
LEFT_OUT_SECONDS: Final = 32 * 86_400
"""After the last scan that left one out: longer than a month, as often as the rarest scans come."""
_LOGGED: Final[Record[Logged]] = Record(Logged)
_LEFT_OUT: Final[Record[LeftOut]] = Record(LeftOut)


class LoggedStore:
    """What was read by resource. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = LoggedKeys(store.keys.prefix)

    def get(self, shard: Shard, metric: str, ids: Collection[str]) -> dict[str, Logged]:
        """Return id → what was read less than a day ago, without those of which nothing was, or nothing readable."""
        if not ids:
            return {}
        with store_errors():
            texts = self._client.mget([self._key(shard, metric, one) for one in ids])
        known = ((one, _LOGGED.value_or_none(text)) for one, text in zip(ids, texts, strict=True) if text is not None)
        return {one: value for one, value in known if value is not None}

    def put(self, shard: Shard, metric: str, found: Mapping[str, Logged]) -> None:
        """Keep what was read of some resources, each for a day from now."""
        if not found:
            return
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for one, value in found.items():
                pipe.set(self._key(shard, metric, one), _LOGGED.text(value), ex=KEPT_SECONDS)
            pipe.execute()

    def left_out(self, shard: Shard, metric: str, policy: tuple[str, str]) -> dict[str, LeftOut]:
        """Return id → why and since when a policy's scans leave it out, without those that are not readable.

        Here and below `policy` is (namespace, name).
        """
        with store_errors():
            texts: Mapping[str, str] = self._client.hgetall(self._left_out_key(shard, metric, policy))
        known = ((one, _LEFT_OUT.value_or_none(text)) for one, text in texts.items())
        return {one: value for one, value in known if value is not None}

    def leave_out(self, shard: Shard, metric: str, policy: tuple[str, str], found: Mapping[str, LeftOut]) -> None:
        """Keep why some resources are left out beside others."""
        if not found:
            return
        key = self._left_out_key(shard, metric, policy)
        texts = {one: _LEFT_OUT.text(value) for one, value in found.items()}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=texts)
            pipe.expire(key, LEFT_OUT_SECONDS)
            pipe.execute()

    def forget_left_out(self, shard: Shard, metric: str, policy: tuple[str, str], ids: Collection[str]) -> None:
        """Keep no more that these were left out: they were read, need it no more, or are gone."""
        if ids:
            with store_errors():
                self._client.hdel(self._left_out_key(shard, metric, policy), *ids)

    def _key(self, shard: Shard, metric: str, name: str) -> str:
        return self._keys.of_one(shard.account, shard.region, shard.kind, metric, name)

    def _left_out_key(self, shard: Shard, metric: str, policy: tuple[str, str]) -> str:
        return self._keys.left_out(shard.account, shard.region, shard.kind, metric, policy)
