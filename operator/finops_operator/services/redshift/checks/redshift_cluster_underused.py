"""Warehouses whose CPUs do next to nothing: fewer nodes, a schedule that pauses them, or serverless would do.

Trusted Advisor calls a cluster underused whose average CPU over all nodes was below five percent for 99 % of the last
seven days. Here the highest value of each hour counts, which is stricter. What to do instead depends on the queries, so
that the saving is unknown.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import gauge_facts, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.redshift.cluster import AVAILABLE, CONNECTIONS, CPU, WarehouseFacts

ID: Final = "redshift_cluster_underused"
_NAMES: Final = (CPU, CONNECTIONS)


def _evaluate(facts: Facts[WarehouseFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, limit, state = parameters["minimumIdleDays"], parameters["maximumCpuPercent"], facts.resource.state
    reason = "" if state == AVAILABLE else f"it is {state or 'in an unknown state'}, not {AVAILABLE}"
    reason = reason or too_young(facts, least) or days_unseen(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    cpu, connections = summaries(facts, _NAMES)
    if connections.maximum <= 0:
        reason = "nobody connected to it at all"
    elif cpu.p99 >= float(limit):
        reason = f"its CPUs reached {percent(cpu.p99)}, underused is below {limit} %"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    own = facts.own
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "p99CpuPercent": figure(cpu.p99),
            "thresholdCpuPercent": str(limit),
            "maximumConnections": figure(connections.maximum),
            "thresholdIdleDays": str(least),
            **coverage_evidence(cpu),
        },
        summary=f"99 % of the time its CPUs stayed below {percent(cpu.p99)}.",
        facts=(
            *gauge_facts("CPU", cpu, "p99"),
            window_fact(cpu),
            EvidenceFact("Nodes", f"{own.nodes} of {own.node_type}"),
            EvidenceFact("Instead", "fewer nodes, a pause at night and on weekends, or serverless"),
        ),
    )


CHECK: Final = Check(
    id=ID,
    title="Underused Redshift cluster",
    kinds=("redshift-cluster",),
    documentation="https://docs.aws.amazon.com/awssupport/latest/user/cost-optimization-checks.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    parameters=(
        replace(idle_days("A cluster", 7), description="Days of CPU and connections that must have been read."),
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(5),
            minimum=Decimal(1),
            maximum=Decimal(30),
            description="A cluster whose CPUs stayed below this for 99 % of the time is underused.",
            metrics=("cpuPercent",),
        ),
    ),
)
