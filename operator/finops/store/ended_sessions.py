"""Sessions of the dashboard that their people have ended, so that a copy of a cookie opens nothing on any replica.

Kept by hash, for as long as the cookie could still be opened.
"""

from __future__ import annotations

from hashlib import sha256

from finops.store.connection import Store, store_errors
from finops.store.keys import WebKeys


class EndedSessions:
    """Ended sessions on one store. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._keys = WebKeys(store.keys.prefix)

    def end(self, session: str, *, keep_seconds: int) -> None:
        """Remember that the session is over."""
        with store_errors():
            self._client.set(self._key(session), "1", ex=keep_seconds)

    def has(self, session: str) -> bool:
        """Return whether its person has ended the session."""
        with store_errors():
            return bool(self._client.exists(self._key(session)))

    def _key(self, session: str) -> str:
        return self._keys.ended(sha256(session.encode()).hexdigest())
