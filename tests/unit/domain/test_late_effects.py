"""What AWS shows late: a call of ours that is not seen yet is never taken for undone, nor for somebody else's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from tests.support.resize_world import NEW, OLD, RESOURCE, START, Instance, Simulation

from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Finish,
    Hold,
    Journal,
    JournalEntry,
    Move,
    Result,
    Stop,
    StopKind,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops_operator.plugins.action import Action
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

_STOP, _START = "ec2:StopInstances", "ec2:StartInstances"


@dataclass(slots=True)
class Late(Instance):
    """The first call of each operation has its effect so many seconds after it was sent; AWS accepts repetitions."""

    late: dict[str, float] = field(default_factory=dict)
    coming: list[tuple[float, str]] = field(default_factory=list)

    def settle(self, seconds: float) -> None:
        for at, operation in [item for item in self.coming if item[0] <= seconds]:
            self.coming.remove((at, operation))
            Instance.apply(self, operation, "", seconds)
        Instance.settle(self, seconds)

    def apply(self, operation: str, kind: str, seconds: float) -> bool:
        delay = self.late.pop(operation, 0.0)
        if delay:
            self.coming.append((seconds + delay, operation))
            return True
        done = {_STOP: {"stopping", "stopped"}, _START: {"pending", "running"}}.get(operation, set())
        return self.state in done or Instance.apply(self, operation, kind, seconds)


def first_lost(operation: str) -> Callable[[int, Call], str]:
    return lambda _number, call: "lost" if call.step.operation == operation and call.attempt == 1 else "ok"


def run(
    action: Action,
    late: dict[str, float],
    script: Callable[[int, Call], str] = lambda _number, _call: "ok",
    stop: Callable[[Journal], Stop | None] = lambda _journal: None,
) -> tuple[State | None, Simulation]:
    world = Simulation(script=script, instance=Late(late=late), stop=stop, action=action)
    return world.run(), world


def alarms(world: Simulation) -> list[str]:
    return [move.alarm for move in world.moves if isinstance(move, (Call, WaitFor)) and move.alarm]


@pytest.mark.parametrize(("action", "ends"), [(STOP, "stopped"), (RESIZE, "running")])
def test_an_accepted_stop_that_shows_after_its_time_calls_a_person_and_is_carried_on(action: Action, ends: str) -> None:
    end, world = run(action, {_STOP: 125.0})
    assert (end, world.instance.state) == (State.SUCCEEDED, ends)
    assert any("nothing is seen of it" in alarm for alarm in alarms(world))


@pytest.mark.parametrize(("action", "ends"), [(STOP, "stopped"), (RESIZE, "running")])
@pytest.mark.parametrize("shows", [33.0, 119.0, 121.0, 124.0, 126.0, 250.0])
def test_a_stop_without_an_answer_that_shows_late_is_carried_on(action: Action, ends: str, shows: float) -> None:
    end, world = run(action, {_STOP: shows}, first_lost(_STOP))
    assert (end, world.instance.state) == (State.SUCCEEDED, ends)


@pytest.mark.parametrize("shows", [3.0, 33.0, 36.0])
def test_our_own_start_that_shows_late_is_nobody_elses_and_the_act_succeeds(shows: float) -> None:
    end, world = run(RESIZE, {_START: shows}, first_lost(_START))
    assert end is State.SUCCEEDED
    assert (world.instance.state, world.instance.kind) == ("running", NEW)


def test_a_late_start_of_ours_is_led_back_when_the_act_had_turned_by_then() -> None:
    def script(_number: int, call: Call) -> str:
        if call.step.id == "restore_type" and call.attempt == 1:
            return "throttled"
        if call.step.id != "start":
            return "ok"
        return "lost" if call.attempt == 1 else "rejected"

    end, world = run(RESIZE, {_START: 38.0}, script)
    assert end is State.ROLLED_BACK
    assert (world.instance.state, world.instance.kind) == ("running", OLD)
    assert not any(isinstance(move, Finish) and "somebody" in move.message for move in world.moves)


def lost_stop(seconds: float, instance: Instance, stop: Stop | None = None, refusals: tuple[str, ...] = ()) -> Move:
    absent = tuple(
        JournalEntry("stop", 1, START, result, observed={"launchTime": "t0"}) for result in (None, Result.ABSENT)
    )
    plan = STOP.plan(RESOURCE, {}, {"state": "running", "instanceType": OLD, "launchTime": "t0"})
    now = START + timedelta(seconds=seconds)
    return next_move(
        Situation(plan, STOP.procedure, Journal(absent), instance.observation, now), stop=stop, refusals=refusals
    )


@pytest.mark.parametrize("kind", [StopKind.WITHDRAWN, StopKind.EXPIRED])
@pytest.mark.parametrize("state", ["running", "stopping", "stopped"])
def test_an_act_that_may_not_go_on_after_a_stop_without_an_answer_calls_a_person_and_does_not_end(
    kind: StopKind, state: str
) -> None:
    move = lost_stop(200, Instance(state=state), Stop(kind, "Code", "It was withdrawn."))
    assert isinstance(move, WaitFor)
    assert "AWS may still carry it out. It was withdrawn. The instance is" in move.alarm


def test_a_freeze_or_a_refusal_holds_the_repetition_of_a_stop_without_an_answer() -> None:
    assert lost_stop(200, Instance(), Stop(StopKind.HOLD, "Frozen", "frozen")) == Hold("frozen")
    refused = lost_stop(200, Instance(), refusals=("It is protected.",))
    assert isinstance(refused, WaitFor)
    assert "It is protected." in refused.alarm
    changed = lost_stop(200, Instance(kind="c5.large"))
    assert isinstance(changed, WaitFor)
    assert "instanceType was" in changed.alarm


def test_a_stop_without_an_answer_ends_when_the_instance_was_started_anew_or_is_gone() -> None:
    taken = lost_stop(200, Instance(launched="t-person"))
    assert isinstance(taken, Finish)
    assert taken.state is State.ROLLED_BACK
    assert "left alone" in taken.message
    gone = lost_stop(200, replace(Instance(), exists=False))
    assert isinstance(gone, Finish)
    assert gone.state is State.STALE


def test_a_stop_that_never_has_an_answer_is_tried_ever_more_rarely_and_calls_a_person() -> None:
    end, world = run(STOP, {}, lambda _number, _call: "dropped")
    assert end is None
    assert any("AWS may still carry it out" in alarm for alarm in alarms(world))
    assert world.instance.state == "running"
