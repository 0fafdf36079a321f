"""Interface endpoints that carry nothing: each of their zones is billed by the hour all the same.

Trusted Advisor calls an endpoint inactive after 30 days without a byte. AWS reports its traffic only while there is
some, so an hour without a point is an hour without traffic once the endpoint is old enough; a question that failed
proves nothing. Endpoints for emergencies are idle by design, so this is advice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import idle_days, too_young
from finops_operator.services.ec2.judging.quiet import amount, both, unseen
from finops_operator.services.ec2.vpc_endpoint import AVAILABLE, BYTES, EndpointFacts

ID: Final = "vpc_endpoint_idle"


def _evaluate(facts: Facts[EndpointFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, state, own = parameters["minimumIdleDays"], facts.resource.state, facts.own
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    if not reason and own.requester_managed is None:
        reason = "whether a service of AWS made it is not known"
    elif not reason and own.requester_managed:
        reason = "a service of AWS made it and keeps it"
    reason = reason or too_young(facts, least) or unseen(facts, (BYTES,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    carried, (measured, _) = amount(facts, BYTES), both(facts, BYTES)
    if carried > 0:
        return NotRecommended(ID, facts.resource.id, f"it carried {count(carried)} bytes")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "bytes": figure(carried),
            "thresholdBytes": "1",
            "thresholdIdleDays": str(least),
            "zones": own.subnets,
            **coverage_evidence(measured),
        },
        summary=f"Idle for {days(measured.hours)}: not a byte passed through it.",
        facts=(
            EvidenceFact("Bytes", "none"),
            window_fact(measured),
            EvidenceFact("Zones, billed each", "not known" if own.subnets is None else str(own.subnets)),
            EvidenceFact("Private DNS", {True: "on", False: "off", None: "not known"}[own.private_dns]),
            EvidenceFact("Before the change", "see that no policy names it and that its subnets reach the service"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle interface endpoint",
    kinds=("vpc-endpoint",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("An interface endpoint", 30, by_day=True),),
    window_parameter="minimumIdleDays",
)
