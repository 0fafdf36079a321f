"""How each act is undone: by the same action, back to where it began, unless somebody else has changed the resource."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.support.action_cases import INSTANCE, VOLUME

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Finish,
    Journal,
    JournalEntry,
    Observation,
    Result,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.plan import Plan
from finops.errors import InvalidInput
from finops_operator.plugins.action import Action, PolicyFacts
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

_START = datetime(2026, 3, 1, tzinfo=UTC)
_RAN = {"state": "running", "instanceType": "m5.xlarge", "launchTime": "t0"}
_STOPPED = {**_RAN, "state": "stopped"}
_GP2 = {"state": "in-use", "volumeType": "gp2", "sizeGiB": "100", "iops": "300", "throughput": ""}
_GP3: Final[dict[str, Json]] = {"volumeType": "gp3", "iops": 3000, "throughput": 125}


def seen(**facts: Json) -> Observation:
    """Return the resource with these facts; those of a plan's fingerprint stand in its own."""
    fingerprint = {key: str(value) for key, value in facts.items() if key in _RAN}
    return Observation(exists=True, fingerprint=fingerprint, facts=facts)


def undo_of(action: Action, act: Plan, now: Mapping[str, str]) -> Plan:
    assert action.undo is not None
    return action.plan(act.resource, action.undo.parameters(act, {}), now)


def calls(plan: Plan) -> list[tuple[str, Any]]:
    return [(step.operation, dict(step.parameters)) for step in plan.steps if step.changes]


def test_a_stopped_instance_is_started_under_the_same_action() -> None:
    act = STOP.plan(INSTANCE, {}, _RAN)

    undo = undo_of(STOP, act, _STOPPED)

    assert calls(undo) == [("ec2:StartInstances", {"InstanceIds": [INSTANCE.id]})]
    assert undo.action == "ec2_instance_stop"
    assert STOP.plan(INSTANCE, dict(undo.parameters), _STOPPED).hash == undo.hash
    assert {step.operation for step in undo.steps if step.changes} <= set(STOP.permissions)
    assert STOP.words(seen(**_STOPPED), undo.parameters, undo).verb == "Start"


def test_a_resized_instance_gets_its_old_type_again() -> None:
    act = RESIZE.plan(INSTANCE, {"instanceType": "m5.large"}, _RAN)

    undo = undo_of(RESIZE, act, {**_RAN, "instanceType": "m5.large", "launchTime": "t1"})

    assert [operation for operation, _ in calls(undo)] == [
        "ec2:StopInstances",
        "ec2:ModifyInstanceAttribute",
        "ec2:StartInstances",
    ]
    assert calls(undo)[1][1]["InstanceType"] == {"Value": "m5.xlarge"}


def test_a_volume_gets_its_old_type_again_with_the_figures_that_aws_gives_it() -> None:
    act = MODIFY.plan(VOLUME, _GP3, _GP2)

    undo = undo_of(MODIFY, act, {**_GP2, "volumeType": "gp3", "iops": "3000", "throughput": "125"})

    assert calls(undo) == [("ec2:ModifyVolume", {"VolumeId": VOLUME.id, "VolumeType": "gp2"})]
    assert MODIFY.procedure.verified(undo, seen(volumeType="gp2", iops="300", throughput="", modification="optimizing"))
    assert not MODIFY.procedure.verified(undo, seen(volumeType="gp3", iops="3000", throughput="125"))
    began = seen(
        volumeType="gp3", iops="3000", throughput="125", modification="modifying", modificationTarget="gp2/300/"
    )
    assert MODIFY.procedure.steps["modify"].reached(undo, began)
    words = MODIFY.words(seen(volumeType="gp3"), undo.parameters, undo)
    assert words.change == "gp3 → gp2: performance by its size again"


def test_a_volume_whose_old_type_has_chosen_figures_is_left_to_people() -> None:
    assert MODIFY.undo is not None
    act = MODIFY.plan(VOLUME, _GP3, {**_GP2, "volumeType": "io1", "iops": "5000"})

    with pytest.raises(InvalidInput, match="io1"):
        MODIFY.undo.parameters(act, {})


