"""EC2 instances that are larger than their work: a smaller or cheaper type of the same architecture holds the peaks.

The rules are in `finops_operator.services.ec2.sizing`; this file says when they are asked and how the answer is shown.
It judges the 5-minute picture only: hourly figures hide the peaks of network and volumes.

Whether a burstable instance is in standard or unlimited mode is not read (DescribeInstanceCreditSpecifications): every
burstable instance is judged as if it were in standard mode, and a burstable target must carry the mean load on its
baseline and the busiest day on two days' credits. So no advice needs surplus credits, whichever mode the instance
keeps; knowing the mode could only add advice for instances that peak at their baseline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import bit_rate, count, gauge_facts, peak_sentence, percent, period, window_fact
from finops_operator.plugins.sufficiency import (
    SEEN_IN_PART,
    coverage_evidence,
    figure,
    insufficient,
    seen_whole,
    unread,
)
from finops_operator.plugins.watched import PROMISED_CPU
from finops_operator.services.ec2.instance import OFFERED_TYPES, InstanceFacts
from finops_operator.services.ec2.rules.burstable import surplus_query
from finops_operator.services.ec2.rules.instance_metrics import PACKETS
from finops_operator.services.ec2.rules.platform_words import described, differences
from finops_operator.services.ec2.rules.run_by_others import run_by_a_service
from finops_operator.services.ec2.sizing.ask import settled_by_days, sizing_of, why_not
from finops_operator.services.ec2.sizing.choice_words import alternatives, credit_facts, reasons
from finops_operator.services.ec2.sizing.choose import Choice, choose
from finops_operator.services.ec2.sizing.known_type import type_too_new
from finops_operator.services.ec2.sizing.migration import migration_effort
from finops_operator.services.ec2.sizing.projection import Projection, projection
from finops_operator.services.ec2.sizing.volume_load import TOWARDS_VOLUMES, held_by_volumes

ID: Final = "ec2_instance_overprovisioned"
RESIZE: Final = "ec2_instance_resize"
_CPU: Final = "cpuPercent"
_OTHERS: Final = ("memoryPercent", "networkInBytes", "networkOutBytes", *PACKETS, *TOWARDS_VOLUMES)
"""What bounds the target beside CPU: not published is one thing, not readable today another."""


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    facts = replace(facts, utilization=seen_whole(facts.utilization, _OTHERS, facts.settings))
    chosen = _choice(facts, parameters)
    if isinstance(chosen, str):
        return NotRecommended(ID, facts.resource.id, chosen)
    cpu = facts.utilization.fine[_CPU]
    margins = facts.settings.sizing.margins
    memory = facts.utilization.best("memoryPercent")
    projected = projection(chosen.current, chosen.target.kind, cpu, memory)
    withheld = chosen.target.not_allowed
    return Finding(
        check=ID,
        action="" if withheld else RESIZE,
        parameters={} if withheld else {"instanceType": chosen.target.kind.name},
        new_monthly_cost=chosen.target.monthly_cost,
        evidence=_evidence(facts, chosen, cpu, projected),
        target=chosen.target.kind.name,
        summary=f"{peak_sentence('CPU', cpu, margins.cpu_percentile)}.",
        alternatives=alternatives(chosen, cpu, memory),
        facts=tuple(_facts(facts, chosen, cpu, projected)),
        expectation=projected.sentence,
        performance_risk=projected.risk,
        advice=f"It is not offered to be carried out: {withheld}." if withheld else "",
    )


def _choice(facts: Facts[InstanceFacts], parameters: Parameters) -> Choice | str:
    cpu = facts.utilization.fine.get(_CPU)
    if cpu is None or facts.resource.state != "running" or run_by_a_service(facts) or type_too_new(facts):
        return why_not(facts, parameters) or "its 5-minute metrics are not known"
    reason = insufficient(facts.utilization, _CPU, facts.settings) or unread(facts.utilization, _OTHERS)
    chosen = reason or choose(sizing_of(facts, parameters, cpu))
    if not isinstance(chosen, str) and held_by_volumes(facts.utilization, chosen.target.kind):
        return f"its volumes would use all the EBS bandwidth that {chosen.target.kind.name} carries"
    return chosen


def _evidence(
    facts: Facts[InstanceFacts], chosen: Choice, cpu: MetricSummary, projected: Projection
) -> dict[str, Json]:
    margins = facts.settings.sizing.margins
    need, memory = chosen.need, facts.utilization.best("memoryPercent")
    known = {
        "neededMemoryMib": need.memory_mib,
        "neededNetworkGbps": need.network_gbps,
        "neededPacketsPerSecond": need.packets_per_second,
        "neededEbsIops": need.ebs_iops,
        "neededEbsMegabytesPerSecond": need.ebs_mbytes_per_second,
    }
    measured: dict[str, Json] = {
        name: "unknown" if value is None else figure(value, 3) for name, value in known.items()
    }
    return {
        "preset": facts.settings.sizing.preset,
        "cpuPercentile": margins.cpu_percentile.replace("_", "."),
        "cpuPeakPercent": figure(margins.cpu_peak(cpu)),
        "cpuP99_5Percent": figure(cpu.p99_5),
        "cpuMaximumPercent": figure(cpu.maximum),
        "cpuAveragePercent": figure(cpu.average),
        PROMISED_CPU: figure(projected.cpu),
        "memoryMaximumPercent": "unknown" if memory is None else figure(memory.maximum),
        "cpuHeadroomPercent": margins.cpu_headroom_percent,
        "memoryHeadroomPercent": margins.memory_headroom_percent,
        "neededVcpus": figure(need.vcpus, 3),
        **measured,
        "currentType": chosen.current.name,
        "currentVcpus": chosen.current.vcpus,
        "currentMemoryMib": chosen.current.memory_mib,
        "migrationEffort": migration_effort(chosen.current, chosen.target.kind).value,
        "finalType": (chosen.final or chosen.target).kind.name,
        "targetVcpus": chosen.target.kind.vcpus,
        "targetMemoryMib": chosen.target.kind.memory_mib,
        # Where AWS did not answer, the act's preflight asks again and refuses when the zone lacks the type.
        "zoneOffering": "confirmed" if OFFERED_TYPES in facts.answers else "not confirmed",
        **coverage_evidence(cpu),
    }


def _facts(
    facts: Facts[InstanceFacts], chosen: Choice, cpu: MetricSummary, projected: Projection
) -> Iterator[EvidenceFact]:
    margins, memory = facts.settings.sizing.margins, facts.utilization.best("memoryPercent")
    yield from gauge_facts("CPU", cpu, margins.cpu_percentile)
    if memory is None:
        partly = facts.utilization.unknown.get("memoryPercent") == SEEN_IN_PART
        known = "measured for too short a time" if partly else "not measured"
        yield EvidenceFact("Memory", f"{known}: the new type has no less")
    else:
        yield EvidenceFact(f"Memory, highest {period(memory)}", percent(memory.maximum))
    yield window_fact(cpu)
    yield from reasons(chosen)
    yield from (*projected.facts, *differences(described(chosen.current), described(chosen.target.kind)))
    need, target = chosen.need, chosen.target.kind
    surplus = surplus_query(facts.resource.region, target.name, windows=facts.own.platform == "windows")
    yield from credit_facts(chosen, facts.lookup(surplus))
    if target.network_baseline_gbps is not None:
        used = "not measured" if need.network_gbps is None else bit_rate(need.network_gbps)
        offered = bit_rate(float(target.network_baseline_gbps))
        yield EvidenceFact("Network, 99 % of the time below", f"{used}; {target.name} sustains {offered}")
    if need.ebs_iops is not None and target.ebs_baseline_iops is not None:
        yield EvidenceFact(
            "Volumes, 99 % of the time below",
            f"{count(need.ebs_iops)} IOPS; {target.name} sustains {count(target.ebs_baseline_iops)} IOPS",
        )
    yield EvidenceFact(
        "Kept free on the new type",
        f"{margins.cpu_headroom_percent} % of CPU, {margins.memory_headroom_percent} % of memory "
        f"(preset {facts.settings.sizing.preset})",
    )
    zone = "offered" if OFFERED_TYPES in facts.answers else "not confirmed by AWS; asked again before the change"
    yield EvidenceFact("New type in its availability zone", zone)


def _wants_fine(facts: Facts[InstanceFacts], parameters: Parameters) -> bool:
    return not why_not(facts, parameters)


CHECK: Final = Check(
    id=ID,
    title="Over-provisioned EC2 instance",
    kinds=("ec2-instance",),
    parameters=(
        ParameterSpec(
            name="minimumSavingPercent",
            unit="percent",
            default=Decimal(5),
            minimum=Decimal(0),
            maximum=Decimal(90),
            description="A target must save at least this share of the current cost.",
        ),
    ),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/rightsizing-preferences.html",
    action=RESIZE,
    action_type=ActionType.RIGHTSIZE,
    effort=Effort.MEDIUM,
    restart_needed=True,
    rollback_possible=True,
    destructive=False,
    evaluate=_evaluate,
    keeps_target=True,
    wants_fine=_wants_fine,
    settled_by_days=settled_by_days,
)
