"""What happened in the workspace, for tests to read: every Web API call, and what must not happen in a test run."""

from collections import deque
from dataclasses import asdict
from typing import Any

from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.model import CallRecord, Json

# Older calls are dropped so that a demo left running for days stays small.
CALLS_KEPT = 20_000


class Record:
    """Calls and failures in order, oldest first."""

    def __init__(self, clock: Clock) -> None:
        self.calls: deque[CallRecord] = deque(maxlen=CALLS_KEPT)
        self.failures: list[Json] = []
        self._clock = clock

    def fail(self, what: str, **details: Any) -> None:
        """Record something that must not happen in a test run, such as a call of an unknown method."""
        self.failures.append({"time": self._clock.now(), "what": what, **details})

    def calls_of(self, method: str = "") -> list[Json]:
        """Return the calls of a method as JSON values, of all methods without one."""
        return [asdict(call) for call in self.calls if method in {"", call.method}]
