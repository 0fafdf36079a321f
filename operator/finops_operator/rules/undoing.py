"""What the ledger and the status say about the undo of an act; pure.

The ledger decides whether an act may be undone and whether it was; the status shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from finops.crds.action_request import ActionRequest, ActionRequestSpec
from finops.crds.request_status import UndoStatus
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import TERMINAL, State, Vote
from finops_operator.rules.votes import request_reference

UNDO_FOR: Final = timedelta(days=30)
"""How long after its end an act can be undone: as long as its request is kept."""
UNDONE: Final = "ok"
"""Result of the record that an act was undone; the answers to those who asked for it are `proposed` and `refused`."""


def undo_until(records: Iterable[Record]) -> datetime | None:
    """Return until when approvers can ask for the undo of an act; None when there is nothing to undo.

    Args:
        records: the ledger's about its request. A dry run has none that it was verified.
    """
    verified: datetime | None = None
    for record in records:
        entry = record.entry
        if entry.kind is RecordKind.PROPOSED and entry.detail.get("undoes"):
            return None
        if entry.kind is RecordKind.UNDONE and entry.result == UNDONE:
            return None
        if entry.kind is RecordKind.VERIFIED and entry.result == State.SUCCEEDED:
            verified = record.time
    return None if verified is None else verified + UNDO_FOR


def undoes_an_act(records: Iterable[Record]) -> bool:
    """Return whether a request undoes an act, as was recorded when it was created."""
    return any(one.entry.kind is RecordKind.PROPOSED and bool(one.entry.detail.get("undoes")) for one in records)


def undone_reference(namespace: str, spec: ActionRequestSpec) -> str:
    """Return the ledger's name of the act that a request undoes, empty when it undoes none."""
    return "" if spec.undoes is None else f"{namespace}/{spec.undoes.name}/{spec.undoes.uid}"


def answer_id(ask: Vote) -> str:
    """Return the operation id of the answer to a person who asked for an undo."""
    return f"undo:{ask.uid}"


def answer_entry(act: ActionRequest, ask: Vote, request: str, reason: str) -> Entry:
    """Return the answer to a person who asked for an undo.

    Args:
        act: the request of the act.
        ask: the Approval that asks for its undo.
        request: the request that was made, in the ledger's name; empty when none was.
        reason: what came of it, in a sentence.
    """
    return Entry(
        operation_id=answer_id(ask),
        actor=ask.voter.handle,
        kind=RecordKind.UNDONE,
        request=request_reference(act),
        plan_hash=act.spec.plan_hash,
        result="proposed" if request else "refused",
        detail={"approval": ask.name, "undoRequest": request, "reason": reason},
    )


def undone_entry(act: ActionRequest, undo: ActionRequest) -> Entry:
    """Return the record that `undo` has undone `act`."""
    reference = request_reference(undo)
    return Entry(
        operation_id=f"undone:{act.metadata.uid}",
        actor="operator",
        kind=RecordKind.UNDONE,
        request=request_reference(act),
        plan_hash=act.spec.plan_hash,
        result=UNDONE,
        detail={"undoRequest": reference, "reason": f"Undone by request {undo.metadata.name}."},
    )


def with_answer(status: UndoStatus | None, answer: Record) -> UndoStatus:
    """Return how an undo stands once somebody who asked for it was answered; without a request it was refused."""
    known, detail = status or UndoStatus(), answer.entry.detail
    reference = str(detail["undoRequest"])
    update: dict[str, object] = {"answered": str(detail["approval"]), "message": str(detail["reason"])}
    if reference:
        name = reference.split("/")[1]
        # An answer that is shown late must not take back how that request ended.
        update |= {"request": name, "state": known.state if known.request == name else None}
    return known.model_copy(update=update)


def with_end(status: UndoStatus | None, undo: ActionRequest) -> UndoStatus | None:
    """Return how an undo stands once its request has ended; None when the status says so already, or is of another."""
    name, state = undo.metadata.name, undo.status.state
    if state not in TERMINAL or status is None or status.request != name or status.state is state:
        return None
    message = f"Undone by request {name}." if state is State.SUCCEEDED else f"Not undone: request {name} is {state}."
    return status.model_copy(update={"state": state, "message": message})
