"""The status of an ActionRequest after each step of its story, as pure functions from status to status."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from finops.crds.conditions import ACTS_PAUSED, PAUSE_REASONS, with_condition
from finops.crds.request_status import ActionRequestStatus, Outcome, Votes
from finops.domain.decision import State, Tally
from finops_operator.rules.ending import ending

_LONGEST: Final = 1000


def proposed(status: ActionRequestStatus, *, required: int, fence: int) -> dict[str, Any]:
    """The request has been recorded in the ledger and waits for votes."""
    return _dump(
        status.model_copy(
            update={
                "state": State.PENDING,
                "votes": Votes.of(approve=0, deny=0, required=required),
                "fence": fence,
            }
        )
    )


def tallied(status: ActionRequestStatus, tally: Tally, *, fence: int, waits: str) -> dict[str, Any]:
    """Votes were counted; nothing was decided by them yet.

    `waits` says why nothing can be decided on a pending request, empty when votes are all that it waits for; what an
    approved one waits for is the gate's to say.
    """
    votes = Votes.of(approve=len(tally.approvals), deny=len(tally.denials), required=tally.required)
    update: dict[str, Any] = {"votes": votes, "fence": fence}
    if status.state is State.PENDING:
        update["outcome"] = _undecided(waits)
    return _dump(status.model_copy(update=update))


def says(status: ActionRequestStatus, waits: str) -> bool:
    """Return whether a status says already why nothing can be decided, or need not; see `tallied`."""
    return status.state is not State.PENDING or status.outcome == _undecided(waits)


def _undecided(why: str) -> Outcome | None:
    return Outcome(before={}, after={}, error=f"Waiting: {why}"[:_LONGEST]) if why else None


def decided(
    status: ActionRequestStatus,
    state: State,
    *,
    reason: str,
    message: str,
    tally: Tally,
    now: datetime,
    fence: int,
    is_undo: bool = False,
) -> dict[str, Any]:
    """The request left Pending (or was taken back before the act): conditions, votes and time of the decision.

    Only Approved and Denied become conditions; why it ended otherwise is in the state and the outcome. Its
    `message` names the next step after every end.
    """
    votes = Votes.of(approve=len(tally.approvals), deny=len(tally.denials), required=tally.required)
    update: dict[str, Any] = {
        "state": state,
        "votes": votes,
        "fence": fence,
        "decided_at": status.decided_at or now.replace(microsecond=0),
    }
    if state in {State.APPROVED, State.DENIED}:
        update["conditions"] = with_condition(
            status.conditions, state.value, status=True, reason=reason, message=message, now=now
        )
    if state is State.DENIED:
        # Why stands in the condition.
        update["outcome"] = Outcome(before={}, after={}, message=ending(state, "", is_undo=is_undo))
    elif state is State.APPROVED:
        # What kept it from being decided is over.
        update["outcome"] = None
    else:
        update["outcome"] = Outcome(before={}, after={}, error=message, message=ending(state, message, is_undo=is_undo))
    return _dump(status.model_copy(update=update))


def moved(status: ActionRequestStatus, state: State, *, fence: int, **update: Any) -> dict[str, Any]:
    """The request entered `state`; `update` holds other fields of the status by their Python names."""
    return _dump(status.model_copy(update={"state": state, "fence": fence, **update}))


def paused(status: ActionRequestStatus, message: str, *, now: datetime, fence: int) -> dict[str, Any]:
    """Acts of the request's kind and policy wait for a person; `message` says why, empty when they do no longer."""
    reason = PAUSE_REASONS[bool(message)]
    conditions = with_condition(
        status.conditions, ACTS_PAUSED, bool(message), reason, message or "No act waits.", now=now
    )
    return _dump(status.model_copy(update={"conditions": conditions, "fence": fence}))


def _dump(status: ActionRequestStatus) -> dict[str, Any]:
    return status.to_dict()
