"""Database instances that nobody connected to: AWS bills hours and storage all the same.

AWS publishes two rules. Trusted Advisor's asks for seven days without a connection, Compute Optimizer's for fourteen
days without one and for little CPU and I/O, whose limits it does not publish: the fourteen days are taken, and a
database whose CPU or storage worked on average (scheduled events, jobs of its own) is not idle by limits of ours. No
publication of AWS names a figure for the 20 operations a second: they are meant to lie above what an engine does for
itself without a client (checkpoints, its log, the shipping of it), and were not measured on a fleet.

A replica has no connections while all is well, and the source of replicas feeds them; a member of a cluster stands in
for the others. None of these is judged. A stop leaves the storage to be paid, and AWS starts a stopped instance again
after seven days: so much is saved at most, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import days, percent, window_fact
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import days_unseen, summaries
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.rules.restart import RESTARTED_AFTER, database_with_stop
from finops_operator.services.rds.rules.states import AVAILABLE

ID: Final = "rds_instance_idle"
_ACTION: Final = "rds_instance_stop"
_CONNECTIONS: Final = "databaseConnections"
_CPU: Final = "cpuPercent"
_READS: Final = "readIops"
_WRITES: Final = "writeIops"
_NEEDED: Final = (_CONNECTIONS, _CPU, _READS, _WRITES)


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    least, limit, most = (parameters[name] for name in ("minimumIdleDays", "maximumMeanCpuPercent", "maximumMeanIops"))
    reason = _not_judged(facts) or days_unseen(facts, _NEEDED, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    connections, cpu, reads, writes = summaries(facts, _NEEDED)
    operations = reads.average + writes.average
    if connections.maximum > 0:
        reason = f"up to {figure(connections.maximum)} connections were open at once"
    elif cpu.average >= float(limit):
        reason = f"its CPU worked {percent(cpu.average)} of the time without a connection, the limit is {limit} %"
    elif operations >= float(most):
        reason = f"its storage did {figure(operations)} operations a second without a connection, the limit is {most}"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={},
        new_monthly_cost=database_with_stop(facts),
        evidence={
            "maximumConnections": figure(connections.maximum),
            "meanCpuPercent": figure(cpu.average),
            "meanIops": figure(operations),
            "thresholdConnections": "1",
            "thresholdMeanCpuPercent": str(limit),
            "thresholdMeanIops": str(most),
            "thresholdIdleDays": str(least),
            "savedDays": str(RESTARTED_AFTER.days),
            **coverage_evidence(connections),
        },
        summary=f"Nobody connected to it for {days(connections.hours)}. Stopped, it is billed its storage, and AWS "
        "starts it again after seven days: a stop saves at most that week.",
        facts=(
            EvidenceFact("Connections, most at once", figure(connections.maximum)),
            EvidenceFact("CPU, mean", f"{percent(cpu.average)}; idle is below {limit} %"),
            EvidenceFact("Storage operations, mean", f"{figure(operations)} a second; idle is below {most}"),
            window_fact(connections),
            *_facts(facts.own),
        ),
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


def _facts(own: DatabaseFacts) -> Iterator[EvidenceFact]:
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
            metrics=("cpuPercent",),
        ),
        ParameterSpec(
            name="maximumMeanIops",
            unit="operations a second",
            default=Decimal(20),
            minimum=Decimal(1),
            maximum=Decimal(1000),
            description="A database that read and wrote this often on average is not idle, even without a connection. "
            "The default is ours: AWS publishes no figure.",
        ),
    ),
)
