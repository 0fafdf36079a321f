"""The two snapshots before a volume is deleted: their calls, how they are judged, and what a session may do for them.

Shared by the deletions of volumes. Each snapshot carries the request's uid and its step as tags from its creating call,
beside the volume's own tags and for how long to keep it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation, Rule, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Parameters, Refusal, Statement, Target
from finops_operator.plugins.session_policy import allow
from finops_operator.services.ec2.rules.last_snapshots import Snapshot, reported_since, snapshot_of_step
from finops_operator.services.ec2.rules.snapshot_tags import EXPIRES_TAG, all_fit, expiry_days, snapshot_tags
from finops_operator.services.ec2.rules.stop_refusals import tags
from finops_operator.services.ec2.rules.volume_observation import snapshots_arn

FIRST, LAST = "create_snapshot", "create_last_snapshot"
WAIT_FIRST, WAIT_LAST = "wait_snapshot", "wait_last_snapshot"
_WHEN: Final = {FIRST: "Before", LAST: "Right before"}
_DAY_SECONDS: Final = 86400.0
_FIGURES_LATE_SECONDS: Final = 600.0
"""After so long CloudWatch is taken to show every use. EBS sends figures of each minute (EBS user guide, "Amazon
CloudWatch metrics for Amazon EBS"); AWS names no longest delay, and this is ten times as long."""
_TOO_SOON: Final = frozenset({"SnapshotCreationPerVolumeRateExceeded"})
"""AWS makes one snapshot of a volume in 15 seconds (EC2 API reference, client error codes)."""
_THERE: Final = frozenset({"pending", "completed"})
_NOT_THERE: Final = frozenset({"", "error"})
TITLES: Final = {
    FIRST: "Take a snapshot",
    WAIT_FIRST: "Wait until the snapshot is complete",
    LAST: "Take a last snapshot of what changed since",
    WAIT_LAST: "Wait until the last snapshot is complete",
}
TAG_AS_MADE: Final[Statement] = {
    "Sid": "TagSnapshotsAsTheyAreMade",
    "Effect": "Allow",
    "Action": "ec2:CreateTags",
    "Resource": "arn:*:ec2:*::snapshot/*",
    "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}},
}
KEEP_SNAPSHOTS: Final[Statement] = {
    "Sid": "KeepSnapshots",
    "Effect": "Allow",
    "Action": "ec2:CreateSnapshot",
    "Resource": "arn:*:ec2:*::snapshot/*",
}


def kept_of(reader: Reader, target: Target) -> tuple[dict[str, Json], Snapshot]:
    """Return what the request's steps kept of a volume, as facts, and the first snapshot.

    Facts: `snapshot` and `lastSnapshot` (their states), `firstSnapshotId`, and `created`, what the step just made:
    recorded with it when the answer to its call was lost. `attended`: whether nothing can have happened to the volume
    since its last snapshot that neither we saw nor CloudWatch shows by now.
    """
    first = snapshot_of_step(reader, target, FIRST)
    begun = first.state == "completed" or LAST in target.made
    last = snapshot_of_step(reader, target, LAST) if begun else Snapshot()
    facts: dict[str, Json] = {
        "snapshot": first.state,
        "firstSnapshotId": first.id,
        "lastSnapshot": last.state,
        "created": last.id or first.id,
        "attended": LAST in target.attended.steps or target.attended.seconds >= _FIGURES_LATE_SECONDS,
    }
    return facts, first


def used_since(reader: Reader, target: Target, first: Snapshot, last: Json) -> Json:
    """Return whether the volume was used after its first snapshot; asked once the last one is complete."""
    if not target.full or last != "completed":
        return False
    # A first snapshot that AWS shows no more leaves open what happened to the volume since.
    return reported_since(reader, target.resource.id, first.started) if first.started else "unknown"


def use_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Refuse what CloudWatch shows, or does not know, of the time after the first snapshot."""
    if observation.facts.get("usedSince") is True:
        return (Refusal("UsedMeanwhile", "CloudWatch shows that it was attached after its first snapshot."),)
    if observation.facts.get("usedSince") == "unknown":
        why = "Its first snapshot is gone, so whether it was used since then is not known."
        return (Refusal("UseUnknown", why),)
    return ()


def snapshot_step(resource: ResourceRef, step: str, parameters: Parameters, assumed: Mapping[str, str]) -> PlanStep:
    """Return the call that makes the snapshot of a step. Raises InvalidInput for parameters that are none."""
    call: dict[str, Json] = {
        "VolumeId": resource.id,
        "Description": f"{_WHEN[step]} the deletion of {resource.id}",
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": snapshot_tags(step, parameters, assumed)}],
    }
    return PlanStep(step, "ec2:CreateSnapshot", call)


def warnings(observation: Observation, parameters: Parameters) -> tuple[str, ...]:
    """Return what people should know of the snapshots. Raises InvalidInput for parameters that are none."""
    named = "all tags of the volume" if all_fit(tags(observation)) else "those tags of the volume that fit beside ours"
    return (
        "Two snapshots are made first and kept, the second one right before the deletion.",
        "They are billed by what they hold, together about the volume's size at most.",
        f"They get {named} and {EXPIRES_TAG} = {expiry_days(parameters)}; nothing deletes them by it.",
    )


def first_rules(unchanged: Rule, changed: Rule) -> dict[str, StepRules]:
    """Return how the first snapshot and the wait for it are judged."""
    return {
        # A snapshot that shows late would be made twice: wait long before believing that there is none.
        FIRST: StepRules(
            reached=lambda _, now: now.text("snapshot") in _THERE,
            expected=lambda plan, now: unchanged(plan, now) and now.text("snapshot") in _NOT_THERE,
            settle_seconds=60,
        ),
        WAIT_FIRST: StepRules(
            reached=lambda _, now: now.text("snapshot") == "completed",
            failed=lambda _, now: now.text("snapshot") in _NOT_THERE,
            changed=changed,
            settle_seconds=60,
            timeout_seconds=_DAY_SECONDS,
            poll_seconds=15,
        ),
    }


def last_rules(unchanged: Rule, changed: Rule) -> dict[str, StepRules]:
    """Return how the last snapshot, the wait for it, and the deletion after it are judged."""
    return {
        LAST: StepRules(
            reached=lambda _, now: now.text("lastSnapshot") in _THERE,
            expected=lambda plan, now: unchanged(plan, now) and now.text("lastSnapshot") in _NOT_THERE,
            changed=changed,
            settle_seconds=60,
            retry_codes=_TOO_SOON,
        ),
        WAIT_LAST: StepRules(
            reached=lambda _, now: now.text("lastSnapshot") == "completed",
            failed=lambda _, now: now.text("lastSnapshot") in _NOT_THERE,
            changed=changed,
            settle_seconds=60,
            timeout_seconds=_DAY_SECONDS,
            poll_seconds=5,
        ),
        "delete_volume": StepRules(
            reached=lambda _, now: not now.exists,
            expected=lambda plan, now: unchanged(plan, now) and now.text("lastSnapshot") == "completed",
            changed=changed,
            destroys=True,
            awaits=_unseen_use,
        ),
    }


def _unseen_use(_plan: Plan, now: Observation) -> str:
    """Return why the deletion waits: what was written while nobody observed the volume would be in no snapshot."""
    if now.facts.get("attended") is True:
        return ""
    minutes = f"{_FIGURES_LATE_SECONDS / 60:.0f} minutes"
    return f"Waiting up to {minutes}: it was not observed for a while, and CloudWatch shows late whether it was used."


def deleted_and_kept(_plan: Plan, now: Observation) -> bool:
    """Return whether the volume is gone and its last snapshot complete."""
    return not now.exists and now.text("lastSnapshot") == "completed"


def volume_found(_plan: Plan, now: Observation) -> str:
    """Say what is there now, the snapshots that cost money included."""
    volume = f"The volume is {now.text('state')}" if now.exists else "The volume does not exist any more"
    first, made = now.text("firstSnapshotId"), now.text("created")
    if not made:
        return f"{volume}; AWS shows no snapshot made by this act."
    if first and first != made:
        word = now.text("lastSnapshot")
        shown = f"({word}) stay and are billed" if word else "are kept; AWS does not show the last one now"
        undo = "" if now.exists else " An undo needs the last one."
        return f"{volume}; snapshots {first} and {made} {shown}.{undo}"
    word = now.text("snapshot")
    return f"{volume}; snapshot {made} {f'({word}) stays and is billed' if word else 'is not shown by AWS now'}."


def snapshot_statements(plan: Plan, step: PlanStep) -> tuple[Statement, ...]:
    """Allow a step's call on the volume; one that makes a snapshot may make and tag it."""
    volume = allow(step.operation, resource=plan.resource.arn)
    if step.id not in {FIRST, LAST}:
        return (volume,)
    snapshots = snapshots_arn(plan.resource)
    tagging: Statement = {
        **allow("ec2:CreateTags", resource=snapshots),
        "Condition": {"StringEquals": {"ec2:CreateAction": "CreateSnapshot"}},
    }
    return (volume, allow(step.operation, resource=snapshots), tagging)
