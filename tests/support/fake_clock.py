"""A clock that moves only when asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(slots=True)
class FakeClock:
    """Implements finops.ports.clock.Clock."""

    at: datetime = datetime(2026, 3, 10, 12, tzinfo=UTC)
    passed: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        self.at += timedelta(seconds=seconds)
