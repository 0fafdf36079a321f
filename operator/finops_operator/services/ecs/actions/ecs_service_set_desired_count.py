"""Run fewer tasks of a service, or none. Its definition, its load balancer and its settings stay as they are.

Parameter: `desiredCount`, a number below the present one; with `setBack` it undoes an earlier act, and it is above. A
turned act wants the old number again and waits until as many tasks run; they begin with empty disks. AWS sets the
number at once and stops tasks in their own time, after a container's stop timeout, the deregistration delay of a load
balancer, and scale-in protection of up to 48 hours. Source: Amazon ECS API reference, UpdateService ("This parameter
doesn't trigger a new service deployment"); developer guide, "Protect your Amazon ECS tasks from being terminated by
scale-in events".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.domain.plan import Plan
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.errors import AwsRejected, InvalidInput
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
from finops_operator.plugins.number_setting import Call, NumberSetting, Others, Pace, sets_back
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.plugins.watch_shape import PERMISSIONS as WATCH_READS
from finops_operator.services.ecs.rules.scaling_refusals import (
    ACTIVE,
    OWN_CONTROLLER,
    REPLICA,
    count,
    deploying,
    scaling_refusals,
    set_back_refusals,
)
from finops_operator.services.ecs.rules.service_watch import service_watch

ID: Final = "ecs_service_set_desired_count"
_READ: Final = "ecs:DescribeServices"
_SCALING: Final = "application-autoscaling:DescribeScalableTargets"
_UPDATE: Final = "ecs:UpdateService"
_GONE: Final = frozenset({"ClusterNotFoundException", "ServiceNotFoundException"})
_DELETED: Final = "INACTIVE"
"""A service that was deleted is described for a while."""
_MADE_ANEW: Final = "it was deleted, and somebody made another one under its name"
_MOST: Final = 5000
"""Tasks that AWS lets a service want, https://docs.aws.amazon.com/general/latest/gr/ecs-service.html."""
_SETTLE_SECONDS: Final = 120.0
"""How long a new number may stay invisible before a person is called."""
_LONGEST_SECONDS: Final = 5400.0
"""Of stopping or starting the tasks before a person is called: a load balancer may drain a task for an hour."""
_POLL_SECONDS: Final = 15.0


def _wanted(parameters: Parameters) -> int:
    wanted = parameters.get("desiredCount")
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 <= wanted < _MOST:
        hint = f"a number from 0 to {_MOST - 1}"
        raise InvalidInput(f"{wanted!r} is no number of tasks", field="parameters.desiredCount", hint=hint)
    return wanted


