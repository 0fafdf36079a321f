"""The engine's decisions: one path after the other, then thousands of unlucky ones against a simulated instance."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.resize_world import NEW, OLD, RESOURCE, START, Instance, Simulation

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Ended,
    Finish,
    Hold,
    Journal,
    JournalEntry,
    NeedsHuman,
    Observation,
    Result,
    Settle,
    Stop,
    StopKind,
    WaitFor,
)
from finops.domain.next_move import BACKOFF_CAP_SECONDS, Situation, backoff_seconds, difference, next_move
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION

_FATES = ("ok", "rejected", "throttled", "lost", "dropped", "dead-before", "dead-after")
_PLAN = ACTION.plan(RESOURCE, {"instanceType": NEW}, {"state": "running", "instanceType": OLD, "launchTime": "t0"})


def situation(journal: Journal, instance: Instance, *, seconds: float = 0.0) -> Situation:
    return Situation(_PLAN, ACTION.procedure, journal, instance.observation, START + timedelta(seconds=seconds))


def journal(*entries: tuple[str, int, Result | None], turned: str | None = None) -> Journal:
    made = tuple(JournalEntry(step, attempt, START, result) for step, attempt, result in entries)
    return Journal(made, turned=turned, turned_at=START if turned else None)


def test_everything_going_well_each_step_is_called_once_and_in_order() -> None:
    world = Simulation()
    assert world.run() is State.SUCCEEDED
    assert world.instance.effects == ["ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:StartInstances"]
    assert (world.instance.state, world.instance.kind) == ("running", NEW)


@pytest.mark.parametrize("changed", [{"state": "stopped"}, {"kind": "c5.large"}, {"launched": "t9"}])
def test_a_changed_resource_is_stale_before_the_first_call(changed: dict[str, str]) -> None:
    move = next_move(situation(Journal(), replace(Instance(), **changed)))  # type: ignore[arg-type] # texts only
    assert isinstance(move, Finish)
    assert move.state is State.STALE
    assert "Nothing was called" in move.message


def test_people_learn_of_a_difference_by_values_they_know_and_not_by_hashes_and_times() -> None:
    assumed = {"state": "running", "launchTime": "2026-01-10 08:00:00+00:00", "tags": "9f86d081884c7d65"}
    now = Observation(True, {"state": "stopped", "launchTime": "2026-03-01 08:00:00+00:00", "tags": "60303ae22b998861"})
    told = difference(replace(_PLAN, fingerprint=assumed), now)
    assert told == "it was started again, state was running, is stopped, its tags changed"


def test_documents_of_a_fingerprint_are_named_and_never_quoted() -> None:
    assumed = {"listeners": "[]", "tagList": '{"a":"<!channel>"}', "tags": "9f86d081884c7d65"}
    now = Observation(True, {"listeners": "[1]", "tagList": '{"a":"b"}', "tags": "60303ae22b998861"})
    assert difference(replace(_PLAN, fingerprint=assumed), now) == "its listeners changed, its tags changed"


def test_a_resource_that_is_gone_is_stale_before_the_first_call() -> None:
    gone = Situation(_PLAN, ACTION.procedure, Journal(), Observation(exists=False), START)
    move = next_move(gone)
    assert isinstance(move, Finish)
    assert move.state is State.STALE


def test_a_preflight_that_refuses_now_is_stale() -> None:
    move = next_move(situation(Journal(), Instance()), refusals=("It is protected.",))
    assert move == Finish(State.STALE, "It is protected. Nothing was called.")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (StopKind.HOLD, Hold("no")),
        (StopKind.EXPIRED, Finish(State.EXPIRED, "no")),
        (StopKind.WITHDRAWN, Finish(State.WITHDRAWN, "no")),
    ],
)
def test_the_gate_decides_while_nothing_can_have_changed(kind: StopKind, expected: Hold | Finish) -> None:
    stop = Stop(kind, "Code", "no")
    assert next_move(situation(Journal(), Instance()), stop=stop) == expected
    refused = journal(("stop", 1, Result.REJECTED))
    assert next_move(situation(refused, Instance()), stop=stop) == expected


def test_the_gate_is_deaf_once_something_may_have_changed() -> None:
    stop = Stop(StopKind.WITHDRAWN, "Code", "no")
    opened = journal(("stop", 1, None))
    assert isinstance(next_move(situation(opened, Instance(state="stopped")), stop=stop), Settle)
    done = journal(("stop", 1, Result.OK))
    assert isinstance(next_move(situation(done, Instance(state="stopped")), stop=stop), Call)


def test_an_intent_without_outcome_is_recovered_when_its_effect_is_there() -> None:
    opened = journal(("stop", 1, None))
    assert next_move(situation(opened, Instance(state="stopping"))) == Settle("stop", 1, Result.RECOVERED)


def test_an_intent_without_outcome_is_repeated_only_after_the_settle_time() -> None:
    opened = journal(("stop", 1, None))
    assert isinstance(next_move(situation(opened, Instance(), seconds=119)), WaitFor)
    assert next_move(situation(opened, Instance(), seconds=121)) == Settle("stop", 1, Result.ABSENT)
    absent = journal(("stop", 1, None), ("stop", 1, Result.ABSENT))
    again = next_move(situation(absent, Instance(), seconds=31))
    assert isinstance(again, Call)
    assert (again.step.id, again.attempt) == ("stop", 2)


def test_an_instance_restarted_by_a_person_after_our_stop_is_not_stopped_again() -> None:
    opened = journal(("stop", 1, None))
    restarted = Instance(launched="t5")
    assert next_move(situation(opened, restarted, seconds=121)) == Settle("stop", 1, Result.FOREIGN)
    for turned in (None, "foreign"):
        foreign = journal(("stop", 1, None), ("stop", 1, Result.FOREIGN), turned=turned)
        end = next_move(situation(foreign, restarted, seconds=31))
        assert isinstance(end, Finish)
        assert end.state is State.ROLLED_BACK
        assert "somebody started it while we were stopping it" in end.message


def test_a_difference_in_mid_act_turns_back_only_when_it_lasts() -> None:
    stopped = journal(("stop", 1, Result.OK))
    odd = Instance(state="stopped", kind="c5.large")
    assert isinstance(next_move(situation(stopped, odd, seconds=5)), WaitFor)
    assert isinstance(next_move(situation(stopped, odd, seconds=31)), Compensate)


def test_a_stop_that_never_ends_calls_a_person_and_keeps_waiting() -> None:
    stopped = journal(("stop", 1, Result.OK))
    move = next_move(situation(stopped, Instance(state="stopping"), seconds=601))
    assert isinstance(move, WaitFor)
    assert "wait stopped" in move.alarm


def test_an_instance_that_falls_back_to_stopped_after_its_start_turns_back() -> None:
    started = journal(("stop", 1, Result.OK), ("modify_type", 1, Result.OK), ("start", 1, Result.OK))
    fallen = Instance(state="stopped", kind=NEW)
    assert isinstance(next_move(situation(started, fallen, seconds=5)), WaitFor)
    assert isinstance(next_move(situation(started, fallen, seconds=31)), Compensate)


def test_an_ended_act_stays_ended() -> None:
    ended = Journal(ended=State.ROLLED_BACK, end_message="why")
    assert next_move(situation(ended, Instance())) == Ended(State.ROLLED_BACK, "why")


def test_an_instance_that_disappears_in_mid_act_needs_a_person() -> None:
    turned = journal(("stop", 1, Result.OK), turned="gone")
    gone = Situation(_PLAN, ACTION.procedure, turned, Observation(exists=False), START + timedelta(hours=1))
    assert isinstance(next_move(gone), (NeedsHuman, WaitFor))


def test_without_capacity_anywhere_the_start_is_tried_again_and_again_with_an_alarm() -> None:
    def script(_number: int, call: Call) -> str:
        return "rejected" if call.step.operation == "ec2:StartInstances" else "ok"

    world = Simulation(script=script)
    assert world.run(most=120) is None
    assert world.instance.kind == OLD
    starts = [move for move in world.moves if isinstance(move, Call) and move.step.id == "start_again"]
    assert len(starts) > 5
    assert starts[-1].alarm
    assert all(not move.alarm for move in starts[:3])


def test_the_pause_between_attempts_doubles_up_to_five_minutes() -> None:
    assert [backoff_seconds(failures) for failures in (0, 1, 2, 3)] == [5.0, 5.0, 10.0, 20.0]
    assert backoff_seconds(1000) == BACKOFF_CAP_SECONDS


def test_a_deletion_whose_volume_changed_keeps_the_snapshot_and_ends_rolled_back() -> None:
    plan = DELETE.plan(RESOURCE, {}, {"state": "available", "tags": "a"})
    turned = Journal((JournalEntry("create_snapshot", 1, START, Result.OK),), turned="changed", turned_at=START)
    facts: dict[str, Json] = {"state": "in-use", "snapshot": "completed", "created": "snap-1"}
    now = Observation(exists=True, fingerprint={"state": "in-use"}, facts=facts)
    told = "changed. The volume is in-use; snapshot snap-1 (completed) stays and is billed."
    assert next_move(Situation(plan, DELETE.procedure, turned, now, START)) == Finish(State.ROLLED_BACK, told)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(_FATES), max_size=25))
def test_whatever_happens_to_the_first_calls_the_instance_ends_running_and_nothing_happens_twice(
    fates: list[str],
) -> None:
    world = Simulation(script=lambda number, _call: fates[number] if number < len(fates) else "ok")
    end = world.run(most=5000)
    assert end in {State.SUCCEEDED, State.ROLLED_BACK}
    assert world.instance.state in {"running", "pending"}
    assert world.instance.kind == (NEW if end is State.SUCCEEDED else OLD)
    if end is State.SUCCEEDED:
        assert world.instance.effects == ["ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:StartInstances"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(_FATES), max_size=10), st.integers(0, 12), st.sampled_from(list(StopKind)))
def test_a_stop_at_any_moment_ends_the_act_untouched_or_running(fates: list[str], after: int, kind: StopKind) -> None:
    def stop(seen: Journal) -> Stop | None:
        return Stop(kind, "Code", "no") if len(seen.entries) >= after else None

    world = Simulation(script=lambda number, _call: fates[number] if number < len(fates) else "ok", stop=stop)
    end = world.run()
    if end in {State.SUCCEEDED, State.ROLLED_BACK}:
        assert world.instance.state in {"running", "pending"}
    else:
        assert end in {None, State.EXPIRED, State.WITHDRAWN}
        assert world.instance.effects == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(_FATES), max_size=12))
def test_the_next_move_depends_on_nothing_but_its_arguments(fates: list[str]) -> None:
    def script(number: int, _call: Call) -> str:
        return fates[number] if number < len(fates) else "ok"

    first, second = Simulation(script=script), Simulation(script=script)
    first.run()
    second.run()
    assert first.moves == second.moves
