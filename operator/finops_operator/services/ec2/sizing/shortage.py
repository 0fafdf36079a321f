"""What an instance needs and its type does not have, and which type has it. Pure; asked by the check of shortage.

AWS Compute Optimizer calls an instance under-provisioned when at least one specification does not meet what the
workload needs. Need and headroom are those of right-sizing, so a target of right-sizing is never short of anything.
Short of CPU, network or bandwidth towards volumes is only what is busy most of the time: a job that takes all there is
for an hour a night would on a larger type be done sooner, and no sooner than it has to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.price import Cost
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import Facts
from finops_operator.plugins.sizing_policy import Preset
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.ec2.instance import OFFERED_TYPES, InstanceFacts, as_type
from finops_operator.services.ec2.rules.new_types import catalog_of
from finops_operator.services.ec2.rules.vcpu_limits import VCPU_LIMITS, VcpuLimits, limits_of
from finops_operator.services.ec2.sizing.as_billed import what_prices
from finops_operator.services.ec2.sizing.fit import attachable, larger_types, machine_of, usable_vcpus
from finops_operator.services.ec2.sizing.migration import not_allowed
from finops_operator.services.ec2.sizing.need import Need, need_of
from finops_operator.services.ec2.sizing.volume_load import lacks_iops, lacks_throughput, volume_load

CPU: Final = "cpuPercent"
MEMORY: Final = "memoryPercent"
NETWORK: Final = ("networkInBytes", "networkOutBytes")
_FULL_PERCENT: Final = 99.0
"""A limit without any headroom: nothing shows more than all of it."""
_NEAR: Final = Decimal("0.10")
"""Share of the current cost that a type of another family must cost less, to be named before one of the same."""
_BITS_OF_GIGABIT: Final = 1e9 / 8


@dataclass(frozen=True, slots=True)
class Shortage:
    """What the type has too little of."""

    cpu: bool = False
    memory: bool = False
    network: bool = False
    ebs_iops: bool = False
    ebs_throughput: bool = False

    def __bool__(self) -> bool:
        return self.cpu or self.memory or self.network or self.ebs_iops or self.ebs_throughput

    @property
    def ebs_alone(self) -> bool:
        """Whether it is short towards its volumes and of nothing else."""
        return (self.ebs_iops or self.ebs_throughput) and not (self.cpu or self.memory or self.network)

    @property
    def words(self) -> str:
        """Such as `CPU and memory`."""
        short = (
            (self.cpu, "CPU"),
            (self.memory, "memory"),
            (self.network, "network"),
            (self.ebs_iops, "EBS operations"),
            (self.ebs_throughput, "EBS bandwidth"),
        )
        return " and ".join(word for is_short, word in short if is_short)


def cpu_limit(margins: Preset) -> float:
    """Return the percent of CPU that a peak may reach."""
    return min(_FULL_PERCENT, 100.0 - margins.cpu_headroom_percent)


def memory_limit(margins: Preset) -> float:
    """Return the percent of memory that the highest period may reach."""
    return 100.0 - margins.memory_headroom_percent


def shortage_of(
    utilization: Utilization, cpu: MetricSummary, current: InstanceType, margins: Preset, mean_percent: Decimal
) -> Shortage:
    """Return what is short.

    Args:
        utilization: what was measured; what it does not hold is not known to be short.
        cpu: its 5-minute summary of `cpuPercent`.
        current: the type.
        margins: the policy's preset.
        mean_percent: what of CPU, of the sustained network and of the bandwidth towards volumes must be in use in the
            mean.
    """
    memory, least = utilization.best(MEMORY), float(mean_percent)
    volumes = volume_load(utilization)
    return Shortage(
        cpu=margins.cpu_peak(cpu) > cpu_limit(margins) and cpu.average >= least,
        memory=memory is not None and memory.maximum > memory_limit(margins),
        network=_network(utilization, current, least / 100),
        ebs_iops=lacks_iops(volumes, current, least / 100),
        ebs_throughput=lacks_throughput(volumes, current, least / 100),
    )


def _network(utilization: Utilization, current: InstanceType, share: float) -> bool:
    if current.network_baseline_gbps is None:
        return False
    sustained = float(current.network_baseline_gbps) * _BITS_OF_GIGABIT
    return any(
        summary.p99 / summary.period_seconds > sustained
        and (summary.total or 0.0) / max(summary.hours, 1.0) / 3600 >= share * sustained
        for name in NETWORK
        if (summary := utilization.fine.get(name)) is not None
    )


@dataclass(frozen=True, slots=True)
class Larger:
    """A type that may be larger where it has to be.

    Attributes:
        kind: the type.
        cost: of a month, unrounded.
        withheld: what a change to it meets first.
        vcpus: its own in those of the current type.
        own_family: whether it is of the same family.
    """

    kind: InstanceType
    cost: Decimal
    withheld: str
    vcpus: float
    own_family: bool


def next_larger(
    facts: Facts[InstanceFacts], cpu: MetricSummary, current: InstanceType, short: Shortage
) -> Larger | None:
    """Return the type to take: the cheapest with room, of its own family where no other costs clearly less."""
    need = need_of(facts.utilization, cpu, current, facts.settings.sizing.margins)
    offered = facts.answers.get(OFFERED_TYPES)

    def fits(one: Larger) -> bool:
        return (
            (offered is None or one.kind.name in offered)
            and _holds(one, current, need, short)
            and attachable(facts.own, one.kind)
        )

    found, near = _larger(facts, current), (facts.cost.unrounded_monthly or Decimal(0)) * _NEAR
    best = next(filter(fits, found), None)
    if best is None or best.own_family:
        return best
    return next((one for one in found if one.own_family and one.cost - best.cost <= near and fits(one)), best)


def _larger(facts: Facts[InstanceFacts], current: InstanceType) -> tuple[Larger, ...]:
    """Return the types that an instance could become, the best first: the same for all that are billed alike."""
    answer = facts.answers.get(VCPU_LIMITS)
    key = __name__, what_prices(facts), answer
    if key not in facts.shared:
        found = _priced(facts, current, limits_of(answer))
        facts.shared[key] = tuple(sorted(found, key=lambda one: (bool(one.withheld), one.cost, one.kind.name)))
    kept: tuple[Larger, ...] = facts.shared[key]
    return kept


def _priced(facts: Facts[InstanceFacts], current: InstanceType, limits: VcpuLimits) -> Iterator[Larger]:
    policy = facts.settings.sizing
    for kind in larger_types(catalog_of(facts), machine_of(facts.own), policy):
        if limits.lacks(kind.name, kind.vcpus):
            continue
        cost = facts.cost_of(as_type(facts.resource, kind.name))
        if cost.unrounded_monthly is not None and _price_kind(cost) == _price_kind(facts.cost):
            withheld = not_allowed(current, kind, policy, limits)
            own = kind.family == current.family
            yield Larger(kind, cost.unrounded_monthly, withheld, usable_vcpus(current, kind), own)


def _holds(one: Larger, current: InstanceType, need: Need, short: Shortage) -> bool:
    kind = one.kind
    return (
        (not short.cpu or one.vcpus >= max(need.vcpus, current.vcpus + 1))
        and (not short.memory or kind.memory_mib >= (need.memory_mib or 0))
        and (not short.network or float(kind.network_baseline_gbps or 0) >= (need.network_gbps or 0))
        and (not short.ebs_iops or _carries_more(kind.ebs_baseline_iops, current.ebs_baseline_iops, need.ebs_iops))
        and (
            not short.ebs_throughput
            or _carries_more(
                kind.ebs_baseline_mbytes_per_second,
                current.ebs_baseline_mbytes_per_second,
                need.ebs_mbytes_per_second,
            )
        )
    )


def _carries_more(offered: Decimal | int | None, now: Decimal | int | None, needed: float | None) -> bool:
    """Return whether a type carries what is needed, and more than now: what is held at a limit may want more of it."""
    return offered is not None and offered > (now or 0) and float(offered) >= (needed or 0)


def _price_kind(cost: Cost) -> tuple[str, str]:
    return (cost.price.source, cost.price.currency) if cost.price else ("", "")
