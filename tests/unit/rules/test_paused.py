"""Which approved acts stand still, and why."""

from __future__ import annotations

import pytest
from tests.support.scan_samples import recommendation, request

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import Outcome
from finops.domain.decision import State
from finops_operator.rules.paused import in_one_line, paused, why_paused


def waiting(state: State | None, why: str | None, number: int = 1) -> ActionRequest:
    made = request(recommendation(number), state)
    outcome = None if why is None else Outcome(before={}, after={}, error=why)
    named = made.metadata.model_copy(update={"name": f"act-{number}"})
    return made.model_copy(
        update={"metadata": named, "status": made.status.model_copy(update={"state": state, "outcome": outcome})}
    )


@pytest.mark.parametrize(
    "state", [State.APPROVED, State.SCHEDULED, State.EXECUTING, State.VERIFYING, State.NEEDS_HUMAN]
)
def test_an_approved_act_that_says_why_it_does_not_go_on_is_paused(state: State) -> None:
    """Bullet "paused acts are seen where people look"."""
    assert why_paused(waiting(state, "Waiting: the policy is suspended.")) == "Waiting: the policy is suspended."


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (State.EXECUTING, None),
        (State.EXECUTING, "Turning back: the start failed"),
        (State.PENDING, "x"),
        (State.SUCCEEDED, "x"),
        (State.ROLLED_BACK, "x"),
        (None, "x"),
    ],
)
def test_what_goes_on_or_has_ended_is_not_paused(state: State | None, why: str | None) -> None:
    assert why_paused(waiting(state, why)) == ""


def test_the_line_of_readyz_counts_all_and_shows_three_in_one_line() -> None:
    acts = paused(waiting(State.APPROVED, f"Waiting:\nreason {number}", number) for number in range(5))

    assert in_one_line(acts) == (
        "5 approved acts wait: team-a/act-0: Waiting: reason 0; team-a/act-1: Waiting: reason 1; "
        "team-a/act-2: Waiting: reason 2; and 2 more"
    )
    assert in_one_line({}) == ""
    assert len(in_one_line({"a/b": "x" * 5000})) < 300
