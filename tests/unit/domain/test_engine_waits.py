"""Waiting, verifying, giving up and calling people: the moves that time decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.resize_world import RESOURCE, START

from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Finish,
    Journal,
    JournalEntry,
    NeedsHuman,
    Observation,
    Procedure,
    Result,
    StepRules,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.plan import Plan, PlanStep

_PLAN = Plan("x", RESOURCE, {}, (PlanStep("do", "ec2:Do"), PlanStep("wait")), {"state": "a"})


def state(now: Observation) -> str:
    return now.text("state")


_RULES = {
    "do": StepRules(reached=lambda _, now: state(now) == "b", expected=lambda _, now: state(now) == "a"),
    "wait": StepRules(
        reached=lambda _, now: state(now) in {"b", "c"}, failed=lambda _, now: state(now) == "bad", timeout_seconds=100
    ),
    "undo": StepRules(reached=lambda _, now: state(now) == "a", expected=lambda _, now: state(now) in {"b", "bad"}),
    "rest": StepRules(reached=lambda _, now: state(now) == "z", timeout_seconds=100),
}
_PROCEDURE = Procedure(
    steps=_RULES,
    compensation=lambda _: (PlanStep("undo", "ec2:Undo"),),
    restored=lambda _, now: state(now) == "a",
    verified=lambda _, now: state(now) == "c",
    verify_seconds=50,
)
_DONE = Journal((JournalEntry("do", 1, START), JournalEntry("do", 1, START, Result.OK)))
_TURNED = replace(_DONE, turned="failed", turned_at=START)


def look(journal: Journal, word: str, seconds: float, procedure: Procedure = _PROCEDURE) -> Situation:
    now = Observation(exists=True, fingerprint={"state": word}, facts={"state": word})
    return Situation(_PLAN, procedure, journal, now, START + timedelta(seconds=seconds))


def test_the_end_state_is_waited_for_then_verified_or_given_up() -> None:
    waiting = next_move(look(_DONE, "b", 10))
    assert isinstance(waiting, WaitFor)
    assert waiting.verifying
    assert isinstance(next_move(look(_DONE, "c", 10)), Verified)
    assert isinstance(next_move(look(_DONE, "b", 51)), Compensate)


def test_a_wait_that_is_not_patient_turns_back_after_its_time() -> None:
    assert isinstance(next_move(look(_DONE, "x", 99)), WaitFor)
    assert isinstance(next_move(look(_DONE, "x", 101)), Compensate)


def test_a_failure_counts_once_the_settle_time_has_passed() -> None:
    assert isinstance(next_move(look(_DONE, "bad", 29)), WaitFor)
    assert isinstance(next_move(look(_DONE, "bad", 30)), Compensate)


def test_a_state_from_which_the_first_step_cannot_be_called_is_stale() -> None:
    odd = replace(_PROCEDURE, steps={**_RULES, "do": StepRules(reached=lambda _p, _o: False)})
    move = next_move(look(Journal(), "a", 0, odd))
    assert isinstance(move, Finish)
    assert move.state is State.STALE


def rejected(attempt: int = 1, *, retryable: bool = True) -> Journal:
    refused = JournalEntry("do", attempt, START, Result.REJECTED, "Throttling", retryable=retryable)
    return Journal((JournalEntry("do", attempt, START), refused))


def test_a_throttled_call_is_repeated_after_a_pause_and_only_from_the_expected_state() -> None:
    pause = next_move(look(rejected(), "a", 1))
    assert isinstance(pause, WaitFor)
    assert pause.seconds == pytest.approx(4)
    again = next_move(look(rejected(), "a", 6))
    assert isinstance(again, Call)
    assert again.attempt == 2
    assert isinstance(next_move(look(rejected(3), "a", 60)), Compensate)
    assert isinstance(next_move(look(rejected(retryable=False), "a", 60)), Compensate)


def test_a_retry_from_another_state_turns_back() -> None:
    changed = Journal(
        (
            JournalEntry("before", 1, START, Result.OK),
            *rejected().entries,
        )
    )
    assert isinstance(next_move(look(changed, "x", 60)), Compensate)


def test_the_rollback_calls_waits_for_the_effect_and_repeats_when_it_was_lost() -> None:
    first = next_move(look(_TURNED, "bad", 1))
    assert isinstance(first, Call)
    assert (first.step.id, first.attempt) == ("undo", 1)
    entries = (*_TURNED.entries, JournalEntry("undo", 1, START), JournalEntry("undo", 1, START, Result.OK))
    undone = replace(_TURNED, entries=entries)
    assert isinstance(next_move(look(undone, "bad", 10)), WaitFor)
    second = next_move(look(undone, "bad", 31))
    assert isinstance(second, Call)
    assert second.attempt == 2
    assert next_move(look(undone, "a", 10)) == Finish(State.ROLLED_BACK, "failed")


def test_the_rollback_calls_a_person_when_it_cannot_begin_for_long() -> None:
    short = next_move(look(_TURNED, "x", 10))
    assert isinstance(short, WaitFor)
    assert not short.alarm
    long = next_move(look(_TURNED, "x", 601))
    assert isinstance(long, WaitFor)
    assert long.alarm


def test_a_waiting_step_of_the_rollback_calls_a_person_after_its_time() -> None:
    waits = replace(_PROCEDURE, compensation=lambda _: (PlanStep("rest"),))
    early, late = next_move(look(_TURNED, "x", 10, waits)), next_move(look(_TURNED, "x", 101, waits))
    assert isinstance(early, WaitFor)
    assert isinstance(late, WaitFor)
    assert (early.alarm, bool(late.alarm)) == ("", True)


def test_a_rollback_that_is_done_but_leads_nowhere_needs_a_person() -> None:
    nowhere = replace(_PROCEDURE, compensation=lambda _: ())
    assert isinstance(next_move(look(_TURNED, "x", 10, nowhere)), NeedsHuman)


def test_a_clock_set_back_makes_nobody_impatient() -> None:
    assert isinstance(next_move(look(_DONE, "x", -1000)), WaitFor)
