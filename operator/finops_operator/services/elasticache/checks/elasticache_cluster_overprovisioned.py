"""Caches that use little of their memory and CPU: the type of half the size holds all of it and costs half.

AWS publishes no threshold. Memory decides, and evictions begin when it is full: at its peak the cache must have used no
more than two fifths of it, so that four fifths of the smaller node would be used; the same holds for 99.5 % of the time
of the CPU. One step of size is named at a time. The nodes of a group have one type, so that the fullest and the busiest
of them decide. Memcached, which fills its memory by design, is not judged at all.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import gauge_facts, percent, performance_risk, window_fact
from finops_operator.plugins.other_type import cheapest, finding
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.plugins.window import measured_days, not_measured, summaries, too_young
from finops_operator.services.elasticache.cluster import CacheFacts, hour_query
from finops_operator.services.elasticache.judging.alone import group_fact, not_alone, not_judged
from finops_operator.services.elasticache.rules.node_types import smaller
from finops_operator.services.elasticache.rules.use import CPU, MEMCACHED, MEMORY

ID: Final = "elasticache_cluster_overprovisioned"
_NAMES: Final = (MEMORY, CPU)


def _evaluate(facts: Facts[CacheFacts], parameters: Parameters) -> Finding | NotRecommended:
    own, least, limit = facts.own, parameters["minimumMeasuredDays"], float(parameters["maximumPeakPercent"])
    name, engine = own.cache_node_type or "", own.engine or ""
    reason = not_judged(facts) or not_alone(own) or _too_small(own)
    reason = reason or too_young(facts, least) or not_measured(facts, _NAMES, least)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    memory, cpu = summaries(facts, _NAMES)
    if memory.maximum >= limit:
        reason = f"{percent(memory.maximum)} of its memory were used, the limit is {percent(limit)}"
    elif cpu.p99_5 >= limit:
        reason = f"its CPU reached {percent(cpu.p99_5)}, the limit is {percent(limit)}"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    region = facts.resource.region
    change = cheapest(facts, name, (smaller(name),), lambda one: hour_query(region, one, engine), at_par=False)
    if isinstance(change, str):
        return NotRecommended(ID, facts.resource.id, change)
    changed = with_facts(facts.resource, replace(own, cache_node_type=change.target))
    found = finding(
        ID,
        change,
        facts.cost_of(changed).unrounded_monthly,
        f"At its peak it used {percent(memory.maximum)} of its memory; {change.target} has about half of it.",
        *group_fact(own),
        *gauge_facts("Memory", memory, "p99_5"),
        *gauge_facts("CPU", cpu, "p99_5"),
        window_fact(memory),
    )
    return replace(
        found,
        evidence={
            **found.evidence,
            "maximumMemoryPercent": figure(memory.maximum),
            "p99_5CpuPercent": figure(cpu.p99_5),
            "thresholdPeakPercent": str(parameters["maximumPeakPercent"]),
            **coverage_evidence(memory),
        },
        expectation=f"Expected memory about {2 * memory.maximum:.0f} %, CPU about {2 * cpu.p99_5:.0f} %.",
        performance_risk=performance_risk((2 * memory.maximum, 2 * cpu.p99_5)),
    )


def _too_small(own: CacheFacts) -> str:
    if own.engine == MEMCACHED:
        return "Memcached fills its memory by design"
    name = own.cache_node_type or ""
    return "" if smaller(name) else f"no type has half the size of {name}"


CHECK: Final = Check(
    id=ID,
    title="Oversized ElastiCache cluster",
    kinds=("elasticache-cluster", "elasticache-replication-group"),
    documentation="https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/CacheMetrics.WhichShouldIMonitor.html",
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
    parameters=(
        measured_days("memory and CPU"),
        ParameterSpec(
            name="maximumPeakPercent",
            unit="percent",
            default=Decimal(40),
            minimum=Decimal(10),
            maximum=Decimal(45),
            description="Memory at its peak, and CPU for 99.5 % of the time, must stay below this share.",
            metrics=("memoryPercent", "cpuPercent"),
        ),
    ),
)
