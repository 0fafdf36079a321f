"""What people read at the end: why, how things are now, and the next step, the same wherever they read it."""

from __future__ import annotations

import pytest

from finops.domain.decision import TERMINAL, State
from finops_operator.rules.ending import ending

FOUND = "The instance is running with type m5.large."
AGAIN = "If it is still recommended and allowed, it is proposed again in"
LOOK = "Check the resource in AWS. The operator continues by itself as soon as it can."


@pytest.mark.parametrize(
    ("state", "reason", "said"),
    [
        (State.SUCCEEDED, f"{FOUND} To undo it: start it.", f"{FOUND} To undo it: start it."),
        (
            State.ROLLED_BACK,
            f"start failed: InsufficientInstanceCapacity. {FOUND}",
            f"start failed: InsufficientInstanceCapacity. {FOUND} {AGAIN} 7 days.",
        ),
        (
            State.STALE,
            "It changed. Nothing was called.",
            "It changed. Nothing was called. If it is still recommended, the next scan proposes a new plan.",
        ),
        (
            State.WITHDRAWN,
            "Policy p no longer exists",
            f"Policy p no longer exists. Nothing was changed. {AGAIN} a day.",
        ),
        (
            State.EXPIRED,
            "Expired before it was carried out.",
            f"Expired before it was carried out. Nothing was changed. {AGAIN} a day.",
        ),
        (State.DENIED, "", "Nothing was changed. It is not proposed again for 30 days."),
        (State.SUPERSEDED, "New.", "New. Nothing was changed. Vote on the newer request, if there is one."),
        (State.NEEDS_HUMAN, "start_again failed", f"start_again failed. {LOOK}"),
    ],
)
def test_an_end_says_why_how_things_are_and_what_comes_next(state: State, reason: str, said: str) -> None:
    assert ending(state, reason) == said


@pytest.mark.parametrize(
    ("state", "next_step"),
    [
        (State.SUCCEEDED, "To have it done, set the policy's actions.mode to Approve."),
        (State.ROLLED_BACK, "Grant the denied permissions. The next attempt is in 7 days."),
    ],
)
def test_a_dry_run_says_how_to_have_it_done(state: State, next_step: str) -> None:
    assert ending(state, "Dry run, nothing was changed.", dry_run=True) == f"Dry run, nothing was changed. {next_step}"


@pytest.mark.parametrize("state", sorted(TERMINAL - {State.SUCCEEDED}))
def test_an_undo_is_proposed_again_only_when_somebody_asks(state: State) -> None:
    said = ending(state, "Why. Nothing was changed.", is_undo=True)

    assert said == "Why. Nothing was changed. An approver can ask for the undo again."


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL - {State.NEEDS_HUMAN}))
def test_nothing_is_said_of_an_end_before_there_is_one(state: State) -> None:
    assert ending(state, "Waiting: frozen") == ""


def test_a_very_long_reason_leaves_room_for_the_next_step() -> None:
    said = ending(State.ROLLED_BACK, "x" * 5000)
    assert len(said) < 1024
    assert said.endswith("in 7 days.")


@pytest.mark.parametrize("length", [840, 860, 1_000, 2_000])
def test_a_long_reason_hides_neither_that_a_call_had_no_answer_nor_what_was_found(length: int) -> None:
    found = '"Change the volume" had no answer, and whether AWS carried it out is not known. The volume has type gp3.'

    text = ending(State.WITHDRAWN, f"Denied: {'a' * length}. {found}")

    assert found in text
    assert "Nothing was changed" not in text
    assert len(text) < 1_024
