"""Repositories that collect images without a tag: each push of the same tag leaves the one before it behind.

AWS publishes no threshold; ten images, the oldest of them a month old, are ours. A repository with images for several
platforms is left alone, because their parts have no tag and are in use. What is saved is unknown: layers that a tagged
image shares stay.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.services.ecr.judging.stored import gibibytes, not_judged, stored_facts
from finops_operator.services.ecr.repository import RepositoryFacts

ID: Final = "ecr_repository_untagged_images"
_LIFECYCLE: Final = {True: "yes", False: "none", None: "not known"}


def _evaluate(facts: Facts[RepositoryFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, most, least = facts.own, parameters["minimumUntaggedImages"], parameters["minimumAgeDays"]
    reason, found, oldest = not_judged(facts), own.untagged_images or 0, parse_time(own.oldest_untagged)
    if not reason and own.multi_platform_images:
        reason = "it holds images for several platforms, whose parts have no tag"
    elif not reason and found < most:
        reason = f"{found} images have no tag, {most} are needed"
    if reason or oldest is None:
        return NotRecommended(ID, facts.resource.id, reason or "when the oldest of them was pushed is not known")
    age = (facts.now - oldest) // timedelta(days=1)
    if age < least:
        return NotRecommended(ID, facts.resource.id, f"the oldest is {age} days old, {least} are needed")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "untaggedImages": found,
            "oldestUntaggedDays": age,
            "thresholdUntaggedImages": str(most),
            "thresholdAgeDays": str(least),
        },
        summary=f"{found:,} of its images have no tag, the oldest for {age} days.",
        facts=(
            EvidenceFact("Images without a tag", f"{found:,}, {gibibytes(own.untagged_bytes):,} GiB at most"),
            *stored_facts(own),
            EvidenceFact("Lifecycle policy", _LIFECYCLE[own.lifecycle_policy]),
            EvidenceFact("Before they are deleted", "preview a lifecycle policy; some may be deployed by their digest"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Untagged images",
    kinds=("ecr-repository",),
    documentation="https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_examples.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumUntaggedImages",
            unit="images",
            default=Decimal(10),
            minimum=Decimal(1),
            maximum=Decimal(100000),
            description="A repository with fewer images without a tag is left alone.",
        ),
        ParameterSpec(
            name="minimumAgeDays",
            unit="days",
            default=Decimal(30),
            minimum=Decimal(1),
            maximum=Decimal(365),
            description="The oldest image without a tag must have been pushed this long ago.",
        ),
    ),
)
