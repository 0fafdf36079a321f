"""The circuit breaker: after an act failed, no further act of its kind and policy begins until a person resumes them.

Whether acts are paused is read from the ledger each time, so it holds after a restart; when the ledger does not answer,
nothing begins. The records stand in the story of the act that failed.

| operation id | kind | result | detail |
|---|---|---|---|
| `acts paused:NAMESPACE/POLICY/ACTION:N` | acts paused | paused | policy, action, state of the failed act, reason |
| `acts resumed:NAMESPACE/POLICY/ACTION:N` | acts resumed | resumed | policy, action, vote, reason; all up to N end |

Used by the executor when an act fails, by the gate before an act, and by the decider when a person resumes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import State, Vote
from finops.ports.ledger import Ledger
from finops_operator.decisions.series import Series

FAILED: Final = frozenset({State.ROLLED_BACK, State.NEEDS_HUMAN})
"""States of an act after which others of its kind wait."""
_LONGEST_REASON: Final = 900
_ENDED: Final = {State.ROLLED_BACK: "was rolled back", State.NEEDS_HUMAN: "needs a person"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a pause holds for: acts of one kind that one policy proposed."""

    namespace: str
    policy: str
    action: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.policy}/{self.action}"


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
    def why(self) -> str:
        """What happened to that request, with the reason, in a sentence."""
        what = _ENDED[State(str(self.record.entry.detail["state"]))]
        reason = str(self.record.entry.detail["reason"]).strip().rstrip(".")
        return f"{self.request} {what}: {reason}." if reason else f"{self.request} {what}."


@dataclass(frozen=True, slots=True)
class Pauses:
    """Reads and writes pauses. Each method raises LedgerUnavailable, LedgerDiverged; those that write FenceLost too."""

    ledger: Ledger

    def in_force(self, scope: Scope) -> tuple[Pause, ...]:
        """Return the pauses that nobody has ended, the earliest first."""
        return tuple(Pause(one.record, one.number) for one in reversed(self._of(scope).in_force()))

    def pause(self, scope: Scope, request: str, plan_hash: str, state: State, reason: str) -> None:
        """Record that an act failed, once per act and state.

        Args:
            scope: what is paused.
            request: `namespace/name/uid` of the failed act's request.
            plan_hash: of its plan.
            state: RolledBack or NeedsHuman.
            reason: why, for people.
        """
        records = self.ledger.of_request(request.rpartition("/")[2])
        if any(one.entry.kind is RecordKind.PAUSED and one.entry.detail["state"] == state for one in records):
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
                    "state": state.value,
                    "reason": reason[:_LONGEST_REASON],
                },
            )
        )

    def resume(self, scope: Scope, vote: Vote, recorded: Record) -> None:
        """Record that a person ended the pauses that were in force when their vote was counted; may be repeated.

        Args:
            scope: what is resumed.
            vote: the counted vote of choice Resume.
            recorded: its record. Pauses after it were not known to the person and stay.
        """
        series = self._of(scope)
        last = next((one for one in series.in_force() if one.record.sequence < recorded.sequence), None)
        if last is None:
            return
        series.end(
            last,
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


def paused_sentence(action: str, policy: str, pauses: tuple[Pause, ...], resume_by: str) -> str:
    """Return why acts of a kind wait and what ends it; `resume_by` is the request that the command names."""
    more = f" ({len(pauses)} such acts failed.)" if len(pauses) > 1 else ""
    return (
        f"{action} of policy {policy} is paused: {pauses[-1].why}{more} "
        f"Find out why, then resume: finops resume {resume_by} --reason WHY"
    )
