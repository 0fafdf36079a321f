"""Watches whose events a test gives one by one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.errors import Refused
from finops.k8s.kinds import WatchEvent

SYNCED: WatchEvent[Any] = WatchEvent("SYNCED", None, {})


class Played:
    """Watches by namespace whose events the test gives one by one."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self._events: dict[str | None, queue.Queue[WatchEvent[Any] | Refused]] = {}

    def give(self, namespace: str | None, *events: WatchEvent[Any] | Refused) -> None:
        for event in events:
            self._events.setdefault(namespace, queue.Queue()).put(event)

    def watch(self, stop: threading.Event, namespace: str | None = None) -> Iterator[WatchEvent[Any]]:
        self.asked.append(namespace)
        events = self._events.setdefault(namespace, queue.Queue())
        while not stop.is_set():
            try:
                event = events.get(timeout=0.02)
            except queue.Empty:
                continue
            if isinstance(event, Refused):
                raise event
            yield event


def shown(type_: str, seen: ActionRequest | Approval) -> WatchEvent[Any]:
    metadata = {"namespace": seen.metadata.namespace, "name": seen.metadata.name}
    return WatchEvent(type_, seen, {"metadata": metadata})
