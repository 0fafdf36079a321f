"""Whether an instance type can hold a workload: hardware compatibility first, then room. Pure.

Compatibility rules: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resize-limitations.html. What AWS's data does
not say counts against a candidate. Another architecture is a migration with a new image, never a change in place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from finops_operator.plugins.sizing_policy import SizingPolicy
from finops_operator.pricing.instance_types import Catalog, InstanceType
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.licences import BROUGHT_LICENCES
from finops_operator.services.ec2.rules.special_types import (
    ACCELERATED,
    HIGH_MEMORY,
    HIGH_PERFORMANCE,
    special_purpose,
)
from finops_operator.services.ec2.rules.zones import outside_of_region
from finops_operator.services.ec2.sizing.need import Need

SMALLEST_INTERFACE_LIMIT: Final = 2
"""Network interfaces that every type can hold; the limits of single types are not in our data."""

FLEX_BASELINE: Final = 0.4
"""Share of the CPU that a flex type gives for ever: https://aws.amazon.com/ec2/instance-types/m7i/"""

_FLEX: Final = "-flex"
_MOST_THREADS: Final = 2
_LIKE_GENERATION: Final = {"t3": 5, "t3a": 5, "t4g": 6}
"""Burstable family → generation of the full ones with processors of its time, which its own number does not follow:
T3 has those of M5, T3a those of M5a, T4g those of M6g. Source: EC2 instance types, product details."""
_MEGABYTES_PER_GIGABIT: Final = 125.0


FULL_FRAME_GIGABITS: Final = 1500 * 8 / 1e9
"""AWS publishes no limit of packets of any type. What a type sustains it sustains in frames of 1,500 bytes, the largest
beyond a VPC (EC2 user guide, "Network MTU"): so many packets it surely carries, and of smaller ones perhaps no more."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What of an instance decides which types it can become; hashable, so that lists of candidates are shared."""

    type_name: str
    architecture: str
    virtualization: str
    boot_mode: str
    network_driver: bool | None
    windows: bool
    hibernation: bool


def machine_of(instance: InstanceFacts) -> Machine:
    """Return the deciding facts of an instance."""
    return Machine(
        type_name=instance.instance_type or "",
        architecture=instance.architecture or "",
        virtualization=instance.virtualization_type or "",
        boot_mode=instance.boot_mode or "",
        network_driver=instance.ena_support,
        windows=_is_windows(instance),
        hibernation=instance.hibernation_configured is True,
    )


def refusal(instance: InstanceFacts, current: InstanceType) -> str:
    """Return why the type of this instance cannot be changed in place at all, empty when it can."""
    reasons = (
        (instance.root_device_type != "ebs", "its root device is not known to be an EBS volume"),
        (special_purpose(current.name) == ACCELERATED, "how much its accelerators are used is not measured"),
        (special_purpose(current.name) == HIGH_MEMORY, "it is a high-memory type, which SAP certifies by its name"),
        (special_purpose(current.name) == HIGH_PERFORMANCE, "it is a type for clusters, whose network it needs"),
        (current.instance_storage_gb > 0, "its local disks would lose their data"),
        (current.bare_metal, "it is bare metal"),
        (bool(instance.lifecycle), "it is not an on-demand instance"),
        (instance.tenancy not in (None, "", "default"), "it does not run on shared hardware"),
        (bool(instance.placement_group), "it sits in a placement group"),
        (bool(instance.capacity_reservation), "it uses a capacity reservation"),
        (
            outside_of_region(instance.availability_zone or ""),
            "it is in a Local or Wavelength Zone, which has types and prices of its own",
        ),
        (bool(instance.marketplace), "its image is from the Marketplace, whose terms may fix the type"),
        (
            instance.usage_operation in BROUGHT_LICENCES,
            "its licence is the account's own and may be counted by cores",
        ),
        (not instance.architecture, "its architecture is not known"),
        (not instance.virtualization_type, "its virtualization is not known"),
        (instance.network_interface_count is None, "its network interfaces are not known"),
        (
            (instance.network_interface_count or 0) > SMALLEST_INTERFACE_LIMIT,
            "it has more network interfaces than every type can hold",
        ),
        (instance.volume_ids is None, "its volumes are not known"),
    )
    return next((reason for applies, reason in reasons if applies), "")


@lru_cache(maxsize=1024)
def compatible_types(catalog: Catalog, machine: Machine, policy: SizingPolicy) -> tuple[InstanceType, ...]:
    """Return the types that the machine could become and that are smaller in vCPUs or memory, in order of name."""
    current = catalog.get(machine.type_name)
    if current is None:
        return ()
    # By default two: on a single one, one busy thread keeps everything else waiting, which no figure of the past shows.
    fewest = min(policy.minimum_vcpus, current.vcpus)
    found = (
        kind
        for kind in catalog
        if policy.allows(kind.family) and kind.vcpus >= fewest and _compatible(machine, current, kind)
    )
    return tuple(sorted(found, key=lambda kind: kind.name))


