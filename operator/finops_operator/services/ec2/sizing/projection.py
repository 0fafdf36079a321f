"""What a type would be used for, from what the current one did. Pure; called by the over-provisioned check.

Method as AWS Compute Optimizer projects: a share of the current type's vCPUs or memory becomes a share of the
target's. A slower clock counts against the target. Memory is projected from its highest period, CPU from its P99.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from finops.domain.recommendation import EvidenceFact, PerformanceRisk
from finops.domain.utilization import MetricSummary
from finops_operator.plugins.measured import about_percent, performance_risk, period
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.ec2.sizing.fit import speed_factor

_FULL = 100.0


@dataclass(frozen=True, slots=True)
class Projection:
    """Expected use of the target in percent: `cpu` at P99.5, `cpu_highest` at the true maximum; memory may be unknown.

    `highest_period` is what the maximum is of (`5 minutes`).
    """

    cpu: float
    cpu_highest: float
    memory: float | None
    highest_period: str
    burstable: bool

    @property
    def sentence(self) -> str:
        """What to expect, in sentences."""
        memory = "" if self.memory is None else f", memory about {about_percent(self.memory)}"
        text = f"Expected CPU about {about_percent(self.cpu)}{memory}."
        if self.cpu_highest > _FULL:
            text += f" The highest {self.highest_period} would use all of its CPU."
        return text

    @property
    def risk(self) -> PerformanceRisk:
        """The risk of the tightest measure; what bursts on credits, or was at the limit once, is never very low."""
        found = performance_risk(value for value in (self.cpu, self.memory) if value is not None)
        if found is PerformanceRisk.VERY_LOW and (self.burstable or self.cpu_highest > _FULL):
            return PerformanceRisk.LOW
        return found

    @property
    def facts(self) -> Iterator[EvidenceFact]:
        """The projection as lines of the evidence."""
        yield EvidenceFact("Expected CPU, 99.5 % of the time below", about_percent(self.cpu))
        if self.cpu_highest > _FULL:
            needed = f"all of it: {about_percent(self.cpu_highest)} of its CPU would be needed"
        else:
            needed = about_percent(self.cpu_highest)
        yield EvidenceFact(f"Expected CPU, highest {self.highest_period}", needed)
        if self.memory is not None:
            yield EvidenceFact("Expected memory, highest", about_percent(self.memory))


def projection(
    current: InstanceType, target: InstanceType, cpu: MetricSummary, memory: MetricSummary | None
) -> Projection:
    """Return what the workload that runs on the current type would use of the target."""
    cores = current.vcpus / (target.vcpus * speed_factor(current, target))
    return Projection(
        cpu=cpu.p99_5 * cores,
        cpu_highest=cpu.maximum * cores,
        memory=None if memory is None else memory.maximum * current.memory_mib / target.memory_mib,
        highest_period=period(cpu),
        burstable=target.baseline_percent is not None,
    )
