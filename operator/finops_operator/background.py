"""What runs in threads beside the event loop, and the one place where every error is caught.

A defect in the work on one policy, request, act or duty must not stop the work on the others: it is logged with its
trace, counted by part, and what it was about rests for a while. A loop that dies ends the process instead. Errors that
somebody expects are caught where they are expected, before they come here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from finops.domain.backoff import Backoff
from finops.ports.clock import Clock
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
_PAUSES: Final = Backoff(first=1.0, longest=60.0)
"""How long, in seconds, what met a defect rests; the same defect a second time rarely goes better."""


class Background:
    """Runs pieces of work one by one (`attempt`), and knows what rests after a defect; thread-safe."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._defects, self._clock = telemetry.defects, clock
        self._failures: dict[tuple[str, str], tuple[int, float]] = {}
        self._lock = threading.Lock()

    def attempt(
        self,
        part: str,
        what: str,
        work: Callable[[], Result],
        otherwise: Callable[[Exception], Result],
        *,
        about: str = "",
        fields: Mapping[str, object] | None = None,
    ) -> Result:
        """Run `work` and return what it returns; after an error that nobody expected, what `otherwise` makes of it.

        Args:
            part: label of the metric, one of `finops_operator.telemetry.PARTS`.
            what: the line of the log in case of a defect.
            work: what to run.
            otherwise: what follows a defect, such as a pause or a line in a status.
            about: what the work is about: after a defect it `rests`. Empty: the caller knows itself when to try again.
            fields: of the line of the log.
        """
        try:
            result = work()
        except Exception as error:  # the edge of all background work: one defect must not stop the rest
            logger.exception(what, extra=dict(fields or {}))
            self._defects.labels(part).inc()
            self._failed(part, about)
            return otherwise(error)
        with self._lock:
            self._failures.pop((part, about), None)
        return result

    def rests(self, part: str, about: str) -> bool:
        """Return whether the last work about this met a defect so shortly ago that it is left alone."""
        with self._lock:
            _, until = self._failures.get((part, about), (0, 0.0))
        return self._clock.monotonic() < until

    def _failed(self, part: str, about: str) -> None:
        if not about:
            return
        with self._lock:
            failures = self._failures.get((part, about), (0, 0.0))[0] + 1
            self._failures[part, about] = (failures, self._clock.monotonic() + _PAUSES.pause(failures))


def start_loop(name: str, work: Callable[[], None], died: Callable[[], None]) -> threading.Thread:
    """Start a loop that ends with the process, in a thread; `died` is called when an error ends it before.

    A loop that died unnoticed would leave an operator that seems alive: `died` ends the process, the pod starts again.
    """

    def guarded() -> None:
        try:
            work()
        except BaseException:
            logger.critical("loop %s died", name, exc_info=True)
            died()
            raise

    thread = threading.Thread(target=guarded, name=name)
    thread.start()
    return thread


def unended(threads: Iterable[threading.Thread], seconds: float) -> tuple[str, ...]:
    """Wait for threads, for at most `seconds` in all; return the names of those that still run.

    Nothing can end a thread that stands in a call to the outside. Whoever stops the process goes on without it: what it
    has not written down by now is as lost as at a kill, which every loop survives.
    """
    deadline = time.monotonic() + seconds
    waited = tuple(threads)
    for thread in waited:
        thread.join(max(0.0, deadline - time.monotonic()))
    return tuple(thread.name for thread in waited if thread.is_alive())
