"""Warehouses that nobody connected to: AWS bills the hours of their nodes all the same.

Trusted Advisor calls a cluster underused that had no connection for the last seven days. A paused cluster is billed its
storage alone and keeps its data, so that a pause comes before a deletion.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.redshift.cluster import AVAILABLE, CONNECTIONS, PAUSED, WarehouseFacts

ID: Final = "redshift_cluster_idle"


def _evaluate(facts: Facts[WarehouseFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, state = parameters["minimumIdleDays"], facts.resource.state
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    reason = reason or too_young(facts, least) or days_unseen(facts, (CONNECTIONS,), least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    (connections,) = summaries(facts, (CONNECTIONS,))
    if connections.maximum > 0:
        return NotRecommended(
            ID, facts.resource.id, f"up to {figure(connections.maximum)} connections were open at once"
        )
    own = facts.own
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=facts.cost_of(replace(facts.resource, state=PAUSED)).unrounded_monthly,
        evidence={
            "maximumConnections": figure(connections.maximum),
            "thresholdConnections": "1",
            "thresholdIdleDays": str(least),
            **coverage_evidence(connections),
        },
        summary=f"Nobody connected to it for {days(connections.hours)}. Paused, it is billed its storage alone.",
        facts=(
            EvidenceFact("Connections, most at once", "none"),
            window_fact(connections),
            EvidenceFact("Nodes", f"{own.nodes} of {own.node_type}"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Idle Redshift cluster",
    kinds=("redshift-cluster",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    action_type=ActionType.STOP,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(replace(idle_days("A cluster", 7), minimum=Decimal(7)),),
)
