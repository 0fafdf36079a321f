"""The log of changes that watches read, and the revision that numbers them."""

import asyncio
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from finops_sandbox.kubernetes.objects import Obj, StorageKey

HISTORY = 5_000


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the log: what happened to which object, and what it was before."""

    revision: int
    storage: StorageKey
    type: str
    obj: Obj
    old: Obj | None


class ChangeLog:
    """The latest changes, oldest first.

    Revisions start from the clock, so that a watcher of an earlier process gets the answer that its version is too old
    instead of being served nothing.

    Args:
        history: how many changes are kept; older ones are compacted away.
    """

    def __init__(self, history: int = HISTORY) -> None:
        self.revision = int(time.time() * 10)
        self.compacted = self.revision
        self.listeners: set[asyncio.Event] = set()
        self._history = history
        self._entries: deque[Change] = deque()

    def append(self, type_: str, storage: StorageKey, obj: Obj, old: Obj | None) -> None:
        """Give the object the next revision as its resourceVersion, log the change and wake the watches."""
        self.revision += 1
        obj["metadata"]["resourceVersion"] = str(self.revision)
        if len(self._entries) >= self._history:
            self.compacted = self._entries.popleft().revision
        self._entries.append(Change(self.revision, storage, type_, obj, old))
        self._wake()

    def expire(self) -> None:
        """Forget all entries: watchers that run, or resume from an earlier version, are answered 410 Gone."""
        self._entries.clear()
        self.revision += 1
        self.compacted = self.revision
        self._wake()

    def since(self, revision: int) -> Iterator[Change]:
        """Entries after a revision, oldest first; the walk starts at the end, so it costs what is new."""
        fresh: list[Change] = []
        for change in reversed(self._entries):
            if change.revision <= revision:
                break
            fresh.append(change)
        return reversed(fresh)

    def _wake(self) -> None:
        for event in self.listeners:
            event.set()
