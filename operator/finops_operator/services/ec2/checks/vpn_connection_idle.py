"""VPN connections that are up and carry next to nothing for a month.

AWS publishes no rule for it; a month and one megabyte a day in each direction are ours. Probes and routing keep
a tunnel from ever being at zero. A line that stands by for another is idle by design: a tag that protects it keeps it
from being named here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries
from finops_operator.services.ec2.vpn_connection import AVAILABLE, RECEIVED, SENT, TUNNELS, VpnFacts

ID: Final = "vpn_connection_idle"
_NAMES: Final = (TUNNELS, RECEIVED, SENT)
_MEGABYTE: Final = 1_000_000


def _evaluate(facts: Facts[VpnFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, most, state = parameters["minimumIdleDays"], parameters["maximumDailyMegabytes"], facts.resource.state
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    reason = reason or days_unseen(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    tunnels, received, sent = summaries(facts, _NAMES)
    busiest = max(received.maximum, sent.maximum) / _MEGABYTE
    if tunnels.maximum == 0:
        reason = "no tunnel was up"
    elif busiest >= most:
        reason = f"on its busiest day {figure(busiest)} MB went one way, {most} MB are the limit"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "busiestDayMegabytes": figure(busiest),
            "thresholdDailyMegabytes": str(most),
            "thresholdIdleDays": str(least),
            **coverage_evidence(received),
        },
        summary=f"It is up and carried less than {most} MB a day for {days(received.hours)}.",
        facts=(
            EvidenceFact("Busiest day, one way", f"{figure(busiest)} MB"),
            window_fact(received),
            EvidenceFact("Gateway", facts.own.gateway or "not known"),
            EvidenceFact("Before it is deleted", "make sure that it stands by for no other line"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle VPN connection",
    kinds=("vpn-connection",),
    documentation="https://docs.aws.amazon.com/vpn/latest/s2svpn/monitoring-cloudwatch-vpn.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    rollback_possible=False,
    destructive=True,
    window_parameter="minimumIdleDays",
    parameters=(
        idle_days("A connection", 30, by_day=True),
        ParameterSpec(
            name="maximumDailyMegabytes",
            unit="MB",
            default=Decimal(1),
            minimum=Decimal("0.01"),
            maximum=Decimal(1000),
            description="A connection that carries this much in one direction on any day is in use.",
        ),
    ),
)
