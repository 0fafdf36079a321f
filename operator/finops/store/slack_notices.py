"""How far the bot has taken the notices up, so that a bot that starts anew goes on where it stopped.

Written and read by the bot, under `slack:notices`. Taking a notice up twice is harmless: its message has one uid.
"""

from __future__ import annotations

from finops.store.connection import Store, store_errors


class SlackNotices:
    """Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._key = store.keys.slack("notices")

    def place(self) -> str:
        """Return the place in the stream of the last notice taken up; empty before the first."""
        with store_errors():
            return str(self._client.get(self._key) or "")

    def taken(self, place: str) -> None:
        """Go on behind `place`."""
        with store_errors():
            self._client.set(self._key, place)
