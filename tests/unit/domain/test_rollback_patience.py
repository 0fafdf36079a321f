"""The way back never gives up, never calls AWS at one pace for ever, and calls a person in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.resize_world import NEW, OLD, RESOURCE, START, Instance, Simulation

from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Finish,
    Journal,
    JournalEntry,
    Move,
    NeedsHuman,
    Observation,
    Result,
    Settle,
    Verified,
    WaitFor,
)
from finops.domain.next_move import (
    ALARM_AFTER_FAILURES,
    BACKOFF_CAP_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Situation,
    next_move,
)
from finops_operator.plugins.action import Action
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

_RAN = {"state": "running", "instanceType": OLD, "launchTime": "t0"}
_PLAN = ACTION.plan(RESOURCE, {"instanceType": NEW}, _RAN)
_FALLEN = Instance(state="stopped", reason="Client.InternalError", launched="t9")


@dataclass(slots=True)
class Falling(Instance):
    """AWS accepts every start and takes the first `falls` of them back a little later."""

    falls: int = 10**9

    def settle(self, seconds: float) -> None:
        failing = self.state == "pending" and self.falls > 0
        Instance.settle(self, seconds)
        if failing and self.state == "running":
            self.falls -= 1
            self.state, self.reason = "stopped", "Client.InternalError"


def look(journal: Journal, instance: Instance, seconds: float) -> Move:
    return next_move(
        Situation(_PLAN, ACTION.procedure, journal, instance.observation, START + timedelta(seconds=seconds))
    )


def turned(*entries: tuple[str, int, Result]) -> Journal:
    stop = JournalEntry("stop", 1, START, Result.OK)
    made = tuple(JournalEntry(step, attempt, START, result) for step, attempt, result in entries)
    return Journal((stop, *made), turned="start failed", turned_at=START)


def test_a_person_reads_the_title_of_the_step_that_fails() -> None:
    third = turned(("start_again", 3, Result.REJECTED))
    seen, now = _FALLEN.observation, START + timedelta(seconds=40)
    titles = {"start_again": "Start the instance again"}

    titled = next_move(Situation(_PLAN, ACTION.procedure, third, seen, now, titles))
    untitled = next_move(Situation(_PLAN, ACTION.procedure, third, seen, now))

    assert alarm_of(titled).startswith('"Start the instance again" failed 3 times: ')
    assert alarm_of(untitled).startswith('"start again" failed 3 times: ')


def test_a_rollback_that_takes_too_long_names_the_step_by_its_title() -> None:
    titles = {"wait_stopped_again": "Wait until it is stopped"}
    stopping = Instance(state="stopping", kind=NEW)
    journal = turned(("start", 1, Result.OK), ("stop_again", 1, Result.OK))
    move = next_move(
        Situation(_PLAN, ACTION.procedure, journal, stopping.observation, START + timedelta(hours=1), titles)
    )

    assert alarm_of(move).startswith('"Wait until it is stopped": the rollback takes longer than ')


def alarm_of(move: Move) -> str:
    return move.alarm if isinstance(move, (Call, WaitFor)) else ""


def starts(world: Simulation) -> list[float]:
    return [
        (entry.at - START).total_seconds()
        for entry in world.journal.entries
        if entry.step == "start_again" and entry.result is None
    ]


def test_a_start_that_aws_accepts_and_takes_back_calls_a_person_and_is_tried_ever_more_rarely() -> None:
    world = Simulation(instance=Falling())
    assert world.run(most=3000) is None
    assert world.instance.kind == OLD
    told = [(alarm_of(move), index) for index, move in enumerate(world.moves) if alarm_of(move)]
    calls_before_alarm = [m for m in world.moves[: told[0][1]] if isinstance(m, Call) and m.step.id == "start_again"]
    assert len(calls_before_alarm) == ALARM_AFTER_FAILURES
    assert any("AWS accepted it and took it back" in text and "Client.InternalError" in text for text, _ in told)
    made = starts(world)
    pauses = [later - earlier for earlier, later in pairwise(made)]
    assert all(later >= earlier - 1 for earlier, later in pairwise(pauses))
    assert max(pauses) == pytest.approx(BACKOFF_CAP_SECONDS, abs=LONGEST_PAUSE_SECONDS)
    assert len(made) > 20, "trying goes on"


def test_when_aws_lets_it_run_at_last_the_act_ends_with_a_running_instance() -> None:
    world = Simulation(instance=Falling(falls=6))
    assert world.run(most=3000) is State.ROLLED_BACK
    assert (world.instance.state, world.instance.kind) == ("running", OLD)


@pytest.mark.parametrize("result", [Result.OK, Result.RECOVERED, Result.REJECTED, Result.ABSENT, Result.FOREIGN])
def test_whatever_aws_answered_the_third_attempt_that_did_not_last_calls_a_person(result: Result) -> None:
    second, third = turned(("start_again", 2, result)), turned(("start_again", 3, result))
    assert alarm_of(look(second, _FALLEN, 40)) == ""
    move = look(third, _FALLEN, 40)
    assert isinstance(move, Call)
    assert "failed 3 times" in move.alarm
    assert "still trying" in move.alarm
    assert "stopped (Client.InternalError)" in move.alarm


def test_the_pause_after_an_accepted_start_is_never_shorter_than_its_effect_may_take_to_show() -> None:
    once = turned(("start_again", 1, Result.OK))
    assert isinstance(look(once, _FALLEN, 29), WaitFor)
    assert isinstance(look(once, _FALLEN, 31), Call)
    often = turned(("start_again", 9, Result.OK))
    waiting = look(often, _FALLEN, 100)
    assert isinstance(waiting, WaitFor)
    assert waiting.seconds == LONGEST_PAUSE_SECONDS, "somebody who helps is noticed within a minute"
    assert isinstance(look(often, _FALLEN, BACKOFF_CAP_SECONDS + 1), Call)


@pytest.mark.parametrize("word", ["stopping", "pending", "shutting-down", "stopped"])
def test_overdue_counts_from_the_turn_whatever_was_called_since(word: str) -> None:
    late = replace(turned(), turned_at=START - timedelta(hours=1))
    called = replace(late, entries=(*late.entries, JournalEntry("start_again", 1, START, Result.OK)))
    move = look(called, Instance(state=word, kind=OLD), 1)
    assert "takes longer than" in alarm_of(move)


def test_what_is_late_is_read_ever_more_rarely() -> None:
    stopped = Journal((JournalEntry("stop", 1, START, Result.OK),))
    looks = [look(stopped, Instance(state="stopping"), seconds) for seconds in (100, 700, 900, 1e6)]
    waits = [move.seconds for move in looks if isinstance(move, WaitFor)]
    assert waits == [5.0, 10.0, 30.0, LONGEST_PAUSE_SECONDS]


_STATES = st.sampled_from(["pending", "running", "stopping", "stopped", "shutting-down"])
_LOOKS = st.tuples(
    _STATES, st.sampled_from([OLD, NEW, "c5.large"]), st.sampled_from(["t0", "t1", "t2"]), st.booleans(), st.booleans()
)
_LONG_SECONDS = 4000.0


@settings(max_examples=400, deadline=None)
@given(
    st.lists(_LOOKS, min_size=1, max_size=30),
    st.sampled_from([(ACTION, "stop"), (ACTION, "modify_type"), (ACTION, "start"), (STOP, "stop"), (STOP, "start")]),
    st.booleans(),
    st.booleans(),
)
def test_whatever_is_observed_no_act_is_long_without_an_end_or_a_person_and_a_turned_one_only_leads_back(
    looks: list[tuple[str, str, str, bool, bool]], begun: tuple[Action, str], forward: bool, answers: bool
) -> None:
    action, last = begun
    plan = action.plan(RESOURCE, {"instanceType": NEW}, _RAN)
    back = action.procedure.compensation(plan)
    journal = turned((last, 1, Result.OK))
    if forward:
        journal = replace(journal, turned=None, turned_at=None)
    seconds = 0.0
    for number in range(2000):
        state, kind, launched, exists, calls = looks[number % len(looks)]
        seen = Instance(state=state, kind=kind, launched=launched, exists=exists).observation
        now = START + timedelta(seconds=seconds)
        move = next_move(Situation(plan, action.procedure, journal, seen, now))
        if isinstance(move, (Finish, NeedsHuman, Verified)) or alarm_of(move):
            return
        if isinstance(move, WaitFor):
            seconds += move.seconds
            assert seconds < _LONG_SECONDS
        elif isinstance(move, Compensate):
            assert journal.turned is None
            journal = replace(journal, turned=move.reason, turned_at=now)
        elif isinstance(move, Settle):
            journal = added(journal, move.step, move.attempt, seen, now, move.result)
        else:
            assert isinstance(move, Call)
            assert move.step in (plan.steps if journal.turned is None else back)
            answer = Result.OK if calls else Result.REJECTED
            journal = added(journal, move.step.id, move.attempt, seen, now, answer if answers else None)
        seconds += 0.1
    raise AssertionError("neither an end nor a person")


def added(
    journal: Journal, step: str, attempt: int, seen: Observation, now: datetime, result: Result | None
) -> Journal:
    entry = JournalEntry(step, attempt, now, result, observed=seen.fingerprint)
    return replace(journal, entries=(*journal.entries, entry))
