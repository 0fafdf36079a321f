"""Which instance types AWS offers in which zone: read by right-sizing, asked of AWS once a day per account and region.

Written and read by the scan. Zone names are an account's own (`us-east-1a` is not the same zone in two accounts), so
nothing is shared between accounts. One field per zone with the names in one text: about 15 kB.
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

    def in_zone(self, account: str, region: str, zone: str) -> frozenset[str] | None:
        """Return the types offered in `zone`, empty when AWS named none; None when AWS must be asked (again)."""
        with store_errors():
            marker, names = self._client.hmget(self._keys.offered(account, region), ["", zone])
        if marker is None:
            return None
        return frozenset(names.split(_SEPARATOR)) if names else frozenset()

    def put(self, account: str, region: str, zones: Mapping[str, Iterable[str]]) -> None:
        """Keep what AWS said about all zones of a region for a day, in place of what was kept before."""
        key = self._keys.offered(account, region)
        fields = {zone: _SEPARATOR.join(sorted(names)) for zone, names in zones.items()}
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            pipe.hset(key, mapping={"": "complete", **fields})
            pipe.expire(key, KEPT_SECONDS)
            pipe.execute()
