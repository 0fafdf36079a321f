"""Facts about EC2 instance types: size, architecture, baselines, what fits where. Bundled, loaded on first use.

Read by sizing (which types can hold a workload), by the checks, and by actions that refuse impossible targets. The
figures are what DescribeInstanceTypes says; a figure AWS does not publish is None and never taken for zero.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Final

_GENERATION: Final = re.compile(r"^[a-z]+(?:-[a-z]+)?(\d+)")
_SERIES: Final = re.compile(r"^(?P<series>[a-z]+)\d+(?P<options>[a-z]*)")
_NAMED_SERIES: Final = frozenset({"c", "d", "i", "is", "im", "m", "r", "t", "x", "z"})
"""Families whose names say who made the processor."""
_MAKERS: Final = {"a": "AMD", "g": "AWS", "i": "Intel"}
_YES: Final = "1"


@dataclass(frozen=True, slots=True)
class InstanceType:
    """One type.

    Attributes:
        name: `m5.large`; `family` is `m5`, `size` is `large`.
        generation: the number in the family, 0 where it has none.
        vcpus, memory_mib: what the type offers.
        threads_per_core: 2 where two vCPUs share a physical core; None when not published.
        architectures: `x86_64`, `arm64`, `i386`, …
        clock_ghz: sustained clock, None when not published.
        baseline_percent: of a burstable type: what each vCPU may use for ever, in percent; None for all others.
        hypervisor: `nitro`, `xen`, empty for bare metal.
        ena_support, nvme_support: `required`, `supported`, `unsupported`; of its network and of its volumes.
        network_baseline_gbps: sustained bandwidth each way.
        ebs_baseline_mbytes_per_second, ebs_baseline_iops: sustained figures towards volumes; None where the type has no
            bandwidth of its own for volumes.
        max_ebs_attachments: None when not published.
        instance_storage_gb: local disks that are lost at a stop.
        virtualization: `hvm`, `paravirtual`.
        boot_modes: `legacy-bios`, `uefi`.
    """

    name: str
    vcpus: int
    memory_mib: int
    threads_per_core: int | None
    architectures: frozenset[str]
    clock_ghz: Decimal | None
    baseline_percent: Decimal | None
    current_generation: bool
    bare_metal: bool
    hypervisor: str
    ena_support: str
    nvme_support: str
    network_baseline_gbps: Decimal | None
    ebs_baseline_mbytes_per_second: Decimal | None
    ebs_baseline_iops: int | None
    max_ebs_attachments: int | None
    instance_storage_gb: int
    gpu_count: int
    gpu_name: str
    hibernation: bool
    virtualization: frozenset[str]
    on_demand: bool
    boot_modes: frozenset[str]

    @property
    def family(self) -> str:
        return self.name.partition(".")[0]

    @property
    def size(self) -> str:
        return self.name.partition(".")[2]

    @property
    def generation(self) -> int:
        found = _GENERATION.match(self.family)
        return int(found.group(1)) if found else 0

    @property
    def series(self) -> str:
        """The letters of the family before its generation: `m` of `m6gd`, `im` of `im4gn`; empty where it has none."""
        found = _SERIES.match(self.family)
        return found.group("series") if found else ""

    @property
    def processor_maker(self) -> str:
        """Who made the processor: `Intel`, `AMD`, `AWS`; empty where the type's name does not say it.

        The letter after the generation names it (a AMD, g AWS, i Intel), and a family without one of them has Intel
        processors. Accelerated and high-memory families do not follow this. Source: Amazon EC2 instance type naming
        conventions.
        """
        found = _SERIES.match(self.family)
        if found is None or found.group("series") not in _NAMED_SERIES:
            return ""
        return next((_MAKERS[letter] for letter in found.group("options") if letter in _MAKERS), "Intel")

    @property
    def nitro(self) -> bool:
        return self.hypervisor == "nitro"


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """All types by name. Compared by identity, so that derived lists can be cached per catalog."""

    types: Mapping[str, InstanceType]

    def get(self, name: str) -> InstanceType | None:
        """Return the type, or None when nothing is known of it."""
        return self.types.get(name)

    def __iter__(self) -> Iterator[InstanceType]:
        return iter(self.types.values())


@cache
def bundled_catalog() -> Catalog:
    """Return the catalog that ships with the product; read once per process.

    Types of which AWS publishes no figures any more (retired ones) are left out: nothing can be said about them.
    """
    packed = files("finops_operator.pricing").joinpath("data", "instance-types.json.gz").read_bytes()
    document = json.loads(gzip.decompress(packed))
    columns = document["columns"]
    types = {}
    for name, cells in document["types"].items():
        made = type_of_row(name, dict(zip(columns, cells, strict=True)))
        if made is not None:
            types[name] = made
    return Catalog(types)


def type_of_row(name: str, row: Mapping[str, str]) -> InstanceType | None:
    """Return the type that a row of the table describes, by column; None without the figures that make it a type.

    A column that is not there says what an empty one says: AWS does not publish it.
    """
    if not (row.get("architectures") and row.get("vcpu") and row.get("memory_mib")):
        return None
    return InstanceType(
        name=name,
        vcpus=int(row["vcpu"]),
        memory_mib=int(row["memory_mib"]),
        threads_per_core=_integer(row.get("threads_per_core", "")),
        architectures=_words(row.get("architectures", "")),
        clock_ghz=_number(row.get("clock_ghz", "")),
        baseline_percent=_number(row.get("baseline_pct_per_vcpu", "")),
        current_generation=row.get("current_generation", "") == _YES,
        bare_metal=row.get("bare_metal", "") == _YES,
        hypervisor=row.get("hypervisor", ""),
        ena_support=row.get("ena_support", ""),
        nvme_support=row.get("ebs_nvme", ""),
        network_baseline_gbps=_number(row.get("network_baseline_gbps", "")),
        ebs_baseline_mbytes_per_second=_number(row.get("ebs_baseline_mbytes_s", "")),
        ebs_baseline_iops=_integer(row.get("ebs_baseline_iops", "")),
        max_ebs_attachments=_integer(row.get("ebs_max_attachments", "")),
        instance_storage_gb=_integer(row.get("instance_storage_gb", "")) or 0,
        # AWS counts none where a type has a share of one, and names it.
        gpu_count=_integer(row.get("gpu_count", "")) or int(bool(row.get("gpu_name"))),
        gpu_name=row.get("gpu_name", ""),
        hibernation=row.get("hibernation", "") == _YES,
        virtualization=_words(row.get("virtualization", "")),
        on_demand="on-demand" in _words(row.get("usage_classes", "")),
        boot_modes=_words(row.get("boot_modes", "")),
    )


def _words(cell: str) -> frozenset[str]:
    return frozenset(word for word in cell.split("|") if word)


def _number(cell: str) -> Decimal | None:
    return Decimal(cell) if cell else None


def _integer(cell: str) -> int | None:
    return int(Decimal(cell)) if cell else None
