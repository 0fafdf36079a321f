"""Which acts are approved and have not ended, which of them run, and when each is due again.

Filled by the request loop, emptied by the runner of acts; thread-safe. Nothing of an act is kept but its name and what
was approved: the rest is read again before each run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from finops.ports.act import ActRequest
from finops.ports.clock import Clock

ACTS_AT_ONCE: Final = 8
_BEGINNING_AT_ONCE: Final = ACTS_AT_ONCE - 2
"""Acts that have called nothing yet leave room for those that have to reach their end."""


@dataclass(slots=True)
class ApprovedAct:
    """An act that was approved and has not ended; it goes on when its object is gone.

    Attributes:
        last: as it was when last seen; the reserve for what no longer exists.
        at: monotonic time of the next pass.
        begun: whether it has come to its first changing call.
    """

    last: ActRequest
    at: float
    begun: bool


class ActsUnderWay:
    """Acts by uid; times are monotonic seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[str] = set()
        self._unfinished: dict[str, ApprovedAct] = {}
        self._lock = threading.Lock()

    def keep(self, acts: Iterable[ActRequest], *, begun: bool) -> None:
        """Add acts that are not known yet; `begun` says whether they have come to their first changing call."""
        with self._lock:
            for act in acts:
                self._unfinished.setdefault(act.uid, ApprovedAct(act, self._clock.monotonic(), begun))

    def has(self, uid: str) -> bool:
        """Return whether the act runs or waits for its turn."""
        with self._lock:
            return uid in self._running or uid in self._unfinished

    def begun(self) -> tuple[ActRequest, ...]:
        """Return the acts that have come to their first changing call and have not ended, as last seen.

        One that runs now counts as well: it may stand in that call.
        """
        with self._lock:
            found = self._unfinished.items()
            return tuple(one.last for uid, one in found if one.begun or uid in self._running)

    def wake(self, uid: str) -> None:
        """Make an act due at once."""
        with self._lock:
            if uid in self._unfinished:
                self._unfinished[uid].at = 0.0

    def times_after(self, instant: float) -> list[float]:
        """Return when acts are due, of those that are due after `instant`."""
        with self._lock:
            return [one.at for one in self._unfinished.values() if one.at > instant]

    def take_ready(self) -> list[ApprovedAct]:
        """Return the acts whose time has come and for which a thread is free; they count as running until `ran`.

        Those on their way to an end go first, then whoever waits longest.
        """
        now, taken = self._clock.monotonic(), []
        with self._lock:
            waiting = [
                (uid, one) for uid, one in self._unfinished.items() if one.at <= now and uid not in self._running
            ]
            for uid, one in sorted(waiting, key=lambda pair: (not pair[1].begun, pair[1].at)):
                if len(self._running) < (ACTS_AT_ONCE if one.begun else _BEGINNING_AT_ONCE):
                    self._running.add(uid)
                    taken.append(one)
        return taken

    def ran(self, uid: str, one: ApprovedAct, retry_after: float | None) -> None:
        """Note that a run is over: the act is due again after so many seconds, or with None has ended."""
        with self._lock:
            self._running.discard(uid)
            if retry_after is None:
                self._unfinished.pop(uid, None)
            else:
                one.at = self._clock.monotonic() + retry_after
