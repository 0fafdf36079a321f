"""Clusters that nobody used: AWS bills the hours of their members and their storage all the same.

Compute Optimizer calls an Aurora or DocumentDB instance idle after fourteen days without a connection and with little
CPU, whose limit it does not publish; the limit here is ours, the same as for database instances. Neptune publishes
requests instead of connections. A cluster of a global database, a replica and the source of replicas wait for or feed
others and are not judged. A stopped cluster is billed its storage, and AWS starts it again after seven days: so much
of the hours of its members is saved at most, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import days, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, idle_days, summaries, too_young
from finops_operator.services.rds.cluster import ClusterFacts
from finops_operator.services.rds.judging.dependants import not_judged
from finops_operator.services.rds.judging.members import member_hours_fact
from finops_operator.services.rds.rules.clusters import (
    AURORA,
    CONNECTIONS,
    CPU,
    DOCUMENT_CONNECTIONS,
    DOCUMENT_CPU,
    DOCUMENTDB,
    GRAPH_CPU,
    GRAPH_REQUESTS,
    MULTI_AZ,
    NEPTUNE,
)
from finops_operator.services.rds.rules.restart import cluster_part_with_stop

ID: Final = "rds_cluster_idle"
_ACTION: Final = "rds_cluster_stop"
_USE: Final = {
    AURORA: (CONNECTIONS, CPU),
    MULTI_AZ: (CONNECTIONS, CPU),
    DOCUMENTDB: (DOCUMENT_CONNECTIONS, DOCUMENT_CPU),
    NEPTUNE: (GRAPH_REQUESTS, GRAPH_CPU),
}
"""What a cluster is → the metric that says whether anybody uses it, and its CPU."""

_STORAGE: Final = "Stopped, it is billed its storage, and AWS starts it again after seven days."
_REMAINS: Final = {MULTI_AZ: "Its three instances are billed together until it is deleted."}


def _evaluate(facts: Facts[ClusterFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, limit = parameters["minimumIdleDays"], parameters["maximumMeanCpuPercent"]
    names = _USE.get(facts.own.cluster_service or "")
    if names is None:
        return NotRecommended(ID, facts.resource.id, "its engine is not known")
    reason = not_judged(facts) or too_young(facts, least) or days_unseen(facts, names, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    use, cpu = summaries(facts, names)
    noun = "requests a second" if names[0] == GRAPH_REQUESTS else "connections at once"
    if use.maximum > 0:
        reason = f"it had up to {figure(use.maximum)} {noun}"
    elif cpu.average >= float(limit):
        reason = f"its CPU worked {percent(cpu.average)} of the time without any use, the limit is {limit} %"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    members = None if facts.cost.attributed is None else facts.cost.attributed.whole
    return Finding(
        check=ID,
        # The others are advice: this act is for Aurora alone.
        action=_ACTION if facts.own.cluster_service == AURORA else "",
        parameters={},
        new_monthly_cost=cluster_part_with_stop(facts, members) if facts.own.cluster_service == AURORA else None,
        own_new_cost=cluster_part_with_stop(facts, Decimal(0)) if facts.own.cluster_service == AURORA else None,
        unpriced="the cost of its members is not known" if facts.cost.at_stake is None else "",
        evidence={
            "maximumUse": figure(use.maximum),
            "meanCpuPercent": figure(cpu.average),
            "thresholdUse": "1",
            "thresholdMeanCpuPercent": str(limit),
            "thresholdIdleDays": str(least),
            **coverage_evidence(use),
        },
        summary=f"Nobody used it for {days(use.hours)}. {_REMAINS.get(facts.own.cluster_service or '', _STORAGE)}",
        facts=tuple(_facts(facts, use, cpu, limit)),
    )


def _facts(
    facts: Facts[ClusterFacts], use: MetricSummary, cpu: MetricSummary, limit: Decimal
) -> Iterator[EvidenceFact]:
    own = facts.own
    yield EvidenceFact("Requests" if own.cluster_service == NEPTUNE else "Connections, most at once", "none")
    yield EvidenceFact("CPU, mean", f"{percent(cpu.average)}; idle is below {limit} %")
    yield window_fact(use)
    yield EvidenceFact("Engine", f"{own.engine} {own.engine_version or ''}".strip())
    yield from member_hours_fact(facts)


CHECK: Final = Check(
    id=ID,
    title="Idle RDS cluster",
    kinds=("rds-cluster",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action=_ACTION,
    action_type=ActionType.STOP,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        idle_days("A cluster"),
        ParameterSpec(
            name="maximumMeanCpuPercent",
            unit="percent",
            default=Decimal(10),
            minimum=Decimal(1),
            maximum=Decimal(50),
            description="A cluster whose CPU worked this much on average is not idle, even without a connection.",
            metrics=("clusterCpuPercent", "documentCpuPercent", "graphCpuPercent"),
        ),
    ),
)
