"""What differs between the platforms of two instance types, as lines of the evidence: processor, hypervisor and more.

The differences are those that AWS Compute Optimizer names (`platformDifferences`), and the maker of the processor. The
resize action compares what DescribeInstanceTypes answers right before an act; the check compares the bundled catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from finops.domain.recommendation import EvidenceFact
from finops_operator.pricing.instance_types import InstanceType


def differences(current: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[EvidenceFact]:
    """Yield what the new type does differently; what AWS describes of one type only is no difference."""
    if not current or not target:
        return
    for label, word in _PLATFORM:
        old, new = word(current), word(target)
        if old and new and old != new:
            yield EvidenceFact(label, f"{old} → {new}")


def described(kind: InstanceType) -> Mapping[str, Any]:
    """Return a type of the catalog in the fields of DescribeInstanceTypes, as far as the catalog has them."""
    return {
        "ProcessorInfo": {"SupportedArchitectures": sorted(kind.architectures), "Manufacturer": kind.processor_maker},
        "Hypervisor": kind.hypervisor,
        "BareMetal": kind.bare_metal,
        "NetworkInfo": {"EnaSupport": kind.ena_support},
        "EbsInfo": {"NvmeSupport": kind.nvme_support},
        "InstanceStorageSupported": kind.instance_storage_gb > 0,
        "BurstablePerformanceSupported": kind.baseline_percent is not None,
    }


def _architecture(kind: Mapping[str, Any]) -> str:
    return ", ".join(sorted(kind.get("ProcessorInfo", {}).get("SupportedArchitectures", ())))


def _maker(kind: Mapping[str, Any]) -> str:
    return str(kind.get("ProcessorInfo", {}).get("Manufacturer", ""))


def _hypervisor(kind: Mapping[str, Any]) -> str:
    word = "none (bare metal)" if kind.get("BareMetal") else str(kind.get("Hypervisor", ""))
    return {"nitro": "Nitro", "xen": "Xen"}.get(word, word)


def _network(kind: Mapping[str, Any]) -> str:
    return {"required": "ENA", "supported": "ENA possible", "unsupported": "no ENA"}.get(
        str(kind.get("NetworkInfo", {}).get("EnaSupport", "")), ""
    )


def _disks(kind: Mapping[str, Any]) -> str:
    return {"required": "NVMe", "supported": "NVMe possible", "unsupported": "no NVMe"}.get(
        str(kind.get("EbsInfo", {}).get("NvmeSupport", "")), ""
    )


def _local_disks(kind: Mapping[str, Any]) -> str:
    supported = kind.get("InstanceStorageSupported")
    return "" if supported is None else "yes" if supported else "no"


def _burstable(kind: Mapping[str, Any]) -> str:
    supported = kind.get("BurstablePerformanceSupported")
    return "" if supported is None else "burstable, with CPU credits" if supported else "full, all the time"


_PLATFORM: Final[tuple[tuple[str, Callable[[Mapping[str, Any]], str]], ...]] = (
    ("Architecture", _architecture),
    ("Processor", _maker),
    ("Hypervisor", _hypervisor),
    ("Network interface", _network),
    ("Disk interface", _disks),
    ("Local disks", _local_disks),
    ("CPU performance", _burstable),
)
