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

from finops.domain.execution import Observation, Procedure
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Action, ActWords, Parameters, PolicyFacts, Refusal, Rights, Target
from finops_operator.plugins.deletion import removed_at_owner
from finops_operator.services.ec2.rules import snapshot_steps as kept
from finops_operator.services.ec2.rules.calls import CALLS
from finops_operator.services.ec2.rules.remaining_cost import snapshot_cost
from finops_operator.services.ec2.rules.volume_observation import (
    fingerprint,
    read_volume,
    volume_facts,
    volume_refusals,
)


def _observe(reader: Reader, target: Target) -> Observation:
    volume = read_volume(reader, target.resource.id)
    made, first = kept.kept_of(reader, target)
    if volume is None:
        return Observation(exists=False, facts=made)
    used = kept.used_since(reader, target, first, made["lastSnapshot"])
    facts = volume_facts(volume) | made | {"usedSince": used}
    return Observation(exists=True, fingerprint=fingerprint(volume), facts=facts)


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    refusals = volume_refusals(observation, facts)
    if observation.exists and observation.text("state") != "available":
        refusals += (Refusal("NotAvailable", f"It is {observation.text('state')}, not available."),)
    return refusals + kept.use_refusals(observation)


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
        steps={**kept.TITLES, "delete_volume": "Delete the volume"},
    )


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    steps = (
        kept.snapshot_step(resource, kept.FIRST, f"Before the deletion of {resource.id}"),
        PlanStep(kept.WAIT_FIRST),
        kept.snapshot_step(resource, kept.LAST, f"Right before the deletion of {resource.id}"),
        PlanStep(kept.WAIT_LAST),
        PlanStep("delete_volume", "ec2:DeleteVolume", {"VolumeId": resource.id}),
    )
    return Plan("ebs_volume_delete", resource, {}, steps, dict(assumed))


def _changed(plan: Plan, now: Observation) -> bool:
    return now.exists and not _unchanged(plan, now)


def _unchanged(plan: Plan, now: Observation) -> bool:
    return now.exists and dict(now.fingerprint) == dict(plan.fingerprint) and now.text("state") == "available"


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
        steps={**kept.first_rules(_unchanged, _changed), **kept.last_rules(_unchanged, _changed)},
        compensation=lambda _: (),
        # Until the volume is deleted nothing about it was changed; there is nothing to lead back to.
        restored=lambda _plan, _now: True,
        verified=kept.deleted_and_kept,
        found=kept.volume_found,
    ),
    statements=kept.snapshot_statements,
    rights=Rights(
        narrowed=(kept.TAG_AS_MADE,),
        further=(kept.KEEP_SNAPSHOTS,),
        probes={
            "ec2:CreateSnapshot": lambda volume: {"VolumeId": volume},
            "ec2:DeleteVolume": lambda volume: {"VolumeId": volume},
        },
    ),
    calls=CALLS,
    at_owner=removed_at_owner("aws_ebs_volume"),
    remaining_cost=snapshot_cost,
)
