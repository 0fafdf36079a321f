"""What Fargate bills of a task: virtual CPUs, memory and disk by the hour, by processor and operating system.

Twenty GiB of disk are included. A task on Windows pays the system's licence by virtual CPU as well. Source:
https://aws.amazon.com/fargate/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.plugins.kind import BilledPart

ARM: Final = "ARM64"
X86: Final = "X86_64"
_WINDOWS: Final = "WINDOWS"
_UNITS_PER_VCPU: Final = Decimal(1024)
_MIB_PER_GB: Final = Decimal(1024)
_INCLUDED_DISK: Final = 20


@dataclass(frozen=True, slots=True)
class TaskSize:
    """Of one task; None: the task definition does not say.

    Attributes:
        cpu_units: 1,024 are a virtual CPU.
        disk_gib: ephemeral storage, the included part among it.
        system: `LINUX` or `WINDOWS_…`.
    """

    cpu_units: int | None
    memory_mib: int | None
    disk_gib: int | None
    architecture: str
    system: str


def task_parts(region: str, size: TaskSize, tasks: int) -> Iterator[BilledPart]:
    """Yield what is billed of `tasks` running tasks; what is not known has no price."""
    if size.cpu_units is None or size.memory_mib is None:
        yield BilledPart("vcpu_hour", Decimal(0), None, "the size of its tasks is not known")
        return
    cpus, memory = tasks * size.cpu_units / _UNITS_PER_VCPU, tasks * size.memory_mib / _MIB_PER_GB
    for dimension, quantity, figure in _dimensions(size, cpus, memory):
        yield BilledPart(dimension, quantity, PriceQuery("fargate", region, figure))
    extra = (size.disk_gib or _INCLUDED_DISK) - _INCLUDED_DISK
    if extra > 0:
        yield BilledPart("disk_gb_hour", Decimal(tasks * extra), PriceQuery("fargate", region, "ephemeral_storage_gb"))


def _dimensions(size: TaskSize, cpus: Decimal, memory: Decimal) -> tuple[tuple[str, Decimal, str], ...]:
    if size.system.startswith(_WINDOWS):
        return (
            ("vcpu_hour", cpus, "windows_vcpu"),
            ("licence_vcpu_hour", cpus, "windows_os_vcpu"),
            ("memory_gb_hour", memory, "windows_memory_gb"),
        )
    prefix = "arm" if size.architecture == ARM else "x86"
    return (("vcpu_hour", cpus, f"{prefix}_vcpu"), ("memory_gb_hour", memory, f"{prefix}_memory_gb"))
