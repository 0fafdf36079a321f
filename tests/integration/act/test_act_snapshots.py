"""Deletions of snapshots: what somebody did after the vote, and what AWS refuses."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.act.act_checker import check, effects
from tests.integration.act.act_story import at, prepare, run_to_end
from tests.support.act_cases import find
from tests.support.act_world import ACCOUNT, REGION, World

from finops.domain.decision import State
from finops_sandbox.aws.double import AwsDouble


def change(aws: AwsDouble, **changes: Any) -> None:
    aws.control.change(ACCOUNT, REGION, find("of-gone-volume").id, changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"image": "base"}, "Images start instances from it: ami-"),
        ({"lock": True}, "A lock forbids its deletion (governance)."),
        ({"fastRestore": True}, "Fast restore is on for it in us-east-1a."),
        ({"sharedWith": "222222222222"}, "Another account may use it."),
        ({"tags": {"finops.dev/protected": "true"}}, "The resource changed since it was proposed"),
        ({"delete": True}, "it does not exist any more. Nothing was called."),
    ],
)
def test_a_snapshot_that_somebody_needs_or_deletes_after_the_vote_is_left_alone(
    changes: dict[str, Any], why: str, world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_snapshot_delete")
    change(aws, **changes)
    result = run_to_end(world, request, ledger)
    assert result.state is State.STALE, result
    assert why in result.message
    assert effects(aws.calls) == {}
    check(aws.calls, world.ledger_path, session=request.name)


def test_an_image_that_is_made_of_it_right_before_the_call_keeps_it_and_is_named(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world, "ebs_snapshot_delete")
    world.passage = at("aws.before", lambda: change(aws, image="base"))
    result = run_to_end(world, request, ledger)
    assert [(call.action, call.result) for call in aws.calls] == [("DeleteSnapshot", "InvalidSnapshot.InUse")]
    assert result.state is State.STALE, result
    assert result.message.startswith("Images start instances from it: ami-")
    assert result.message.endswith("Nothing was changed.")
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_data_volume_whose_instance_is_started_after_it_was_detached_is_attached_again(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world, "ebs_volume_detach_delete")
    instance = find("parked").id
    world.passage = at(
        "outcome.after", lambda: aws.control.change(ACCOUNT, REGION, instance, {"state": "running"}), passage=2
    )
    result = run_to_end(world, request, ledger)
    assert result.state is State.ROLLED_BACK, result
    done = effects(aws.calls)
    assert (done["DetachVolume"], done["AttachVolume"], done["DeleteVolume"]) == (1, 1, 0)
    assert aws.control.resource(ACCOUNT, REGION, find("parked/1").id)["state"] == "in-use"
    check(aws.calls, world.ledger_path, session=request.name)
