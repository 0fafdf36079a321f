"""VPN connections whose tunnels have all been down for a month: AWS bills the hour, up or down.

AWS publishes no rule for it; Trusted Advisor's checks of other idle network resources take thirty days. A connection
that stands by for another line is up all the same, so that one that is down protects nothing.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence
from finops_operator.plugins.window import days_unseen, idle_days, summaries
from finops_operator.services.ec2.vpn_connection import AVAILABLE, TUNNELS, VpnFacts

ID: Final = "vpn_connection_down"


def _evaluate(facts: Facts[VpnFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, own, state = parameters["minimumIdleDays"], facts.own, facts.resource.state
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    if not reason and own.tunnels_up:
        reason = f"{own.tunnels_up} of its tunnels are up"
    reason = reason or days_unseen(facts, (TUNNELS,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (tunnels,) = summaries(facts, (TUNNELS,))
    if tunnels.maximum > 0:
        return NotRecommended(ID, facts.resource.id, "a tunnel was up")
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={"tunnelsUp": 0, "thresholdIdleDays": str(least), **coverage_evidence(tunnels)},
        summary=f"None of its tunnels was up for {days(tunnels.hours)}.",
        facts=(
            EvidenceFact("Tunnels", "all down"),
            window_fact(tunnels),
            EvidenceFact("Gateway", own.gateway or "not known"),
            EvidenceFact("Before it is deleted", "save its routes and options; a new one has other keys and addresses"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="VPN connection that is down",
    kinds=("vpn-connection",),
    documentation="https://docs.aws.amazon.com/vpn/latest/s2svpn/monitoring-cloudwatch-vpn.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    window_parameter="minimumIdleDays",
    parameters=(idle_days("A connection", 30, by_day=True),),
)
