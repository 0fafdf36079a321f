"""The bot's own threads for everything that may take longer than an acknowledgement.

Bolt runs all listeners on five threads; a slow one would starve every acknowledgement. Listeners therefore hand their
work in here and wait a bounded time for it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


class Workers:
    """A fixed number of threads and a bounded queue."""

    def __init__(self, *, threads: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._room = threading.BoundedSemaphore(threads + queue)
        self._idle = threading.Condition()
        self._open = 0

    def submit(self, job: Callable[[], T]) -> Future[T] | None:
        """Start a job, or return None when the queue is full or the pool has ended."""
        if not self._room.acquire(blocking=False):
            return None
        with self._idle:
            self._open += 1
        try:
            future = self._pool.submit(job)
        except RuntimeError:
            self._done()
            return None
        future.add_done_callback(self._finished)
        return future

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until nothing runs. Returns whether that came true in time."""
        with self._idle:
            return self._idle.wait_for(lambda: self._open == 0, timeout_seconds)

    def close(self) -> None:
        """Take no more jobs and do not wait for those that run."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _finished(self, future: Future[T]) -> None:
        self._done()
        if not future.cancelled() and (error := future.exception()) is not None:
            # Whoever waited may have gone on already; a defect must not vanish.
            _LOG.error("a job failed", exc_info=error)

    def _done(self) -> None:
        self._room.release()
        with self._idle:
            self._open -= 1
            self._idle.notify_all()
