"""Begins on a store that was restored from a backup: frozen, and with everything before the backup known as incomplete.

Called at each take-over, before anything is decided or carried on. Store, cluster and anchor may come from the same
backup and then fit each other perfectly: only the mark that `finops restore` left says that records may be missing.
"""

from __future__ import annotations

from finops.domain.audit import LOSS_ACCEPTED, Entry, RecordKind
from finops.errors import StoreUnavailable
from finops.ledger.durable import DurableLedger
from finops.store.backup import begun, is_being_restored, restored
from finops.store.connection import Store
from finops_operator.cluster.freeze import Freeze


def begin_restored(store: Store, ledger: DurableLedger, freeze: Freeze) -> None:
    """Freeze and record the loss before the mark goes: killed in between, the next process does the same again.

    Raises:
        StoreUnavailable: the restore has not ended, or the store does not answer; nothing may begin.
        LedgerUnavailable, LedgerDiverged, FenceLost, ClusterUnavailable, Refused: the same.
    """
    if is_being_restored(store):
        raise StoreUnavailable(
            "a restore into the store has not ended",
            hint="stop the operator and give `finops restore` again, with --replace",
        )
    taken = restored(store)
    if not taken:
        return
    freeze.begin_restored(taken)
    head = ledger.head()
    left = f"{head.sequence} {head.hash}"
    ledger.append(
        Entry(
            operation_id=f"restored:{taken}:{left}",
            actor="operator",
            kind=RecordKind.CHECKPOINT,
            result=LOSS_ACCEPTED,
            detail={
                "accepted": left,
                "problem": f"the store was restored from a backup of {taken}; what was recorded since is missing",
                "anchored": [],
            },
        )
    )
    begun(store)
