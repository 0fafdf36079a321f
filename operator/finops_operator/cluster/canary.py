"""Is each watch alive? Every own write must come back as an event in time.

A watch can stand still without an error (a half-open connection, a lost right), and a probe that only answers HTTP
stays green all the while. So each write is remembered until the watch of its kind shows it; when nothing was written
for a while, one object of the kind is touched. The age of the oldest write still unseen feeds the liveness probe.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from finops.ports.clock import Clock

_SHOWN: Final = 50_000


@dataclass(slots=True)
class _Kind:
    pending: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)
    shown: dict[tuple[str, str], int] = field(default_factory=dict)
    """Highest version the watch has shown per object: an event may overtake the answer to the write it shows."""
    confirmed: float = 0.0


class Canary:
    """Keeps, per kind, the writes that the watch has not shown yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()

    def wrote(self, kind: str, key: tuple[str, str], version: str) -> None:
        """Remember a write that succeeded; `version` is the resource version the server answered."""
        if not version.isdecimal():
            return
        with self._lock:
            entry = self._of(kind)
            if entry.shown.get(key, -1) >= int(version):
                return
            pending = entry.pending
            # The oldest unseen write of an object keeps its time: later writes must not hide a dead watch.
            since = pending[key][1] if key in pending else self._clock.monotonic()
            pending[key] = (int(version), since)

    def saw(self, kind: str, key: tuple[str, str], version: str) -> None:
        """Take note of an event; it confirms every write of that object up to its version."""
        with self._lock:
            entry = self._of(kind)
            entry.confirmed = self._clock.monotonic()
            if not version.isdecimal():
                return
            if len(entry.shown) >= _SHOWN and key not in entry.shown:
                # The oldest are long confirmed; only the last seconds matter.
                del entry.shown[next(iter(entry.shown))]
            entry.shown[key] = max(int(version), entry.shown.pop(key, -1))
            written = entry.pending.get(key)
            if written is not None and int(version) >= written[0]:
                del entry.pending[key]

    def gone(self, kind: str, key: tuple[str, str]) -> None:
        """Forget an object that no longer exists."""
        with self._lock:
            self._of(kind).pending.pop(key, None)

    def idle(self, kind: str, seconds: float) -> bool:
        """Return whether nothing was confirmed or is awaited for `seconds`: time to touch an object."""
        with self._lock:
            entry = self._of(kind)
            return not entry.pending and self._clock.monotonic() - entry.confirmed > seconds

    def oldest_unseen_seconds(self) -> Mapping[str, float]:
        """Return per kind the age of the oldest write the watch has not shown, 0 when there is none."""
        now = self._clock.monotonic()
        with self._lock:
            return {
                kind: max((now - since for _, since in entry.pending.values()), default=0.0)
                for kind, entry in self._kinds.items()
            }

    def problem(self, limit_seconds: float) -> str:
        """Return what is wrong for the liveness probe, empty when all is well."""
        stale = [f"{kind} {age:.0f}s" for kind, age in self.oldest_unseen_seconds().items() if age > limit_seconds]
        return f"own writes never came back through the watch: {', '.join(sorted(stale))}" if stale else ""

    def _of(self, kind: str) -> _Kind:
        return self._kinds.setdefault(kind, _Kind(confirmed=self._clock.monotonic()))
