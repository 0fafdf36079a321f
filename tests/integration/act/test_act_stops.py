"""Freeze, expiry, a lost vote, a suspended policy, a protecting tag: they stop a deletion until its last call.

The gate is asked again before DeleteVolume, however long the snapshot took, and the snapshot is kept.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.integration.act.act_checker import check, effects, records
from tests.integration.act.act_story import at, instance, prepare, run_to_end, run_until
from tests.support.act_world import ACCOUNT, REGION, World

from finops.domain.decision import State
from finops.domain.execution import Stop, StopKind
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.killpoint import ACT_KILL_POINTS
from finops_sandbox.aws.double import AwsDouble
from finops_sandbox.aws.errors import AwsError

_FROZEN = Stop(StopKind.HOLD, "Frozen", "All acts are frozen: incident.")
_SUSPENDED = Stop(StopKind.HOLD, "Suspended", "Policy savings is suspended.")
_EXPIRED = Stop(StopKind.EXPIRED, "Expired", "Expired before it was carried out.")
_QUORUM_LOST = Stop(StopKind.WITHDRAWN, "QuorumLost", "Only 1 of 2 approvals still count.")


def volume_exists(aws: AwsDouble, request: ActRequest) -> bool:
    try:
        aws.control.resource(ACCOUNT, REGION, request.plan.resource.id)
    except AwsError:
        return False
    return True


def run_until_outcome(world: World, request: ActRequest, ledger: DurableLedger) -> None:
    """Run until the outcome of the first call is recorded, and hand over there."""
    recorded: list[bool] = []
    executor = replace(world.executor(ledger), passage=at("outcome.after", lambda: recorded.append(True)))
    assert executor.run(request, lambda: bool(recorded)).message.startswith("handed over")


@pytest.mark.parametrize("stop", [_EXPIRED, _QUORUM_LOST])
def test_a_deletion_whose_permission_ends_while_its_snapshot_is_made_turns_back_and_keeps_the_snapshot(
    stop: Stop, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    world.passage = at("outcome.after", lambda: setattr(world.gate, "stop", stop))
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert stop.message in result.message
    assert "kept" in result.message
    assert effects(aws.calls) == {"CreateSnapshot": 2}
    assert volume_exists(aws, request)
    check(aws.calls, world.ledger_path, session=request.name)


@pytest.mark.parametrize("stop", [_FROZEN, _SUSPENDED])
def test_a_frozen_deletion_says_why_it_waits_calls_nobody_and_goes_on_afterwards(
    stop: Stop, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    world.passage = at("outcome.after", lambda: setattr(world.gate, "stop", stop))
    held = run_until(world, request, ledger, lambda seen: seen.message == stop.message)
    assert (held.state, held.retry_after_seconds) == (None, world.settings.hold_seconds)
    assert effects(aws.calls) == {"CreateSnapshot": 2}
    last = world.status.reports[-1]
    assert (last.state, last.step, last.message) == (State.EXECUTING, "delete_volume", stop.message)
    assert State.NEEDS_HUMAN not in world.status.states
    world.gate.stop = None
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert effects(aws.calls) == {"CreateSnapshot": 2, "DeleteVolume": 1}


def _stopped_at(world: World, name: str, passage: int, stop: Stop) -> list[bool]:
    """Stop at the n-th meeting of a boundary; tells whether the gate said so before any intent to delete."""
    said: list[bool] = []
    deed = at(name, lambda: setattr(world.gate, "stop", stop), passage=passage)
    count = 0

    def passed(met: str) -> None:
        nonlocal count
        if met == "intent.before":
            count += 1
            if count == 3:
                # The last question was answered: what comes now comes too late.
                said.append(world.gate.stop is None)
        deed(met)

    world.passage = passed
    return said


_ELSEWHERE = ("ledger.", "settle.", "compensate.", "finish.")
_BOUNDARIES = [name for name in ACT_KILL_POINTS if not name.startswith(_ELSEWHERE)]


@pytest.mark.parametrize("name", _BOUNDARIES)
@pytest.mark.parametrize("passage", [1, 2, 3, 4])
def test_wherever_a_stop_comes_no_deletion_is_announced_after_the_gate_has_said_it(
    name: str, passage: int, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    asked_in_time = _stopped_at(world, name, passage, _QUORUM_LOST)
    result = run_to_end(world, request, ledger)
    assert all(asked_in_time)
    deleted = effects(aws.calls)["DeleteVolume"]
    assert result.state in ({State.SUCCEEDED} if deleted else {State.ROLLED_BACK, State.WITHDRAWN})
    assert (result.state is State.WITHDRAWN) == (effects(aws.calls) == {})
    assert volume_exists(aws, request) == (deleted == 0)


def test_a_tag_that_the_policy_protects_stops_the_deletion(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    run_until_outcome(world, request, ledger)
    protecting = replace(request, protect_tags={"team": ("data",)})
    result = run_to_end(world, protecting, ledger)
    assert result.state is State.ROLLED_BACK
    assert "team=data" in result.message
    assert effects(aws.calls) == {"CreateSnapshot": 2}


def test_a_resize_that_has_stopped_its_instance_goes_on_whatever_the_gate_says(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    world.passage = at("outcome.after", lambda: setattr(world.gate, "stop", _QUORUM_LOST))
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED
    assert instance(aws)["state"] == "running"


def test_another_snapshot_with_the_same_tag_is_not_taken_for_ours(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_volume_delete")
    run_until_outcome(world, request, ledger)
    made = [record for record in records(world.ledger_path) if record["detail"].get("SnapshotId")]
    ours = str(made[0]["detail"]["SnapshotId"])
    tags = aws.control.resource(ACCOUNT, REGION, ours)["tags"]
    assert {key: value for key, value in tags.items() if key.startswith("finops.dev/")} == {
        "finops.dev/request": "u1",
        "finops.dev/step": "create_snapshot",
        "finops.dev/expires-after-days": "90",
    }
    assert tags["team"] == "data"
    aws.control.change(ACCOUNT, REGION, ours, {"removeTags": list(tags)})
    # Found by its recorded id, not by a tag that anybody may take away or set.
    assert run_to_end(world, request, ledger).state is State.SUCCEEDED


def test_a_stopping_process_begins_nothing(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    result = world.executor(ledger).run(request, lambda: True)
    assert (result.state, result.message) == (None, "handed over: the process stops")
    assert aws.calls == []
    assert world.status.reports == []


def test_a_rejected_first_call_ends_the_act_and_what_a_person_does_later_is_left_alone(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    aws.control.inject({"kind": "deny", "service": "ec2", "action": "StopInstances"})
    world.passage = at(
        "compensate.before",
        lambda: aws.control.change(ACCOUNT, REGION, request.plan.resource.id, {"state": "stopped"}),
    )
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK
    assert "Nothing was changed" in result.message
    assert instance(aws)["state"] == "stopped"
    assert effects(aws.calls) == {}
