"""Slack's own time inside the double.

Everything that ages in Slack (trigger ids, response URLs, rate buckets, event retries) reads this clock, so a test can
let thirty minutes pass at once. The server and the control API share one instance.
"""

import asyncio
import time
from collections.abc import Callable


class Clock:
    """Wall clock plus the seconds a test has added. Not thread-safe: lives on the server's event loop."""

    def __init__(self, source: Callable[[], float] = time.time) -> None:
        self._source = source
        self._offset_seconds = 0.0
        self._moved = asyncio.Event()

    def now(self) -> float:
        """Return seconds since the epoch, as Slack would see them."""
        return self._source() + self._offset_seconds

    @property
    def offset_seconds(self) -> float:
        """How far the double's time runs ahead of the machine's."""
        return self._offset_seconds

    def advance(self, seconds: float) -> None:
        """Move forward; sleepers whose time has come wake up. Raises ValueError for a step back."""
        if seconds < 0:
            raise ValueError("Slack's clock only moves forward")
        self._offset_seconds += seconds
        self._moved.set()
        self._moved = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Sleep in Slack's time: ends early in real time when the clock is advanced."""
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            moved = self._moved
            try:
                await asyncio.wait_for(moved.wait(), timeout=left)
            except TimeoutError:
                continue
