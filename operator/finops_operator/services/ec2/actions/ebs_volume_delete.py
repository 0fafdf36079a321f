"""Delete an unattached EBS volume, after two snapshots of it are complete. The snapshots stay and are billed.

The first snapshot may take hours, and much can happen to the volume meanwhile. So a second one is made right before the
deletion: it holds only what changed since the first, is complete within minutes as a rule, and is the one that counts.
Whatever shows that the volume was used or changed after the plan was made turns the act back: attachment, state,
settings, tags at any reading, and in the end CloudWatch, to which a volume reports only while it is attached. It
shows a use some minutes late; so when nobody observed the volume for a while after its second snapshot, as when the
operator was restarted or the act was frozen, the deletion waits for ten minutes in which it is observed without a gap.
So it does after more than 15 seconds between two readings, or between the last one and the call.

The undo makes a new volume with a new id from the last snapshot, in the same zone, with the same settings, key and
tags; it has the parameter `snapshotId` and, beside it, what the volume was. It is possible while that snapshot exists.

Each snapshot carries the request's uid and its step as tags from its creating call, so that an executor that died
before the answer was recorded finds it and makes no other; afterwards the recorded id counts alone. Beside them it
carries the volume's own tags and, from the parameter `snapshotExpiryDays`, for how long to keep it. When the act turns
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
from finops_operator.plugins.action import (
    Action,
    ActWords,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Statement,
    Target,
)
from finops_operator.plugins.deletion import removed_at_owner
from finops_operator.services.ec2.rules import snapshot_steps as kept
from finops_operator.services.ec2.rules import volume_again as again
from finops_operator.services.ec2.rules.calls import KEYS_WITHOUT_DRY_RUN
from finops_operator.services.ec2.rules.remaining_cost import snapshot_cost
from finops_operator.services.ec2.rules.snapshot_tags import kept_for
from finops_operator.services.ec2.rules.volume_keys import DESCRIBE_KEY
from finops_operator.services.ec2.rules.volume_observation import (
    fingerprint,
    read_volume,
    volume_facts,
    volume_refusals,
)

ID: Final = "ebs_volume_delete"


def _observe(reader: Reader, target: Target) -> Observation:
    if again.is_again(target.parameters):
        return again.observe(reader, target)
    volume = read_volume(reader, target.resource.id)
    made, first = kept.kept_of(reader, target)
    if volume is None:
        return Observation(exists=False, facts=made)
    used = kept.used_since(reader, target, first, made["lastSnapshot"])
    facts = volume_facts(volume) | made | {"usedSince": used}
    return Observation(exists=True, fingerprint=fingerprint(volume) | again.origin(volume), facts=facts)


def _preflight(observation: Observation, parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if again.is_again(parameters):
        return again.refusals(observation, parameters)
    refusals = volume_refusals(observation, facts)
    if observation.exists and observation.text("state") != "available":
        refusals += (Refusal("NotAvailable", f"It is {observation.text('state')}, not available."),)
    return refusals + kept.use_refusals(observation)


def _warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    return again.WARNINGS if again.is_again(parameters) else kept.warnings(observation, parameters)


def _words(_observation: Observation, parameters: Parameters, plan: Plan) -> ActWords:
    if again.is_again(parameters):
        return again.words(plan)
    return ActWords(
        verb="Delete",
        consequence="It is deleted after two snapshots of it, the second right before. Both are kept.",
        downtime="Permanent",
        undo=f"If a snapshot fails or the volume changes, it is kept. {again.undo_words(plan)}",
        steps={**kept.TITLES, "delete_volume": "Delete the volume"},
    )


def _plan(resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    if again.is_again(parameters):
        return again.plan_again(ID, resource, parameters, assumed)
    steps = (
        kept.snapshot_step(resource, kept.FIRST, parameters, assumed),
        PlanStep(kept.WAIT_FIRST),
        kept.snapshot_step(resource, kept.LAST, parameters, assumed),
        PlanStep(kept.WAIT_LAST),
        PlanStep("delete_volume", "ec2:DeleteVolume", {"VolumeId": resource.id}),
    )
    return Plan(ID, resource, kept_for(parameters), steps, dict(assumed))


def _changed(plan: Plan, now: Observation) -> bool:
    return now.exists and not _unchanged(plan, now)


def _unchanged(plan: Plan, now: Observation) -> bool:
    return now.exists and dict(now.fingerprint) == dict(plan.fingerprint) and now.text("state") == "available"


def _statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    return again.statements(plan, step) if again.is_again(plan.parameters) else kept.snapshot_statements(plan, step)


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"ebs-volume"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=True,
    undo_by_hand="create a volume from the last snapshot",
    effort=Effort.LOW,
    permissions=("ec2:CreateSnapshot", "ec2:CreateTags", "ec2:DeleteVolume", *again.PERMISSIONS),
    read_permissions=("ec2:DescribeVolumes", "ec2:DescribeSnapshots", "cloudwatch:GetMetricData", DESCRIBE_KEY),
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=Procedure(
        steps={**kept.first_rules(_unchanged, _changed), **kept.last_rules(_unchanged, _changed), **again.RULES},
        compensation=lambda _: (),
        # Until the volume is deleted nothing about it was changed; there is nothing to lead back to.
        restored=again.either(again.nothing_made, lambda _plan, _now: True),
        verified=again.either(again.verified, kept.deleted_and_kept),
        found=again.either(again.found, kept.volume_found),
        refused=again.refused,
    ),
    statements=_statements,
    observed_statements=again.key_statements,
    rights=Rights(
        narrowed=(kept.TAG_AS_MADE, *again.NARROWED),
        further=(kept.KEEP_SNAPSHOTS, again.FROM_SNAPSHOTS),
        probes={
            DESCRIBE_KEY: lambda _: {"KeyId": "alias/aws/ebs"},
            "ec2:CreateSnapshot": lambda volume: {"VolumeId": volume},
            "ec2:DeleteVolume": lambda volume: {"VolumeId": volume},
        },
        without_dry_run=KEYS_WITHOUT_DRY_RUN,
    ),
    calls=again.CALLS,
    at_owner=removed_at_owner("aws_ebs_volume"),
    remaining_cost=snapshot_cost,
    sample=again.SAMPLE,
    undo=again.UNDO,
)
