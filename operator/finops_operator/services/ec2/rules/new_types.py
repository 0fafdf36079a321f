"""Types that the tables do not know, as DescribeInstanceTypes has them. Pure but for the question; part of the kind.

Where an instance has a type that came after the tables, its region is read once a day: all pages, since other new types
may come with it, and half a list would be none. Kept are those alone that the tables lack. What a burstable type may
use for ever AWS does not say there, so that nothing is known of a new one. A new type may be judged and has no price
until a price source knows it; it is no target of any advice.
Source: EC2 API reference, DescribeInstanceTypes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote

from finops.domain.resource import Resource
from finops.ports.aws_read import PageReader
from finops_operator.plugins.check import Facts
from finops_operator.plugins.kind import Question
from finops_operator.pricing.instance_types import Catalog, InstanceType, bundled_catalog, type_of_row

DESCRIBE_TYPES: Final = "ec2:DescribeInstanceTypes"
NEW_TYPES: Final = "instance-types"
"""Question of the kind: what the types of a region are that the tables do not know."""
_PAGE: Final[dict[str, Any]] = {"MaxResults": 100}
_RUNNING: Final = "running"
_ACCELERATORS: Final = (
    ("GpuInfo", "Gpus"),
    ("InferenceAcceleratorInfo", "Accelerators"),
    ("NeuronInfo", "NeuronDevices"),
    ("FpgaInfo", "Fpgas"),
    ("MediaAcceleratorInfo", "Accelerators"),
)


def _described(reader: PageReader) -> Mapping[str, Iterable[str]]:
    """Return type → its figures as `column=value`, of all types of the region that the tables lack."""
    known = bundled_catalog()
    return {
        str(one["InstanceType"]): [f"{column}={quote(value)}" for column, value in row_of(one).items() if value]
        for page in reader.pages(DESCRIBE_TYPES, _PAGE)
        for one in page.get("InstanceTypes", ())
        if known.get(str(one["InstanceType"])) is None and not one.get("BurstablePerformanceSupported")
    }


def row_of(described: Mapping[str, Any]) -> dict[str, str]:
    """Return one item of DescribeInstanceTypes as the tables have a type; empty text: AWS did not say it.

    Accelerators of every kind count as GPUs do: what they did nobody measured.
    """
    processor, network = described.get("ProcessorInfo") or {}, described.get("NetworkInfo") or {}
    ebs, cores = described.get("EbsInfo") or {}, described.get("VCpuInfo") or {}
    optimized = ebs.get("EbsOptimizedInfo") or {}
    bandwidths = [one.get("BaselineBandwidthInGbps") for one in network.get("NetworkCards") or ()]
    accelerators = [one for info, name in _ACCELERATORS for one in (described.get(info) or {}).get(name) or ()]
    return {
        "vcpu": _text(cores.get("DefaultVCpus")),
        "threads_per_core": _text(cores.get("DefaultThreadsPerCore")),
        "memory_mib": _text((described.get("MemoryInfo") or {}).get("SizeInMiB")),
        "architectures": _joined(processor.get("SupportedArchitectures")),
        "clock_ghz": _text(processor.get("SustainedClockSpeedInGhz")),
        "current_generation": _text(described.get("CurrentGeneration")),
        "bare_metal": _text(described.get("BareMetal")),
        "hypervisor": _text(described.get("Hypervisor")),
        "ena_support": _text(network.get("EnaSupport")),
        "ebs_nvme": _text(ebs.get("NvmeSupport")),
        "network_baseline_gbps": _text(sum(bandwidths)) if bandwidths and None not in bandwidths else "",
        "ebs_baseline_mbytes_s": _text(optimized.get("BaselineThroughputInMBps")),
        "ebs_baseline_iops": _text(optimized.get("BaselineIops")),
        "ebs_max_attachments": _text(ebs.get("MaximumEbsAttachments")),
        "instance_storage_gb": _text((described.get("InstanceStorageInfo") or {}).get("TotalSizeInGB")),
        "gpu_count": _text(sum(one.get("Count") or 1 for one in accelerators)),
        "gpu_name": "|".join(str(one.get("Name") or "accelerator") for one in accelerators),
        "hibernation": _text(described.get("HibernationSupported")),
        "virtualization": _joined(described.get("SupportedVirtualizationTypes")),
        "usage_classes": _joined(described.get("SupportedUsageClasses")),
        "boot_modes": _joined(described.get("SupportedBootModes")),
    }


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "1" if value else ""
    return str(value)


def _joined(values: Iterable[object] | None) -> str:
    return "|".join(str(one) for one in values or ())


def _unknown_type(instance: Resource) -> str:
    name = instance.text("instance_type")
    return name if name and bundled_catalog().get(name) is None else ""


def catalog_of(facts: Facts[Any]) -> Catalog:
    """Return all types that are known, with the instance's own where AWS described it."""
    answer = facts.answers.get(NEW_TYPES)
    return bundled_catalog() if answer is None else _with_one(facts.resource.text("instance_type"), answer)


def own_type(facts: Facts[Any]) -> InstanceType | None:
    """Return the type of the instance, None when nothing is known of it."""
    return catalog_of(facts).get(facts.resource.text("instance_type"))


@lru_cache(maxsize=64)
def _with_one(name: str, figures: frozenset[str]) -> Catalog:
    """Return the tables with one type more; the same object for the same figures, as derived lists are kept by it."""
    row = {column: unquote(value) for column, _, value in (one.partition("=") for one in figures)}
    made = type_of_row(name, row)
    return bundled_catalog() if made is None else Catalog({**bundled_catalog().types, name: made})


QUESTION: Final = Question(
    id=NEW_TYPES,
    ask=_described,
    place=_unknown_type,
    needed=lambda instance, _: instance.state == _RUNNING,
    first=True,
)
