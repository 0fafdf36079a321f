"""Attachments of transit gateways through which not a byte went for a month: each is billed by the hour.

AWS publishes no rule for it; Trusted Advisor's checks of other idle network resources take thirty days too. AWS
publishes the bytes always, so that a whole month of zeros is needed and missing days are none.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.ec2.transit_gateway_attachment import AVAILABLE, RECEIVED, SENT, AttachmentFacts

ID: Final = "transit_gateway_attachment_idle"
_NAMES: Final = (SENT, RECEIVED)


def _evaluate(facts: Facts[AttachmentFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own, state = parameters["minimumIdleDays"], facts.own, facts.resource.state
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    if not reason and own.owned_elsewhere is not False:
        reason = "another account pays for it" if own.owned_elsewhere else "who pays for it is not known"
    reason = reason or too_young(facts, least) or days_unseen(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    for summary, how in zip(summaries(facts, _NAMES), ("out of", "into"), strict=True):
        if summary.maximum > 0:
            reason = f"{count(summary.total or 0)} bytes went {how} the gateway"
            return NotRecommended(ID, facts.resource.id, reason)
    (sent,) = summaries(facts, (SENT,))
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"bytesIn": 0, "bytesOut": 0, "thresholdIdleDays": str(least), **coverage_evidence(sent)},
        summary=f"Not a byte went through it for {days(sent.hours)}.",
        facts=(
            EvidenceFact("Bytes in and out", "none"),
            window_fact(sent),
            EvidenceFact("Attached", own.attached_type or "not known"),
            EvidenceFact("Route table", "associated" if own.associated else "none"),
            EvidenceFact("Before it is deleted", "remove the routes that name it; they would lead nowhere"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle transit gateway attachment",
    kinds=("transit-gateway-attachment",),
    documentation="https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-cloudwatch-metrics.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    window_parameter="minimumIdleDays",
    parameters=(idle_days("An attachment", 30, by_day=True),),
)
