"""How the undo of an act stands, read from the ledger each time it is shown; used by reports and by the undo loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import UndoStatus
from finops.ports.ledger import Ledger
from finops_operator.plugins.action import Action
from finops_operator.rules.undoing import latest_undo, undo_shown


@dataclass(frozen=True, slots=True)
class RecordedUndos:
    """Nothing of it is remembered: a status that is written late must not take back what another one shows."""

    ledger: Ledger
    actions: Mapping[str, Action]

    def of(self, act: ActionRequest) -> UndoStatus | None:
        """Return what the status of an act's request shows of its undo. Raises LedgerUnavailable, LedgerDiverged."""
        records = self.ledger.of_request(act.metadata.uid or "")
        latest = latest_undo(records).rpartition("/")[2]
        action = self.actions.get(act.spec.action)
        possible = action is not None and action.undo is not None
        return undo_shown(records, self.ledger.of_request(latest) if latest else (), possible=possible)
