"""NAT gateways that carry nothing: their hours are billed all the same.

Compute Optimizer calls a NAT gateway idle after 32 days without active connections and without packets from either
side, when no route table names it. Whether one does is in the evidence here and no condition: a route that nobody uses
costs as much as none. A stand-by gateway of another zone is idle by design, so this is advice.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import idle_days, too_young
from finops_operator.services.ec2.judging.quiet import amount, both, most, unseen
from finops_operator.services.ec2.nat_gateway import AVAILABLE, CONNECTIONS, PACKETS, NatGatewayFacts

ID: Final = "nat_gateway_idle"
_METRICS: Final = (*PACKETS, CONNECTIONS)


def _evaluate(facts: Facts[NatGatewayFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, state, own = parameters["minimumIdleDays"], facts.resource.state, facts.own
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    if not reason and own.availability != "zonal":
        reason = "a regional gateway is measured by zone" if own.availability else "whether it is zonal is not known"
    reason = reason or too_young(facts, least) or unseen(facts, _METRICS, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    connections, packets = most(facts, CONNECTIONS), sum(amount(facts, name) for name in PACKETS)
    if connections > 0:
        return NotRecommended(ID, facts.resource.id, f"up to {count(connections)} connections were active")
    if packets > 0:
        return NotRecommended(ID, facts.resource.id, f"it carried {count(packets)} packets")
    routes, (measured, _) = own.route_tables, both(facts, PACKETS[0])
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "packets": figure(packets),
            "highestActiveConnections": figure(connections),
            "thresholdPackets": "1",
            "thresholdIdleDays": str(least),
            "routeTables": routes,
            **coverage_evidence(measured),
        },
        summary=f"Idle for {days(measured.hours)}: no packet and no connection.",
        facts=(
            EvidenceFact("Packets", "none from either side"),
            EvidenceFact("Active connections", "none"),
            window_fact(measured),
            EvidenceFact("Route tables that name it", "not known" if routes is None else str(routes)),
            EvidenceFact("Before the change", "take its routes out first: AWS deletes it all the same"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle NAT gateway",
    kinds=("nat-gateway",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    parameters=(idle_days("A NAT gateway", 32, by_day=True),),
    window_parameter="minimumIdleDays",
)
