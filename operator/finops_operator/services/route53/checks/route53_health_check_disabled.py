"""Health checks that are disabled: they probe nothing, count as healthy for ever, and AWS bills them all the same.

AWS publishes no threshold for it. One that records name is left alone: a disabled check keeps them answering, and they
must be changed first.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.services.route53.health_check import DISABLED, HealthCheckFacts

ID: Final = "route53_health_check_disabled"


def _evaluate(facts: Facts[HealthCheckFacts], parameters: Parameters) -> Finding | NotRecommended:
    del parameters
    own, state = facts.own, facts.resource.state
    reason = "" if state == DISABLED else f"it is {state or 'in an unknown state'}, not {DISABLED}"
    if not reason and own.linked_service:
        reason = "an AWS service made it"
    elif not reason and not own.tags_known:
        reason = "its tags could not be read, so it may be protected"
    elif not reason and (own.records is None or own.parents is None):
        reason = "what refers to it is not known"
    elif not reason and (own.records or own.parents):
        reason = f"{own.records} records and {own.parents} other checks refer to it"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"records": 0, "calculatedChecks": 0},
        summary="It is disabled and billed all the same.",
        facts=(
            EvidenceFact("State", "disabled, since when is not known"),
            EvidenceFact("Records, calculated checks", "none in this account"),
            EvidenceFact("Type", own.check_type or "not known"),
            EvidenceFact(
                "Before it is deleted", "check zones of other accounts; Route 53 does not refuse to delete it"
            ),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Disabled health check",
    kinds=("route53-health-check",),
    documentation="https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
)
