"""Start an EC2 instance that is stopped, and watch it until both status checks pass.

For whoever finds that a stopped instance is missed, whoever stopped it; the undo of a stop of ours is
`ec2_instance_stop` itself, which proves that nobody touched the instance since. A start that AWS refuses or takes back
leaves it stopped, as it was. Its public address is another one unless it has an Elastic IP address. No check of the
release recommends it, since nothing of it saves anything: it is for a check of a policy's own. Source: EC2 API
reference, StartInstances; EC2 user guide, "Stop and start Amazon EC2 instances".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.execution import Observation, Procedure
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
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
    Target,
)
from finops_operator.plugins.protection import controlled, protected
from finops_operator.plugins.session_policy import on_its_arn
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
from finops_operator.services.ec2.rules.remaining_cost import running_cost
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.start_again import START, WAIT_HEALTHY, healthy, start_refusals, start_words
from finops_operator.services.ec2.rules.stop_refusals import part, tags

ID: Final = "ec2_instance_start"
_START: Final = "ec2:StartInstances"


def _observe(reader: Reader, target: Target) -> Observation:
    return observe_instance(reader, target, starts=True)


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    refusals = start_refusals(observation)
    if not observation.exists:
        return refusals
    known = tags(observation)
    managed = part(observation, "instance").get("Operator", {}).get("Managed")
    return (
        *protected(known, facts),
        *controlled(known, SIGNS),
        *((Refusal("ManagedInstance", "It is managed by an AWS service."),) if managed else ()),
        *refusals,
    )


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return (
        "It costs as much as before from its start on.",
        "Its public address is another one, unless it has an Elastic IP address.",
    )


def _words(_observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return start_words()


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    steps = (PlanStep("start", _START, {"InstanceIds": [resource.id]}), PlanStep("wait_healthy"))
    return Plan(ID, resource, {}, steps, dict(assumed))


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"ec2-instance"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="stop it",
    effort=Effort.VERY_LOW,
    permissions=(_START, "kms:CreateGrant"),
    read_permissions=(*READ_PERMISSIONS, LIST_ALARMS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={"start": START, "wait_healthy": WAIT_HEALTHY},
        # A start that does not last leaves it stopped, as it was.
        compensation=lambda _: (),
        restored=lambda _, now: now.text("state") == "stopped",
        verified=healthy,
        found=instance_found,
        refused=instance_refused,
    ),
    statements=on_its_arn,
    rights=Rights(
        narrowed=(GRANTS_FOR_AWS,),
        probes={right: probe for right, probe in INSTANCE_PROBES.items() if right != "ec2:StopInstances"},
        calls=INSTANCE_CALLS,
        without_dry_run=KEYS_WITHOUT_DRY_RUN,
    ),
    calls=CALLS,
    at_owner=OwnerChange(only_stops=True),
    remaining_cost=running_cost,
    remaining_unknown="what its hours cost once it runs is not known",
    saves=False,
    sample=ActSample(assumed={"state": "stopped", "launchTime": "2026-01-01T00:00:00Z"}),
    observed_statements=start_with_keys,
    watch=INSTANCE_WATCH,
)
