"""A resource that does not exist any more calls a person, and ends the act when it stays away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.resize_world import NEW, OLD, RESOURCE, START

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Finish,
    Journal,
    JournalEntry,
    Move,
    Observation,
    Result,
    Verified,
    WaitFor,
)
from finops.domain.next_move import GONE, GONE_SECONDS, Situation, next_move
from finops.domain.plan import Plan
from finops_operator.plugins.action import Action
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

_INSTANCE = {"state": "running", "instanceType": OLD, "launchTime": "t0"}
_VOLUME = {"state": "available", "volumeType": "gp2", "iops": "300", "throughput": ""}
_NOTHING = Observation(exists=False)


def plan_of(action: Action) -> Plan:
    parameters: dict[str, Json] = {"instanceType": NEW, "volumeType": "gp3", "iops": 3000, "throughput": 125}
    return action.plan(RESOURCE, parameters, _INSTANCE if action in (RESIZE, STOP) else _VOLUME)


def look(action: Action, journal: Journal, seen: Observation, seconds: float) -> Move:
    return next_move(Situation(plan_of(action), action.procedure, journal, seen, START + timedelta(seconds=seconds)))


def called(action: Action) -> Journal:
    step = plan_of(action).steps[0].id
    return Journal(
        (JournalEntry(step, 1, START), JournalEntry(step, 1, START, Result.OK, observed={"launchTime": "t0"}))
    )


@pytest.mark.parametrize("action", [RESIZE, STOP, MODIFY])
def test_it_turns_back_calls_a_person_and_ends_when_it_is_missed_again_later(action: Action) -> None:
    journal = called(action)
    # A resource that AWS does not show for a moment is waited for.
    assert isinstance(look(action, journal, _NOTHING, 5), WaitFor)
    back = look(action, journal, _NOTHING, 130)
    assert isinstance(back, Compensate)
    journal = replace(journal, turned=back.reason, turned_at=START + timedelta(seconds=130))
    missed = look(action, journal, _NOTHING, 131)
    assert isinstance(missed, WaitFor)
    assert missed.step == GONE
    assert "does not exist any more" in missed.alarm
    journal = replace(journal, alarms={GONE: START + timedelta(seconds=131)})
    assert isinstance(look(action, journal, _NOTHING, 130 + GONE_SECONDS), WaitFor)
    end = look(action, journal, _NOTHING, 132 + GONE_SECONDS)
    assert isinstance(end, Finish)
    assert end.state is State.ROLLED_BACK
    assert "does not exist any more" in end.message
    assert end.message.count("does not exist any more") == 1


def test_one_reading_after_a_long_outage_does_not_end_an_act() -> None:
    turned = replace(called(RESIZE), turned="start failed", turned_at=START)
    move = look(RESIZE, turned, _NOTHING, 30 * 86400)
    assert isinstance(move, WaitFor)
    assert move.alarm


def test_what_comes_back_is_led_back_and_is_gone_only_when_it_is_missed_for_long_once_more() -> None:
    journal = replace(called(RESIZE), turned="modify_type failed", turned_at=START, alarms={GONE: START})
    there = Observation(exists=True, facts={"state": "stopping", "launchTime": "t0", "instanceType": NEW})
    again = look(RESIZE, journal, there, 30)
    assert isinstance(again, WaitFor)
    assert "is there again" in again.alarm
    journal = replace(journal, alarms={**journal.alarms, again.step: START + timedelta(seconds=30)})
    waiting = look(RESIZE, journal, there, 500)
    assert isinstance(waiting, WaitFor)
    assert not waiting.alarm
    stopped = replace(there, facts={**there.facts, "state": "stopped"})
    assert isinstance(look(RESIZE, journal, stopped, 500), Call)
    # One empty answer, long after the first: it counts from here.
    missed = look(RESIZE, journal, _NOTHING, 5010)
    assert isinstance(missed, WaitFor)
    assert missed.step not in journal.alarms
    journal = replace(journal, alarms={**journal.alarms, missed.step: START + timedelta(seconds=5010)})
    assert isinstance(look(RESIZE, journal, _NOTHING, 5000 + GONE_SECONDS), WaitFor)
    second = look(RESIZE, journal, there, 5100)
    assert isinstance(second, WaitFor)
    assert second.step not in {"", again.step}
    assert isinstance(look(RESIZE, journal, _NOTHING, 5011 + GONE_SECONDS), Finish)


_MADE = (
    JournalEntry("create_snapshot", 1, START),
    JournalEntry("create_snapshot", 1, START, Result.OK, created="snap-1"),
)


def test_a_volume_deleted_by_hand_while_its_snapshot_is_made_is_not_said_to_be_as_before() -> None:
    gone = Observation(exists=False, facts={"snapshot": "completed", "created": "snap-1"})
    back = look(DELETE, Journal(_MADE), gone, 300)
    assert isinstance(back, Compensate)
    end = look(DELETE, Journal(_MADE, turned=back.reason, turned_at=START), gone, 301)
    assert isinstance(end, Finish)
    assert end.message.endswith("The volume does not exist any more; snapshot snap-1 (completed) stays and is billed.")


def test_a_deletion_that_turned_back_in_vain_and_reads_back_after_all_is_verified() -> None:
    foreign = (*_MADE, JournalEntry("delete_volume", 1, START), JournalEntry("delete_volume", 1, START, Result.FOREIGN))
    gone = Observation(exists=False, facts={"lastSnapshot": "completed", "created": "snap-2"})
    assert isinstance(look(DELETE, Journal(foreign, turned="no effect", turned_at=START), gone, 301), Verified)
