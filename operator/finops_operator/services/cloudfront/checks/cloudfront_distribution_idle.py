"""Distributions that nobody asked for anything for a month.

AWS publishes no rule for it; thirty days are ours. One that delivers nothing costs nothing but its own addresses, where
it has some: it is found because its certificate, its names and its origin are still open to the world. AWS does not say
when a distribution was made, so that its last change must lie before the window. Nor does it say whether CloudFront
publishes a day without a request: where some days have a point, one that has none is unknown, however many requests a
policy allows.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.measured import count
from finops_operator.plugins.window import counted, idle_days
from finops_operator.services.cloudfront.distribution import ENABLED, REQUESTS, DistributionFacts
from finops_operator.services.cloudfront.judging.judged import not_judged

ID: Final = "cloudfront_distribution_idle"


def _evaluate(facts: Facts[DistributionFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, most, own = parameters["minimumIdleDays"], parameters["maximumRequests"], facts.own
    reason = "" if facts.resource.state == ENABLED else f"it is {facts.resource.state or 'in an unknown state'}"
    reason = reason or not_judged(facts) or _changed_lately(facts, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    requests = counted(facts, REQUESTS, least)
    if isinstance(requests, str):
        return NotRecommended(ID, facts.resource.id, f"{requests}{_why_days_lack(facts)}")
    if requests > most:
        return NotRecommended(ID, facts.resource.id, f"{count(requests)} requests were counted, {most} are the limit")
    found = "none" if requests == 0 else count(requests)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"requests": int(requests), "thresholdRequests": str(most), "thresholdIdleDays": str(least)},
        summary=f"Requests in at least {least} days: {found}.",
        facts=(
            EvidenceFact("Requests", found),
            EvidenceFact("Names of yours", "not known" if own.aliases is None else f"{own.aliases}"),
            EvidenceFact("Addresses of its own", "yes" if own.dedicated_address else "no"),
            EvidenceFact("Before it is deleted", "disable it and point its names elsewhere"),
        ),
    )


def _why_days_lack(facts: Facts[DistributionFacts]) -> str:
    """Return what else to say of a window some of whose days have no point, empty for another one."""
    summary = facts.utilization.best(REQUESTS)
    lacking = summary is not None and summary.points < summary.expected
    return ": AWS does not say whether CloudFront publishes a day without a request" if lacking else ""


def _changed_lately(facts: Facts[DistributionFacts], least: Decimal) -> str:
    changed = parse_time(facts.own.distribution_changed_at)
    if changed is None:
        return "when it was changed last is not known"
    passed = (facts.now - changed) // timedelta(days=1)
    return f"it was changed {passed} days ago, {least} are needed" if passed < least else ""


CHECK: Final = Check(
    id=ID,
    title="Idle CloudFront distribution",
    kinds=("cloudfront-distribution",),
    documentation="https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/programming-cloudwatch-metrics.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    window_parameter="minimumIdleDays",
    parameters=(
        idle_days("A distribution", 30, by_day=True),
        ParameterSpec(
            name="maximumRequests",
            unit="requests",
            default=Decimal(0),
            minimum=Decimal(0),
            maximum=Decimal(100000),
            description="A distribution with more requests in the window is in use. Above 0, each day needs a point: "
            "AWS does not say whether CloudFront publishes a day without a request, so that one without is unknown.",
        ),
    ),
)
