"""The notice that something visible changed. The page waits for it; whoever changes the workspace gives it."""

import asyncio


class Changes:
    """Counts visible changes. `version` grows with each and never goes back, a reset of the workspace included."""

    def __init__(self) -> None:
        self.version = 0
        self._changed = asyncio.Event()

    def touch(self) -> None:
        """Count one change and wake everyone who waits."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait_newer(self, version: int, timeout_seconds: float) -> int:
        """Wait until the version is above the given one, or the time is over; return the version now."""
        changed = self._changed
        if self.version <= version:
            try:
                await asyncio.wait_for(changed.wait(), timeout=timeout_seconds)
            except TimeoutError:
                return self.version
        return self.version
