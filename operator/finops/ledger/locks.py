"""Keeps the objects of the ledger's bucket locked for as long as the ledger is in use. A duty of housekeeping.

A lock ends on a day that was fixed when the object was written, and the ledger needs each of its records for ever: one
that is deleted freezes the operator. So every object is visited again and again, and one with less than a third of
its time left is locked anew for the whole time. Nothing is remembered but the place: after a start the walk begins at
the first object, and S3 says until when each is locked. It costs a request for each object about twelve times in a
period, and every 30 days of a long one, so that a walk that is late is seen. Whoever stops using a bucket can delete
its objects a period after the last walk at the latest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from finops.errors import FinopsError
from finops.ports.bucket import LockedObjects, Stored
from finops.ports.clock import Clock

logger = logging.getLogger(__name__)
_VISITED_AT_ONCE: Final = 20
_LONGEST_TURN_SECONDS: Final = 1.0
"""Other duties wait meanwhile, the watches' canary among them."""
_WALKS_IN_A_PERIOD: Final = 12
_LONGEST_PAUSE: Final = timedelta(days=30)
"""Between two walks; the alert on a late one counts on it."""
_RETRY: Final = timedelta(minutes=10)


def renewed(now: datetime, until: datetime | None, period: timedelta) -> datetime | None:
    """Return until when an object is to be locked anew, None while a third of its time or more is left.

    Args:
        now: with a time zone, as every other time.
        until: the end of its lock; None when it has none, or nobody may know.
        period: for how long an object is locked.
    """
    return None if until is not None and until - now >= period / 3 else now + period


@dataclass(slots=True)
class LockRenewal:
    """Walks through the objects, some at each turn.

    Attributes:
        walked: called with the instant, in seconds since 1970, at which every object had been visited.
        refused: called after each turn with 1 where S3 or its settings refused it, else 0.
    """

    bucket: LockedObjects
    clock: Clock
    walked: Callable[[float], None] = lambda _at: None
    refused: Callable[[float], None] = lambda _refused: None
    _walk: Iterator[Stored] | None = None
    _period: timedelta = timedelta(0)
    _done: int = 0
    _due: datetime | None = None
    _failed: str = field(default="")

    def turn(self) -> None:
        """Visit the next objects; a refusal is logged once, and the walk begins again after a pause.

        Raises:
            AwsError, LedgerUnavailable: S3 refused a call or did not answer, or nothing says how long objects are kept.
        """
        if self._due is not None and self.clock.now() < self._due:
            return
        try:
            self._visit()
        except FinopsError as error:
            self._walk, self._due = None, self.clock.now() + _RETRY
            if self._failed != error.code:
                logger.warning("the locks of the ledger's objects are not renewed, and end: %s", error)
            self._failed = error.code
            self.refused(1)
            raise
        self.refused(0)

    def _visit(self) -> None:
        if self._walk is None:
            self._period, self._walk, self._done = self.bucket.period(), self.bucket.stored(), 0
        began, visited = self.clock.monotonic(), 0
        for stored in islice(self._walk, _VISITED_AT_ONCE):
            visited += 1
            self._renew(stored)
            if self.clock.monotonic() - began > _LONGEST_TURN_SECONDS:
                return
        if visited < _VISITED_AT_ONCE:
            if self._done:
                logger.info("the locks of %d objects of the ledger were renewed", self._done)
            self._walk, self._failed = None, ""
            self.walked(self.clock.now().timestamp())
            self._due = self.clock.now() + min(self._period / _WALKS_IN_A_PERIOD, _LONGEST_PAUSE)

    def _renew(self, stored: Stored) -> None:
        until = renewed(self.clock.now(), self.bucket.locked_until(stored), self._period)
        if until is not None:
            self.bucket.lock_until(stored, until)
            self._done += 1