def _named(resource: ResourceRef) -> dict[str, Json]:
    """Return how a call names the service; its id is `cluster/service`."""
    cluster, _, name = resource.id.partition("/")
    return {"cluster": cluster, "service": name}


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the service with its tags. Facts: `state`, `desiredCount`, `runningCount`, `createdAt`, `taskDefinition`.

    Also `scheduling`, `controller`, `deploying`, `managed` and `balanced` (a load balancer sends it requests); with
    `target.full` also `scaled`.
    """
    named = _named(target.resource)
    asked = {"cluster": named["cluster"], "services": [named["service"]], "include": ["TAGS"]}
    try:
        service = next(iter(reader.read(_READ, asked).get("services", ())), None)
    except AwsRejected as error:
        if error.code in _GONE:
            return Observation(exists=False)
        raise
    if service is None or service.get("status") == _DELETED:
        return Observation(exists=False)
    seen = _seen(service)
    scaled = {"scaled": _scaled(reader, target.resource.id)} if target.full else {}
    return Observation(exists=True, fingerprint=seen.fingerprint, facts={**seen.facts, **scaled})


def _scaled(reader: Reader, name: str) -> bool:
    """Return whether Application Auto Scaling sets how many tasks the service wants."""
    named = f"service/{name}"
    answer = reader.read(_SCALING, {"ServiceNamespace": "ecs", "ResourceIds": [named]})
    return any(one.get("ResourceId") == named for one in answer.get("ScalableTargets", ()))


def _seen(service: Mapping[str, Any]) -> Observation:
    tags = {str(tag.get("key", "")): str(tag.get("value", "")) for tag in service.get("tags") or ()}
    facts: dict[str, Json] = {
        "state": str(service.get("status") or ""),
        "desiredCount": _text(service.get("desiredCount")),
        "runningCount": _text(service.get("runningCount")),
        "createdAt": _text(service.get("createdAt")),
        "taskDefinition": str(service.get("taskDefinition") or ""),
        "scheduling": str(service.get("schedulingStrategy") or REPLICA),
        # A service that never had another controller may come without one.
        "controller": str((service.get("deploymentController") or {}).get("type") or OWN_CONTROLLER),
        "deploying": deploying(service.get("deployments")),
        "balanced": bool(service.get("loadBalancers")),
        "managed": service.get("resourceManagementType") == OWN_CONTROLLER,
        "tags": dict(tags),
    }
    # A service that was deleted and made anew was created later; another definition shows that somebody works on it.
    found = {name: str(facts[name]) for name in ("state", "desiredCount", "createdAt", "taskDefinition")}
    return Observation(exists=True, fingerprint={**found, "tags": sha256_hex(dict(tags))[:16]}, facts=facts)


def _text(value: object) -> str:
    return "" if value is None else str(value)


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if sets_back(parameters):
        return set_back_refusals(observation) or SETTING.not_back(observation, parameters)
    return scaling_refusals(observation, _wanted(parameters), facts)


def _warnings(_observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    deploys = "A deployment that names a count of its own sets it again."
    if sets_back(parameters):
        return ("Its tasks begin with empty disks. Volumes of EFS have kept their files.", deploys)
    none = _wanted(parameters) == 0
    answers = "Nothing answers its requests afterwards." if none else "The tasks that stay take the work of all."
    clients = "another client" if none else "a load balancer or another client"
    return (
        f"{answers} We did not check whether {clients} depends on it.",
        "What a stopped task kept on its own disk is lost. Volumes of EFS keep their files.",
        "Tasks with scale-in protection stay until it ends, 48 hours at most; a person is called after 90 minutes.",
        deploys,
    )


def _words(observation: Observation, parameters: Parameters, _plan: Plan) -> ActWords:
    wanted, before = _tasks(_wanted(parameters)), _tasks(count(observation, "desiredCount") or 0)
    stays, starts = _wanted(parameters), sets_back(parameters)
    if starts:
        consequence, down = "Its tasks are started again, and cost as much as before.", "None"
    elif stays == 0:
        consequence, down = "All of its tasks are stopped.", "Until someone raises the count again"
    else:
        consequence, down = "The tasks beyond that number are stopped.", "None for the tasks that stay"
    stopped, started = "Wait until the other tasks are stopped", "Wait until its tasks run"
    return ActWords(
        verb="Scale",
        target=wanted,
        change=f"Desired count: {before} → {wanted}",
        consequence=consequence,
        downtime=down,
        undo=f"On a failure it gets {before} again by itself. Later: set its desired count back.",
        steps={
            "set_count": f"Set the desired count to {wanted}",
            "wait_scaled": started if starts else stopped,
            "restore": f"Set the desired count back to {before}",
            "wait_restored": stopped if starts else f"{started} again",
        },
        facts=(EvidenceFact("Running tasks", observation.text("runningCount") or "not known"),),
    )


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{number} tasks"


# -- what is called ----------------------------------------------------------------------------------------------------


def _call(resource: ResourceRef, wanted: int) -> Call:
    return _UPDATE, {**_named(resource), "desiredCount": wanted}


def _runs(now: Observation, wanted: int, before: int) -> bool:
    """Return whether as many tasks run as wanted: at least where more are, at most where fewer are."""
    running = count(now, "runningCount")
    return running is not None and (running >= wanted if wanted > before else running <= wanted)


def _scaled_in_or_out(plan: Plan, now: Observation) -> bool:
    return _runs(now, _wanted(plan.parameters), SETTING.old(plan))


def _runs_as_before(plan: Plan, now: Observation) -> bool:
    """How many tasks run of somebody else's count is theirs to watch."""
    return not SETTING.is_old(plan, now) or _runs(now, SETTING.old(plan), _wanted(plan.parameters))


SETTING: Final = NumberSetting(
    action=ID,
    parameter="desiredCount",
    fact="desiredCount",
    identity="createdAt",
    label="desired count",
    shown=_tasks,
    steps=("set_count", "wait_scaled"),
    wanted=_wanted,
    call=_call,
    others=Others(set="somebody set another count meanwhile", replaced=_MADE_ANEW),
    pace=Pace(settle=_SETTLE_SECONDS, longest=_LONGEST_SECONDS, poll=_POLL_SECONDS),
    applied=_scaled_in_or_out,
    restored=_runs_as_before,
)


def _found(_plan: Plan, now: Observation) -> str:
    if not now.exists:
        return "The service does not exist any more."
    desired, running = now.text("desiredCount"), now.text("runningCount")
    return f"The service wants {_tasks(int(desired or 0))}; {running or 0} of them run."


def _patch(owner: Owner, _resource: Resource, parameters: Parameters) -> str:
    wanted = _wanted(parameters)
    if owner.system == "CloudFormation":
        return f"Properties: DesiredCount: {wanted}"
    return f"desired_count = {wanted}" if owner.system == "Terraform" else f"Wanted: {_tasks(wanted)}"


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"ecs-service"}),
    destructive=False,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="set its desired count back",
    effort=Effort.LOW,
    permissions=(_UPDATE,),
    read_permissions=(_READ, _SCALING, *WATCH_READS),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=SETTING.plan,
    procedure=SETTING.procedure(_found),
    statements=on_its_arn,
    # One operation leads there and back, and IAM cannot see which of both a call is: the preflight alone keeps an act
    # from a protected service, and no act is kept from restoring one.
    rights=Rights(rollback=frozenset({_UPDATE})),
    at_owner=OwnerChange(patch=_patch),
    sample=ActSample(
        parameters={"desiredCount": 0},
        assumed={
            "state": ACTIVE,
            "desiredCount": "2",
            "createdAt": "2026-01-01 00:00:00+00:00",
            "taskDefinition": "arn:aws:ecs:us-east-1:111111111111:task-definition/web:7",
        },
    ),
    undo=SETTING.undo,
    watch=service_watch(_observe),
)
