"""Database instances that are larger than their work: a smaller class of the family holds the peaks and costs less.

The peaks are those of AWS Compute Optimizer: CPU at P99.5 with 20 % of the target free, as `sizing` of the policy sets
it, memory with 20 % free; connections must fit what RDS allows by default, operations and throughput what the smaller
class sustains; and where Performance Insights counts the sessions that ran at once, each has a processor. Memory counts
as used unless it was freeable at all times, so that a database that gives nearly all of it to its buffers is never
found: what of a buffer it needs is not measured. A burstable class is only named where the peak stays below its
baseline, so that it needs no credits. One size less is named at a time, more after 32 days.

Replicas, which must keep up with their source, and members of clusters, which stand in for each other, are not judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops_operator.plugins.check import Check, Facts, Parameters
from finops_operator.plugins.facts import with_facts
from finops_operator.plugins.measured import (
    about_percent,
    count,
    gauge_facts,
    peak_sentence,
    performance_risk,
    window_fact,
)
from finops_operator.plugins.sufficiency import coverage_evidence, figure, unread
from finops_operator.plugins.window import measured_days, not_measured, summaries, too_young
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.rds.instance import DatabaseFacts
from finops_operator.services.rds.judging.apply_time import APPLY_AT_ONCE, apply_of
from finops_operator.services.rds.judging.class_need import CPU, LOAD, MEASURED, Headroom, Need, need_of, too_small
from finops_operator.services.rds.judging.hour_price import hour_price
from finops_operator.services.rds.rules.classes import class_name, class_type, smaller_types, sustained_vcpus
from finops_operator.services.rds.rules.states import AVAILABLE

ID: Final = "rds_instance_overprovisioned"
_ACTION: Final = "rds_instance_resize"
SEVERAL_STEPS_DAYS: Final = 32
"""Of data, from which on more than one size less is named."""


@dataclass(frozen=True, slots=True)
class _Target:
    """The class to take instead; `priced` is False where the tables hold no price of the current one either."""

    current: InstanceType
    kind: InstanceType
    need: Need
    priced: bool


def _evaluate(facts: Facts[DatabaseFacts], parameters: Parameters) -> Finding | NotRecommended:
    least = parameters["minimumMeasuredDays"]
    reason = _not_judged(facts) or too_young(facts, least) or not_measured(facts, MEASURED, least)
    reason = reason or unread(facts.utilization, (LOAD,))
    target = reason or _target(facts)
    if isinstance(target, str):
        return NotRecommended(ID, facts.resource.id, target)
    own, margins = facts.own, facts.settings.sizing.margins
    (cpu,) = summaries(facts, (CPU,))
    name = class_name(target.kind)
    changed = with_facts(facts.resource, replace(own, db_instance_class=name))
    cpu_then = 100 * target.need.vcpus / sustained_vcpus(target.kind)
    memory_then = 100 * target.need.memory_mib / target.kind.memory_mib
    return Finding(
        check=ID,
        action=_ACTION,
        parameters={"dbInstanceClass": name, "apply": apply_of(parameters)},
        new_monthly_cost=facts.cost_of(changed).unrounded_monthly if target.priced else None,
        evidence={
            "currentClass": own.db_instance_class,
            "targetClass": name,
            "cpuPeakPercent": figure(margins.cpu_peak(cpu)),
            "cpuMaximumPercent": figure(cpu.maximum),
            "usedMemoryMib": figure(target.need.memory_mib, 0),
            "maximumConnections": figure(target.need.connections),
            "p99Iops": figure(target.need.iops),
            "p99MegabytesPerSecond": figure(target.need.megabytes_per_second),
            "cpuHeadroomPercent": margins.cpu_headroom_percent,
            "memoryHeadroomPercent": margins.memory_headroom_percent,
            **coverage_evidence(cpu),
        },
        summary=f"{peak_sentence('CPU', cpu, margins.cpu_percentile)}; {name} holds that and all else it uses.",
        facts=(*gauge_facts("CPU", cpu, margins.cpu_percentile), window_fact(cpu), *_facts(own, target)),
        target=name,
        expectation=f"Expected CPU about {about_percent(cpu_then)}, memory about {about_percent(memory_then)}.",
        performance_risk=performance_risk((cpu_then, memory_then)),
    )


def _not_judged(facts: Facts[DatabaseFacts]) -> str:
    own, state = facts.own, facts.resource.state
    if own.db_instance_class is None:
        return "its class is not known"
    if own.db_cluster_id is None or own.replicates_from is None:
        return "whether it belongs to others is not known"
    if own.db_cluster_id:
        return "it is a member of a cluster, whose members stand in for each other"
    if own.replicates_from:
        return "it is a replica, which must keep up with its source"
    return "" if state == AVAILABLE else f"it is {state}, not {AVAILABLE}"


def _target(facts: Facts[DatabaseFacts]) -> _Target | str:
    """Return the smallest class that holds the work, within the steps that the data allows, or why there is none."""
    own, name, margins = facts.own, facts.own.db_instance_class or "", facts.settings.sizing.margins
    current = class_type(name)
    if current is None:
        return f"what {name} offers is not known"
    need = need_of(facts.utilization, current, margins)
    if isinstance(need, str):
        return need
    sold = _sold(facts, smaller_types(current))
    if isinstance(sold, str):
        return sold
    headroom = Headroom(margins.cpu_headroom_percent, margins.memory_headroom_percent)
    (cpu,) = summaries(facts, (CPU,))
    chosen = None
    for kind in sold if cpu.days >= SEVERAL_STEPS_DAYS else sold[:1]:
        lacking = too_small(need, kind, own.engine or "", headroom)
        if lacking:
            return chosen or f"{class_name(kind)} is too small: {lacking}"
        chosen = _Target(current, kind, need, priced=_hour(facts, name) is not None)
    return chosen or f"no smaller class has the family of {name}"


def _sold(facts: Facts[DatabaseFacts], kinds: tuple[InstanceType, ...]) -> tuple[InstanceType, ...] | str:
    """Return the classes that AWS sells for the engine in the region: those with a price, where the current has one."""
    now = _hour(facts, facts.own.db_instance_class or "")
    if now is None:
        return kinds
    priced = tuple((kind, _hour(facts, class_name(kind))) for kind in kinds)
    cheaper = tuple(kind for kind, price in priced if price is not None and price < now)
    if kinds and not cheaper:
        return f"no smaller class of the family costs less with {facts.own.engine} in {facts.resource.region}"
    return cheaper


def _hour(facts: Facts[DatabaseFacts], name: str) -> Decimal | None:
    return hour_price(facts, replace(facts.own, db_instance_class=name))


def _facts(own: DatabaseFacts, target: _Target) -> Iterator[EvidenceFact]:
    need, current, kind = target.need, target.current, target.kind
    yield EvidenceFact("vCPUs", f"{current.vcpus} → {kind.vcpus}")
    yield EvidenceFact("Memory", f"{_gib(current.memory_mib)} → {_gib(kind.memory_mib)}")
    yield EvidenceFact("Memory in use, at most", f"{_gib(need.memory_mib)}, by the least that was free at any time")
    if own.engine == "postgres":
        said = "what the operating system caches counts as free, so that with less memory more may be read from storage"
        yield EvidenceFact("Memory of PostgreSQL", said)
    yield EvidenceFact("Connections, most at once", count(need.connections))
    yield EvidenceFact(
        "Storage, 99 % of the time below",
        f"{count(need.iops)} IOPS, {figure(need.megabytes_per_second, 1)} MB/s; {class_name(kind)} sustains "
        f"{count(kind.ebs_baseline_iops or 0)} IOPS, {kind.ebs_baseline_mbytes_per_second:f} MB/s",
    )
    yield EvidenceFact("Engine", f"{own.engine} {own.engine_version or ''}".strip())
    if own.multi_az:
        yield EvidenceFact("Zones", "two; the cost counts both")
    if own.read_replicas:
        yield EvidenceFact("Replicas", f"{len(own.read_replicas)}; they keep their class")
    yield EvidenceFact(
        "Before the change",
        "see whether AWS offers the class for this engine version, and whether a parameter group sets memory or "
        "connections to fixed figures",
    )


def _gib(mebibytes: float) -> str:
    return f"{figure(mebibytes / 1024, 1)} GiB"


CHECK: Final = Check(
    id=ID,
    title="Over-provisioned RDS instance",
    kinds=("rds-instance",),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-rds-recommendations.html",
    action=_ACTION,
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    evaluate=_evaluate,
    restart_needed=True,
    parameters=(measured_days("CPU, memory, connections and storage"), APPLY_AT_ONCE),
)
