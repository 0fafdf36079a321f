"""The circuit breaker: after an act failed, no further act of its kind and policy begins until a person resumes them.

An act whose watch finds it worse than promised has failed like one that was rolled back, whether it is undone or not.

Whether acts are paused is read from the ledger each time, so it holds after a restart; when the ledger does not answer,
nothing begins. The records stand in the story of the act that failed.

| operation id | kind | result | detail |
|---|---|---|---|
| `acts paused:NAMESPACE/POLICY/ACTION:N` | acts paused | paused | policy, action, the act's state and step, reason |
| `acts resumed:NAMESPACE/POLICY/ACTION:N` | acts resumed | resumed | policy, action, vote, reason; all up to N end |

Used by the executor when an act fails, by the watch of an act, by the gate before an act, and by the decider when a
person resumes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import State, Vote
from finops.ports.act import ActRequest
from finops.ports.ledger import Ledger
from finops_operator.decisions.series import Series
from finops_operator.rules.undoing import undone_act

FAILED: Final = frozenset({State.ROLLED_BACK, State.NEEDS_HUMAN})
"""States of an act after which others of its kind wait."""
WORSE: Final = State.SUCCEEDED
"""State of a failed act that was carried out as approved: what came of it was worse than promised."""
_LONGEST_REASON: Final = 900
_ENDED: Final = {
    State.ROLLED_BACK: "was rolled back",
    State.NEEDS_HUMAN: "needs a person",
    WORSE: "did worse than promised",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pause holds for: acts of one kind that one policy proposed."""

    namespace: str
    policy: str
    action: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.policy}/{self.action}"


@dataclass(frozen=True, slots=True)
class Failure:
    """How an act failed.

    Attributes:
        state: RolledBack or NeedsHuman; `WORSE` where its watch found it so.
        reason: why, for people.
        step: where it needs a person, empty when it is no single step.
    """

    state: State
    reason: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause in force: the record of the act that failed."""

    record: Record
    number: int

    @property
    def request(self) -> str:
        """Name of the request whose act failed."""
        return self.record.entry.request.split("/")[1]

    @property
    def uid(self) -> str:
        return self.record.entry.request.rpartition("/")[2]

    @property
    def by_watch(self) -> bool:
        """Whether the watch of an act made it: the act was carried out, and did worse than promised."""
        return self.record.entry.detail["state"] == WORSE

    @property
    def why(self) -> str:
        """What happened to that request, with the reason, in a sentence."""
        what = _ENDED[State(str(self.record.entry.detail["state"]))]
        reason = str(self.record.entry.detail["reason"]).strip().rstrip(".")
        return f"{self.request} {what}: {reason}." if reason else f"{self.request} {what}."


@dataclass(frozen=True, slots=True)
class Pauses:
    """Reads and writes pauses. Each method raises LedgerUnavailable, LedgerDiverged; those that write FenceLost too."""

    ledger: Ledger

    def in_force(self, scope: Scope, *, before: datetime | None = None) -> tuple[Pause, ...]:
        """Return the pauses that nobody has ended, the earliest first; of those only what began `before`, if given."""
        found = tuple(Pause(one.record, one.number) for one in reversed(self._of(scope).in_force()))
        return tuple(one for one in found if before is None or one.record.time < before)

    def next_id(self, scope: Scope) -> str:
        """Return the operation id that the next pause will have: while there is none, no act of the kind has failed."""
        return self._of(scope).next_id()

    def pause(self, scope: Scope, request: str, plan_hash: str, failure: Failure) -> None:
        """Record that an act failed; may be repeated for as long as nothing was called since a person resumed others.

        An act that needs a person is tried again. If that fails after others were resumed, they wait again.

        Args:
            scope: what is paused.
            request: `namespace/name/uid` of the failed act's request.
            plan_hash: of its plan.
            failure: what happened.
        """
        uid = request.rpartition("/")[2]
        same = [one for one in self.in_force(scope) if one.uid == uid and _is_of(one.record, failure)]
        if same or _is_known(self.ledger.of_request(uid), failure, self._of(scope).last_end()):
            return
        self._of(scope).begin(
            Entry(
                operation_id="",
                actor="operator",
                kind=RecordKind.PAUSED,
                request=request,
                plan_hash=plan_hash,
                result="paused",
                detail={
                    "policy": scope.policy,
                    "action": scope.action,
                    "state": failure.state.value,
                    "step": failure.step,
                    "reason": failure.reason[:_LONGEST_REASON],
                },
            )
        )

    def resume(self, scope: Scope, vote: Vote, recorded: Record) -> None:
        """Record that a person ended the pauses that were in force when they voted; may be repeated.

        Args:
            scope: what is resumed.
            vote: the counted vote of choice Resume. What failed after it was not known to the person and stays.
            recorded: its record.
        """
        covered = [one for one in self.in_force(scope, before=vote.at) if one.record.sequence < recorded.sequence]
        if not covered:
            return
        last = covered[-1]
        self._of(scope).end(
            last.number,
            Entry(
                operation_id="",
                actor=vote.voter.handle,
                kind=RecordKind.RESUMED,
                request=last.record.entry.request,
                plan_hash=last.record.entry.plan_hash,
                result="resumed",
                detail={
                    "policy": scope.policy,
                    "action": scope.action,
                    "vote": recorded.entry.operation_id,
                    "reason": vote.reason,
                },
            ),
        )

    def _of(self, scope: Scope) -> Series:
        return Series(self.ledger, RecordKind.PAUSED, RecordKind.RESUMED, str(scope))


def held_by(request: ActRequest, ledger: Ledger) -> Scope | None:
    """Return whose pauses hold this act; None: of nobody.

    A dry run calls nothing that changes. An undo is not one more act of its kind: people approved it for itself, and
    need not resume the others for it.
    """
    if request.dry_run or undone_act(ledger.of_request(request.uid)):
        return None
    return Scope(request.tenant.namespace, request.tenant.policy, request.plan.action)


def _is_of(record: Record, failure: Failure) -> bool:
    detail = record.entry.detail
    return detail["state"] == failure.state and detail["step"] == failure.step


def _is_known(records: Iterable[Record], failure: Failure, resumed: Record | None) -> bool:
    """Return whether the person who resumed others knew of this failure: its act has called nothing since."""
    has_paused, called = False, 0
    for record in records:
        entry = record.entry
        if entry.kind is RecordKind.PAUSED and _is_of(record, failure):
            has_paused = True
        elif entry.kind is RecordKind.INTENT or (entry.kind is RecordKind.OUTCOME and entry.attempt > 0):
            called = record.sequence
    return has_paused and (resumed is None or called < resumed.sequence)


def paused_sentence(scope: Scope, pauses: tuple[Pause, ...], resume_by: str) -> str:
    """Return why acts of a kind wait and what ends it; `resume_by` is the request that the command names."""
    more = f" ({len(pauses)} such acts failed.)" if len(pauses) > 1 else ""
    return (
        f"{scope.action} of policy {scope.policy} is paused: {pauses[-1].why}{more} "
        f"Find out why, then resume: finops resume {resume_by} -n {scope.namespace} --reason WHY"
    )
