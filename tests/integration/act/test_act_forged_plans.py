"""A plan that was stored is never carried out: the action makes it again, and its hash must be the approved one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.integration.act.act_story import prepare
from tests.support.act_cases import find
from tests.support.act_world import World

from finops.domain.plan import PlanStep
from finops.errors import Refused
from finops_sandbox.aws.double import AwsDouble


def test_a_plan_with_a_foreign_call_and_a_hash_of_its_own_is_refused(world: World, aws: AwsDouble) -> None:
    """The hash of a forged plan proves nothing."""
    request, ledger = prepare(world, "ebs_volume_modify")
    steps = (PlanStep("modify", "ec2:DeleteVolume", {"VolumeId": find("old-data").id}), *request.plan.steps[1:])
    forged = replace(request.plan, steps=steps)
    calls = len(aws.calls)

    with pytest.raises(Refused, match="not the one that was approved"):
        world.executor(ledger).run(replace(request, plan=forged, plan_hash=forged.hash))

    assert len(aws.calls) == calls


def test_a_stored_plan_with_other_calls_than_its_action_makes_is_not_what_is_executed(
    world: World, aws: AwsDouble
) -> None:
    """What runs is the action's plan."""
    request, ledger = prepare(world, "ebs_volume_modify")
    steps = (PlanStep("modify", "ec2:DeleteVolume", {"VolumeId": find("old-data").id}), *request.plan.steps[1:])

    world.executor(ledger).run(replace(request, plan=replace(request.plan, steps=steps)))

    assert {call.action for call in aws.calls if call.action in {"DeleteVolume", "ModifyVolume"}} == {"ModifyVolume"}
