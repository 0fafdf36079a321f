"""Health checks that no record, no other check and no alarm refers to: they probe day and night for nobody.

AWS publishes no rule for it. Route 53 does not say when a check was made, so that two weeks of its status prove that it
is not being set up just now. Zones of other accounts may refer to it, and the evidence says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import measured_days, not_measured, summaries
from finops_operator.services.route53.health_check import ACTIVE, STATUS, HealthCheckFacts

ID: Final = "route53_health_check_unused"


def _evaluate(facts: Facts[HealthCheckFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least, state = facts.own, parameters["minimumMeasuredDays"], facts.resource.state
    reason = "" if state == ACTIVE else f"it is {state or 'in an unknown state'}, not {ACTIVE}"
    reason = reason or _in_use(own) or not_measured(facts, (STATUS,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (status,) = summaries(facts, (STATUS,))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "records": 0,
            "calculatedChecks": 0,
            "alarms": 0,
            "thresholdMeasuredDays": str(least),
            **coverage_evidence(status),
        },
        summary="No record, no other health check and no alarm refers to it.",
        facts=(
            EvidenceFact("Records, calculated checks, alarms on its status", "none in this account"),
            EvidenceFact("Type", own.check_type or "not known"),
            window_fact(status),
            EvidenceFact(
                "Before it is deleted",
                "check zones of other accounts, and alarms by an expression; Route 53 does not refuse to delete it",
            ),
        ),
    )


def _in_use(own: HealthCheckFacts) -> str:
    if own.linked_service:
        return "an AWS service made it"
    if own.records is None or own.parents is None:
        return "what refers to it is not known"
    if own.records or own.parents:
        return f"{own.records} records and {own.parents} other checks refer to it"
    if own.alarms is None:
        return "whether an alarm watches it is not known"
    if own.alarms:
        return f"{own.alarms} alarms watch it"
    if own.measures_latency is not False:
        return "it measures latency, and alarms on that are not read"
    return "" if own.tags_known else "its tags could not be read, so it may be protected"


CHECK: Final = Check(
    id=ID,
    title="Unused health check",
    kinds=("route53-health-check",),
    documentation="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-deleting.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(measured_days("its status"),),
)
