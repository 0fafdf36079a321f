"""Acts that meet an unfriendly AWS: lost answers, no capacity, edits by hand, freezes in mid-act."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, instance, prepare, run_to_end, run_until
from tests.support.act_cases import CASES
from tests.support.act_world import (
    ACCOUNT,
    REGION,
    World,
)

from finops.domain.decision import State
from finops.domain.execution import Stop, StopKind
from finops.errors import Refused
from finops_sandbox.aws.double import AwsDouble

_FREEZE = Stop(StopKind.HOLD, "Frozen", "Acts are frozen.")


@pytest.mark.parametrize("action", sorted(CASES))
@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "throttle", "http_error"])
def test_a_lost_or_refused_answer_to_each_call_costs_time_but_no_second_effect(
    action: str, fault: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, action)
    for step in request.plan.steps:
        if step.changes:
            service, _, operation = step.operation.partition(":")
            extra = {"status": 503} if fault == "http_error" else {}
            aws.control.inject({"kind": fault, "service": service, "action": operation, "count": 1, **extra})
    result = run_to_end(world, request, ledger)
    assert result.state is State.SUCCEEDED, result
    assert effects(aws.calls) == CASES[action][2]
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_call_that_hangs_times_out_and_is_settled_by_reading(world: World, aws: AwsDouble) -> None:
    world.settings = replace(world.settings, call_seconds=3.0, minimum_call_seconds=0.5)
    request, ledger = prepare(world)
    aws.control.inject({"kind": "hang", "service": "ec2", "action": "StopInstances", "seconds": 6, "count": 1})
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    told = [(record["step"], record["result"]) for record in records(world.ledger_path) if record["step"] == "stop"]
    assert told == [("stop", ""), ("stop", "unknown"), ("stop", "absent"), ("stop", ""), ("stop", "ok")]
    check(aws.calls, world.ledger_path, session=request.name)
    # The double writes the hung call down when it lets go of it; that must not fall into the next test.
    deadline = time.monotonic() + 10
    while [call.action for call in aws.calls].count("StopInstances") < 2 and time.monotonic() < deadline:
        time.sleep(0.05)


def test_without_capacity_for_the_new_type_the_instance_runs_again_at_the_old_one(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "instanceType": "m5.large"})
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "AWS had no m5.large capacity in us-east-1" in result.message
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    assert world.status.states[-1] is State.ROLLED_BACK
    check(aws.calls, world.ledger_path, session=request.name)


def test_without_any_capacity_a_person_is_called_and_the_start_is_tried_until_it_succeeds(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "capacity", "notTypes": ["none"]})

    def alarm_seen() -> bool:
        return State.NEEDS_HUMAN in world.status.states

    def capacity_returns() -> None:
        deadline = time.monotonic() + 20
        while not alarm_seen() and time.monotonic() < deadline:
            time.sleep(0.01)
        aws.control.clear_faults()

    helper = threading.Thread(target=capacity_returns)
    helper.start()
    result = run_to_end(world, request, ledger)
    helper.join()
    assert alarm_seen()
    assert result.state is State.ROLLED_BACK
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    assert any(record["result"] == "NeedsHuman" for record in records(world.ledger_path))
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize(
    "edit", [{"type": "m5.2xlarge"}, {"tags": {"team": "other"}}, {"state": "stopped"}, {"delete": True}]
)
def test_a_resource_edited_by_hand_after_the_proposal_is_stale_and_nothing_is_called(
    edit: dict[str, Any], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    aws.control.change(ACCOUNT, REGION, request.plan.resource.id, edit)
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert aws.calls == []
    check(aws.calls, world.ledger_path, session=request.name)


def test_protection_put_on_after_the_proposal_stops_the_act(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"protectStop": True})
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE
    assert "protection" in result.message
    assert aws.calls == []


@pytest.mark.parametrize(("kind", "state"), [(StopKind.WITHDRAWN, State.WITHDRAWN), (StopKind.EXPIRED, State.EXPIRED)])
def test_a_lost_vote_or_the_expiry_before_the_first_call_ends_the_act(
    kind: StopKind, state: State, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    world.gate.stop = Stop(kind, "Lost", "Not any more.")
    assert run_to_end(world, request, ledger).state is state
    assert aws.calls == []


def test_a_freeze_before_the_first_call_holds_the_act_until_it_is_lifted(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    world.gate.stop = _FREEZE
    held = world.executor(ledger).run(request)
    assert (held.state, held.message) == (None, "Acts are frozen.")
    assert aws.calls == []
    world.gate.stop = None
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED


@pytest.mark.parametrize("kind", [StopKind.HOLD, StopKind.EXPIRED, StopKind.WITHDRAWN])
@pytest.mark.parametrize("passage", [1, 2])
def test_freeze_and_expiry_between_steps_do_not_leave_the_instance_stopped(
    kind: StopKind, passage: int, world: World, aws: AwsDouble
) -> None:
    def forbid() -> None:
        world.gate.stop = Stop(kind, "Late", "Too late.")

    request, ledger = prepare(world)
    world.passage = at("aws.sent", forbid, passage=passage)
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert instance(aws)["state"] == "running"


def test_a_person_who_sets_another_type_in_mid_act_keeps_it_and_gets_a_running_instance(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)

    def edit() -> None:
        time.sleep(0.1)
        aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"type": "m5.2xlarge"})

    world.passage = at("aws.sent", edit)
    result = run_until(world, request, ledger, lambda seen: seen.state is not None)
    assert result.state is State.NEEDS_HUMAN
    assert result.retry_after_seconds is not None
    time.sleep(0.1)
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.2xlarge")


def test_a_volume_attached_while_its_snapshot_is_made_is_not_deleted(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    world.passage = at(
        "outcome.after",
        lambda: aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"tags": {"keep": "yes"}}),
    )
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert effects(aws.calls) == {"CreateSnapshot": 1}
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_role_without_the_right_is_rolled_back_with_the_missing_right_named(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "deny", "service": "ec2", "action": "ModifyInstanceAttribute"})
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "UnauthorizedOperation" in result.message
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")


def test_a_plan_other_than_the_approved_one_is_refused(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    with pytest.raises(Refused, match="approved"):
        world.executor(ledger).run(replace(request, plan_hash="0" * 64))
    with pytest.raises(Refused, match="no action"):
        world.executor(ledger).run(replace(request, plan=replace(request.plan, action="ec2_instance_explode")))
    assert aws.calls == []
