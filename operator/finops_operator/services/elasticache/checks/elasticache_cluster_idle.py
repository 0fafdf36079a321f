"""Caches that nobody reads or writes: AWS bills the hours of their nodes all the same.

Compute Optimizer judges fourteen days by commands, hits and connections and does not publish its limits. Here a cache
is idle when not a single command was served and no more connections were open than AWS holds itself: four to six on
Valkey and Redis OSS. Memcached counts connections of its own threads, so there the commands decide alone. A node of a
group with others may wait for the day that it is needed, and is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import idle_days, not_measured, summaries, too_young
from finops_operator.services.elasticache.cluster import CacheFacts
from finops_operator.services.elasticache.judging.alone import not_alone, not_judged
from finops_operator.services.elasticache.rules.use import COMMANDS, CONNECTIONS, MEMCACHED

ID: Final = "elasticache_cluster_idle"
_ACTION: Final = "elasticache_cluster_delete"


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, allowed = parameters["minimumIdleDays"], parameters["maximumConnections"]
    names = COMMANDS.get(facts.own.engine or "", ())
    needed = (*names, CONNECTIONS)
    reason = not_judged(facts) or not_alone(facts.own) or ("" if names else "its engine is not known")
    reason = reason or too_young(facts, least) or not_measured(facts, needed, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    *commands, connections = summaries(facts, needed)
    served = sum(one.total or 0.0 for one in commands)
    if served > 0:
        reason = f"it served {count(served)} commands"
    elif facts.own.engine != MEMCACHED and connections.maximum > float(allowed):
        reason = f"up to {figure(connections.maximum)} connections were open at once, AWS holds {allowed} at most"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={},
        new_monthly_cost=Decimal(0),
        evidence={
            "commands": figure(served),
            "maximumConnections": figure(connections.maximum),
            "thresholdCommands": "1",
            "thresholdConnections": str(allowed),
            "thresholdIdleDays": str(least),
            **coverage_evidence(commands[0]),
        },
        summary=f"It served no command for {days(commands[0].hours)}.",
        facts=tuple(_facts(facts.own, commands[0], connections)),
    )


def _facts(own: CacheFacts, commands: MetricSummary, connections: MetricSummary) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Commands", "none")
    yield EvidenceFact("Connections, most at once", f"{figure(connections.maximum)}, AWS's own among them")
    yield window_fact(commands)
    yield EvidenceFact("Nodes", f"{own.nodes} of {own.cache_node_type}")
    yield EvidenceFact("Before it is deleted", "make a final snapshot, which Memcached does not have")


CHECK: Final = Check(
    id=ID,
    title="Idle ElastiCache cluster",
    kinds=("elasticache-cluster",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action_type=ActionType.DELETE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    action=_ACTION,
    rollback_possible=False,
    destructive=True,
    parameters=(
        idle_days("A cache"),
        ParameterSpec(
            name="maximumConnections",
            unit="connections",
            default=Decimal(6),
            minimum=Decimal(0),
            maximum=Decimal(100),
            description="A cache with more connections at once than this has clients, even if they send nothing.",
        ),
    ),
)
