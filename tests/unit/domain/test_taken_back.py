"""What a person or another system takes back in mid-act is theirs: the act ends and never touches it again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.resize_world import NEW, OLD, RESOURCE, START, Instance, Simulation

from finops.domain.decision import State
from finops.domain.execution import Call, Compensate, Finish, Journal, JournalEntry, Move, Result, Settle, WaitFor
from finops.domain.next_move import Situation, next_move
from finops_operator.plugins.action import Action
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

_RAN = {"state": "running", "instanceType": OLD, "launchTime": "t0"}
_STOPPED = {**_RAN, "state": "stopped"}
_DAY = 86400.0


def look(
    action: Action,
    journal: Journal,
    instance: Instance,
    *,
    seconds: float = 60.0,
    assumed: dict[str, str] | None = None,
) -> Move:
    plan = action.plan(RESOURCE, {"instanceType": NEW}, assumed or _RAN)
    now = START + timedelta(seconds=seconds)
    return next_move(Situation(plan, action.procedure, journal, instance.observation, now))


def told(*entries: tuple[str, Result | None], before: str = "t0", turned: str | None = None) -> Journal:
    made = tuple(JournalEntry(step, 1, START, result, observed={"launchTime": before}) for step, result in entries)
    return Journal(made, turned=turned, turned_at=START if turned else None)


def assert_left_alone(move: Move, word: str = "somebody started it while we were stopping it") -> None:
    assert isinstance(move, Finish), move
    assert move.state is State.ROLLED_BACK
    assert word in move.message
    assert "left alone" in move.message


_STOP_DONE = told(("stop", Result.OK))


@pytest.mark.parametrize("action", [RESIZE, STOP])
@pytest.mark.parametrize("seconds", [1.0, 60.0, 9 * _DAY])
@pytest.mark.parametrize("state", ["pending", "running"])
def test_an_instance_started_after_our_stop_ends_the_act(action: Action, seconds: float, state: str) -> None:
    started = Instance(state=state, launched="t-person")
    assert_left_alone(look(action, _STOP_DONE, started, seconds=seconds))


@pytest.mark.parametrize("action", [RESIZE, STOP])
@pytest.mark.parametrize("turned", [None, "turned for another reason"])
def test_started_and_stopped_again_while_nobody_watched_it_is_neither_changed_nor_started_nor_claimed(
    action: Action, turned: str | None
) -> None:
    seen = Instance(state="stopped", launched="t-person")
    assert_left_alone(look(action, replace(_STOP_DONE, turned=turned, turned_at=START), seen, seconds=20 * _DAY))


def test_a_stop_without_a_recorded_answer_is_settled_first_and_ends_the_act_then() -> None:
    seen = Instance(state="stopped", launched="t-person")
    opened = told(("stop", None))
    assert look(STOP, opened, seen, seconds=121) == Settle("stop", 1, Result.FOREIGN)
    assert look(RESIZE, opened, seen, seconds=121) == Settle("stop", 1, Result.FOREIGN)
    assert_left_alone(look(STOP, told(("stop", None), ("stop", Result.FOREIGN)), seen))


@pytest.mark.parametrize("action", [RESIZE, STOP])
@pytest.mark.parametrize("turned", [None, "turned for another reason"])
def test_an_accepted_stop_of_which_nothing_is_seen_calls_a_person_and_never_ends_the_act(
    action: Action, turned: str | None
) -> None:
    journal = replace(_STOP_DONE, turned=turned, turned_at=START if turned else None)
    early = look(action, journal, Instance(), seconds=119)
    assert isinstance(early, WaitFor)
    assert not early.alarm
    for seconds in (121, 9 * _DAY):
        late = look(action, journal, Instance(), seconds=seconds)
        assert isinstance(late, WaitFor)
        assert "nothing is seen of it after 120 seconds" in late.alarm
        assert f"The instance is running with type {OLD}." in late.alarm
    assert_left_alone(look(action, journal, Instance(launched="t-person"), seconds=9 * _DAY))


@pytest.mark.parametrize("result", [Result.OK, Result.REJECTED, Result.ABSENT])
def test_a_start_before_or_after_the_change_of_type_ends_the_act(result: Result) -> None:
    changing = told(("stop", Result.OK), ("modify_type", result))
    assert_left_alone(look(RESIZE, changing, Instance(launched="t-person")))
    kind = NEW if result is Result.OK else OLD
    assert_left_alone(look(RESIZE, changing, Instance(state="stopped", kind=kind, launched="t-person")))


def test_a_stopped_instance_that_is_started_at_its_new_type_keeps_it_and_the_act_succeeds() -> None:
    world = Instance(kind=NEW, launched="t-person")
    move = look(RESIZE, told(("modify_type", Result.OK)), world, assumed=_STOPPED)
    assert type(move).__name__ == "Verified"
    assert look(RESIZE, told(("modify_type", None)), world, assumed=_STOPPED) == Settle(
        "modify_type", 1, Result.RECOVERED
    )


def test_a_stopped_instance_that_is_started_before_its_type_was_changed_ends_the_act() -> None:
    lost = told(("modify_type", None), ("modify_type", Result.FOREIGN))
    assert_left_alone(look(RESIZE, lost, Instance(launched="t-person"), assumed=_STOPPED))


@pytest.mark.parametrize("step", ["stop_again", "restore_type"])
def test_during_the_rollback_an_instance_that_runs_by_another_hand_is_not_stopped_again(step: str) -> None:
    back = told(("stop", Result.OK), ("start", Result.OK), (step, Result.OK), before="t1", turned="unhealthy")
    assert_left_alone(look(RESIZE, back, Instance(kind=NEW, launched="t-person"), seconds=31))
    # The same launch: nobody started it, our stop was lost.
    again = look(RESIZE, back, Instance(kind=NEW, launched="t1"), seconds=121)
    assert isinstance(again, Call)
    assert again.step.id == "stop_again"


@pytest.mark.parametrize(("action", "step"), [(RESIZE, "start"), (RESIZE, "start_again"), (STOP, "start")])
@pytest.mark.parametrize("turned", [None, "failed"])
def test_an_instance_that_somebody_stops_after_our_start_stays_stopped(
    action: Action, step: str, turned: str | None
) -> None:
    journal = told(("stop", Result.OK), (step, Result.OK), turned=turned)
    stopped = Instance(state="stopped", launched="t1", reason="Client.UserInitiatedShutdown")
    word = "somebody stopped it after we had started it"
    assert_left_alone(look(action, journal, stopped, seconds=9 * _DAY), word)


def test_right_after_a_start_what_aws_shows_may_still_be_our_own_stop() -> None:
    journal = told(("stop", Result.OK), ("start_again", Result.OK), turned="failed")
    stopped = Instance(state="stopped", launched="t1", reason="Client.UserInitiatedShutdown")
    assert isinstance(look(RESIZE, journal, stopped, seconds=29), WaitFor)


@pytest.mark.parametrize("reason", ["Client.InternalError", "Server.InternalError", "Client.InstanceInitiatedShutdown"])
def test_a_start_that_aws_or_the_system_itself_took_back_is_repeated(reason: str) -> None:
    journal = told(("stop", Result.OK), ("start_again", Result.OK), turned="failed")
    fallen = Instance(state="stopped", launched="t1", reason=reason)
    assert isinstance(look(RESIZE, journal, fallen), Call)


def test_a_start_of_which_nothing_is_seen_is_repeated_although_the_last_stop_was_a_call() -> None:
    journal = told(("stop", Result.OK), ("start_again", Result.OK), turned="failed")
    unmoved = Instance(state="stopped", launched="t0", reason="Client.UserInitiatedShutdown")
    assert isinstance(look(RESIZE, journal, unmoved), Call)


@dataclass(slots=True)
class Visited(Instance):
    """A person who does one thing at one moment, if it can be done then."""

    visit_at: float = 0.0
    deed: str = "start"
    visited: bool = False
    effects_before: list[str] = field(default_factory=list)

    def settle(self, seconds: float) -> None:
        Instance.settle(self, seconds)
        if self.visited or seconds < self.visit_at:
            return
        if self.deed == "start" and self.state == "stopped":
            self.state, self.since, self.launched = "pending", seconds, "t-person"
        elif self.deed == "terminate":
            self.exists = False
        else:
            return
        self.visited, self.effects_before = True, list(self.effects)


_FATES = ("ok", "rejected", "throttled", "lost", "dropped", "dead-before", "dead-after")


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(_FATES), max_size=12), st.floats(0, 200), st.sampled_from(["start", "terminate"]))
def test_whatever_happens_nothing_is_called_after_a_person_took_the_instance_and_the_act_ends(
    fates: list[str], visit_at: float, deed: str
) -> None:
    instance = Visited(visit_at=visit_at, deed=deed)
    world = Simulation(script=lambda number, _call: fates[number] if number < len(fates) else "ok", instance=instance)
    end = world.run(most=5000)
    assert end in {State.SUCCEEDED, State.ROLLED_BACK, State.STALE}
    # A start of ours without an answer may be the one that is seen: what runs then is not told from a person's.
    lost = {Result.ABSENT, Result.FOREIGN}
    ours = any(e.step in {"start", "start_again"} and e.result in lost for e in world.journal.entries)
    if instance.visited and not ours:
        assert instance.effects == instance.effects_before
    back = {step.id for step in RESIZE.procedure.compensation(RESIZE.plan(RESOURCE, {"instanceType": NEW}, _RAN))}
    turned = [index for index, move in enumerate(world.moves) if isinstance(move, Compensate)]
    later = world.moves[turned[0] :] if turned else []
    assert {move.step.id for move in later if isinstance(move, Call)} <= back
