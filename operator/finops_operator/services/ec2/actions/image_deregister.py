"""Deregister a machine image that nothing names. Its snapshots stay and are billed as before.

It cannot be undone by the product: an image can be registered again from the snapshots, with the parameters that the
plan keeps, and is another one with another id. Images whose billing AWS knows by the image alone (Windows, Red Hat,
SUSE, Marketplace) lose it that way, so they are refused, as are those with no snapshots. Where a rule of the Recycle
Bin keeps images, the very image can be taken out of it for as long. Source: EC2 API reference, DeregisterImage and
RegisterImage; EC2 user guide, "Deregister an Amazon EC2 AMI".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
    as_it_costs,
)
from finops_operator.plugins.deletion import is_as_approved, one_call, removed_at_owner
from finops_operator.plugins.protection import DELETION_WORDS, observed_tags, tag_refusals
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.services.ec2.ami import AVAILABLE, DISABLED
from finops_operator.services.ec2.rules.image_observation import (
    DESCRIBE,
    LONGEST,
    NOT_FOUND,
    READ_PERMISSIONS,
    observe_image,
)
from finops_operator.services.ec2.rules.image_users import ATTRIBUTE, CONFIGURATIONS, PERMISSION, REFERENCES
from finops_operator.services.ec2.rules.image_users import RESOURCE_TYPES as TYPES
from finops_operator.services.ec2.rules.recycle_bin import IMAGES, LIST_RULES
from finops_operator.services.ec2.rules.signs import SIGNS

ID: Final = "image_deregister"
_DEREGISTER: Final = "ec2:DeregisterImage"
_PLAIN_LINUX: Final = "RunInstances"
"""How AWS bills an image that anybody can register from a snapshot."""


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The image does not exist any more."),)
    return (
        *tag_refusals(observed_tags(observation), facts, SIGNS, DELETION_WORDS),
        *_state_refusals(observation),
        *_registration_refusals(observation),
        *_use_refusals(observation),
    )


def _state_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("state") not in (AVAILABLE, DISABLED):
        found.append(Refusal("NotAvailable", f"It is {observation.text('state') or 'in an unknown state'}."))
    if observation.text("protection") != "disabled":
        found.append(Refusal("DeregistrationProtected", "It is protected from deregistration."))
    return found


def _registration_refusals(observation: Observation) -> list[Refusal]:
    """Refuse what could not be registered again as it was."""
    found: list[Refusal] = []
    if not observation.text("snapshots") or observation.text("rootType") != "ebs":
        found.append(Refusal("NoSnapshots", "It has no snapshots from which it could be registered again."))
    if observation.text("usage") != _PLAIN_LINUX or observation.facts.get("productCodes") is not False:
        why = "AWS bills its system or its product by the image, and one registered again would not have that."
        found.append(Refusal("BilledByImage", why))
    if len(observation.text("registration")) > LONGEST:
        found.append(Refusal("RegistrationTooLong", "Its registration is too long to be kept with the plan."))
    return found


def _use_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.facts.get("public") is not False:
        found.append(Refusal("Public", "Everybody may launch it."))
    if observation.facts.get("shared") is not False:
        found.append(Refusal("Shared", "Another account may launch it, or whether one may is not known."))
    users = observation.facts.get("imageUsers")
    if users is None:
        found.append(Refusal("UsersUnknown", "Whether an instance or a launch template names it is not known."))
    elif users:
        found.append(Refusal("InUse", f"It is named by {users}."))
    return found


def _warnings(observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    days = observation.text("binDays")
    kept = (f"A rule of the Recycle Bin may keep it, {days} days at most.",) if days else ()
    return (
        "Its snapshots stay and are billed: they are what it can be registered from again.",
        "Parameters of Systems Manager, pipelines and templates that may name it were not read.",
        *kept,
    )


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Deregister",
        consequence="Nothing can be launched from the image any more. Instances of it and its snapshots stay.",
        downtime="Permanent",
        undo="Later: register an image from its snapshots, with the parameters in the audit log. It has another id.",
        steps={"deregister": "Deregister the image"},
        facts=(EvidenceFact("Snapshots that stay", observation.text("snapshots") or "none"),),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    return Plan(ID, resource, {}, (PlanStep("deregister", _DEREGISTER, {"ImageId": resource.id}),), dict(assumed))


def _found(plan: Plan, now: Observation) -> str:
    if now.exists:
        return f"The image is {now.text('state')}."
    snapshots = plan.fingerprint.get("snapshots") or "none"
    return f"The image is deregistered; its snapshots ({snapshots}) stay and are billed."


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    return "Somebody protected it from deregistration meanwhile." if code == "OperationNotPermitted" else ""


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"ami"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="register an image from its snapshots, with the parameters in the audit log; it has another id",
    effort=Effort.LOW,
    permissions=(_DEREGISTER,),
    read_permissions=READ_PERMISSIONS,
    observe=observe_image,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=one_call(
        StepRules(reached=lambda _, now: not now.exists, expected=is_as_approved, destroys=True),
        _found,
        name="deregister",
        refused=_refused,
    ),
    statements=on_its_arn,
    rights=Rights(
        probes={
            _DEREGISTER: lambda image: {"ImageId": image},
            DESCRIBE: lambda _: {"Owners": ["self"], "MaxResults": 5},
            REFERENCES: lambda image: {"ImageIds": [image], "ResourceTypes": list(TYPES)},
            ATTRIBUTE: lambda image: {"ImageId": image, "Attribute": PERMISSION},
            CONFIGURATIONS: lambda _: {"MaxRecords": 1},
            LIST_RULES: lambda _: {"ResourceType": IMAGES},
        },
    ),
    calls=CallRules(repeated=NOT_FOUND, dry_run_passed="DryRunOperation"),
    at_owner=removed_at_owner("aws_ami", in_cloudformation=False),
    # Its snapshots stay, and they are what is billed.
    remaining_cost=as_it_costs,
    saves=False,
    sample=ActSample(assumed={"state": AVAILABLE, "snapshots": "snap-0123456789abcdef0"}),
)
