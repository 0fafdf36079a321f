"""What is taken back in mid-act is left alone; what is gone ends its act; what AWS keeps down is not given up.

The estate's instance has a disk on a customer's key: without a grant on it AWS accepts a start and takes it back.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, instance, prepare, run_to_end, run_until
from tests.support.act_world import ACCOUNT, ACTIONS, ESTATE, REGION, World

from finops.domain.decision import State
from finops.domain.next_move import ALARM_AFTER_FAILURES, GONE
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.acts.progress import ActResult
from finops_operator.plugins.action import Action
from finops_sandbox.aws.double import AwsDouble, Delays

_TRANSITION = 0.05
_DELAYS = Delays(state_seconds=_TRANSITION, status_check_seconds=0.03, snapshot_seconds=0.03, modification_seconds=0.03)


@pytest.fixture(scope="module")
def aws_double() -> Iterator[AwsDouble]:
    estate: dict[str, Any] = copy.deepcopy(ESTATE)
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    estate["resources"][0]["instances"][0]["volumes"] = [{"size": 10, "key": key}]
    with AwsDouble(estate, delays=_DELAYS) as double:
        yield double


def hand_over_after(world: World, request: ActRequest, ledger: DurableLedger, outcomes: int) -> None:
    """Run until so many outcomes are recorded; there the process stops."""
    recorded: list[bool] = []
    executor = replace(
        world.executor(ledger), passage=at("outcome.after", lambda: recorded.append(True), passage=outcomes)
    )
    for _ in range(200):
        result = executor.run(request, lambda: bool(recorded))
        if recorded:
            return
        assert result.retry_after_seconds is not None
        world.clock.sleep(result.retry_after_seconds)
    raise AssertionError("not so many outcomes")


def put(aws: AwsDouble, *states: str) -> None:
    """Let the instance settle, then a person puts it into these states, one after the other."""
    time.sleep(2 * _TRANSITION)
    for state in states:
        aws.control.change(ACCOUNT, REGION, str(instance(aws)["id"]), {"state": state})


def in_an_hour(world: World, request: ActRequest, ledger: DurableLedger) -> ActResult:
    world.clock = replace(world.clock, base=world.clock.base - 3600 / world.clock.speed)
    return run_to_end(world, request, ledger)


@pytest.mark.parametrize("action", ["ec2_instance_resize", "ec2_instance_stop"])
@pytest.mark.parametrize("states", [("running",), ("running", "stopped")])
def test_an_instance_that_a_person_started_while_the_operator_was_down_is_left_alone(
    action: str, states: tuple[str, ...], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, action)
    hand_over_after(world, request, ledger, 1)
    put(aws, *states)
    result = in_an_hour(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "somebody started it while we were stopping it" in result.message
    assert f"is {states[-1]} with type m5.xlarge" in result.message
    assert effects(aws.calls) == {"StopInstances": 1}
    assert (instance(aws)["state"], instance(aws)["type"]) == (states[-1], "m5.xlarge")
    check(aws.calls, world.ledger_path, session=request.name)


def test_an_instance_that_a_person_stopped_after_its_start_stays_stopped(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 3)
    put(aws, "stopped")
    result = in_an_hour(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "somebody stopped it after we had started it" in result.message
    assert effects(aws.calls) == {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1}
    assert instance(aws)["state"] == "stopped"


def without_grant(action: Action) -> Action:
    """Without its grant the start is accepted and fails a moment later, as with a key that somebody disabled."""
    return replace(action, observed_statements=lambda *_: ())


def alarmed(world: World, step: str) -> Callable[[ActResult], bool]:
    def seen(_result: ActResult) -> bool:
        told = records(world.ledger_path)
        return any(record["result"] == "NeedsHuman" and record["step"] == step for record in told)

    return seen


def test_a_start_that_aws_accepts_and_takes_back_calls_a_person_and_succeeds_once_the_cause_is_gone(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    executor = replace(
        world.executor(ledger), actions={request.plan.action: without_grant(ACTIONS[request.plan.action])}
    )
    seen = alarmed(world, "start_again")
    for _ in range(500):
        result = executor.run(request)
        if seen(result):
            break
        assert result.retry_after_seconds is not None, result
        world.clock.sleep(result.retry_after_seconds)
    starts = [
        record for record in records(world.ledger_path) if (record["step"], record["kind"]) == ("start_again", "intent")
    ]
    assert ALARM_AFTER_FAILURES <= len(starts) <= ALARM_AFTER_FAILURES + 1
    assert "Client.InternalError" in world.status.reports[-1].message
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("action", ["ec2_instance_resize", "ec2_instance_stop"])
def test_an_instance_terminated_in_mid_act_calls_a_person_and_its_act_ends_and_frees_its_place(
    action: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, action)
    hand_over_after(world, request, ledger, 1)
    aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"delete": True})
    run_until(world, request, ledger, alarmed(world, GONE))
    assert world.status.states[-1] is State.NEEDS_HUMAN
    another = replace(request, uid="u2")
    assert world.executor(ledger).caps.admit(another, world.clock.now()) is not None
    result = in_an_hour(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "The instance does not exist any more." in result.message
    told = [record["result"] for record in records(world.ledger_path)]
    assert told[-1] == "RolledBack"
    assert told.count("NeedsHuman") == 1
    assert effects(aws.calls) == {"StopInstances": 1}
    check(aws.calls, world.ledger_path, session=request.name)
    assert world.executor(ledger).caps.admit(another, world.clock.now()) is None


def test_a_volume_deleted_by_hand_while_its_snapshot_is_made_names_the_snapshot_that_stays(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    hand_over_after(world, request, ledger, 1)
    aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"delete": True})
    result = run_to_end(world, request, ledger)
    made = next(
        record["detail"]["SnapshotId"] for record in records(world.ledger_path) if record["detail"].get("SnapshotId")
    )
    assert result.state is State.ROLLED_BACK
    told = f"The volume does not exist any more; snapshot {made} (completed) stays and is billed."
    assert result.message.endswith(told)
    assert effects(aws.calls) == {"CreateSnapshot": 1}
