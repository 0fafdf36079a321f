"""Writes decisions: into the ledger first, then into the request's status, which is only their picture.

Used by the decider, under its lock. A crash between the two is made up for by the next pass, which finds the record and
a status that does not show it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.domain.audit import Record
from finops.domain.decision import BEFORE_ACT, TERMINAL, State, Tally, Trigger
from finops.errors import Conflict
from finops.ports.ledger import Ledger
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.act_stage import has_begun, last_sequence, recorded_facts
from finops_operator.decisions.verdicts import RecordedVerdicts
from finops_operator.killpoint import killpoint
from finops_operator.rules import request_status
from finops_operator.rules.votes import state_of, tally_of_decision

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class DecisionWriter:
    """Writes decisions on requests; see `finops_operator.decisions.decider.Decider` for the attributes."""

    ledger: Ledger
    votes: RecordedVerdicts
    requests: Objects[ActionRequest]
    fence: Callable[[], int]
    ended: Callable[[ActionRequest], None]

    def record(self, request: ActionRequest, trigger: Trigger, votes: Tally, message: str) -> ActionRequest:
        """Record a decision and show it; return the request as it stands then.

        Raises:
            As `Decider.advance`.
        """
        record = self._decide(request, trigger, votes, message)
        killpoint("decided.recorded")
        return self._show(request, record)

    def _decide(self, request: ActionRequest, trigger: Trigger, votes: Tally, message: str) -> Record:
        """Record the decision unless the act makes its first call in this instant: it is not ended then."""
        for last in (False,) * (_TRIES - 1) + (True,):
            after = last_sequence(self.ledger, request.metadata.uid or "")
            facts = recorded_facts(self.ledger, request)
            if facts.state not in BEFORE_ACT:
                raise Conflict("the act has begun meanwhile", code="ActBegun")
            try:
                return self.votes.decide(request, facts, trigger, votes, message, after=after)
            except Conflict:
                # Any record about the request refuses it, also a harmless one such as the note that its card is posted.
                if last:
                    raise
        raise AssertionError("the last try returns or raises")

    def as_recorded(self, request: ActionRequest) -> ActionRequest:
        """Write a decision into a status that does not show it yet; nothing is decided twice."""
        uid, shown = request.metadata.uid or "", state_of(request)
        record = None if shown in TERMINAL else self.votes.decision(uid)
        if record is None:
            return request
        approved = record.entry.result == State.APPROVED
        # What has begun in spite of a final decision is the executor's to end.
        behind = shown is State.PENDING if approved else not has_begun(self.ledger, uid)
        return self._show(request, record) if behind else request

    def show_votes(self, request: ActionRequest, votes: Tally, waits: str) -> ActionRequest:
        """Write how many votes count into the status, and why a pending request waits, if it shows something else."""
        shown, counted = request.status.votes, (len(votes.approvals), len(votes.denials))
        are_shown = shown is not None and (shown.approve, shown.deny) == counted
        if are_shown and request_status.says(request.status, waits):
            return request
        return self.requests.write_status(
            request, lambda current: request_status.tallied(current.status, votes, fence=self.fence(), waits=waits)
        )

    def _show(self, request: ActionRequest, record: Record) -> ActionRequest:
        expected, decided = state_of(request), record.entry
        if State(decided.result) in TERMINAL:
            self.ended(request)
        votes = tally_of_decision(record, self.votes.ever_counted(request.metadata.uid or ""))

        def change(current: ActionRequest) -> dict[str, Any]:
            if state_of(current) is not expected:
                raise Conflict(f"the request is {state_of(current).value} by now", code="StateChanged")
            return request_status.decided(
                current.status,
                State(decided.result),
                reason=str(decided.detail["trigger"]),
                message=str(decided.detail["message"]),
                tally=votes,
                now=record.time,
                fence=self.fence(),
                is_undo=current.spec.undoes is not None,
            )

        return self.requests.write_status(request, change)
