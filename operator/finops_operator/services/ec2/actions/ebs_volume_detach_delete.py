"""Detach a data volume from its stopped instance and delete it, after two snapshots. The snapshots stay and are billed.

Parameters: `instanceId` and `device`, where the volume is attached; the plan is for that place alone. And
`snapshotExpiryDays`, for how long the snapshots say that they are to be kept; they carry the volume's own tags besides.

Never a root volume, and never one of an instance that runs. The first snapshot may take hours and is made while the
volume is attached; then the volume is detached, a second snapshot holds what changed since, and the volume is deleted.
Whoever starts the instance, uses or changes the volume meanwhile has taken it back: the act turns, attaches it to the
same instance as the same device, and leaves the snapshots, which may be the only ones. AWS does not give back that the
volume was deleted together with its instance, so after such a return it outlives the instance, and people are warned.
The undo makes a new volume with a new id from the last snapshot and attaches it to nothing: what the instance has at
that device by then a person judges.
Source: EC2 API reference, DetachVolume, AttachVolume; EBS user guide, "Detach an Amazon EBS volume from an instance".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, Procedure, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.errors import InvalidInput
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
    Target,
)
from finops_operator.plugins.deletion import is_as_approved, removed_at_owner
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.protection import controlled, kept, protected
from finops_operator.plugins.session_policy import allow
from finops_operator.services.ec2.rules import snapshot_steps as snapshots
from finops_operator.services.ec2.rules import volume_again as again
from finops_operator.services.ec2.rules.calls import KEYS_WITHOUT_DRY_RUN
from finops_operator.services.ec2.rules.instance_observation import read_instance
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.snapshot_tags import kept_for
from finops_operator.services.ec2.rules.stop_refusals import tags
from finops_operator.services.ec2.rules.volume_keys import DESCRIBE_KEY
from finops_operator.services.ec2.rules.volume_observation import (
    fingerprint,
    read_volume,
    volume_facts,
    volume_refusals,
)

ID: Final = "ebs_volume_detach_delete"
_DETACH: Final = "ec2:DetachVolume"
_ATTACH: Final = "ec2:AttachVolume"
_HIBERNATED: Final = "Client.UserInitiatedHibernate"
_OF_ATTACHMENT: Final = frozenset({"state", "attachments"})
"""What our own detaching changes, so that no fingerprint holds it."""
_DETACHED_SECONDS: Final = 600.0


def _place(parameters: Parameters) -> tuple[str, str]:
    """Return instance and device that the volume is to be taken from. Raises InvalidInput."""
    instance_id, device = parameters.get("instanceId"), parameters.get("device")
    if isinstance(instance_id, str) and isinstance(device, str) and instance_id and device:
        return instance_id, device
    hint = "instanceId and device, where the volume is attached"
    raise InvalidInput(f"{instance_id!r}, {device!r} is no place of a volume", field="parameters", hint=hint)


# -- what is there -----------------------------------------------------------------------------------------------------


def _observe(reader: Reader, target: Target) -> Observation:
    """Read the volume, what was kept of it, and the instance that has it.

    Facts: as `ebs_volume_delete` has them, and `onInstance`, `onDevice`, `attachment` (AWS's state of it, empty for
    none); of the instance `instanceState`, `launchTime`, `stateReason`, `rootDevice`, `instanceTags`.
    """
    if again.is_again(target.parameters):
        return again.observe(reader, target)
    instance_id, device = _place(target.parameters)
    volume = read_volume(reader, target.resource.id)
    made, first = snapshots.kept_of(reader, target)
    if volume is None:
        return Observation(exists=False, facts=made)
    facts = volume_facts(volume) | made | _attachment(volume) | _instance(reader, instance_id)
    facts["usedSince"] = snapshots.used_since(reader, target, first, made["lastSnapshot"])
    lasting = {name: value for name, value in fingerprint(volume).items() if name not in _OF_ATTACHMENT}
    lasting |= again.origin(volume)
    named = {name: str(facts[name]) for name in ("instanceState", "launchTime")}
    return Observation(True, {**lasting, **named, "instanceId": instance_id, "device": device}, facts)


def _attachment(volume: Mapping[str, Any]) -> dict[str, Json]:
    listed: Sequence[Mapping[str, Any]] = volume.get("Attachments") or ()
    one: Mapping[str, Any] = listed[0] if len(listed) == 1 else {}
    return {
        "onInstance": str(one.get("InstanceId") or ""),
        "onDevice": str(one.get("Device") or ""),
        "attachment": str(one.get("State") or ""),
    }


def _instance(reader: Reader, identity: str) -> dict[str, Json]:
    instance = read_instance(reader, identity) or {}
    return {
        "instanceState": str((instance.get("State") or {}).get("Name") or ""),
        "launchTime": str(instance.get("LaunchTime") or ""),
        "stateReason": str((instance.get("StateReason") or {}).get("Code") or ""),
        "rootDevice": str(instance.get("RootDeviceName") or ""),
        "instanceTags": dict(tags_of(instance)),
    }


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if again.is_again(parameters):
        return again.refusals(observation, parameters)
    refusals = volume_refusals(observation, facts)
    if not observation.exists:
        return refusals
    refusals += kept(tags(observation)) + snapshots.use_refusals(observation)
    if observation.text("lastSnapshot"):
        # We have detached it: nothing else may have it now.
        why = f"It is {observation.text('state')}, and we had detached it."
        return refusals if observation.text("state") == "available" else (*refusals, Refusal("AttachedAgain", why))
    return (*refusals, *_attachment_refusals(observation, _place(parameters)), *_instance_refusals(observation, facts))


def _attachment_refusals(observation: Observation, place: tuple[str, str]) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("attachment") != "attached" or not _is_at(observation, place):
        why = f"It is {observation.text('state')}, and not attached to the one instance that was named."
        found.append(Refusal("NotAttached", why))
    elif not observation.text("rootDevice"):
        found.append(Refusal("RootDeviceUnknown", "Which device its instance starts from is not known."))
    elif observation.text("onDevice") == observation.text("rootDevice"):
        found.append(Refusal("RootVolume", "Its instance starts from it."))
    volume = observation.facts.get("volume")
    if not isinstance(volume, Mapping) or volume.get("MultiAttachEnabled") is not False:
        found.append(Refusal("MultiAttach", "Several instances may have it at once."))
    return found


def _is_at(observation: Observation, place: tuple[str, str]) -> bool:
    return (observation.text("onInstance"), observation.text("onDevice")) == place


def _instance_refusals(observation: Observation, facts: PolicyFacts) -> list[Refusal]:
    found: list[Refusal] = []
    state = observation.text("instanceState")
    if state != "stopped":
        found.append(Refusal("InstanceNotStopped", f"Its instance is {state or 'not known'}, not stopped."))
    if observation.text("stateReason") == _HIBERNATED:
        found.append(Refusal("InstanceHibernated", "Its instance hibernates, and expects it when it wakes up."))
    listed = observation.facts.get("instanceTags")
    of_instance = {str(key): str(value) for key, value in listed.items()} if isinstance(listed, Mapping) else {}
    against = (*protected(of_instance, facts), *kept(of_instance), *controlled(of_instance, SIGNS))
    found += [Refusal(f"Instance{one.code}", f"Of its instance: {one.message}") for one in against]
    return found


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    if again.is_again(parameters):
        return again.WARNINGS
    return (
        *snapshots.warnings(observation, parameters),
        "Its instance does not find it any more when it is started, and may not start up because of that.",
        "If the act turns back after it was detached, it is attached again and outlives its instance from then on.",
    )


def _words(observation: Observation, parameters: Parameters, plan: Plan) -> ActWords:
    if again.is_again(parameters):
        return again.words(plan)
    return ActWords(
        verb="Delete",
        consequence="It is taken from its stopped instance and deleted after two snapshots of it. Both are kept.",
        downtime="Permanent",
        undo=f"If something fails it is attached again. {again.undo_words(plan)}",
        steps={
            **snapshots.TITLES,
            "detach": f"Detach it from {observation.text('onInstance') or 'its instance'}",
            "wait_detached": "Wait until it is detached",
            "attach_again": "Attach it to its instance again",
            "wait_attached": "Wait until it is attached",
            "delete_volume": "Delete the volume",
        },
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _at(resource: ResourceRef, place: tuple[str, str]) -> dict[str, Json]:
    """Return how a call names the volume on its instance."""
    return {"VolumeId": resource.id, "InstanceId": place[0], "Device": place[1]}


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    if again.is_again(parameters):
        return again.plan_again(ID, resource, parameters, assumed)
    place = _place(parameters)
    steps = (
        snapshots.snapshot_step(resource, snapshots.FIRST, parameters, assumed),
        PlanStep(snapshots.WAIT_FIRST),
        PlanStep("detach", _DETACH, _at(resource, place), inverse="attach_again"),
        PlanStep("wait_detached"),
        snapshots.snapshot_step(resource, snapshots.LAST, parameters, assumed),
        PlanStep(snapshots.WAIT_LAST),
        PlanStep("delete_volume", "ec2:DeleteVolume", {"VolumeId": resource.id}),
    )
    chosen: dict[str, Json] = {"instanceId": place[0], "device": place[1], **kept_for(parameters)}
    return Plan(ID, resource, chosen, steps, dict(assumed))


def _compensation(plan: Plan) -> tuple[PlanStep, ...]:
    if again.is_again(plan.parameters):
        return ()
    attach = PlanStep("attach_again", _ATTACH, _at(plan.resource, _place(plan.parameters)))
    return (attach, PlanStep("wait_attached"))


def _as_approved(plan: Plan, now: Observation) -> bool:
    """Return whether it is as people saw it: on the same stopped instance, nothing about it changed."""
    attached = now.text("attachment") == "attached" and _is_at(now, _place(plan.parameters))
    return is_as_approved(plan, now) and attached


def _same_but_detached(plan: Plan, now: Observation) -> bool:
    """Return whether our detaching is all that changed."""
    return is_as_approved(plan, now) and now.text("state") == "available"


def _used(plan: Plan, now: Observation) -> bool:
    return now.exists and not _as_approved(plan, now)


def _taken_back(plan: Plan, now: Observation) -> bool:
    return now.exists and not _same_but_detached(plan, now)


def _attached(_plan: Plan, now: Observation) -> bool:
    """Return whether an instance has it: ours again, or another one that somebody gave it to, which is left alone."""
    return now.exists and now.text("state") == "in-use" and now.text("attachment") in ("attached", "attaching")


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    if again.is_again(plan.parameters):
        return again.statements(plan, step)
    if step.operation not in (_DETACH, _ATTACH):
        return snapshots.snapshot_statements(plan, step)
    place = plan.resource.arn.rpartition(":volume/")[0]
    instance = f"{place}:instance/{step.parameters['InstanceId']}"
    return (allow(step.operation, resource=plan.resource.arn), allow(step.operation, resource=instance))


def _refused(plan: Plan, now: Observation, step: str, code: str) -> str:
    if again.is_again(plan.parameters):
        return again.refused(plan, now, step, code)
    if step == "attach_again" and code in {"InvalidInstanceID.NotFound", "IncorrectState"}:
        return "Its instance cannot take it any more."
    return ""


_ON_INSTANCES: Final[Statement] = {
    "Sid": "DetachAndAttachAgain",
    "Effect": "Allow",
    "Action": [_DETACH, _ATTACH],
    "Resource": "arn:*:ec2:*:*:instance/*",
}


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"ebs-volume"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=True,
    parting_step="detach",
    undo_by_hand="create a volume from the last snapshot and attach it to the instance",
    effort=Effort.LOW,
    permissions=("ec2:CreateSnapshot", "ec2:CreateTags", _DETACH, _ATTACH, "ec2:DeleteVolume", *again.PERMISSIONS),
    read_permissions=(
        *("ec2:DescribeVolumes", "ec2:DescribeSnapshots", "ec2:DescribeInstances"),
        *("cloudwatch:GetMetricData", DESCRIBE_KEY),
    ),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            **snapshots.first_rules(_as_approved, _used),
            "detach": StepRules(
                reached=_same_but_detached,
                expected=lambda plan, now: _as_approved(plan, now) and now.text("snapshot") == "completed",
                changed=lambda plan, now: _used(plan, now) and _taken_back(plan, now),
                settle_seconds=60,
            ),
            "wait_detached": StepRules(
                reached=_same_but_detached,
                failed=lambda _, now: not now.exists,
                settle_seconds=60,
                timeout_seconds=_DETACHED_SECONDS,
            ),
            **snapshots.last_rules(_same_but_detached, _taken_back),
            "attach_again": StepRules(
                reached=_attached,
                expected=lambda _, now: now.exists and now.text("state") == "available",
                settle_seconds=60,
            ),
            **again.RULES,
            "wait_attached": StepRules(reached=_attached, settle_seconds=60, timeout_seconds=_DETACHED_SECONDS),
        },
        compensation=_compensation,
        restored=again.either(again.nothing_made, _attached),
        verified=again.either(again.verified, snapshots.deleted_and_kept),
        found=again.either(again.found, snapshots.volume_found),
        refused=_refused,
    ),
    statements=_statements,
    observed_statements=again.key_statements,
    rights=Rights(
        narrowed=(snapshots.TAG_AS_MADE, *again.NARROWED),
        further=(
            snapshots.KEEP_SNAPSHOTS,
            again.FROM_SNAPSHOTS,
            _ON_INSTANCES,
        ),
        rollback=frozenset({_ATTACH}),
        probes={
            "ec2:CreateSnapshot": lambda volume: {"VolumeId": volume},
            _DETACH: lambda volume: {"VolumeId": volume},
            "ec2:DeleteVolume": lambda volume: {"VolumeId": volume},
            DESCRIBE_KEY: lambda _: {"KeyId": "alias/aws/ebs"},
        },
        without_dry_run=KEYS_WITHOUT_DRY_RUN,
    ),
    calls=replace(again.CALLS, repeated=frozenset({"IncorrectState", "VolumeInUse"})),
    at_owner=removed_at_owner("aws_volume_attachment and the aws_ebs_volume"),
    sample=ActSample(
        parameters={"instanceId": "i-0123456789abcdef0", "device": "/dev/sdf"},
        assumed={
            **again.SAMPLE.assumed,
            "instanceState": "stopped",
            "instanceId": "i-0123456789abcdef0",
            "device": "/dev/sdf",
        },
        made=again.SAMPLE.made,
    ),
    undo=again.UNDO,
)
