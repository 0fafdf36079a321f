"""A version that plans an act differently, and an account that no longer grants it: the act in the middle is led back.

Bullets "A plan is never read back and trusted" and "An act is adopted only … with the grants as they are now": nothing
forward is called then, and the instance does not stay stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from tests.integration.act.act_checker import check, effects
from tests.integration.act.act_story import instance, prepare
from tests.integration.act.test_act_taken_back import hand_over_after
from tests.support.act_world import ACTIONS, World

from finops.domain.decision import State
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops.errors import Refused
from finops.ledger.durable import DurableLedger
from finops.ports.act import ActRequest
from finops_operator.acts.progress import ActResult
from finops_operator.plugins.action import Action, Parameters
from finops_sandbox.aws.double import AwsDouble

Change = Callable[[PlanStep], PlanStep]


def newer(action: Action, change: Change) -> Action:
    """Return the action as a later version has it, which plans other steps."""

    def plan(resource: ResourceRef, parameters: Parameters, fingerprint: Mapping[str, str]) -> Plan:
        made = action.plan(resource, parameters, fingerprint)
        return replace(made, steps=tuple(map(change, made.steps)))

    return replace(action, plan=plan)


def renamed(action: Action) -> Action:
    """Return the action as a later version has it, in which every step of the plan has another name."""
    made = newer(action, lambda step: replace(step, id=f"{step.id}_2"))
    back = {"stop_again", "wait_stopped_again", "restore_type", "start_again", "wait_running_again"}
    steps = {name if name in back else f"{name}_2": rules for name, rules in action.procedure.steps.items()}
    return replace(made, procedure=replace(action.procedure, steps=steps))


def other_parameters(action: Action) -> Action:
    return newer(action, lambda step: replace(step, parameters={**step.parameters, "DryRun": False}))


def unreadable(action: Action) -> Action:
    """Return the action as a later version has it, which plans by a fact that older requests lack."""

    def plan(resource: ResourceRef, parameters: Parameters, fingerprint: Mapping[str, str]) -> Plan:
        return action.plan(resource, {**parameters, "hypervisor": fingerprint["hypervisor"]}, fingerprint)

    return replace(action, plan=plan)


def run_with(world: World, action: Action, request: ActRequest, ledger: DurableLedger) -> ActResult:
    executor = replace(world.executor(ledger), actions={**ACTIONS, action.id: action})
    for _ in range(2000):
        result = executor.run(request)
        if result.retry_after_seconds is None:
            return result
        world.clock.sleep(result.retry_after_seconds)
    raise AssertionError(result)


UPGRADES = pytest.mark.parametrize("upgrade", [other_parameters, renamed, unreadable])


@UPGRADES
@pytest.mark.parametrize(("called", "back"), [(1, {}), (2, {"ModifyInstanceAttribute": 1})])
def test_a_resize_begun_under_an_older_plan_ends_running_at_the_old_type_and_nothing_forward_is_called(
    upgrade: Callable[[Action], Action], called: int, back: dict[str, int], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, called)
    before = effects(aws.calls)

    result = run_with(world, upgrade(ACTIONS[request.plan.action]), request, ledger)

    assert result.state is State.ROLLED_BACK
    assert "plans ec2_instance_resize differently" in result.message
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    after = effects(aws.calls)
    assert {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)} == {
        "StartInstances": 1,
        **back,
    }
    check(aws.calls, world.ledger_path, session=request.name)


def test_a_resize_whose_calls_were_all_made_under_an_older_plan_is_watched_to_its_end(
    world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 3)

    result = run_with(world, other_parameters(ACTIONS[request.plan.action]), request, ledger)

    assert result.state is State.SUCCEEDED
    assert effects(aws.calls) == {"StopInstances": 1, "ModifyInstanceAttribute": 1, "StartInstances": 1}
    check(aws.calls, world.ledger_path, session=request.name)


@UPGRADES
def test_an_act_that_has_called_nothing_under_the_older_plan_is_refused(
    upgrade: Callable[[Action], Action], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)

    with pytest.raises(Refused):
        run_with(world, upgrade(ACTIONS[request.plan.action]), request, ledger)

    assert effects(aws.calls) == {}


def test_a_stored_plan_with_another_hash_leads_nothing_back(world: World, aws: AwsDouble) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, 1)
    forged = replace(request.plan, steps=request.plan.steps[:1])

    with pytest.raises(Refused, match="not the one that was approved"):
        run_with(world, other_parameters(ACTIONS[request.plan.action]), replace(request, plan=forged), ledger)
    with pytest.raises(Refused, match="not the one that was approved"):
        run_with(
            world,
            other_parameters(ACTIONS[request.plan.action]),
            replace(request, plan=forged, plan_hash=forged.hash),
            ledger,
        )

    assert effects(aws.calls) == {"StopInstances": 1}


@pytest.mark.parametrize(("called", "back"), [(1, {}), (2, {"ModifyInstanceAttribute": 2})])
def test_a_resize_whose_grant_was_removed_in_its_middle_is_led_back(
    called: int, back: dict[str, int], world: World, aws: AwsDouble
) -> None:
    request, ledger = prepare(world)
    hand_over_after(world, request, ledger, called)
    why = "AwsAccount production no longer grants ec2_instance_resize to namespace team-a."

    result = run_with(world, ACTIONS[request.plan.action], replace(request, only_back=why), ledger)

    assert result.state is State.ROLLED_BACK
    assert why.rstrip(".") in result.message
    assert (instance(aws)["state"], instance(aws)["type"]) == ("running", "m5.xlarge")
    assert effects(aws.calls) == {"StopInstances": 1, "StartInstances": 1, **back}
    check(aws.calls, world.ledger_path, session=request.name)
