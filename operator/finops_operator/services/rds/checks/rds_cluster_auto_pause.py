"""Aurora Serverless v2 clusters whose minimum capacity is paid through hours in which nobody is connected.

With a minimum of 0 capacity units the instances pause after some time without a connection and cost nothing but storage
until the next one. AWS publishes no threshold for it: by default nine hours of ten must have been without a connection,
and one that is never used at all is the affair of `rds_cluster_idle`. The first connection after a pause waits some
seconds, and RDS Proxy, logical replication and a global database keep a cluster from pausing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.measured import window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries, too_young
from finops_operator.services.rds.cluster import ClusterFacts
from finops_operator.services.rds.judging.dependants import not_judged
from finops_operator.services.rds.rules.clusters import AURORA, CAPACITY, CONNECTIONS
from finops_operator.services.rds.rules.engines import SERVERLESS

ID: Final = "rds_cluster_auto_pause"
_NAMES: Final = (CONNECTIONS, CAPACITY)


def _evaluate(facts: Facts[ClusterFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumMeasuredDays"]
    minimum = facts.own.minimum_capacity
    reason = _not_judged(facts) or too_young(facts, least) or not_measured(facts, _NAMES, least)
    if reason or minimum is None:
        return NotRecommended(ID, facts.resource.id, reason)
    connections, capacity = summaries(facts, _NAMES)
    if connections.maximum <= 0:
        reason = "nobody connected to it at all"
    elif connections.p90 > 0:
        reason = "somebody was connected in more than one hour of ten"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="",
        parameters={},
        new_monthly_cost=None,
        evidence={
            "minimumCapacityUnits": str(minimum),
            "meanCapacityUnits": figure(capacity.average),
            "maximumConnections": figure(connections.maximum),
            "p90Connections": figure(connections.p90),
            "thresholdP90Connections": "1",
            **coverage_evidence(connections),
        },
        summary=f"Nobody is connected in nine hours of ten, and its minimum of {minimum} capacity units is billed all "
        "day. With a minimum of 0 it pauses.",
        facts=tuple(_facts(connections, capacity, minimum)),
        target="minimum of 0 capacity units",
    )


def _not_judged(facts: Facts[ClusterFacts]) -> str:
    own = facts.own
    if own.cluster_service != AURORA or own.minimum_capacity is None:
        return "it does not scale by capacity units"
    if own.minimum_capacity == 0:
        return "it pauses already"
    if own.member_classes is None:
        return "the classes of its instances are not known"
    if SERVERLESS not in own.member_classes:
        return f"none of its instances is of class {SERVERLESS}"
    return not_judged(facts)


def _facts(connections: MetricSummary, capacity: MetricSummary, minimum: Decimal) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Connections, 90 % of the hours", "none")
    yield EvidenceFact("Connections, most at once", figure(connections.maximum))
    yield EvidenceFact("Capacity, mean", f"{figure(capacity.average)} units; the minimum is {minimum}")
    yield window_fact(connections)
    yield EvidenceFact("Before the change", "see whether the engine version can pause; the first connection waits")


CHECK: Final = Check(
    id=ID,
    title="Serverless RDS cluster that never pauses",
    kinds=("rds-cluster",),
    documentation="https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(measured_days("connections"),),
)
