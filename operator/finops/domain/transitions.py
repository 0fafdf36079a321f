"""The state machine of an ActionRequest, as pure code.

Asked by decider and request loop before they write a state; what votes lead to is in `decision`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.decision import State, Trigger

TRANSITIONS: Final[Mapping[tuple[State, Trigger], State]] = {
    (State.PENDING, Trigger.QUORUM_REACHED): State.APPROVED,
    (State.PENDING, Trigger.DENIED): State.DENIED,
    (State.PENDING, Trigger.SNOOZED): State.SNOOZED,
    (State.PENDING, Trigger.EXPIRED): State.EXPIRED,
    (State.PENDING, Trigger.WITHDRAWN): State.WITHDRAWN,
    (State.PENDING, Trigger.SUPERSEDED): State.SUPERSEDED,
    (State.APPROVED, Trigger.ADMITTED): State.SCHEDULED,
    (State.APPROVED, Trigger.WITHDRAWN): State.WITHDRAWN,
    (State.APPROVED, Trigger.QUORUM_LOST): State.WITHDRAWN,
    (State.APPROVED, Trigger.EXPIRED): State.EXPIRED,
    (State.SCHEDULED, Trigger.STARTED): State.EXECUTING,
    (State.SCHEDULED, Trigger.WITHDRAWN): State.WITHDRAWN,
    (State.SCHEDULED, Trigger.QUORUM_LOST): State.WITHDRAWN,
    (State.SCHEDULED, Trigger.EXPIRED): State.EXPIRED,
    (State.SCHEDULED, Trigger.RESOURCE_CHANGED): State.STALE,
    (State.EXECUTING, Trigger.RESOURCE_CHANGED): State.STALE,
    (State.EXECUTING, Trigger.WITHDRAWN): State.WITHDRAWN,
    (State.EXECUTING, Trigger.QUORUM_LOST): State.WITHDRAWN,
    (State.EXECUTING, Trigger.EXPIRED): State.EXPIRED,
    (State.EXECUTING, Trigger.STEPS_DONE): State.VERIFYING,
    (State.EXECUTING, Trigger.COMPENSATED): State.ROLLED_BACK,
    (State.EXECUTING, Trigger.STUCK): State.NEEDS_HUMAN,
    (State.VERIFYING, Trigger.VERIFIED): State.SUCCEEDED,
    (State.VERIFYING, Trigger.COMPENSATED): State.ROLLED_BACK,
    (State.VERIFYING, Trigger.STUCK): State.NEEDS_HUMAN,
    (State.NEEDS_HUMAN, Trigger.RESUMED): State.EXECUTING,
    (State.NEEDS_HUMAN, Trigger.COMPENSATED): State.ROLLED_BACK,
    (State.NEEDS_HUMAN, Trigger.VERIFIED): State.SUCCEEDED,
}
"""EXECUTING → Withdrawn, Expired and Stale hold only while nothing has been called: the executor fires them then."""


class IllegalTransition(ValueError):
    """A trigger that the state does not know: a defect, never a user's mistake."""


def next_state(state: State, trigger: Trigger) -> State:
    """Return the state that `trigger` leads to.

    Raises:
        IllegalTransition: the pair is not in TRANSITIONS.
    """
    try:
        return TRANSITIONS[state, trigger]
    except KeyError:
        raise IllegalTransition(f"{trigger} means nothing in state {state}") from None
