"""The double's time: the machine's clock plus an offset that tests and the demo may advance."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _system_now() -> datetime:
    return datetime.now(UTC)


class SandboxClock:
    """Timezone-aware UTC time that only ever goes forward."""

    def __init__(self, source: Callable[[], datetime] = _system_now) -> None:
        self._source = source
        self._offset = timedelta()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._source() + self._offset

    def advance(self, seconds: float) -> datetime:
        """Move the clock forward and return the new time.

        Raises:
            ValueError: for a negative amount; sessions and snapshots may not become younger.
        """
        if seconds < 0:
            raise ValueError("the clock only goes forward: advanceSeconds must not be negative")
        with self._lock:
            self._offset += timedelta(seconds=seconds)
        return self.now()

    def reset(self) -> None:
        with self._lock:
            self._offset = timedelta()


def naive_utc(moment: datetime) -> datetime:
    """Moto keeps naive UTC times; this is the only place where ours lose their zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def aware_utc(moment: datetime) -> datetime:
    """Give moto's naive UTC time its zone back."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
