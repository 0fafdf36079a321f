"""Writes of one sink, one at a time in a thread of their own, so that a medium that hangs cannot hang us."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

from finops.errors import LedgerUnavailable


class TimedWrites:
    """After a time-out nothing more is written until the stuck write has ended."""

    def __init__(self, what: str, *, seconds: float, hint: str) -> None:
        """`what` begins a sentence of an error, `the ledger's file …`; `hint` says what to check."""
        self._what, self._seconds, self._hint = what, seconds, hint
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger-sink")
        self._running: Future[None] | None = None

    def check(self) -> None:
        """Raise LedgerUnavailable while a write is stuck."""
        if self._running is not None and not self._running.done():
            raise LedgerUnavailable(f"{self._what} still hangs", hint=self._hint)

    def run(self, write: Callable[[], None]) -> None:
        """Return when `write` has ended. Raises LedgerUnavailable when it takes too long, and what it raises itself."""
        self.check()
        self._running = self._pool.submit(write)
        try:
            self._running.result(self._seconds)
        except FutureTimeout as error:
            slow = f"{self._what} took longer than {self._seconds} seconds"
            raise LedgerUnavailable(slow, hint=self._hint) from error

    def close(self) -> None:
        """Stop the thread; a stuck write is left to the operating system."""
        self._pool.shutdown(wait=False, cancel_futures=True)
