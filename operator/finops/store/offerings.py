"""What AWS offers where, in answer to a kind's question about a region; asked of AWS once a day per account and region.

Written and read by the scan. Places are an account's own (`us-east-1a` is not the same zone in two accounts), so
nothing is shared between accounts. One field per place with the names in one text: about 15 kB for a region's zones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from finops.store.connection import Store, store_errors

KEPT_SECONDS: Final = 86_400
_SEPARATOR: Final = " "


class OfferingStore:
    """Offerings by account and region. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = store.keys

    def in_place(self, account: str, region: str, question: str, place: str) -> frozenset[str] | None:
        """Return what is offered in `place`, empty when AWS named nothing; None when AWS must be asked (again)."""
        with store_errors():
            marker, names = self._client.hmget(self._keys.offered(account, region, question), ["", place])
        if marker is None:
            return None
        return frozenset(names.split(_SEPARATOR)) if names else frozenset()

    def put(self, account: str, region: str, question: str, places: Mapping[str, Iterable[str]]) -> None:
        """Keep what AWS said about all places of a region for a day, instead of what was kept before."""
        key = self._keys.offered(account, region, question)
        fields = {place: _SEPARATOR.join(sorted(names)) for place, names in places.items()}
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            pipe.hset(key, mapping={"": "complete", **fields})
            pipe.expire(key, KEPT_SECONDS)
            pipe.execute()
