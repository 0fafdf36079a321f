"""What the ledger says about the undo of an act; pure.

The ledger alone decides whether an act may be undone, whether it was, and what its status shows of that: a status that
is written late, or by the next process, is made of the same records.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from finops.crds.action_request import ActionRequest, ActionRequestSpec
from finops.crds.request_status import UndoStatus
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import TERMINAL, WATCH, Choice, State, Vote, Voter
from finops.domain.watching import PROPOSE_UNDO, Health
from finops_operator.rules.standing import ending_record
from finops_operator.rules.votes import recorded_vote, request_reference

UNDO_FOR: Final = timedelta(days=30)
"""How long after its end an act can be undone: as long as its request is kept."""
UNDONE: Final = "ok"
"""Result of the record that an act was undone; the answers to those who asked for it are `proposed` and `refused`."""
_PROPOSED: Final = "proposed"
_ENDS: Final = frozenset(state.value for state in TERMINAL)


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


def undone_act(records: Iterable[Record]) -> str:
    """Return the ledger's name of the act that a request undoes, as recorded when it was created; empty for none."""
    return next(
        (
            str(one.entry.detail["undoes"])
            for one in records
            if one.entry.kind is RecordKind.PROPOSED and one.entry.detail.get("undoes")
        ),
        "",
    )


def undone_reference(namespace: str, spec: ActionRequestSpec) -> str:
    """Return the ledger's name of the act that a request undoes, empty when it undoes none."""
    return "" if spec.undoes is None else f"{namespace}/{spec.undoes.name}/{spec.undoes.uid}"


def latest_undo(records: Iterable[Record]) -> str:
    """Return the ledger's name of the latest request that undoes an act; empty while none was made.

    Args:
        records: the ledger's about the act.
    """
    named = [
        str(one.entry.detail["undoRequest"])
        for one in records
        if one.entry.kind is RecordKind.UNDONE and one.entry.result in {_PROPOSED, UNDONE}
    ]
    return named[-1] if named else ""


def unanswered_asks(records: Sequence[Record]) -> tuple[Vote, ...]:
    """Return who asked for the undo of an act, was counted, and has no answer in the ledger; in the ledger's order.

    The watch asks once at most, by its record of a worse state.
    """
    answered = {one.entry.operation_id for one in records if one.entry.kind is RecordKind.UNDONE}
    asks = [ask for one in records if (ask := _ask(one)) is not None]
    return tuple(ask for ask in asks if answer_id(ask) not in answered)


def watch_ask_uid(act_uid: str) -> str:
    """Return what stands for the Approval's uid where the watch of an act asks for its undo."""
    return f"{WATCH}-{act_uid}"


def _ask(record: Record) -> Vote | None:
    """Return the ask that a record holds; None when it is about something else."""
    entry = record.entry
    if entry.kind is RecordKind.VOTED and entry.result == "counted" and entry.detail.get("choice") == Choice.UNDO:
        return recorded_vote(record)
    if (
        entry.kind is not RecordKind.WATCHED
        or entry.result != Health.WORSE
        or entry.detail.get(PROPOSE_UNDO) is not True
    ):
        return None
    uid = entry.request.rpartition("/")[2]
    return Vote(
        uid=watch_ask_uid(uid),
        name="",
        request_uid=uid,
        plan_hash=entry.plan_hash,
        choice=Choice.UNDO,
        reason=str(entry.detail.get("reason") or ""),
        voter=Voter(WATCH, ""),
        at=record.time,
    )


def may_be_gone(undo: Sequence[Record]) -> bool:
    """Return whether an undo ends with its request: once it has called AWS or has ended, the ledger says what follows.

    Args:
        undo: the ledger's records about the request that undoes an act.
    """
    return _end_of(undo) is None and all(one.entry.kind is not RecordKind.INTENT for one in undo)


