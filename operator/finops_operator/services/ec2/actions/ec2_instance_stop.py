"""Stop an EC2 instance; its inverse is start. Volumes and an Elastic IP are still billed.

Whoever starts it meanwhile has taken it back: the act ends and leaves it alone. With the parameter `endState: running`
it is the undo of an earlier stop, and starts the instance.

It is not stopped where it is known that it may not start again (a key of a volume that cannot be used), nor while it is
the only healthy target of a target group or a Classic Load Balancer. Whether AWS will have capacity for its next start
is not known before: the card names what makes that less likely, and the undo says what AWS answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.execution import Observation, Procedure, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.domain.watching import Sign
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
    Undo,
    Watch,
    WatchedAct,
)
from finops_operator.plugins.protection import template_owners
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
    DOWN,
    READ_PERMISSIONS,
    WAIT_STOPPED,
    instance_found,
    instance_refused,
    observe_instance,
    stopping,
)
from finops_operator.services.ec2.rules.instance_signs import instance_before
from finops_operator.services.ec2.rules.instance_watch import STOP_READS, stop_signs
from finops_operator.services.ec2.rules.remaining_cost import stopped_cost
from finops_operator.services.ec2.rules.served_targets import served_refusals
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.start_again import (
    START,
    START_AGAIN,
    WAIT_HEALTHY,
    healthy,
    not_as_stopped,
    start_plan,
    start_refusals,
    start_words,
    starts,
)
from finops_operator.services.ec2.rules.stop_refusals import stop_refusals, stop_warnings, tags


def _observe(reader: Reader, target: Target) -> Observation:
    return observe_instance(reader, target, starts=starts(target.parameters))


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if starts(parameters):
        return start_refusals(observation)
    refusals = stop_refusals(observation, facts)
    if observation.exists and observation.text("state") != "running":
        return (*refusals, Refusal("NotRunning", f"It is {observation.text('state')}, not running."))
    return (*refusals, *served_refusals(observation)) if observation.exists else refusals


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if starts(parameters):
        return ()
    drift = tuple(f"{owner} will show a drift." for owner in template_owners(tags(observation), SIGNS))
    return stop_warnings(observation) + drift


def _words(_observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    if starts(parameters):
        return start_words()
    return ActWords(
        verb="Stop",
        consequence="It is stopped and stays stopped until someone starts it. Everything that runs on it is down.",
        downtime="Until someone starts it",
        undo="Start it. Nothing on its volumes is lost.",
        steps={
            "stop": "Stop the instance",
            "wait_stopped": "Wait until it is stopped",
            "start": "Start the instance again",
            "wait_running": "Wait until it is running",
        },
    )


def _plan(resource: ResourceRef, parameters: Parameters, fingerprint: Mapping[str, str]) -> Plan:
    if starts(parameters):
        return start_plan(resource, fingerprint)
    steps = (
        PlanStep("stop", "ec2:StopInstances", {"InstanceIds": [resource.id]}, inverse="start"),
        PlanStep("wait_stopped"),
    )
    return Plan("ec2_instance_stop", resource, {}, steps, dict(fingerprint))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    if starts(plan.parameters):
        # A start that does not last leaves it stopped, as it was.
        return ()
    return (
        PlanStep("start", "ec2:StartInstances", {"InstanceIds": [plan.resource.id]}),
        PlanStep("wait_running"),
    )


def _running(plan: Plan, observation: Observation) -> bool:
    """Running since before the plan: a later launch time means that somebody restarted it."""
    return observation.text("state") == "running" and _same_launch(plan, observation)


def _stopped(plan: Plan, observation: Observation) -> bool:
    return observation.text("state") in DOWN and _same_launch(plan, observation)


def _same_launch(plan: Plan, observation: Observation) -> bool:
    return observation.text("launchTime") == plan.fingerprint["launchTime"]


def _restored(plan: Plan, now: Observation) -> bool:
    return now.text("state") == ("stopped" if starts(plan.parameters) else "running")


def _verified(plan: Plan, now: Observation) -> bool:
    return healthy(plan, now) if starts(plan.parameters) else now.text("state") == "stopped"


def _signs(reader: Reader, act: WatchedAct) -> tuple[Sign, ...]:
    return stop_signs(reader, act, stays_stopped=not starts(act.parameters))


ACTION: Final = Action(
    id="ec2_instance_stop",
    kinds=frozenset({"ec2-instance"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="start it",
    effort=Effort.LOW,
    permissions=("ec2:StopInstances", "ec2:StartInstances", "kms:CreateGrant"),
    read_permissions=(*READ_PERMISSIONS, LIST_ALARMS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            "stop": stopping(reached=_stopped, expected=_running),
            "wait_stopped": WAIT_STOPPED,
            "start": START,
            "wait_healthy": WAIT_HEALTHY,
            "wait_running": StepRules(reached=lambda _, now: now.text("state") == "running"),
        },
        compensation=_compensation,
        restored=_restored,
        verified=_verified,
        found=instance_found,
        refused=instance_refused,
    ),
    statements=on_its_arn,
    rights=Rights(
        narrowed=(GRANTS_FOR_AWS,),
        rollback=frozenset({"ec2:StartInstances"}),
        probes=INSTANCE_PROBES,
        calls=INSTANCE_CALLS,
        without_dry_run=KEYS_WITHOUT_DRY_RUN,
    ),
    calls=CALLS,
    at_owner=OwnerChange(only_stops=True),
    sample=ActSample(assumed={"state": "running", "launchTime": "2026-01-01T00:00:00Z"}),
    observed_statements=start_with_keys,
    remaining_cost=stopped_cost,
    # A stopped instance serves nobody: to start it disturbs nothing, and whoever misses it cannot wait for the night.
    undo=Undo(parameters=lambda _plan, _made: START_AGAIN, changed=not_as_stopped, outside_windows=True),
    watch=Watch(STOP_READS, _signs, instance_before),
)
