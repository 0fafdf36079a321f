"""Types on AWS's own Arm processors that could take the place of a type on x86, of the same size. Pure.

A type takes its place where it is of the same series and size and of no earlier generation, and offers no less vCPUs,
memory, local disks, accelerators and baseline of a burstable type. Bandwidth of network and volumes may be a tenth
less, which people are shown: m6g.large sustains 78.75 MB/s towards volumes, m5.large 81.25. What AWS publishes of the
current type only counts against the other. Whether the software runs on Arm is another question, which no figure
answers. Source: Amazon EC2 instance type naming conventions.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from finops_operator.pricing.instance_types import InstanceType, bundled_catalog
from finops_operator.services.ec2.rules.special_types import special_purpose

X86: Final = "x86_64"
ARM: Final = "arm64"
_GRAVITON: Final = "AWS"
_FLEX: Final = "-flex"
_LEAST_BANDWIDTH: Final = Decimal("0.9")
"""Share of today's sustained bandwidth that must remain."""


@lru_cache(maxsize=2048)
def graviton_types(instance_type: str) -> tuple[str, ...]:
    """Return the types on Graviton that offer no less than a type on x86, in order of name; empty where none does."""
    catalog = bundled_catalog()
    current = catalog.get(instance_type)
    if current is None or X86 not in current.architectures or current.bare_metal or special_purpose(current.name):
        return ()
    return tuple(sorted(kind.name for kind in catalog if _takes_its_place(current, kind)))


def _takes_its_place(current: InstanceType, kind: InstanceType) -> bool:
    return (
        kind.processor_maker == _GRAVITON
        and ARM in kind.architectures
        and (kind.series, kind.size) == (current.series, current.size)
        and kind.generation >= current.generation
        and kind.on_demand
        and not kind.bare_metal
        and (current.family.endswith(_FLEX) or not kind.family.endswith(_FLEX))
        and _offers_no_less(current, kind)
    )


def _offers_no_less(current: InstanceType, kind: InstanceType) -> bool:
    return (
        kind.vcpus >= current.vcpus
        and kind.memory_mib >= current.memory_mib
        and (kind.gpu_count, kind.gpu_name) == (current.gpu_count, current.gpu_name)
        and kind.instance_storage_gb >= current.instance_storage_gb
        and bool(kind.instance_storage_gb) == bool(current.instance_storage_gb)
        and (kind.baseline_percent is None) == (current.baseline_percent is None)
        and (kind.baseline_percent or 0) >= (current.baseline_percent or 0)
        and _carries(current.network_baseline_gbps, kind.network_baseline_gbps)
        and _carries(current.ebs_baseline_mbytes_per_second, kind.ebs_baseline_mbytes_per_second)
        and _carries(current.ebs_baseline_iops, kind.ebs_baseline_iops)
    )


def _carries(now: Decimal | int | None, then: Decimal | int | None) -> bool:
    """Return whether enough remains: what was never published cannot fall, what no longer is may have."""
    return now is None or (then is not None and then >= _LEAST_BANDWIDTH * now)
