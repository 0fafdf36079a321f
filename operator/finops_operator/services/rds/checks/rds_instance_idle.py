"""Database instances that nobody connected to: AWS bills hours and storage all the same.

AWS publishes two rules. Trusted Advisor's asks for seven days without a connection, Compute Optimizer's for fourteen
days without one and for little CPU, whose limit it does not publish: the fourteen days are taken, and a database whose
CPU worked on average (scheduled events, jobs of its own) is not idle by a limit of ours. A replica has no connections
while all is well, and the source of replicas feeds them; a member of a cluster stands in for the others. None of these
is judged. A stop leaves the storage to be paid, and AWS starts a stopped instance again after seven days: so much is
saved at most, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import days, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure, insufficient, metric_words
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER, cost_with_stop
from finops_operator.services.rds.rules.states import AVAILABLE, STOPPED

ID: Final = "rds_instance_idle"
_ACTION: Final = "rds_instance_stop"
_CONNECTIONS: Final = "databaseConnections"
_CPU: Final = "cpuPercent"


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, limit = parameters["minimumIdleDays"], parameters["maximumMeanCpuPercent"]
    reason = _not_judged(facts) or _not_measured(facts, least)
    connections, cpu = facts.utilization.best(_CONNECTIONS), facts.utilization.best(_CPU)
    if reason or connections is None or cpu is None:
        return NotRecommended(ID, facts.resource.id, reason or "it was not measured")
    if connections.maximum > 0:
        reason = f"up to {figure(connections.maximum)} connections were open at once"
    elif cpu.average >= float(limit):
        reason = f"its CPU worked {percent(cpu.average)} of the time without a connection, the limit is {limit} %"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    stopped = facts.cost_of(replace(facts.resource, state=STOPPED)).unrounded_monthly
    hours = facts.settings.hours_per_month
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={},
        new_monthly_cost=cost_with_stop(facts.cost.unrounded_monthly, stopped, hours),
        evidence={
            "maximumConnections": figure(connections.maximum),
            "meanCpuPercent": figure(cpu.average),
            "thresholdConnections": "1",
            "thresholdMeanCpuPercent": str(limit),
            "thresholdIdleDays": str(least),
            "savedDays": str(RESTARTED_AFTER.days),
            **coverage_evidence(connections),
        },
        summary=f"Nobody connected to it for {days(connections.hours)}. Stopped, it is billed its storage, and AWS "
        "starts it again after seven days: a stop saves at most that week.",
        facts=tuple(_facts(facts.own, connections, cpu, limit)),
    )


def _not_judged(facts: Facts[DatabaseFacts]) -> str:
    resource, own = facts.resource, facts.own
    if resource.state != AVAILABLE:
        return f"it is {resource.state}, not {AVAILABLE}"
    if own.db_cluster_id is None or own.replicates_from is None or own.read_replicas is None:
        return "whether others depend on it is not known"
    if own.db_cluster_id:
        return "it is a member of a cluster, whose members stand in for each other"
    if own.replicates_from:
        return "it is a replica, which may wait for the day it is needed"
    return "others replicate from it" if own.read_replicas else ""


def _not_measured(facts: Facts[DatabaseFacts], least: Decimal) -> str:
    for name in (_CONNECTIONS, _CPU):
        reason = insufficient(facts.utilization, name, facts.settings)
        summary = facts.utilization.best(name)
        if reason or summary is None:
            return reason
        if summary.days < float(least):
            return f"only {figure(summary.days)} days of {metric_words(name)} were read, {least} are needed"
    return ""


def _facts(
    own: DatabaseFacts, connections: MetricSummary, cpu: MetricSummary, limit: Decimal
) -> Iterator[EvidenceFact]:
    yield EvidenceFact("Connections, most at once", figure(connections.maximum))
    yield EvidenceFact("CPU, mean", f"{percent(cpu.average)}; idle is below {limit} %")
    yield window_fact(connections)
    if own.engine:
        yield EvidenceFact("Engine", f"{own.engine} {own.engine_version or ''}".strip())
    if own.allocated_storage_gb is not None:
        yield EvidenceFact("Storage, still billed when stopped", f"{own.allocated_storage_gb} GiB")
    yield EvidenceFact("Saved at most", f"{RESTARTED_AFTER.days} days of its hours, once")


CHECK: Final = Check(
    id=ID,
    title="Idle RDS instance",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action=_ACTION,
    action_type=ActionType.STOP,
    effort=Effort.LOW,
    evaluate=_evaluate,
    parameters=(
        ParameterSpec(
            name="minimumIdleDays",
            unit="days",
            default=Decimal(14),
            minimum=Decimal(7),
            maximum=Decimal(63),
            description="A database is idle after this many days, which must lie within `metrics.lookbackDays`.",
        ),
        ParameterSpec(
            name="maximumMeanCpuPercent",
            unit="percent",
            default=Decimal(10),
            minimum=Decimal(1),
            maximum=Decimal(50),
            description="A database whose CPU worked this much on average is not idle, even without a connection.",
        ),
    ),
)
