"""Delete an unattached EBS volume, after a snapshot of it is complete. The snapshot stays and is billed.

The snapshot carries the request's uid as a tag from its creating call, so that an executor that died before the answer
was recorded finds it and makes no second one; afterwards the recorded id counts alone. When the act turns back the
volume is left as it is found, and the snapshot is kept and named: it may be the only one.
Source: Amazon EBS user guide, "Delete an Amazon EBS volume".
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
    AtOwner,
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
from finops_operator.services.ec2.rules.volume_observation import (
    REQUEST_TAG,
    fingerprint,
    read_volume,
    snapshots_arn,
    snapshots_of_request,
    volume_facts,
    volume_refusals,
)

_DAY_SECONDS: Final = 86400.0
_BEST_FIRST: Final = ("completed", "pending", "error")


def _observe(reader: Reader, target: Target) -> Observation:
    volume = read_volume(reader, target.resource.id)
    snapshots = snapshots_of_request(reader, target.resource.id, target.request_uid, target.created)
    # While it is not recorded which one is ours, one good snapshot is enough; a failed one beside it does no harm.
    found = ((word, item) for word in _BEST_FIRST for item in snapshots if item.get("State") == word)
    state, best = next(found, ("", {}))
    made: dict[str, Json] = {"snapshot": state, "created": str(best.get("SnapshotId", target.created))}
    if volume is None:
        return Observation(exists=False, facts=made)
    return Observation(exists=True, fingerprint=fingerprint(volume), facts=volume_facts(volume) | made)


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    refusals = volume_refusals(observation, facts)
    if observation.exists and observation.text("state") != "available":
        refusals += (Refusal("NotAvailable", f"It is {observation.text('state')}, not available."),)
    return refusals


def _warnings(_observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    return ("The snapshot that is taken first is kept and billed for the data in it, at most the volume's size.",)


def _words(_observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    return ActWords(
        verb="Delete",
        consequence="It is deleted after a snapshot of it is complete. The snapshot is kept.",
        downtime="Permanent",
        undo="If the snapshot fails, the volume is kept. Later: create a volume from the snapshot.",
        steps={
            "create_snapshot": "Take a snapshot",
            "wait_snapshot": "Wait until the snapshot is complete",
            "delete_volume": "Delete the volume",
        },
    )


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    snapshot: dict[str, Json] = {
        "VolumeId": resource.id,
        "Description": f"Before the deletion of {resource.id}",
        "TagSpecifications": [
            {"ResourceType": "snapshot", "Tags": [{"Key": REQUEST_TAG, "Value": REQUEST_PLACEHOLDER}]}
        ],
    }
    steps = (
        PlanStep("create_snapshot", "ec2:CreateSnapshot", snapshot),
        PlanStep("wait_snapshot"),
        PlanStep("delete_volume", "ec2:DeleteVolume", {"VolumeId": resource.id}),
    )
    return Plan("ebs_volume_delete", resource, {}, steps, dict(assumed))


def _unchanged(plan: Plan, now: Observation) -> bool:
    return now.exists and dict(now.fingerprint) == dict(plan.fingerprint) and now.text("state") == "available"


def _found(_plan: Plan, now: Observation) -> str:
    volume = f"The volume is {now.text('state')}" if now.exists else "The volume does not exist any more"
    made, word = now.text("created"), now.text("snapshot")
    if not made:
        return f"{volume}; AWS shows no snapshot made by this act."
    return f"{volume}; snapshot {made} {f'({word}) stays and is billed' if word else 'is not shown by AWS now'}."


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    volume = allow(step.operation, resource=plan.resource.arn)
    if step.id != "create_snapshot":
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
    way_back="create a volume from the snapshot",
    effort=Effort.LOW,
    permissions=("ec2:CreateSnapshot", "ec2:CreateTags", "ec2:DeleteVolume"),
    read_permissions=("ec2:DescribeVolumes", "ec2:DescribeSnapshots"),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={
            # A snapshot that shows late would be made twice: wait long before believing that there is none.
            "create_snapshot": StepRules(
                reached=lambda _, now: now.text("snapshot") in {"pending", "completed"},
                expected=lambda plan, now: _unchanged(plan, now) and now.text("snapshot") in {"", "error"},
                settle_seconds=60,
            ),
            "wait_snapshot": StepRules(
                reached=lambda _, now: now.text("snapshot") == "completed",
                failed=lambda _, now: now.text("snapshot") in {"", "error"},
                settle_seconds=60,
                timeout_seconds=_DAY_SECONDS,
                poll_seconds=15,
            ),
            "delete_volume": StepRules(
                reached=lambda _, now: not now.exists,
                expected=lambda plan, now: _unchanged(plan, now) and now.text("snapshot") == "completed",
                destroys=True,
            ),
        },
        compensation=lambda _: (),
        # Until the volume is deleted nothing about it was changed; there is nothing to lead back to.
        restored=lambda _plan, _now: True,
        verified=lambda _, now: not now.exists and now.text("snapshot") == "completed",
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
    at_owner=AtOwner(patch=_patch),
)
