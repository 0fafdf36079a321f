"""How the undo of an act stands, read from the ledger each time it is shown; used by reports and by the undo loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.crds.invalid import InvalidObject
from finops.crds.request_status import UndoStatus
from finops.ports.ledger import Ledger
from finops_operator.plugins.action import Action
from finops_operator.rules.undoing import latest_undo, may_be_gone, undo_shown


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
        namespace, name, uid = (*latest_undo(records).split("/"), "", "", "")[:3]
        undo = self.ledger.of_request(uid) if uid else ()
        gone = bool(uid) and may_be_gone(undo) and self._is_gone(namespace, name, uid)
        return undo_shown(records, undo, possible=possible, gone=gone)

    def _is_gone(self, namespace: str, name: str, uid: str) -> bool:
        try:
            found = self.request_of(namespace, name)
        except InvalidObject:
            return False
        return found is None or found.metadata.uid != uid
