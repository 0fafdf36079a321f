"""What a shortage says to people: what exceeds which limit, the next larger type, and what it costs more. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from finops.domain.canonical import Json
from finops.domain.recommendation import EvidenceFact
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import Facts
from finops_operator.plugins.measured import (
    bit_rate,
    count,
    gauge_facts,
    percent,
    percentile_words,
    period,
    window_fact,
)
from finops_operator.plugins.sufficiency import coverage_evidence, figure
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.ec2.instance import OFFERED_TYPES, InstanceFacts
from finops_operator.services.ec2.rules.platform_words import described, differences
from finops_operator.services.ec2.rules.vcpu_limits import VCPU_LIMITS, limits_of
from finops_operator.services.ec2.rules.vcpu_quota import quota_code
from finops_operator.services.ec2.sizing.need import need_of
from finops_operator.services.ec2.sizing.shortage import MEMORY, Larger, Shortage, cpu_limit, memory_limit
from finops_operator.services.ec2.sizing.volume_load import volume_load


def shortage_facts(
    facts: Facts[InstanceFacts],
    cpu: MetricSummary,
    current: InstanceType,
    short: Shortage,
    larger: Larger | None,
    extra: Decimal | None,
) -> Iterator[EvidenceFact]:
    """Yield the evidence in words; `extra` is the extra cost of the larger type a month, None where it is not known."""
    margins, memory = facts.settings.sizing.margins, facts.utilization.best(MEMORY)
    yield from gauge_facts("CPU", cpu, margins.cpu_percentile)
    if short.cpu:
        share = percentile_words(margins.cpu_percentile)
        yield EvidenceFact("Limit of CPU", f"{percent(cpu_limit(margins))}, {share} of the time")
    if memory is None:
        yield EvidenceFact("Memory", "not measured")
    else:
        yield EvidenceFact(f"Memory, highest {period(memory)}", percent(memory.maximum))
    if short.memory:
        yield EvidenceFact("Limit of memory", percent(memory_limit(margins)))
    need = need_of(facts.utilization, cpu, current, margins)
    if short.network and need.network_gbps is not None:
        offered = bit_rate(float(current.network_baseline_gbps or 0))
        used = bit_rate(need.network_gbps)
        yield EvidenceFact("Network, 99 % of the time below", f"{used}; {current.name} sustains {offered}")
    yield from _volume_facts(facts, current, short)
    yield window_fact(cpu)
    if larger is None:
        yield EvidenceFact("Next larger type", "none with a known price that it can become has room")
        return
    offer = f"{larger.kind.name}: {larger.kind.vcpus} vCPUs, {larger.kind.memory_mib / 1024:g} GiB"
    yield EvidenceFact("Next larger type", offer)
    cost = "unknown" if extra is None else f"{extra} USD a month more; nothing is saved"
    yield EvidenceFact("Extra cost", cost)
    limits = limits_of(facts.answers.get(VCPU_LIMITS))
    quota = f"{quota_code(larger.kind.name)}, {limits.words(larger.kind.name)}"
    yield EvidenceFact("Quota of vCPUs", quota)
    if larger.withheld:
        yield EvidenceFact("See to first", larger.withheld)
    yield from differences(described(current), described(larger.kind))
    zone = "offered" if OFFERED_TYPES in facts.answers else "not confirmed by AWS"
    yield EvidenceFact("New type in its availability zone", zone)


def _volume_facts(facts: Facts[InstanceFacts], current: InstanceType, short: Shortage) -> Iterator[EvidenceFact]:
    load = volume_load(facts.utilization)
    if short.ebs_iops and load.iops is not None:
        carried = f"{current.name} carries {count(current.ebs_baseline_iops or 0)}"
        yield EvidenceFact("EBS operations, 99 % of the time below", f"{count(load.iops)} a second; {carried}")
    if short.ebs_throughput and load.mbytes_per_second is not None:
        carried = f"{current.name} carries {float(current.ebs_baseline_mbytes_per_second or 0):g} MB/s"
        yield EvidenceFact("EBS bandwidth, 99 % of the time below", f"{load.mbytes_per_second:.1f} MB/s; {carried}")


def volume_evidence(utilization: Utilization, current: InstanceType) -> dict[str, Json]:
    """Return what went to the volumes, and what the type carries."""
    load, iops, throughput = volume_load(utilization), current.ebs_baseline_iops, current.ebs_baseline_mbytes_per_second
    found = {
        "ebsIops": load.iops,
        "ebsLimitIops": None if iops is None else float(iops),
        "ebsMegabytesPerSecond": load.mbytes_per_second,
        "ebsLimitMegabytesPerSecond": None if throughput is None else float(throughput),
    }
    return {name: "unknown" if value is None else figure(value) for name, value in found.items()}


def shortage_evidence(
    facts: Facts[InstanceFacts], cpu: MetricSummary, current: InstanceType, mean_percent: Decimal
) -> dict[str, Json]:
    """Return the figures that a shortage rests on."""
    margins, memory = facts.settings.sizing.margins, facts.utilization.best(MEMORY)
    network = need_of(facts.utilization, cpu, current, margins).network_gbps
    return {
        "preset": facts.settings.sizing.preset,
        "cpuPercentile": margins.cpu_percentile.replace("_", "."),
        "cpuPeakPercent": figure(margins.cpu_peak(cpu)),
        "cpuLimitPercent": figure(cpu_limit(margins)),
        "cpuAveragePercent": figure(cpu.average),
        "minimumMeanPercent": str(mean_percent),
        "memoryMaximumPercent": "unknown" if memory is None else figure(memory.maximum),
        "memoryLimitPercent": figure(memory_limit(margins)),
        "networkGbps": "unknown" if network is None else figure(network, 3),
        "networkLimitGbps": figure(current.network_baseline_gbps or 0, 3),
        **volume_evidence(facts.utilization, current),
        "currentType": current.name,
        "currentVcpus": current.vcpus,
        "currentMemoryMib": current.memory_mib,
        **coverage_evidence(cpu),
    }


def target_evidence(larger: Larger | None, extra: Decimal | None) -> dict[str, Json]:
    """Return the larger type and what it costs more a month."""
    if larger is None:
        return {"extraMonthlyCost": "unknown"}
    return {
        "targetType": larger.kind.name,
        "targetVcpus": larger.kind.vcpus,
        "targetMemoryMib": larger.kind.memory_mib,
        "extraMonthlyCost": "unknown" if extra is None else str(extra),
    }
