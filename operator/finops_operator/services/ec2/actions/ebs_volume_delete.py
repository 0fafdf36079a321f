"""Delete an unattached EBS volume, after two snapshots of it are complete. The snapshots stay and are billed.

The first snapshot may take hours, and much can happen to the volume meanwhile. So a second one is made right before the
deletion: it holds only what changed since the first, is complete within minutes as a rule, and is the one that counts.
Whatever shows that the volume was used or changed after the plan was made turns the act back: attachment, state,
settings, tags at any reading, and in the end CloudWatch, to which a volume reports only while it is attached.

Each snapshot carries the request's uid and its step as tags from its creating call, so that an executor that died
before the answer was recorded finds it and makes no other; afterwards the recorded id counts alone. When the act turns
back the volume is left as it is found, and the snapshots are kept and named: they may be the only ones.
Source: Amazon EBS user guide, "Delete an Amazon EBS volume", "Amazon CloudWatch metrics for Amazon EBS".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, Procedure, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.domain.resource import Resource
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    REQUEST_PLACEHOLDER,
    Action,
    ActWords,
    OwnerChange,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
    Target,
)
from finops_operator.plugins.ownership import Owner
from finops_operator.plugins.session_policy import allow
from finops_operator.services.ec2.rules.calls import CALLS
from finops_operator.services.ec2.rules.last_snapshots import Snapshot, reported_since, snapshot_of_step
from finops_operator.services.ec2.rules.remaining_cost import snapshot_cost
from finops_operator.services.ec2.rules.volume_observation import (
    REQUEST_TAG,
    STEP_TAG,
    fingerprint,
    read_volume,
    snapshots_arn,
    volume_facts,
    volume_refusals,
)

_DAY_SECONDS: Final = 86400.0
_FIRST, _LAST = "create_snapshot", "create_last_snapshot"
_TOO_SOON: Final = frozenset({"SnapshotCreationPerVolumeRateExceeded"})
"""AWS makes one snapshot of a volume in 15 seconds (EC2 API reference, client error codes)."""


def _observe(reader: Reader, target: Target) -> Observation:
    volume = read_volume(reader, target.resource.id)
    first = snapshot_of_step(reader, target, _FIRST)
    begun = first.state == "completed" or _LAST in target.made
    last = snapshot_of_step(reader, target, _LAST) if begun else Snapshot()
    made: dict[str, Json] = {
        "snapshot": first.state,
        "firstSnapshotId": first.id,
        "lastSnapshot": last.state,
        # What the step just made: recorded with it when the answer to its call was lost.
        "created": last.id or first.id,
    }
    if volume is None:
        return Observation(exists=False, facts=made)
    used: Json = False
    if target.full and last.state == "completed":
        # A first snapshot that AWS shows no more leaves open what happened to the volume since.
        used = reported_since(reader, target.resource.id, first.started) if first.started else "unknown"
    facts = volume_facts(volume) | made | {"usedSince": used}
    return Observation(exists=True, fingerprint=fingerprint(volume), facts=facts)


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    refusals = volume_refusals(observation, facts)
    if observation.exists and observation.text("state") != "available":
        refusals += (Refusal("NotAvailable", f"It is {observation.text('state')}, not available."),)
    if observation.facts.get("usedSince") is True:
        refusals += (Refusal("UsedMeanwhile", "CloudWatch shows that it was attached after its first snapshot."),)
    if observation.facts.get("usedSince") == "unknown":
        why = "Its first snapshot is gone, so whether it was used since then is not known."
        refusals += (Refusal("UseUnknown", why),)
    return refusals


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return (
        "Two snapshots are made first and kept, the second one right before the deletion.",
        "They are billed by what they hold, together about the volume's size at most.",
    )


def _words(_observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Delete",
        consequence="It is deleted after two snapshots of it, the second right before. Both are kept.",
        downtime="Permanent",
        undo="If a snapshot fails or the volume changes, it is kept. Later: create a volume from the last snapshot.",
        steps={
            "create_snapshot": "Take a snapshot",
            "wait_snapshot": "Wait until the snapshot is complete",
            "create_last_snapshot": "Take a last snapshot of what changed since",
            "wait_last_snapshot": "Wait until the last snapshot is complete",
            "delete_volume": "Delete the volume",
        },
    )


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    steps = (
        PlanStep(_FIRST, "ec2:CreateSnapshot", _call(resource, _FIRST, f"Before the deletion of {resource.id}")),
        PlanStep("wait_snapshot"),
        PlanStep(_LAST, "ec2:CreateSnapshot", _call(resource, _LAST, f"Right before the deletion of {resource.id}")),
        PlanStep("wait_last_snapshot"),
        PlanStep("delete_volume", "ec2:DeleteVolume", {"VolumeId": resource.id}),
    )
    return Plan("ebs_volume_delete", resource, {}, steps, dict(assumed))


def _call(resource: ResourceRef, step: str, description: str) -> dict[str, Json]:
    tags: list[Json] = [{"Key": REQUEST_TAG, "Value": REQUEST_PLACEHOLDER}, {"Key": STEP_TAG, "Value": step}]
    return {
        "VolumeId": resource.id,
        "Description": description,
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": tags}],
    }


def _changed(plan: Plan, now: Observation) -> bool:
    return now.exists and not _unchanged(plan, now)


def _unchanged(plan: Plan, now: Observation) -> bool:
    return now.exists and dict(now.fingerprint) == dict(plan.fingerprint) and now.text("state") == "available"


def _found(_plan: Plan, now: Observation) -> str:
    volume = f"The volume is {now.text('state')}" if now.exists else "The volume does not exist any more"
    first, made = now.text("firstSnapshotId"), now.text("created")
    if not made:
        return f"{volume}; AWS shows no snapshot made by this act."
    if first and first != made:
        word = now.text("lastSnapshot")
        shown = f"({word}) stay and are billed" if word else "are kept; AWS does not show the last one now"
        return f"{volume}; snapshots {first} and {made} {shown}."
    word = now.text("snapshot")
    return f"{volume}; snapshot {made} {f'({word}) stays and is billed' if word else 'is not shown by AWS now'}."


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    volume = allow(step.operation, resource=plan.resource.arn)
    if step.id not in {_FIRST, _LAST}:
        return (volume,)
    snapshots = snapshots_arn(plan.resource)
    tagging: Statement = {
        **allow("ec2:CreateTags", resource=snapshots),
        "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}},
    }
    return (volume, allow(step.operation, resource=snapshots), tagging)


def _patch(owner: Owner, _resource: Resource, _parameters: Parameters) -> str:
    if owner.system == "CloudFormation":
        return "Remove the resource from the template."
    return "Remove the aws_ebs_volume block." if owner.system == "Terraform" else ""


ACTION: Final = Action(
    id="ebs_volume_delete",
    kinds=frozenset({"ebs-volume"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="create a volume from the last snapshot",
    effort=Effort.LOW,
    permissions=("ec2:CreateSnapshot", "ec2:CreateTags", "ec2:DeleteVolume"),
    read_permissions=("ec2:DescribeVolumes", "ec2:DescribeSnapshots", "cloudwatch:GetMetricData"),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            # A snapshot that shows late would be made twice: wait long before believing that there is none.
            _FIRST: StepRules(
                reached=lambda _, now: now.text("snapshot") in {"pending", "completed"},
                expected=lambda plan, now: _unchanged(plan, now) and now.text("snapshot") in {"", "error"},
                settle_seconds=60,
            ),
            "wait_snapshot": StepRules(
                reached=lambda _, now: now.text("snapshot") == "completed",
                failed=lambda _, now: now.text("snapshot") in {"", "error"},
                changed=_changed,
                settle_seconds=60,
                timeout_seconds=_DAY_SECONDS,
                poll_seconds=15,
            ),
            _LAST: StepRules(
                reached=lambda _, now: now.text("lastSnapshot") in {"pending", "completed"},
                expected=lambda plan, now: _unchanged(plan, now) and now.text("lastSnapshot") in {"", "error"},
                changed=_changed,
                settle_seconds=60,
                retry_codes=_TOO_SOON,
            ),
            "wait_last_snapshot": StepRules(
                reached=lambda _, now: now.text("lastSnapshot") == "completed",
                failed=lambda _, now: now.text("lastSnapshot") in {"", "error"},
                changed=_changed,
                settle_seconds=60,
                timeout_seconds=_DAY_SECONDS,
                poll_seconds=5,
            ),
            "delete_volume": StepRules(
                reached=lambda _, now: not now.exists,
                expected=lambda plan, now: _unchanged(plan, now) and now.text("lastSnapshot") == "completed",
                changed=_changed,
                destroys=True,
            ),
        },
        compensation=lambda _: (),
        # Until the volume is deleted nothing about it was changed; there is nothing to lead back to.
        restored=lambda _plan, _now: True,
        verified=lambda _, now: not now.exists and now.text("lastSnapshot") == "completed",
        found=_found,
    ),
    statements=_statements,
    rights=Rights(
        narrowed=(
            {
                "Sid": "TagSnapshotsAsTheyAreMade",
                "Effect": "Allow",
                "Action": "ec2:CreateTags",
                "Resource": "arn:*:ec2:*::snapshot/*",
                "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}},
            },
        ),
        further=(
            {
                "Sid": "KeepSnapshots",
                "Effect": "Allow",
                "Action": "ec2:CreateSnapshot",
                "Resource": "arn:*:ec2:*::snapshot/*",
            },
        ),
        probes={
            "ec2:CreateSnapshot": lambda volume: {"VolumeId": volume},
            "ec2:DeleteVolume": lambda volume: {"VolumeId": volume},
        },
    ),
    calls=CALLS,
    at_owner=OwnerChange(patch=_patch),
    remaining_cost=snapshot_cost,
)
