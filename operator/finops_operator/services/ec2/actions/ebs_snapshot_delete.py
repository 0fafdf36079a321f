"""Delete an EBS snapshot that nothing needs: no image, no lock, no other account, no backup service.

It cannot be undone, unless a rule of the Recycle Bin keeps it: then it can be restored for the rule's days, and is
billed for them; which tags a rule is for is not read. The newest snapshot of a volume that exists is never deleted, for
it is the point to restore from; of a volume that is gone it may be the last copy of the data, and people are warned.
AWS keeps the blocks that a later snapshot needs and bills them to that one. Source: Amazon EBS user guide, "Delete an
Amazon EBS snapshot", "Amazon EBS snapshot lock"; EC2 API reference, DeleteSnapshot.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.execution import Observation, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import (
    Action,
    ActSample,
    ActWords,
    CallRules,
    Parameters,
    PolicyFacts,
    Refusal,
    Rights,
    Target,
    nothing_remains,
)
from finops_operator.plugins.deletion import is_as_approved, is_gone, one_call, removed_at_owner
from finops_operator.plugins.protection import DELETION_WORDS, observed_tags, tag_refusals
from finops_operator.plugins.session_policy import on_its_arn
from finops_operator.services.ec2.rules.recycle_bin import LIST_RULES, SNAPSHOTS
from finops_operator.services.ec2.rules.signs import SIGNS
from finops_operator.services.ec2.rules.snapshot_observation import (
    ALL_TEMPLATES,
    NOT_FOUND,
    READ_PERMISSIONS,
    TEMPLATES,
    observe_snapshot,
)
from finops_operator.services.ec2.rules.snapshot_origin import COMPLETED

ID: Final = "ebs_snapshot_delete"
_DELETE: Final = "ec2:DeleteSnapshot"
_STANDARD: Final = "standard"
_IN_USE: Final = "InvalidSnapshot.InUse"


def _observe(reader: Reader, target: Target) -> Observation:
    return observe_snapshot(reader, target)


# -- what speaks against it, and in words ------------------------------------------------------------------------------


def _preflight(observation: Observation, _parameters: Parameters, facts: PolicyFacts) -> tuple[Refusal, ...]:
    if not observation.exists:
        return (Refusal("NotFound", "The snapshot does not exist any more."),)
    return (
        *tag_refusals(observed_tags(observation), facts, SIGNS, DELETION_WORDS),
        *_state_refusals(observation),
        *_use_refusals(observation),
    )


def _state_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    state, tier = observation.text("state"), observation.text("tier")
    if state != COMPLETED:
        found.append(Refusal("NotCompleted", f"It is {state or 'in an unknown state'}, not {COMPLETED}."))
    if tier != _STANDARD:
        why = "It is archived on purpose." if tier else "AWS did not say whether it is archived."
        found.append(Refusal("NotStandardTier", why))
    if not observation.text("volumeId"):
        found.append(Refusal("CopyOfUnknown", "It is a copy, and of what is not known."))
    if observation.facts.get("volumeExists") and not observation.facts.get("newerExists"):
        found.append(Refusal("NewestOfVolume", "It is the newest snapshot of a volume that exists."))
    return found


def _use_refusals(observation: Observation) -> list[Refusal]:
    found: list[Refusal] = []
    if observation.text("images"):
        found.append(Refusal("UsedByImage", f"Images start instances from it: {observation.text('images')}."))
    if observation.text("recycledImage"):
        image = observation.text("recycledImage")
        found.append(Refusal("UsedByRecycledImage", f"The image {image} can still be taken out of the Recycle Bin."))
    templates = observation.facts.get("templates")
    if templates != "":
        why = (
            f"Launch templates make volumes of it: {templates}."
            if templates
            else "Whether a template needs it is not known."
        )
        found.append(Refusal("UsedByTemplate", why))
    if observation.text("lock"):
        found.append(Refusal("Locked", f"A lock forbids its deletion ({observation.text('lock')})."))
    if observation.text("fastRestore"):
        found.append(Refusal("FastRestoreOn", f"Fast restore is on for it in {observation.text('fastRestore')}."))
    if observation.facts.get("shared") is not False:
        shared = observation.facts.get("shared")
        why = "Another account may use it." if shared else "Whether another account may use it is not known."
        found.append(Refusal("Shared", why))
    return found


def _warnings(observation: Observation, _parameters: Parameters) -> tuple[str, ...]:
    lost = (
        () if observation.facts.get("volumeExists") else ("Its volume is gone: this may be the last copy of the data.",)
    )
    return (
        *lost,
        _recovery(observation),
        "Of launch templates the latest and the default version were read, no other.",
        "Blocks that a later snapshot needs stay and are billed to that one, so less than its size may be saved.",
    )


def _recovery(observation: Observation) -> str:
    days = observation.text("binDays")
    if not days:
        return "It cannot be undone: the Recycle Bin has no rule for snapshots here."
    kept_for = f"A rule of the Recycle Bin may keep it, for {days} days at most"
    return f"{kept_for}: then it can be restored, and is billed as before."


def _words(observation: Observation, _parameters: Parameters, _plan: Plan) -> ActWords:
    volume, size = observation.text("volumeId"), observation.text("sizeGiB")
    return ActWords(
        verb="Delete",
        consequence="The snapshot is deleted. Volumes that were made from it are not touched.",
        downtime="Permanent",
        undo=_recovery(observation),
        steps={"delete": "Delete the snapshot"},
        facts=(
            EvidenceFact("Taken of", f"{volume or 'an unknown volume'}, {size or '?'} GiB"),
            EvidenceFact("Taken at", observation.text("startTime") or "not known"),
        ),
    )


# -- what is called ----------------------------------------------------------------------------------------------------


def _plan(resource: ResourceRef, _parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
    return Plan(ID, resource, {}, (PlanStep("delete", _DELETE, {"SnapshotId": resource.id}),), dict(assumed))


def _unchanged(plan: Plan, now: Observation) -> bool:
    return is_as_approved(plan, now) and now.text("state") == COMPLETED


def _found(_plan: Plan, now: Observation) -> str:
    return f"The snapshot is {now.text('state')}." if now.exists else "The snapshot is deleted."


def _refused(_plan: Plan, _now: Observation, _step: str, code: str) -> str:
    return "An image uses the snapshot meanwhile." if code == _IN_USE else ""


ACTION: Final = Action(
    id=ID,
    kinds=frozenset({"ebs-snapshot"}),
    destructive=True,
    restart_needed=False,
    rollback_possible=False,
    undo_by_hand="restore it from the Recycle Bin, which has it only where one of its rules keeps it",
    effort=Effort.LOW,
    permissions=(_DELETE,),
    read_permissions=READ_PERMISSIONS,
    observe=_observe,
    preflight=_preflight,
    warnings=_warnings,
    words=_words,
    plan=_plan,
    procedure=one_call(StepRules(reached=is_gone, expected=_unchanged, destroys=True), _found, refused=_refused),
    statements=on_its_arn,
    rights=Rights(
        probes={
            _DELETE: lambda snapshot: {"SnapshotId": snapshot},
            LIST_RULES: lambda _: {"ResourceType": SNAPSHOTS},
            TEMPLATES: lambda _: ALL_TEMPLATES,
        }
    ),
    calls=CallRules(repeated=frozenset({NOT_FOUND}), dry_run_passed="DryRunOperation"),
    at_owner=removed_at_owner("aws_ebs_snapshot", in_cloudformation=False),
    remaining_cost=nothing_remains,
    sample=ActSample(assumed={"state": COMPLETED, "volumeId": "vol-0123456789abcdef0"}),
)
