"""What the executor remembers of an act between two runs, so that it does not repeat itself; used by it alone.

Losing it loses nothing: whether something was called, the last sequence and the alarms come back with the next pass
over the ledger, and a status that is written once more says the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from finops.domain.audit import Record
from finops.domain.execution import Journal
from finops.ports.act import ActProgress, ActRequest
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


@dataclass(slots=True)
class Attention:
    """Since when this process has observed the resource of an act without a gap.

    A clock may be put, and a monotonic one stands still while its machine is suspended: each shows gaps of its own.
    """

    _since: float = 0.0
    _last: tuple[float, datetime] | None = None
    _steps: set[str] = field(default_factory=set)

    def until(self, monotonic: float, now: datetime, longest_gap_seconds: float) -> Attended:
        """Return what was attended to up to an observation that begins now; after a gap it begins anew."""
        if self._last is None or not _follows(self._last, (monotonic, now), longest_gap_seconds):
            self._since = monotonic
            self._steps.clear()
        return Attended(monotonic - self._since, frozenset(self._steps))

    def observed(self, monotonic: float, now: datetime) -> None:
        """Take in an observation, by when it began; one that failed is none."""
        self._last = (monotonic, now)

    def calls(self, step: str, attempt: int) -> None:
        """Note that this process is about to call a step: what a first call makes is no older than this."""
        if attempt == 1:
            self._steps.add(step)


def _follows(last: tuple[float, datetime], this: tuple[float, datetime], longest_gap_seconds: float) -> bool:
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