def undo_shown(
    act: Sequence[Record], undo: Sequence[Record], *, possible: bool, obstacle: str = "", gone: bool = False
) -> UndoStatus | None:
    """Return what the status of an act's request shows of its undo; None while there is nothing to show.

    Args:
        act: the ledger's records about the act.
        undo: those about the latest request that undoes it.
        possible: whether the operator can undo such an act.
        obstacle: why it cannot undo this one all the same, in a sentence; said until there is more to say.
        gone: whether that request was deleted before it called AWS: the gate lets nothing begin without its object, so
            people may ask again.
    """
    until = undo_until(act) if possible and not obstacle else None
    shown = UndoStatus(until=None if until is None else until.replace(microsecond=0), message=obstacle or None)
    latest, end = latest_undo(act), _end_of(undo)
    answer = next((one for one in reversed(act) if _answers_an_ask(one)), None)
    if answer is not None:
        detail = answer.entry.detail
        shown = shown.model_copy(update={"answered": str(detail["approval"]) or None, "message": str(detail["reason"])})
    if latest:
        shown = shown.model_copy(update={"request": latest.split("/")[1]})
    if latest and end is not None:
        state = State(end.entry.result)
        shown = shown.model_copy(update={"state": state})
        # Whoever asked again after an undo had failed is answered later; nobody's answer takes back that it was done.
        if answer is None or answer.sequence < end.sequence or state is State.SUCCEEDED:
            shown = shown.model_copy(update={"message": _ended(latest.split("/")[1], state)})
    elif latest and gone:
        name = latest.split("/")[1]
        shown = shown.model_copy(
            update={"state": State.WITHDRAWN, "message": f"Not undone: request {name} was deleted."}
        )
    return None if shown == UndoStatus() else shown


def _answers_an_ask(record: Record) -> bool:
    return record.entry.kind is RecordKind.UNDONE and record.entry.result != UNDONE


def _end_of(records: Sequence[Record]) -> Record | None:
    """Return the record with which a request ended: that of its act, else the decision after which none may begin."""
    begun = False
    for one in records:
        entry = one.entry
        if entry.kind is RecordKind.VERIFIED or (entry.kind is RecordKind.OUTCOME and entry.result in _ENDS):
            return one
        begun = begun or entry.kind is RecordKind.INTENT
    # What has begun in spite of a decision is the executor's to end.
    return None if begun else ending_record(records)


def _ended(name: str, state: State) -> str:
    return f"Undone by request {name}." if state is State.SUCCEEDED else f"Not undone: request {name} is {state}."


def answer_id(ask: Vote) -> str:
    """Return the operation id of the answer to a person who asked for an undo."""
    return f"undo:{ask.uid}"


def answer_entry(act: ActionRequest, ask: Vote, request: str, reason: str) -> Entry:
    """Return the answer to a person, or to the watch, that asked for an undo.

    Args:
        act: the request of the act.
        ask: the Approval that asks for its undo, or what stands for it.
        request: the request that was made, in the ledger's name; empty when none was.
        reason: what came of it, in a sentence.
    """
    return Entry(
        operation_id=answer_id(ask),
        actor="operator" if ask.voter.source == WATCH else ask.voter.handle,
        kind=RecordKind.UNDONE,
        request=request_reference(act),
        plan_hash=act.spec.plan_hash,
        result=_PROPOSED if request else "refused",
        detail={"approval": ask.name, "undoRequest": request, "reason": reason},
    )


def undone_id(act_uid: str) -> str:
    """Return the operation id of the record that an act was undone: there is one at most."""
    return f"undone:{act_uid}"


def undone_entry(act: Record, undo: Record) -> Entry:
    """Return the record that an act was undone.

    Args:
        act: the record that it was verified.
        undo: the record that the request which undoes it was verified.
    """
    reference, done = act.entry.request, undo.entry.request
    return Entry(
        operation_id=undone_id(reference.rpartition("/")[2]),
        actor="operator",
        kind=RecordKind.UNDONE,
        request=reference,
        plan_hash=act.entry.plan_hash,
        result=UNDONE,
        detail={"undoRequest": done, "reason": _ended(done.split("/")[1], State.SUCCEEDED)},
    )


def verified_record(records: Iterable[Record]) -> Record | None:
    """Return the record that the end of an act was read back from AWS."""
    return next((one for one in records if one.entry.kind is RecordKind.VERIFIED), None)
