"""File systems without a mount target: no machine can mount them, and AWS bills what they store.

AWS publishes no rule for it; one that was made this week may still get its mount targets.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.window import too_young
from finops_operator.services.efs.file_system import FileSystemFacts
from finops_operator.services.efs.judging.size import not_available, stored_fact

ID: Final = "efs_file_system_unmounted"


def _evaluate(facts: Facts[FileSystemFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, targets = parameters["minimumAgeDays"], facts.own.mount_targets
    reason = not_available(facts)
    if not reason and targets is None:
        reason = "its mount targets are not known"
    elif not reason and targets:
        reason = f"it has mount targets: {targets}"
    reason = reason or too_young(facts, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"mountTargets": 0, "thresholdAgeDays": str(least)},
        summary="It has no mount target, so that no machine can use it.",
        facts=(
            EvidenceFact("Mount targets", "none"),
            stored_fact(facts.own),
            EvidenceFact("Before it is deleted", "a replica of another file system has no mount target by design"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="EFS file system without mount targets",
    kinds=("efs-file-system",),
    documentation="https://docs.aws.amazon.com/efs/latest/ug/manage-fs-access.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(7),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="A file system younger than this is left alone.",
        ),
    ),
)
