"""Delete a load balancer that nothing is behind and nobody sends anything to. Its configuration is kept first.

AWS deletes a load balancer that is in use all the same, and answers with success where there is none any more. So
whatever shows use refuses: healthy targets, Auto Scaling groups that register with it, traffic of the last week, an
endpoint service, and CloudFront or Global Accelerator where they can be read. Listeners and rules go with it; target
groups, certificates and security groups stay. The plan keeps what another one would be made from: settings, attributes,
listeners with their certificates, rules, tags. Its name in DNS is another one then. Source: Elastic Load Balancing API
references of both generations, DeleteLoadBalancer; application load balancer guide, "Delete an Application Load
Balancer".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
    nothing_remains,
)
from finops_operator.plugins.deletion import is_as_approved, one_call, removed_at_owner
from finops_operator.plugins.protection import observed_tags, tag_refusals
from finops_operator.plugins.recent_use import METRICS, NONE, SOME, WINDOW
from finops_operator.plugins.session_policy import allow
from finops_operator.services.elasticloadbalancing.load_balancer import ACTIVE, IMPAIRED
from finops_operator.services.elasticloadbalancing.rules import balancer_observation as seen
from finops_operator.services.elasticloadbalancing.rules import configuration, senders
from finops_operator.services.elasticloadbalancing.rules.signs import SIGNS
from finops_operator.services.elasticloadbalancing.rules.traffic import TYPES

ID: Final = "load_balancer_delete"
_PERMISSION: Final = "elasticloadbalancing:DeleteLoadBalancer"
"""IAM's name for the calls of both generations."""
_DELETE: Final = "elbv2:DeleteLoadBalancer"
_DELETE_CLASSIC: Final = "elb:DeleteLoadBalancer"
_KEPT: Final = ("donotdelete",)
_SHOWS_SECONDS: Final = 120.0
"""How long a deletion may stay invisible before a person is called."""
_READS: Final = (
    *(seen.READ, seen.TAGS, seen.TARGET_GROUPS, seen.HEALTH),
    *(seen.CLASSIC_READ, seen.CLASSIC_TAGS, seen.CLASSIC_HEALTH),
    *(configuration.LISTENERS, configuration.CERTIFICATES, configuration.RULES, configuration.ATTRIBUTES),
    *(configuration.CLASSIC_ATTRIBUTES, configuration.CLASSIC_POLICIES),
)
_CALLS: Final[Mapping[str, str]] = {
    # Where both generations have a call of one name, they need the same permission; the newer one is asked.
    f"elasticloadbalancing:{call.partition(':')[2]}": call
    for call in reversed(_READS)
}
_ELSEWHERE: Final = (
    *(senders.ENDPOINT_SERVICES, senders.DISTRIBUTIONS, senders.GROUPS),
    *(senders.ACCELERATORS, senders.ACCELERATOR_LISTENERS, senders.ENDPOINT_GROUPS),
)


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The load balancer does not exist any more."),)
    return (
        *tag_refusals(observed_tags(observation), facts, SIGNS, _KEPT),
        *_state_refusals(observation),
        *_use_refusals(observation),
        *_sender_refusals(observation),
    )


def _state_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("type") not in TYPES:
        found.append(Refusal("TypeUnknown", "AWS did not say of which type it is."))
    if observation.text("state") not in (ACTIVE, IMPAIRED):
        found.append(Refusal("NotActive", f"It is {observation.text('state') or 'in an unknown state'}."))
    if not observation.text("createdAt"):
        found.append(Refusal("CreationUnknown", "AWS did not say when it was made."))
    protection = observation.text("protection")
    if protection != "false":
        why = "Deletion protection is on." if protection == "true" else "Whether it is protected is not known."
        found.append(Refusal("DeletionProtected", why))
    if any(len(observation.text(part)) > configuration.LONGEST for part in configuration.PARTS):
        why = "Its configuration is too long to be kept with the plan, so another one could not be made from it."
        found.append(Refusal("ConfigurationTooLong", why))
    return found


def _use_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    alive = observation.facts.get("targetsAlive")
    if not isinstance(alive, int):
        found.append(Refusal("TargetsUnknown", "Which of its targets are healthy is not known."))
    elif alive:
        found.append(Refusal("HealthyTargets", f"Targets behind it are healthy or on their way: {alive}."))
    if observation.text("groups"):
        why = f"Auto Scaling groups register their instances with it: {observation.text('groups')}."
        found.append(Refusal("UsedByAutoScaling", why))
    if observation.text("use") == SOME:
        found.append(Refusal("InUse", f"It carried traffic within the last {WINDOW.days} days."))
    elif observation.text("use") != NONE:
        why = f"CloudWatch does not show for all of the last {WINDOW.days} days that it carried nothing."
        found.append(Refusal("UseUnknown", why))
    return found


