"""What the executor remembers of an act between two runs, so that it does not repeat itself; used by it alone.

Losing it loses nothing: whether something was called, the last sequence and the alarms come back with the next pass
over the ledger, and a status that is written once more says the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from finops.domain.audit import Record
from finops.domain.execution import Journal
from finops.ports.act import ActProgress, ActRequest
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.acts.journal import RECORDS_LOST, alarms_of, lost_since_start
from finops_operator.plugins.action import Action, Attended
from finops_operator.rules.undoing import undone_act


@dataclass(slots=True)
class Act:
    """One act under way.

    Attributes:
        called: whether anything may have changed; known while the ledger is unreachable.
        turned: why the act was turned back, empty while it goes forward.
        alarms: steps for which a person was called.
        progress: what the status last showed.
        sequence: of the request's last record.
        started_at: time of the act's first intent.
        abandoned: why it only goes back, as the ledger says; None while that was not read under this lease.
        is_undo: whether the act undoes an earlier one.
    """

    request: ActRequest
    action: Action
    called: bool = False
    turned: str = ""
    alarms: set[str] = field(default_factory=set)
    progress: ActProgress | None = None
    sequence: int = 0
    started_at: datetime | None = None
    abandoned: str | None = None
    is_undo: bool = False

    @property
    def begun(self) -> bool:
        """Whether a first call was announced; until then the request is shown as it was approved and scheduled."""
        return self.started_at is not None

    def learn(self, records: tuple[Record, ...], journal: Journal) -> None:
        """Take over what the ledger holds."""
        self.sequence = records[-1].sequence if records else 0
        self.started_at = journal.entries[0].at if journal.entries else None
        self.called = journal.may_have_changed
        self.turned = journal.turned or ""
        self.alarms.update(alarms_of(records))
        self.is_undo = bool(undone_act(records))

    def learn_losses(self, ledger: Ledger, records: tuple[Record, ...]) -> None:
        """Let the act only go back where the ledger lost records of it.

        Whoever hands an act over may not know: one whose account was missing comes back by its object alone.

        Raises:
            LedgerUnavailable, LedgerDiverged: not known now.
        """
        if self.abandoned is None:
            self.abandoned = RECORDS_LOST if lost_since_start(ledger, records) else ""
        if self.abandoned:
            self.request = replace(self.request, only_back=self.abandoned, abandoned=self.abandoned)

    def announced(self, intent: Record) -> None:
        """Take over that a call was announced just now."""
        self.called, self.sequence = True, intent.sequence
        self.started_at = self.started_at or intent.time


Instant: TypeAlias = tuple[float, datetime]
"""One moment by both clocks: the monotonic one, in seconds, and the time of day."""


def instant(clock: Clock) -> Instant:
    """Return this moment."""
    return clock.monotonic(), clock.now()


@dataclass(slots=True)
class Attention:
    """Since when this process has observed the resource of an act without a gap.

    A clock may be put, and a monotonic one stands still while its machine is suspended: each shows gaps of its own.
    When within an observation the resource itself was read is not known: what lies between two readings of it is no
    longer than from the beginning of one observation to the end of the next.
    """

    _since: float = 0.0
    _last: Instant | None = None
    _whole: bool = False
    _steps: set[str] = field(default_factory=set)

    def until(self, began: Instant, longest_gap_seconds: float) -> Attended:
        """Return what was attended to up to an observation that begins now; after a gap it begins anew."""
        if self._last is None or not _follows(self._last, began, longest_gap_seconds):
            self._last = None
            self._steps.clear()
            return Attended()
        return Attended(began[0] - self._since, frozenset(self._steps))

    def observed(self, began: Instant, ended: Instant, longest_gap_seconds: float) -> None:
        """Take in an observation, by when it began and ended; one that failed is none."""
        self._whole = self._last is not None and _follows(self._last, ended, longest_gap_seconds)
        if not self._whole:
            self._since = ended[0]
            self._steps.clear()
        self._last = began

    def lasts(self, now: Instant, longest_gap_seconds: float) -> bool:
        """Return whether there is no gap up to now, neither within the last observation nor since it began."""
        return self._whole and self._last is not None and _follows(self._last, now, longest_gap_seconds)

    def calls(self, step: str, attempt: int) -> None:
        """Note that this process is about to call a step: what a first call makes is no older than this."""
        if attempt == 1:
            self._steps.add(step)


def _follows(last: Instant, this: Instant, longest_gap_seconds: float) -> bool:
    passed = (this[0] - last[0], (this[1] - last[1]).total_seconds())
    return all(0 <= seconds <= longest_gap_seconds for seconds in passed)


@dataclass(frozen=True, slots=True)
class Memory:
    """Acts by request uid. Each act is in one thread at a time."""

    _acts: dict[str, Act] = field(default_factory=dict)
    _attention: dict[str, Attention] = field(default_factory=dict)

    def attention(self, uid: str) -> Attention:
        """Return how the act's resource was observed."""
        return self._attention.setdefault(uid, Attention())

    def recall(self, request: ActRequest, action: Action) -> Act:
        """Return what is known of the act, with the request as it is now."""
        act = self._acts.setdefault(request.uid, Act(request, action))
        act.request, act.action = request, action
        return act

    def forget(self, uid: str) -> None:
        """The act ended, has announced no call, or is somebody else's."""
        self._acts.pop(uid, None)
        self._attention.pop(uid, None)