@lru_cache(maxsize=1024)
def compatible_offers(catalog: Catalog, machine: Machine, policy: SizingPolicy) -> tuple[Offer, ...]:
    """Return what each of the compatible types offers beside the current one."""
    current = catalog.get(machine.type_name)
    return tuple(offer_of(current, kind) for kind in compatible_types(catalog, machine, policy) if current is not None)


@lru_cache(maxsize=1024)
def larger_types(catalog: Catalog, machine: Machine, policy: SizingPolicy) -> tuple[InstanceType, ...]:
    """Return the types that the machine could become and that offer no less of anything, in order of name.

    They are of the same kind of performance: no burstable type takes the place of a full one, nor a flex type.
    """
    current = catalog.get(machine.type_name)
    if current is None:
        return ()
    found = (
        kind
        for kind in catalog
        if policy.allows(kind.family) and _can_become(machine, current, kind) and _offers_no_less(current, kind)
    )
    return tuple(sorted(found, key=lambda kind: kind.name))


def _offers_no_less(current: InstanceType, kind: InstanceType) -> bool:
    # Of a type whose bandwidth towards volumes is not known, a larger one sustains at least what its network does.
    shared = None if current.ebs_baseline_mbytes_per_second is not None else _ebs_bandwidth(current)
    nothing = Need(0.0, 0.0, 0.0, None, None, None, shared)
    return (
        (kind.baseline_percent is None) == (current.baseline_percent is None)
        and (kind.baseline_percent or 0) >= (current.baseline_percent or 0)
        and kind.family.endswith(_FLEX) == current.family.endswith(_FLEX)
        and usable_vcpus(current, kind) >= current.vcpus
        and has_room(nothing, current, kind)
    )


def processor_generation(kind: InstanceType) -> int:
    """Return the generation of a type's processor, 0 where the family has no number."""
    return _LIKE_GENERATION.get(kind.family, kind.generation)


def usable_vcpus(current: InstanceType, kind: InstanceType) -> float:
    """Return the vCPUs of `kind` in those of the current type."""
    return kind.vcpus * speed_factor(current, kind)


def _compatible(machine: Machine, current: InstanceType, kind: InstanceType) -> bool:
    smaller = kind.vcpus < current.vcpus or kind.memory_mib < current.memory_mib
    return smaller and kind.vcpus <= current.vcpus and _can_become(machine, current, kind)


def _can_become(machine: Machine, current: InstanceType, kind: InstanceType) -> bool:
    return (
        kind.name != current.name
        and kind.on_demand
        and not kind.bare_metal
        and not kind.instance_storage_gb
        and (kind.gpu_count, kind.gpu_name) == (current.gpu_count, current.gpu_name)
        and special_purpose(kind.name) in ("", special_purpose(current.name))
        and processor_generation(kind) >= processor_generation(current)
        and machine.architecture in kind.architectures
        and machine.virtualization in kind.virtualization
        and _boots(machine, current, kind)
        and _drivers(machine, current, kind)
        and (kind.hibernation or not machine.hibernation)
    )


def _boots(machine: Machine, current: InstanceType, kind: InstanceType) -> bool:
    if machine.boot_mode:
        return machine.boot_mode.removesuffix("-preferred") in kind.boot_modes
    return current.boot_modes <= kind.boot_modes


def _drivers(machine: Machine, current: InstanceType, kind: InstanceType) -> bool:
    """A move to Nitro needs ENA known to be on; Windows needs other drivers first, so it stays on its hypervisor."""
    if kind.hypervisor == current.hypervisor:
        return True
    return kind.nitro and machine.network_driver is True and not machine.windows


def one_step(current: InstanceType, kind: InstanceType) -> bool:
    """Return whether `kind` is at most one size smaller: a size step halves, so never below half of either figure."""
    return kind.vcpus * 2 >= current.vcpus and kind.memory_mib * 2 >= current.memory_mib


def attachable(instance: InstanceFacts, kind: InstanceType) -> bool:
    """Return whether the volumes fit; on Nitro, network interfaces share the same slots."""
    count = len(instance.volume_ids or ())
    if kind.nitro:
        count += instance.network_interface_count or 0
    return kind.max_ebs_attachments is not None and count <= kind.max_ebs_attachments


def speed_factor(current: InstanceType, kind: InstanceType) -> float:
    """Return how much of a current vCPU one of `kind` is worth, at most 1.

    Only types of the same or a later generation are compared; a lower clock and a physical core that two vCPUs share
    count against the target, a higher clock and a core of its own never for it.
    """
    cores = _cores_factor(current, kind)
    if current.clock_ghz is None or kind.clock_ghz is None:
        return cores
    return min(1.0, float(kind.clock_ghz / current.clock_ghz)) * cores


def _cores_factor(current: InstanceType, kind: InstanceType) -> float:
    """Return how much of a current vCPU's physical core one of `kind` has, at most 1; not known counts against it."""
    if current.threads_per_core == kind.threads_per_core:
        return 1.0
    return min(1.0, (current.threads_per_core or 1) / (kind.threads_per_core or _MOST_THREADS))


