"""Repositories from which nobody has pulled an image for a quarter of a year, and into which none was pushed.

AWS publishes no rule for it; ninety days are ours. ECR keeps the last pull of each image, refreshed once a day, and
none for an image that was never pulled. A function or a task that already runs does not pull again, and the evidence
says so.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.window import too_young
from finops_operator.services.ecr.judging.stored import not_judged, stored_facts
from finops_operator.services.ecr.repository import RepositoryFacts

ID: Final = "ecr_repository_unused"


def _evaluate(facts: Facts[RepositoryFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own = parameters["minimumUnusedDays"], facts.own
    reason = not_judged(facts) or too_young(facts, least)
    pushed, pulled = parse_time(own.pushed_last), parse_time(own.pulled_last)
    if not reason and pushed is None:
        reason = "when an image was pushed last is not known"
    for moment, what in ((pulled, "pulled"), (pushed, "pushed")):
        passed = None if moment is None else (facts.now - moment) // timedelta(days=1)
        if not reason and passed is not None and passed < least:
            reason = f"an image was {what} {passed} days ago, {least} are needed"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    last = own.pulled_last[:10] if own.pulled_last else "never"
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"images": own.images or 0, "pulledLast": last, "thresholdUnusedDays": str(least)},
        summary=f"No image was pulled from it or pushed into it for at least {least} days.",
        facts=(
            EvidenceFact("Pulled last", last),
            EvidenceFact("Pushed last", (own.pushed_last or "")[:10]),
            *stored_facts(own),
            EvidenceFact("Before it is deleted", "check that no task, pod or function was started from its images"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Unused ECR repository",
    kinds=("ecr-repository",),
    documentation="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-delete.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(
        ParameterSpec(
            name="minimumUnusedDays",
            unit="days",
            default=Decimal(90),
            minimum=Decimal(14),
            maximum=Decimal(730),
            description="A repository with a pull or a push within this time is left alone.",
        ),
    ),
)
