"""Give an EC2 instance another type. Whatever fails, it ends as it was: running if it ran, at the old type.

Parameter: `instanceType`. A running instance is stopped, changed, started and watched until both status checks pass; a
stopped one is only changed. Source: Amazon EC2 user guide, "Change the instance type".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, Procedure, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.errors import InvalidInput
from finops.ports.aws_steps import Reader
from finops_operator.acting.instances import READ_PERMISSIONS, is_lost, observe_instance
from finops_operator.acting.resize_rules import resize_refusals
from finops_operator.acting.session_policy import allow, start_with_customer_keys
from finops_operator.acting.stop_rules import stop_warnings
from finops_operator.action_plugin import Action, Parameters, PolicyFacts, Refusal, Statement, Target

_UP: Final = frozenset({"pending", "running"})
_DOWN: Final = frozenset({"stopping", "stopped"})
# AWS shows a stop a moment before it lets the type be changed, and a change a moment before it lets it be started.
_NOT_YET: Final = frozenset({"IncorrectInstanceState"})
_START_SECONDS: Final = 900.0


def _wanted(parameters: Parameters) -> str:
    value = parameters.get("instanceType")
    if not isinstance(value, str) or not value:
        raise InvalidInput("the type to change to is missing", field="parameters.instanceType", hint="e.g. t3.small")
    return value


def _observe(reader: Reader, target: Target) -> Observation:
    return observe_instance(reader, target, target_type=_wanted(target.parameters))


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    refusals = resize_refusals(observation, _wanted(parameters), facts)
    if observation.exists and observation.text("state") not in {"running", "stopped"}:
        refusals += (Refusal("NotSettled", f"It is {observation.text('state')}; only running or stopped will do."),)
    return refusals


def _warnings(observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    down = stop_warnings(observation) if observation.text("state") == "running" else ()
    return (*down, "CPU options and credit settings fall back to the new type's defaults where it lacks them.")


def _set_type(step: str, resource: ResourceRef, kind: str, inverse: str = "") -> PlanStep:
    parameters: dict[str, Json] = {"InstanceId": resource.id, "InstanceType": {"Value": kind}}
    return PlanStep(step, "ec2:ModifyInstanceAttribute", parameters, inverse=inverse)


def _plan(resource: ResourceRef, parameters: Parameters, fingerprint: Mapping[str, str]) -> Plan:
    wanted = _wanted(parameters)
    ids = {"InstanceIds": [resource.id]}
    change = _set_type("modify_type", resource, wanted, inverse="restore_type")
    steps: tuple[PlanStep, ...] = (change,)
    if fingerprint["state"] != "stopped":
        steps = (
            PlanStep("stop", "ec2:StopInstances", ids, inverse="start_again"),
            PlanStep("wait_stopped"),
            change,
            PlanStep("start", "ec2:StartInstances", ids, inverse="stop_again"),
            PlanStep("wait_healthy"),
        )
    return Plan("ec2_instance_resize", resource, {"instanceType": wanted}, steps, dict(fingerprint))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    ids = {"InstanceIds": [plan.resource.id]}
    restore = _set_type("restore_type", plan.resource, _old(plan))
    if not _ran(plan):
        return (restore,)
    return (
        PlanStep("stop_again", "ec2:StopInstances", ids),
        PlanStep("wait_stopped_again"),
        restore,
        PlanStep("start_again", "ec2:StartInstances", ids),
        PlanStep("wait_running_again"),
    )


def _old(plan: Plan) -> str:
    return str(plan.fingerprint["instanceType"])


def _new(plan: Plan) -> str:
    return str(plan.parameters["instanceType"])


def _ran(plan: Plan) -> bool:
    return plan.fingerprint["state"] != "stopped"


def _is(kind: str, now: Observation, *states: str) -> bool:
    return now.text("instanceType") == kind and now.text("state") in states


def _untouched(plan: Plan, now: Observation) -> bool:
    return _is(_old(plan), now, "running") and now.text("launchTime") == plan.fingerprint["launchTime"]


def _verified(plan: Plan, now: Observation) -> bool:
    return (
        _is(_new(plan), now, "running") and now.text("checks") == "ok"
        if _ran(plan)
        else _is(_new(plan), now, "stopped")
    )


def _restored(plan: Plan, now: Observation) -> bool:
    return _is(_old(plan), now, "running" if _ran(plan) else "stopped")


def _not_new(plan: Plan, now: Observation) -> bool:
    """The old type, or one that a person chose meanwhile: theirs to keep, ours to start."""
    return now.exists and now.text("instanceType") != _new(plan)


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    scope = allow(step.operation, resource=plan.resource.arn)
    return (scope, start_with_customer_keys(plan.resource)) if step.operation == "ec2:StartInstances" else (scope,)


_STEPS: Final[Mapping[str, StepRules]] = {
    "stop": StepRules(reached=lambda plan, now: _is(_old(plan), now, *_DOWN), expected=_untouched),
    "wait_stopped": StepRules(reached=lambda _, now: now.text("state") == "stopped", failed=is_lost, patient=True),
    "modify_type": StepRules(
        reached=lambda plan, now: _is(_new(plan), now, "stopped"),
        expected=lambda plan, now: _is(_old(plan), now, "stopped"),
        retry_codes=_NOT_YET,
    ),
    "start": StepRules(
        reached=lambda plan, now: _is(_new(plan), now, *_UP),
        expected=lambda plan, now: _is(_new(plan), now, "stopped"),
        retry_codes=_NOT_YET,
    ),
    "wait_healthy": StepRules(
        reached=_verified,
        # A start can fail after AWS accepted it: the instance falls back to stopped.
        failed=lambda _, now: not now.exists or now.text("state") in _DOWN,
        timeout_seconds=_START_SECONDS,
    ),
    "stop_again": StepRules(
        reached=lambda plan, now: _not_new(plan, now) or now.text("state") in _DOWN,
        expected=lambda plan, now: _is(_new(plan), now, "running"),
    ),
    "wait_stopped_again": StepRules(reached=lambda plan, now: _not_new(plan, now) or now.text("state") == "stopped"),
    "restore_type": StepRules(
        reached=_not_new, expected=lambda plan, now: _is(_new(plan), now, "stopped"), retry_codes=_NOT_YET
    ),
    "start_again": StepRules(
        reached=lambda _, now: now.text("state") in _UP,
        expected=lambda plan, now: _not_new(plan, now) and now.text("state") == "stopped",
        retry_codes=_NOT_YET,
    ),
    "wait_running_again": StepRules(
        reached=lambda _, now: now.text("state") == "running", timeout_seconds=_START_SECONDS
    ),
}

ACTION: Final = Action(
    id="ec2_instance_resize",
    kinds=frozenset({"ec2-instance"}),
    destructive=False,
    restart_needed=True,
    rollback_possible=True,
    effort=Effort.MEDIUM,
    permissions=("ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:StartInstances", "kms:CreateGrant"),
    read_permissions=READ_PERMISSIONS,
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    plan=_plan,
    procedure=Procedure(steps=_STEPS, compensation=_compensation, restored=_restored, verified=_verified),
    statements=_statements,
)
