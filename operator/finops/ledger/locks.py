"""Keeps the objects of the ledger's bucket locked for as long as the ledger is in use. A duty of housekeeping.

A lock ends on a day that was fixed when the object was written, and the ledger needs each of its records for ever: one
that is deleted freezes the operator. So every object is visited again and again, and one with less than a third of
its time left is locked anew for the whole time. Nothing is remembered but the place: after a start the walk begins at
the first object, and S3 says until when each is locked. It costs a request for each object about twelve times in a
period, and every 30 days of a long one, so that a walk that is late is seen. An object that S3 refuses holds nothing
back: the walk goes on, says at its end how many were refused, and does not count as one that saw every object. Nor does
one that took longer than an eighth of a period, as after an outage: another one begins at once. Whoever
stops using a bucket can delete its objects a period after the last walk at the latest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from finops.errors import AwsDenied, AwsRejected, FinopsError
from finops.ports.bucket import LockedObjects, Stored
from finops.ports.clock import Clock

logger = logging.getLogger(__name__)
_VISITED_AT_ONCE: Final = 20
_LONGEST_TURN_SECONDS: Final = 1.0
"""Other duties wait meanwhile, the watches' canary among them."""
_WALKS_IN_A_PERIOD: Final = 12
_WALK_WITHIN: Final = 8
"""A walk that took longer than this part of a period saw nothing whole: a third of it was left where it was longest
ago, and from the beginning of a walk to the end of the next one no object may lose more: an eighth, the twelfth between
them and another eighth."""
_LONGEST_PAUSE: Final = timedelta(days=30)
"""Between two walks; the alert on a late one counts on it."""
_RETRY: Final = timedelta(minutes=10)
_RETRY_SOME: Final = timedelta(days=1)
"""After a walk in which S3 refused some objects and not all: a walk costs a request for each of them."""
_NAMED: Final = 5
"""So many of the refused objects are named."""
_REFUSALS: Final = (AwsDenied, AwsRejected)
"""What S3 answers about one object; everything else concerns them all, such as no answer or wrong credentials."""


def renewed(now: datetime, until: datetime | None, period: timedelta) -> datetime | None:
    """Return until when an object is to be locked anew, None while a third of its time or more is left.

    Args:
        now: with a time zone, as every other time.
        until: the end of its lock; None when it has none, or nobody may know.
        period: for how long an object is locked.
    """
    return None if until is not None and until - now >= period / 3 else now + period


@dataclass(slots=True)
class _Walk:
    """One walk through the objects.

    Attributes:
        left: the objects that were not visited yet; None after a call that had no answer, until they are listed again.
        period: for how long an object is locked.
        began: when it began.
        renewed, visited: numbers of objects.
        refused: objects that S3 refused; `names` are the first of them, `error` is what it said of the first.
        last: the object that was visited last, behind which the walk goes on.
    """

    left: Iterator[Stored] | None
    period: timedelta
    began: datetime
    last: Stored | None = None
    renewed: int = 0
    visited: int = 0
    refused: int = 0
    names: list[str] = field(default_factory=list)
    error: FinopsError | None = None

    def refuse(self, stored: Stored, error: FinopsError) -> None:
        """Note that S3 refused an object."""
        self.refused += 1
        self.error = self.error or error
        if self.refused <= _NAMED:
            self.names.append(stored.name)

    def is_in_time(self, now: datetime) -> bool:
        """Return whether what it passed first is locked until another walk comes by.

        It is not known where the clock was put back.
        """
        return timedelta(0) <= now - self.began <= self.period / _WALK_WITHIN

    @property
    def which(self) -> str:
        """Which objects were refused, for a line of the log."""
        return f"{self.refused} of the {self.visited} objects visited of the ledger ({', '.join(self.names)})"


@dataclass(slots=True)
class LockRenewal:
    """Walks through the objects, some at each turn.

    Attributes:
        walked: called with the instant, in seconds since 1970, at which every object had been visited and S3 refused
            none of them.
        refused: called after each turn with 1 where S3 or its settings refused it, or objects of this walk or of the
            last one, else 0.
    """

    bucket: LockedObjects
    clock: Clock
    walked: Callable[[float], None] = lambda _at: None
    refused: Callable[[float], None] = lambda _refused: None
    _walk: _Walk | None = None
    _some_refused: bool = False
    _due: datetime | None = None
    _failed: str = field(default="")

    def turn(self) -> None:
        """Visit the next objects; a refusal is logged once, and the walk begins again after a pause.

        Raises:
            AwsError, LedgerUnavailable: S3 refused a call or did not answer, or nothing says how long objects are kept.
                What it refused of single objects is raised at the end of the walk, after all others were visited.
        """
        if self._due is not None and self.clock.now() < self._due:
            return
        try:
            self._visit()
        except FinopsError as error:
            walk, self._due, which = self._walk, self.clock.now() + _RETRY, "the ledger's objects"
            if walk is not None and error is walk.error:
                self._walk, which, self._some_refused = None, walk.which, True
                if walk.refused < walk.visited:
                    self._due = self.clock.now() + min(_RETRY_SOME, walk.period / _WALKS_IN_A_PERIOD)
            elif walk is not None:
                # A walk that began anew after every lost answer would never end where there are many objects.
                walk.left = None
            if self._failed != error.code:
                logger.warning("the locks of %s are not renewed, and end: %s", which, error)
            self._failed = error.code
            self.refused(1)
            raise
        self.refused(int(self._some_refused or (self._walk is not None and self._walk.refused > 0)))

    def _visit(self) -> None:
        if self._walk is None:
            self._walk = _Walk(period=self.bucket.period(), left=self.bucket.stored(), began=self.clock.now())
        walk, began, visited = self._walk, self.clock.monotonic(), 0
        if walk.left is None:
            walk.left = self.bucket.stored(walk.last)
        for stored in islice(walk.left, _VISITED_AT_ONCE):
            visited += 1
            self._renew(walk, stored)
            if self.clock.monotonic() - began > _LONGEST_TURN_SECONDS:
                return
        if visited < _VISITED_AT_ONCE:
            self._end(walk)

    def _end(self, walk: _Walk) -> None:
        if walk.renewed:
            logger.info("the locks of %d objects of the ledger were renewed", walk.renewed)
        if walk.error is not None:
            raise walk.error
        self._walk, self._failed, self._some_refused = None, "", False
        if not walk.is_in_time(self.clock.now()):
            # The next one begins at once: it comes first to what was seen longest ago, however many there are.
            logger.warning("a walk through the locks of the ledger's objects took too long, and begins again")
            return
        self.walked(self.clock.now().timestamp())
        self._due = self.clock.now() + min(walk.period / _WALKS_IN_A_PERIOD, _LONGEST_PAUSE)

    def _renew(self, walk: _Walk, stored: Stored) -> None:
        try:
            until = renewed(self.clock.now(), self.bucket.locked_until(stored), walk.period)
            if until is not None:
                self.bucket.lock_until(stored, until)
                walk.renewed += 1
        except _REFUSALS as error:
            walk.refuse(stored, error)
        walk.visited, walk.last = walk.visited + 1, stored