def test_no_volume_is_undone_while_its_last_change_runs() -> None:
    undo = undo_of(MODIFY, MODIFY.plan(VOLUME, _GP3, _GP2), _GP2)
    now = seen(
        state="in-use", volumeType="gp3", iops="3000", throughput="125", modification="optimizing", sizeGiB="100"
    )

    codes = [refusal.code for refusal in MODIFY.preflight(now, undo.parameters, PolicyFacts())]

    assert codes == ["ModificationRunning"]
    limit = MODIFY.procedure.refused(undo, now, "modify", "VolumeModificationRateExceeded")
    assert "four in 24 hours" in limit


@pytest.mark.parametrize(
    ("action", "parameters", "before", "left", "touched", "words"),
    [
        (STOP, {}, _RAN, _STOPPED, {**_STOPPED, "launchTime": "t9"}, "It was started since"),
        (STOP, {}, _RAN, _STOPPED, _RAN, "It is running, not stopped."),
        (
            RESIZE,
            {"instanceType": "m5.large"},
            _RAN,
            {**_RAN, "instanceType": "m5.large"},
            {**_RAN, "instanceType": "m5.2xlarge"},
            "Its type is m5.2xlarge now",
        ),
        (
            MODIFY,
            _GP3,
            _GP2,
            {"volumeType": "gp3", "iops": "3000", "throughput": "125"},
            {"volumeType": "gp3", "iops": "4000", "throughput": "125"},
            "no longer those",
        ),
    ],
)
def test_what_somebody_else_changed_since_is_not_undone(
    action: Action, parameters: Any, before: Any, left: Any, touched: Any, words: str
) -> None:
    assert action.undo is not None
    act = action.plan(VOLUME if action is MODIFY else INSTANCE, parameters, before)

    assert action.undo.changed(act, seen(**left)) == ""
    assert words in action.undo.changed(act, seen(**touched))


def started(result: Result = Result.OK, code: str = "") -> Journal:
    return Journal((JournalEntry("start", 1, _START, result, code, observed={"launchTime": "t0"}),))


def move(journal: Journal, now: Observation, *, seconds: float = 300.0) -> Any:
    undo = undo_of(STOP, STOP.plan(INSTANCE, {}, _RAN), _STOPPED)
    return next_move(Situation(undo, STOP.procedure, journal, now, _START + timedelta(seconds=seconds)))


def test_a_start_is_called_once_and_watched_until_the_checks_pass() -> None:
    first = move(Journal(), seen(**_STOPPED))
    waits = move(started(), seen(state="running", launchTime="t1", checks="initializing"))
    late = move(started(), seen(state="running", launchTime="t1", checks="impaired"), seconds=2000)
    ends = move(started(), seen(state="running", launchTime="t1", checks="ok"))

    assert isinstance(first, Call)
    assert first.step.operation == "ec2:StartInstances"
    assert isinstance(waits, WaitFor)
    assert not waits.alarm
    # A running instance is what was asked for: a person is called, and it is not stopped again.
    assert isinstance(late, WaitFor)
    assert late.alarm
    assert isinstance(ends, Verified)


def test_a_start_that_aws_refuses_or_takes_back_leaves_it_stopped_and_says_why() -> None:
    stopped = seen(**_STOPPED, zone="us-east-1a")
    refused = move(started(Result.REJECTED, "InsufficientInstanceCapacity"), stopped)
    assert isinstance(refused, Compensate)
    assert refused.reason == "AWS had no m5.xlarge capacity in us-east-1a."

    fell = move(started(), seen(**{**_STOPPED, "launchTime": "t1"}, stateReason="Server.InternalError"))
    assert isinstance(fell, Compensate)
    undo = undo_of(STOP, STOP.plan(INSTANCE, {}, _RAN), _STOPPED)
    turned = Journal(started().entries, turned=fell.reason, turned_at=_START)
    end = next_move(
        Situation(undo, STOP.procedure, turned, seen(**{**_STOPPED, "launchTime": "t1"}), _START + timedelta(minutes=5))
    )
    assert isinstance(end, Finish)
    assert end.state is State.ROLLED_BACK
