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
from finops_operator.plugins.action import Action
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


@dataclass(frozen=True, slots=True)
class Memory:
    """Acts by request uid. Each act is in one thread at a time."""

    _acts: dict[str, Act] = field(default_factory=dict)

    def recall(self, request: ActRequest, action: Action) -> Act:
        """Return what is known of the act, with the request as it is now."""
        act = self._acts.setdefault(request.uid, Act(request, action))
        act.request, act.action = request, action
        return act

    def forget(self, uid: str) -> None:
        """The act ended, has announced no call, or is somebody else's."""
        self._acts.pop(uid, None)
