"""Give an EC2 instance another type. Whatever fails, it ends as it was: running if it ran, at the old type.

Parameter: `instanceType`. A running instance is stopped, changed, started and watched until both status checks pass; a
stopped one is only changed. Whoever starts it meanwhile has taken it back: the act ends and leaves it alone.

Before it is stopped, what would keep it from starting is asked: the keys of its volumes, the vCPU quota of the new type
beside what others use of it, whether its zone offers the type, licences that follow cores. Capacity is not known until
then: AWS offers a type in a zone and may have none, and a dry run judges rights alone. So a start that finds none
changes the type back and starts that, for as long as it takes. Source: Amazon EC2 user guide, "Change the instance
type", "Insufficient instance capacity".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, Procedure
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
    Target,
    Undo,
)
from finops_operator.plugins.ownership import Owner, quoted
from finops_operator.plugins.session_policy import allow
from finops_operator.plugins.watched import LIST_ALARMS
from finops_operator.services.ec2.rules.calls import (
    CALLS,
    GRANTS_FOR_AWS,
    INSTANCE_CALLS,
    INSTANCE_PROBES,
    KEYS_WITHOUT_DRY_RUN,
    start_with_keys,
)
from finops_operator.services.ec2.rules.instance_observation import (
    READ_PERMISSIONS,
    instance_found,
    instance_refused,
    observe_instance,
)
from finops_operator.services.ec2.rules.instance_watch import INSTANCE_WATCH
from finops_operator.services.ec2.rules.resize_refusals import resize_refusals, resize_warnings
from finops_operator.services.ec2.rules.resize_steps import STEPS, not_as_left, old_type, ran, restored, verified
from finops_operator.services.ec2.rules.resize_words import resize_words
from finops_operator.services.ec2.rules.stop_refusals import stop_warnings


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
    change = resize_warnings(observation)
    return (*down, *change, "CPU options and credit settings fall back to the new type's defaults where it lacks them.")


def _words(observation: Observation, _parameters: Parameters, plan: Plan) -> ActWords:
    return resize_words(observation, plan)


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
    restore = _set_type("restore_type", plan.resource, old_type(plan))
    if not ran(plan):
        return (restore,)
    return (
        PlanStep("stop_again", "ec2:StopInstances", ids),
        PlanStep("wait_stopped_again"),
        restore,
        PlanStep("start_again", "ec2:StartInstances", ids),
        PlanStep("wait_running_again"),
    )


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    scope = allow(step.operation, resource=plan.resource.arn)
    if step.operation == "ec2:ModifyInstanceAttribute":
        # The same call could change user data, security groups or the stop protection.
        scope = {**scope, "Condition": {"StringEquals": {"ec2:Attribute": "InstanceType"}}}
    return (scope,)


def _patch(owner: Owner, resource: Resource, parameters: Parameters) -> str:
    target = quoted(_wanted(parameters))
    if owner.system == "CloudFormation":
        return f"Properties: InstanceType: {target}"
    if owner.system == "Terraform":
        return f'instance_type = "{target}"'
    if owner.system == "Auto Scaling":
        return f"Launch template: InstanceType: {target}"
    return f"Wanted: {target} instead of {quoted(resource.text('instance_type'))}"


ACTION: Final = Action(
    id="ec2_instance_resize",
    kinds=frozenset({"ec2-instance"}),
    destructive=False,
    restart_needed=True,
    rollback_possible=True,
    undo_by_hand="stop it, change the type back, start it",
    effort=Effort.MEDIUM,
    permissions=("ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:StartInstances", "kms:CreateGrant"),
    read_permissions=(*READ_PERMISSIONS, LIST_ALARMS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps=STEPS,
        compensation=_compensation,
        restored=restored,
        verified=verified,
        found=instance_found,
        refused=instance_refused,
    ),
    statements=_statements,
    rights=Rights(
        narrowed=(
            {
                "Sid": "ChangeNothingButTheInstanceType",
                "Effect": "Allow",
                "Action": "ec2:ModifyInstanceAttribute",
                "Resource": "arn:*:ec2:*:*:instance/*",
                "Condition": {"StringEquals": {"ec2:Attribute": "InstanceType"}},
            },
            GRANTS_FOR_AWS,
        ),
        rollback=frozenset({"ec2:StartInstances"}),
        probes={
            **INSTANCE_PROBES,
            "ec2:ModifyInstanceAttribute": lambda instance: {
                "InstanceId": instance,
                "InstanceType": {"Value": "t3.micro"},
            },
        },
        calls=INSTANCE_CALLS,
        without_dry_run=KEYS_WITHOUT_DRY_RUN,
    ),
    calls=CALLS,
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={"instanceType": "m5.large"},
        assumed={"state": "running", "instanceType": "m5.xlarge", "launchTime": "2026-01-01T00:00:00Z"},
    ),
    observed_statements=start_with_keys,
    undo=Undo(parameters=lambda plan, _made: {"instanceType": old_type(plan)}, changed=not_as_left),
    watch=INSTANCE_WATCH,
)
