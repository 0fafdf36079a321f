"""What the executor remembers of an act between two runs, so that it does not repeat itself; used by it alone.

Losing it loses nothing: whether something was called, the last sequence and the alarms come back with the next look at
the ledger, and a status that is written once more says the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from finops.domain.audit import Record
from finops.domain.execution import Journal
from finops.ports.act import ActProgress, ActRequest
from finops_operator.acting.records import alarms_of
from finops_operator.action_plugin import Action


@dataclass(slots=True)
class Act:
    """One act under way.

    Attributes:
        called: whether anything may have changed; known while the ledger is silent.
        alarms: steps for which a person was called.
        progress: what the status was last told.
        sequence, started_at: of the act's last and first record.
    """

    request: ActRequest
    action: Action
    called: bool = False
    alarms: set[str] = field(default_factory=set)
    progress: ActProgress | None = None
    sequence: int = 0
    started_at: datetime | None = None

    def learn(self, records: tuple[Record, ...], journal: Journal) -> None:
        """Take over what the ledger tells."""
        self.sequence = records[-1].sequence if records else 0
        self.started_at = journal.entries[0].at if journal.entries else None
        self.called = journal.may_have_changed
        self.alarms.update(alarms_of(records))


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
        """The act ended, has called nothing, or is somebody else's."""
        self._acts.pop(uid, None)
