"""How the undo of an act stands, read from the ledger each time it is shown; used by reports and by the undo loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.crds.invalid import InvalidObject
from finops.crds.request_status import UndoStatus
from finops.domain.audit import Record
from finops.errors import InvalidInput
from finops.ports.ledger import Ledger
from finops_operator.acts.journal import journal_of
from finops_operator.plugins.action import Action, Undo
from finops_operator.rules.undoing import latest_undo, may_be_gone, undo_shown, undo_until


@dataclass(frozen=True, slots=True)
class RecordedUndos:
    """Nothing of it is remembered: a status that is written late must not take back what another one shows.

    Attributes:
        request_of: reads a request of a namespace from the API server by its name, None when there is none.
    """

    ledger: Ledger
    actions: Mapping[str, Action]
    request_of: Callable[[str, str], ActionRequest | None]

    def of(self, act: ActionRequest) -> UndoStatus | None:
        """Return what the status of an act's request shows of its undo.

        Raises:
            LedgerUnavailable, LedgerDiverged: what became of it is not known now.
            ClusterUnavailable, Refused: whether the request to undo it still exists is not known now.
        """
        records = self.ledger.of_request(act.metadata.uid or "")
        action = self.actions.get(act.spec.action)
        possible = action is not None and action.undo is not None
        obstacle = _obstacle(action.undo, act, records) if action is not None and action.undo is not None else ""
        namespace, name, uid = (*latest_undo(records).split("/"), "", "", "")[:3]
        undo = self.ledger.of_request(uid) if uid else ()
        gone = bool(uid) and may_be_gone(undo) and self._is_gone(namespace, name, uid)
        return undo_shown(records, undo, possible=possible, obstacle=obstacle, gone=gone)

    def _is_gone(self, namespace: str, name: str, uid: str) -> bool:
        try:
            found = self.request_of(namespace, name)
        except InvalidObject:
            return False
        return found is None or found.metadata.uid != uid


def _obstacle(undo: Undo, act: ActionRequest, records: Sequence[Record]) -> str:
    """Return why this one act cannot be undone though others of its action can, in a sentence; empty when it can."""
    if undo_until(records) is None:
        return ""
    try:
        undo.parameters(act.spec.to_plan(), journal_of(records).made)
    except InvalidInput as error:
        instead = f"; {error.hint}" if error.hint else ""
        return f"The operator cannot undo this act: {error.message}{instead}."
    return ""
