"""Endpoints that no request reached: AWS bills their machines by the second all the same.

Compute Optimizer judges fourteen days without an invocation. The model and the configuration stay when an endpoint is
deleted, so that it can be made again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.sagemaker.endpoint import IN_SERVICE, REQUESTS, EndpointFacts

ID: Final = "sagemaker_endpoint_idle"


def _evaluate(facts: Facts[EndpointFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = _not_judged(facts) or too_young(facts, least) or days_unseen(facts, (REQUESTS,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (requests,) = summaries(facts, (REQUESTS,))
    served = requests.total or 0.0
    if served > 0:
        return NotRecommended(ID, facts.resource.id, f"it served {count(served)} requests")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "requests": figure(served),
            "thresholdRequests": "1",
            "thresholdIdleDays": str(least),
            "instances": facts.own.instances,
            **coverage_evidence(requests),
        },
        summary=f"No request reached it for {days(requests.hours)}.",
        facts=(
            EvidenceFact("Requests", "none"),
            window_fact(requests),
            EvidenceFact("Machines", f"{facts.own.instances}"),
            EvidenceFact("Before it is deleted", "keep the model and the endpoint configuration"),
        ),
    )


def _not_judged(facts: Facts[EndpointFacts]) -> str:
    own = facts.own
    if facts.resource.state != IN_SERVICE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {IN_SERVICE}"
    if not own.tags_known:
        return "its tags could not be read, so it may be protected"
    if own.variants is None or own.instances is None:
        return "what stands behind it is not known"
    if own.serverless:
        return "it is serverless and costs nothing without requests"
    if own.instances == 0:
        return "no machine stands behind it"
    return f"it has {len(own.variants)} variants, one is measured" if len(own.variants) != 1 else ""


CHECK: Final = Check(
    id=ID,
    title="Idle SageMaker endpoint",
    kinds=("sagemaker-endpoint",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    destructive=True,
    parameters=(idle_days("An endpoint"),),
)
