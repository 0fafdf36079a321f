"""Whether the admission policies that bind a vote to its author are in force, and since when without a gap.

Votes and requests are only as good as these policies were when they were made. They are read at start and every few
seconds; while one is missing, weakened or unreadable nothing is decided and nothing begins. The ledger remembers which
objects were in force since when: whatever happened between two readings shows in their uid and generation, and what
was made before the last gap ended, or shortly after, does not count. All of these times are the API server's, as those
of votes are: the operator's own clock may be wrong.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.canonical import Json
from finops.errors import ClusterUnavailable, FinopsError
from finops.k8s.protection import AdmissionState, ObjectVersion
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger

logger = logging.getLogger(__name__)
_FRESH_SECONDS: Final = 5.0
_SETTLING: Final = timedelta(seconds=5)
"""An API server puts a policy or binding into force 0.5 to 0.9 seconds after it was created (measured): it learns of it
by a watch of its own, later under load. What is made meanwhile passes unchecked, however well they read."""
_SETTLING_SECONDS: Final = 1.0
_SETTLES: Final = "the admission policies were just made, and an API server takes a moment to enforce them"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_NOT_RECORDED: Final = "the admission policies changed, and the change is not recorded yet: the lease is not held"
"""Said at each start, before the lease is held: nothing is wrong, and the holder records the change."""

_NO_TIME: Final = "the API server's answer does not say what time it is there (header Date), so votes have no age"


class Protected(Protocol):
    """What decider and gate ask."""

    def problem(self, *, fresh: bool = False) -> str: ...

    def since(self) -> datetime: ...


@dataclass(slots=True)
class Protection:
    """Keeps the last reading. Thread-safe.

    Attributes:
        read: reads the policies now; raises Refused, ClusterUnavailable.
        may_write: whether this process holds the lease; only then a change is recorded.
    """

    read: Callable[[], AdmissionState]
    ledger: Ledger
    clock: Clock
    may_write: Callable[[], bool]
    _problem: str = "the admission policies were not read yet"
    _read_at: float | None = None
    _since: datetime = _NEVER
    _marks: tuple[ObjectVersion, ...] = ()
    _gap: bool = False
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def problem(self, *, fresh: bool = False) -> str:
        """Return why nothing may be decided or begun, empty while the policies are in force.

        Args:
            fresh: read them now, however recent the last reading is.
        """
        with self._lock:
            now = self.clock.monotonic()
            holds = _SETTLING_SECONDS if self._problem == _SETTLES else _FRESH_SECONDS
            if fresh or self._read_at is None or now - self._read_at >= holds:
                before, self._problem = self._problem, self._judge()
                self._read_at = now
                if self._problem != before:
                    _log(self._problem)
            return self._problem

    def since(self) -> datetime:
        """Return when the protection in force took effect for sure; what is not younger counts for nothing.

        Raises:
            ClusterUnavailable: none is known to be in force, so that no age can be judged. A reading that failed
                between two questions must hold what waits: it may neither end a request nor refuse a vote.
        """
        with self._lock:
            if self._problem:
                raise ClusterUnavailable(self._problem)
            return self._since

    def start_again(self) -> None:
        """Forget what was read of the ledger: another process may have recorded a change since."""
        with self._lock:
            self._marks, self._since, self._read_at = (), _NEVER, None

    def _judge(self) -> str:
        try:
            found = self.read()
            if found.problem:
                self._gap = True
                return f"{found.problem}: votes could be forged"
            return self._in_force(found)
        except FinopsError as error:
            return f"the admission policies cannot be judged: {error}"

    def _in_force(self, found: AdmissionState) -> str:
        problem = "" if not self._gap and found.marks == self._marks else self._take_in(found)
        # Until then votes wait: each of them would have to be refused, and each request that is made be withdrawn.
        settles = found.now is not None and found.now <= self._since
        return problem or (_SETTLES if settles else "")

    def _take_in(self, found: AdmissionState) -> str:
        """Record what is in force now if the ledger does not have it; return why that cannot be."""
        number, known = self._recorded()
        marks = _marks_of(known) if known is not None else ()
        since = datetime.fromisoformat(str(known.entry.detail["since"])) if known is not None else _NEVER
        if self._gap or marks != found.marks:
            if known is None and not self._gap and found.youngest is not None:
                since = found.youngest + _SETTLING
            elif known is None or self._gap or not _edited_once(marks, found.marks):
                # The clock that stamps votes, to the second as it does; what was made within it does not count either.
                if found.now is None:
                    return _NO_TIME
                since = max(found.now, found.youngest or found.now) + _SETTLING
            if not self.may_write():
                return _NOT_RECORDED
            self.ledger.append(_entry(number + 1, found.marks, since))
        self._marks, self._since, self._gap = found.marks, since, False
        return ""

    def _recorded(self) -> tuple[int, Record | None]:
        """Return the latest record of a change and its number; found by its numbered id, in a few questions."""
        high = 1
        while self.ledger.find(_id(high)) is not None:
            high *= 2
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.ledger.find(_id(middle)) is not None else (low, middle)
        return low, self.ledger.find(_id(low)) if low else None


def _edited_once(before: tuple[ObjectVersion, ...], after: tuple[ObjectVersion, ...]) -> bool:
    """Return whether each object is as it was, or was edited once from good to good, as an upgrade does: no gap.

    A binding says in which namespaces its policy is in force: one that was edited may have left some out until now,
    with an operator that did not serve them either.
    """
    if [one.name for one in before] != [one.name for one in after]:
        return False
    return all(
        old.uid == new.uid and (new == old or (_is_policy(new) and _next_version(old, new)))
        for old, new in zip(before, after, strict=True)
    )


def _is_policy(one: ObjectVersion) -> bool:
    return not one.name.startswith("ValidatingAdmissionPolicyBinding/")


def _next_version(old: ObjectVersion, new: ObjectVersion) -> bool:
    return new.generation == old.generation + 1 and new.hash != old.hash


def _id(number: int) -> str:
    return f"protection:{number}"


def _entry(number: int, marks: tuple[ObjectVersion, ...], since: datetime) -> Entry:
    objects: list[Json] = [
        {"name": one.name, "uid": one.uid, "generation": one.generation, "hash": one.hash} for one in marks
    ]
    return Entry(
        operation_id=_id(number),
        actor="operator",
        kind=RecordKind.PROTECTED,
        result="in force",
        detail={"since": since.isoformat(), "objects": objects},
    )


def _marks_of(record: Record) -> tuple[ObjectVersion, ...]:
    objects: Any = record.entry.detail["objects"]
    return tuple(
        ObjectVersion(str(one["name"]), str(one["uid"]), int(one["generation"]), str(one["hash"])) for one in objects
    )


def _log(problem: str) -> None:
    if problem == _NOT_RECORDED:
        logger.info("waiting for the lease: its holder records the admission policies, then decisions and acts begin")
    elif problem == _SETTLES:
        logger.info("waiting for a few seconds: %s", problem)
    elif problem:
        logger.error("nothing is decided and nothing begins: %s", problem)
    else:
        logger.info("the admission policies are in force")
