"""AWS's own time, from the dates of STS's answers; never from this machine's wall clock, which may be wrong.

The deadline of a session for acting is written in this time (docs/adr/0023). Both bounds go on with the monotonic clock
between answers. Where that clock stood still with its virtual machine, the earlier bound is still true: a deadline
computed from it comes too soon, never too late.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final

from finops.ports.clock import Clock

_DRIFT: Final = 0.001
"""Twice what the kernel lets a correction of the time change the monotonic clock's rate by (500 ppm, adjtimex(2))."""
_PRECISION_SECONDS: Final = 1.0
"""An HTTP date has whole seconds, the rest is cut off (RFC 9110, section 5.6.7)."""
_SENT: Final = "finops_sent_at"


@dataclass(frozen=True, slots=True)
class Bounds:
    """AWS's time lay between `earliest` and `latest`, in seconds since 1970, at one instant of the monotonic clock."""

    instant: float
    earliest: float
    latest: float

    def at(self, instant: float) -> Bounds:
        """Return the bounds at a later instant: the same time has passed for AWS, but for the drift of our clock."""
        passed = max(instant - self.instant, 0.0)
        return Bounds(instant, self.earliest + passed * (1 - _DRIFT), self.latest + passed * (1 + _DRIFT))

    def narrowed_by(self, older: Bounds) -> Bounds:
        """Return what both say; these alone where they contradict each other, as after a standstill of our clock."""
        earliest, latest = max(self.earliest, older.earliest), min(self.latest, older.latest)
        return Bounds(self.instant, earliest, latest) if earliest <= latest else self


class ServerTime:
    """What is known of AWS's time. Thread-safe.

    Attributes:
        clock: only its monotonic time is asked; it must be the clock that the lease is held by.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._bounds: Bounds | None = None

    def now(self) -> Bounds | None:
        """Return AWS's time now; None before STS has answered this process for the first time."""
        with self._lock:
            bounds = self._bounds
        return None if bounds is None else bounds.at(self._clock.monotonic())

    def learn(self, date: str, sent: float) -> None:
        """Take in the date of an answer to a request that was sent at an instant of the monotonic clock."""
        seconds = http_date(date)
        if seconds is None:
            return
        instant = self._clock.monotonic()
        # The answer was dated after the request left and before it arrived here.
        found = Bounds(instant, seconds, seconds + _PRECISION_SECONDS + (instant - sent) * (1 + _DRIFT))
        with self._lock:
            self._bounds = found if self._bounds is None else found.narrowed_by(self._bounds.at(instant))

    def listen(self, session: Any) -> None:
        """Learn from every answer of STS to the clients of a botocore session."""
        session.register("before-call.sts", self._note_sending)
        session.register("after-call.sts", self._note_answer)

    def _note_sending(self, context: dict[str, Any], **_ignored: Any) -> None:
        context[_SENT] = self._clock.monotonic()

    def _note_answer(self, http_response: Any, context: dict[str, Any], **_ignored: Any) -> None:
        if _SENT in context:
            self.learn(str(http_response.headers.get("date") or ""), context[_SENT])


def http_date(text: str) -> float | None:
    """Return the seconds since 1970 that a `Date` header says; None when it says none."""
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None
