"""Serverless caches that no request reaches: AWS bills the data they hold, and at least a minimum of it, by the hour.

Compute Optimizer judges fourteen days by the processing units that requests consume, and does not publish its limit;
here a single unit is use.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.elasticache.serverless_cache import AVAILABLE, UNITS, ServerlessCacheFacts

ID: Final = "elasticache_serverless_cache_idle"


def _evaluate(facts: Facts[ServerlessCacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumIdleDays"]
    reason = _not_judged(facts) or too_young(facts, least) or days_unseen(facts, (UNITS,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (units,) = summaries(facts, (UNITS,))
    used = units.total or 0.0
    if used > 0:
        return NotRecommended(ID, facts.resource.id, f"requests consumed {count(used)} processing units")
    minimum = facts.own.minimum_storage_gb
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "processingUnits": figure(used),
            "thresholdProcessingUnits": "1",
            "thresholdIdleDays": str(least),
            **coverage_evidence(units),
        },
        summary=f"No request reached it for {days(units.hours)}; what it holds is billed by the hour.",
        facts=(
            EvidenceFact("Processing units", "none"),
            window_fact(units),
            *(() if minimum is None else (EvidenceFact("Billed at least", f"{minimum} GB of data"),)),
            EvidenceFact("Before it is deleted", "make a final snapshot"),
        ),
    )


def _not_judged(facts: Facts[ServerlessCacheFacts]) -> str:
    if facts.resource.state != AVAILABLE:
        return f"it is {facts.resource.state or 'in an unknown state'}, not {AVAILABLE}"
    return "" if facts.own.tags_known else "its tags could not be read, so it may be protected"


CHECK: Final = Check(
    id=ID,
    title="Idle serverless cache",
    kinds=("elasticache-serverless-cache",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("A cache"),),
)