@dataclass(frozen=True, slots=True)
class Offer:
    """What a type offers beside the current one; worked out once for all instances and needs.

    Attributes:
        one_step: whether it is at most one size smaller.
        usable_vcpus: its own in those of the current type, at most as many.
        sustained_vcpus, worst_day_vcpus: what it gives for ever and over one day, of the same.
        network_gbps, ebs_mbytes_per_second: what it sustains; None: not known.
        current_ebs: MB/s of the current type towards volumes; None: not known. Its network is not that: what a T2 moves
            there may be more than its network sustains.
    """

    kind: InstanceType
    current: InstanceType
    one_step: bool
    usable_vcpus: float
    sustained_vcpus: float
    worst_day_vcpus: float
    network_gbps: float | None
    ebs_mbytes_per_second: float | None
    current_ebs: float | None

    def has_room(self, need: Need) -> bool:
        """Return whether it offers all that is needed; a dimension not measured must not get smaller."""
        # What rules out most comes first: this is asked for each type beside each instance.
        return (
            self.kind.memory_mib >= (self.current.memory_mib if need.memory_mib is None else need.memory_mib)
            and self.usable_vcpus >= need.vcpus
            and need.sustained_vcpus <= self.sustained_vcpus
            and need.worst_day_vcpus <= self.worst_day_vcpus
            and self._has_network(need)
            and self._has_ebs(need)
        )

    def _has_network(self, need: Need) -> bool:
        """Room enough for bytes and packets as measured; of packets, or where nothing was, no less than now is safe."""
        if self.network_gbps is None:
            return False
        now = self.current.network_baseline_gbps
        as_now = now is not None and self.network_gbps >= float(now)
        if need.network_gbps is None:
            return as_now
        packets = 0.0 if need.packets_per_second is None else need.packets_per_second * FULL_FRAME_GIGABITS
        return self.network_gbps >= need.network_gbps and (as_now or self.network_gbps >= packets)

    def _free_for_volumes(self, need: Need) -> float | None:
        """Return MB/s towards volumes: of a type without any of its own, what the need leaves of its network."""
        if self.kind.ebs_baseline_mbytes_per_second is not None or self.ebs_mbytes_per_second is None:
            return self.ebs_mbytes_per_second
        return self.ebs_mbytes_per_second - (need.network_gbps or 0.0) * _MEGABYTES_PER_GIGABIT

    def _has_ebs(self, need: Need) -> bool:
        """Room enough for what was measured, or no less than now; either is safe."""
        offered, now = self._free_for_volumes(need), self.current_ebs
        enough = [wanted for wanted in (need.ebs_mbytes_per_second, now) if wanted is not None]
        if offered is None or not enough or offered < min(enough):
            return False
        iops = self.current.ebs_baseline_iops if need.ebs_iops is None else need.ebs_iops
        return self.kind.ebs_baseline_iops is None or iops is None or self.kind.ebs_baseline_iops >= iops


def offer_of(current: InstanceType, kind: InstanceType) -> Offer:
    """Return what `kind` offers beside `current`."""
    vcpus = usable_vcpus(current, kind)
    sustained = worst_day = math.inf
    if kind.family.endswith(_FLEX):
        sustained = vcpus * FLEX_BASELINE
    elif kind.baseline_percent is not None:
        sustained = vcpus * float(kind.baseline_percent) / 100
        # A full balance is one day's earnings, so the busiest day may use what two days earn.
        worst_day = 2 * sustained
    network = kind.network_baseline_gbps
    return Offer(
        kind=kind,
        current=current,
        one_step=one_step(current, kind),
        usable_vcpus=vcpus,
        sustained_vcpus=sustained,
        worst_day_vcpus=worst_day,
        network_gbps=None if network is None else float(network),
        ebs_mbytes_per_second=_ebs_bandwidth(kind),
        current_ebs=_own_ebs_bandwidth(current),
    )


def has_room(need: Need, current: InstanceType, kind: InstanceType) -> bool:
    """Return whether `kind` offers all that is needed; see `Offer.has_room`."""
    return offer_of(current, kind).has_room(need)


def _ebs_bandwidth(kind: InstanceType) -> float | None:
    """Return MB/s towards volumes; a type without bandwidth of its own for them shares its network's."""
    if kind.ebs_baseline_mbytes_per_second is not None or kind.network_baseline_gbps is None:
        return _own_ebs_bandwidth(kind)
    return float(kind.network_baseline_gbps) * _MEGABYTES_PER_GIGABIT


def _own_ebs_bandwidth(kind: InstanceType) -> float | None:
    return None if kind.ebs_baseline_mbytes_per_second is None else float(kind.ebs_baseline_mbytes_per_second)


def _is_windows(instance: InstanceFacts) -> bool:
    return "windows" in f"{instance.platform or ''} {instance.platform_details or ''}".casefold()
