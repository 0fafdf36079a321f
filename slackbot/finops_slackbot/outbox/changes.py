"""Which requests changed since somebody last asked: noted by the watches, taken by the projection."""

from __future__ import annotations

import threading
from collections.abc import Collection


class Changes:
    """Uids that wait to be projected; an empty one stands for all."""

    def __init__(self) -> None:
        self._uids: set[str] = set()
        self._wake = threading.Condition()

    def note(self, uids: Collection[str]) -> None:
        """Add some, and wake whoever waits."""
        with self._wake:
            self._uids |= set(uids)
            self._wake.notify()

    def take(self, stop: threading.Event, seconds: float) -> set[str]:
        """Return those noted, waiting a while for the first; none are left."""
        with self._wake:
            self._wake.wait_for(lambda: bool(self._uids) or stop.is_set(), seconds)
            taken, self._uids = self._uids, set()
        return taken
