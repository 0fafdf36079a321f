"""The status of a request after each step of its story."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.scan_samples import NOW

from finops.crds.request_status import ActionRequestStatus, Outcome
from finops.domain.decision import State, Tally, Vote
from finops_operator.rules import request_status
from finops_operator.rules.ending import ending


def tally(approve: int, deny: int = 0) -> Tally:
    votes: Any = [None] * 9
    some: tuple[Vote, ...] = tuple(votes)
    return Tally(some[:approve], some[:deny], 2)


def status(document: dict[str, Any]) -> ActionRequestStatus:
    return ActionRequestStatus.model_validate_json(json.dumps(document))


def test_a_new_request_waits_with_no_votes() -> None:
    made = request_status.proposed(ActionRequestStatus(), required=2, fence=4)

    assert made["state"] == "Pending"
    assert made["votes"] == {"approve": 0, "deny": 0, "required": 2, "summary": "0/2"}
    assert made["fence"] == 4


def test_counting_votes_decides_nothing() -> None:
    made = request_status.tallied(ActionRequestStatus(state=State.PENDING), tally(1, 1), fence=5, waits="")

    assert (made["state"], made["votes"]["summary"], made["votes"]["deny"]) == ("Pending", "1/2", 1)
    assert "decidedAt" not in made


@pytest.mark.parametrize("state", [State.APPROVED, State.DENIED])
def test_an_answer_of_people_becomes_the_one_condition(state: State) -> None:
    made = request_status.decided(
        ActionRequestStatus(state=State.PENDING), state, reason="R", message="why", tally=tally(2), now=NOW, fence=1
    )

    assert [(one["type"], one["status"], one["message"]) for one in made["conditions"]] == [
        (state.value, "True", "why")
    ]
    assert made["decidedAt"] == "2026-03-10T12:30:00Z"


def test_after_a_denial_the_outcome_names_the_next_step() -> None:
    made = request_status.decided(
        ActionRequestStatus(), State.DENIED, reason="R", message="why", tally=tally(0, 1), now=NOW, fence=1
    )
    assert made["outcome"]["message"] == ending(State.DENIED, "")
    assert "error" not in made["outcome"]


@pytest.mark.parametrize("state", [State.EXPIRED, State.WITHDRAWN, State.SUPERSEDED])
def test_any_other_ending_is_put_into_a_sentence_and_keeps_the_decision(state: State) -> None:
    approved = status(
        request_status.decided(
            ActionRequestStatus(), State.APPROVED, reason="R", message="m", tally=tally(2), now=NOW, fence=1
        )
    )
    later = NOW + timedelta(hours=1)
    made = request_status.decided(approved, state, reason="R", message="gone", tally=tally(1), now=later, fence=2)

    assert made["state"] == state.value
    assert [one["type"] for one in made["conditions"]] == ["Approved"]
    assert made["outcome"]["error"] == "gone"
    assert made["outcome"]["message"] == ending(state, "gone")
    assert made["decidedAt"] == "2026-03-10T12:30:00Z"


def test_moving_on_keeps_everything_else() -> None:
    before = ActionRequestStatus(state=State.APPROVED, outcome=Outcome(before={}, after={}, error="waits"), fence=1)

    moved = request_status.moved(before, State.SCHEDULED, fence=3, outcome=None, scheduled_for=NOW)

    assert moved["state"] == "Scheduled"
    assert moved["scheduledFor"] == "2026-03-10T12:30:00Z"
    assert "outcome" not in moved
    assert request_status.moved(before, State.SCHEDULED, fence=3)["outcome"]["error"] == "waits"