def _sender_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("endpointServices"):
        why = f"Endpoint services lead to it: {observation.text('endpointServices')}."
        found.append(Refusal("ServesEndpointService", why))
    if observation.text("distributions") not in ("", senders.NOT_READ):
        why = f"CloudFront distributions fetch from it: {observation.text('distributions')}."
        found.append(Refusal("OriginOfCloudFront", why))
    if observation.text("accelerators") not in ("", senders.NOT_READ):
        why = f"Accelerators send traffic to it: {observation.text('accelerators')}."
        found.append(Refusal("BehindGlobalAccelerator", why))
    return found


def _warnings(observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    asked = {"distributions": "CloudFront", "accelerators": "Global Accelerator"}
    not_read = [service for fact, service in asked.items() if observation.text(fact) == senders.NOT_READ]
    return (
        "It cannot be undone: a load balancer made anew has another name in DNS and other addresses.",
        "We did not check whether a name in DNS, a web ACL or a partner refers to it.",
        *(f"Whether {service} sends traffic to it could not be read." for service in not_read),
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Delete",
        consequence="The load balancer is deleted with its listeners and rules. Target groups and certificates stay.",
        downtime="Permanent",
        undo="It cannot be undone. The audit log keeps its configuration, from which another one can be made.",
        steps={"delete": "Delete the load balancer"},
        facts=(EvidenceFact("Type", observation.text("type") or "not known"),),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    classic = seen.is_classic(resource.id)
    call: dict[str, Json] = {"LoadBalancerName": resource.id} if classic else {"LoadBalancerArn": resource.arn}
    step = PlanStep("delete", _DELETE_CLASSIC if classic else _DELETE, call)
    return Plan(ID, resource, {}, (step,), dict(assumed))


def _gone(plan: Plan, now: Observation) -> bool:
    """Return whether it is gone; another one under its name was made after that."""
    return not now.exists or now.text("createdAt") != plan.fingerprint["createdAt"]


def _found(plan: Plan, now: Observation) -> str:
    if _gone(plan, now):
        return "The load balancer is deleted; the audit log keeps its configuration. Its target groups stay."
    return f"The load balancer is {now.text('state')}."


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    return {
        "OperationNotPermitted": "Somebody protected it from deletion meanwhile.",
        "ResourceInUse": "An endpoint service leads to it meanwhile.",
    }.get(code, "")


def _statements(plan: Plan, _step: PlanStep) -> tuple[Statement, ...]:
    return (allow(_PERMISSION, resource=plan.resource.arn),)


_SAMPLE_ARN: Final = "arn:aws:elasticloadbalancing:us-east-1:111111111111"
_NO_GROUP: Final = f"{_SAMPLE_ARN}:targetgroup/finops-doctor/73e2d6bc24d8a067"
_NO_LISTENER: Final = f"{_SAMPLE_ARN}:listener/app/finops-doctor/50dc6c495c0c9188/f2f7dc8efc522ab2"
_NO_BALANCER: Final = f"{_SAMPLE_ARN}:loadbalancer/app/finops-doctor/50dc6c495c0c9188"
_NO_ACCELERATOR: Final = "arn:aws:globalaccelerator::111111111111:accelerator/11111111-2222-3333-4444-555555555555"

ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"load-balancer"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="make another one from the configuration that the audit log keeps; it has another name in DNS",
    effort=Effort.LOW,
    permissions=(_PERMISSION,),
    read_permissions=(*sorted(_CALLS), *_ELSEWHERE, METRICS),
    observe=seen.observe_balancer,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=one_call(
        StepRules(reached=_gone, expected=is_as_approved, settle_seconds=_SHOWS_SECONDS, destroys=True),
        _found,
        gone=_gone,
        refused=_refused,
    ),
    statements=_statements,
    rights=Rights(
        probes={
            "elasticloadbalancing:DescribeTags": lambda _: {"ResourceArns": [_NO_BALANCER]},
            "elasticloadbalancing:DescribeListeners": lambda _: {"LoadBalancerArn": _NO_BALANCER},
            "elasticloadbalancing:DescribeLoadBalancerAttributes": lambda _: {"LoadBalancerArn": _NO_BALANCER},
            "elasticloadbalancing:DescribeTargetHealth": lambda _: {"TargetGroupArn": _NO_GROUP},
            "elasticloadbalancing:DescribeRules": lambda _: {"ListenerArn": _NO_LISTENER},
            "elasticloadbalancing:DescribeListenerCertificates": lambda _: {"ListenerArn": _NO_LISTENER},
            "elasticloadbalancing:DescribeInstanceHealth": lambda _: {"LoadBalancerName": "finops-doctor"},
            senders.ACCELERATOR_LISTENERS: lambda _: {"AcceleratorArn": _NO_ACCELERATOR},
            senders.ENDPOINT_GROUPS: lambda _: {"ListenerArn": f"{_NO_ACCELERATOR}/listener/0123abcd"},
        },
        calls={**_CALLS, _PERMISSION: _DELETE},
    ),
    calls=CallRules(repeated=seen.NOT_FOUND),
    at_owner=removed_at_owner("aws_lb"),
    remaining_cost=nothing_remains,
    sample=ActSample(assumed={"type": "application", "createdAt": "2026-01-01T00:00:00+00:00"}),
)
