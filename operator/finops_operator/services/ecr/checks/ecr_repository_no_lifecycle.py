"""Repositories that keep every image for ever: without a lifecycle policy nothing is ever removed.

Trusted Advisor names every repository without a policy; below some gigabytes it is not worth the work, by default 5
GiB. What a policy would save depends on what it removes, and is unknown.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.services.ecr.judging.stored import gibibytes, not_judged, stored_facts
from finops_operator.services.ecr.repository import RepositoryFacts

ID: Final = "ecr_repository_no_lifecycle"


def _evaluate(facts: Facts[RepositoryFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least = facts.own, parameters["minimumStoredGib"]
    reason, stored = not_judged(facts), gibibytes(own.image_bytes)
    if not reason and own.lifecycle_policy is None:
        reason = "its lifecycle policy is not known"
    elif not reason and own.lifecycle_policy:
        reason = "it has a lifecycle policy"
    elif not reason and stored < least:
        reason = f"it stores {stored} GiB, {least} are needed"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={"imageBytes": own.image_bytes or 0, "thresholdStoredGib": str(least)},
        summary=f"No lifecycle policy removes any of its {own.images or 0:,} images.",
        facts=(
            *stored_facts(own),
            EvidenceFact("Lifecycle policy", "none"),
            EvidenceFact("Before it is set", "preview it; a removed image is gone"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="ECR repository without lifecycle policy",
    kinds=("ecr-repository",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumStoredGib",
            unit="GiB",
            default=Decimal(5),
            minimum=Decimal(0),
            maximum=Decimal(100000),
            description="A repository that stores less is left alone.",
        ),
    ),
)
