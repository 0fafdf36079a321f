"""What a database needs of its class, from what was measured, and whether a smaller class gives it. Pure.

CPU is what the policy's preset counts as the peak, memory what was not freeable at its lowest, connections the most at
once, and operations and bytes what 99 % of the hours stayed below, reads and writes added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.domain.utilization import Utilization
from finops_operator.plugins.sizing_policy import Preset
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.rds.rules.classes import allowed_connections, sustained_vcpus

CPU: Final = "cpuPercent"
MEMORY: Final = "freeableMemory"
CONNECTIONS: Final = "databaseConnections"
LOAD: Final = "dbLoadCpu"
"""Published where Performance Insights is on: CPU says how busy the class was, this how many would have used more."""
_IOPS: Final = ("readIops", "writeIops")
_BYTES: Final = ("readThroughput", "writeThroughput")
MEASURED: Final = (CPU, MEMORY, CONNECTIONS, *_IOPS, *_BYTES)
_MIB: Final = 1024 * 1024
_MEGABYTE: Final = 1_000_000
_FULL: Final = 100.0


@dataclass(frozen=True, slots=True)
class Need:
    """What was used at its peak, before headroom.

    Attributes:
        vcpus: of the current class's, busy at the peak that the preset counts; `highest_vcpus`: at the true maximum.
        sessions: that ran on the CPU or waited for it at once, at the same peak; None: nobody counted them.
        memory_mib: of its class, less the least that was freeable at any time.
        megabytes_per_second: 10^6 bytes to and from the storage.
    """

    vcpus: float
    highest_vcpus: float
    memory_mib: float
    connections: float
    iops: float
    megabytes_per_second: float
    sessions: float | None = None


@dataclass(frozen=True, slots=True)
class Headroom:
    """Percent of the target that stay free at the peak."""

    cpu: int
    memory: int


def need_of(used: Utilization, current: InstanceType, margins: Preset) -> Need | str:
    """Return the need, or which metric is missing or does not fit the class."""
    found = {name: used.best(name) for name in MEASURED}
    known = {name: summary for name, summary in found.items() if summary is not None}
    if len(known) < len(MEASURED):
        return "it was not measured"
    cpu, memory, load = known[CPU], known[MEMORY], used.best(LOAD)
    if memory.maximum / _MIB > current.memory_mib:
        return "more memory was free than its class has: the class changed while it was measured"
    return Need(
        vcpus=margins.cpu_peak(cpu) / _FULL * current.vcpus,
        highest_vcpus=cpu.maximum / _FULL * current.vcpus,
        memory_mib=current.memory_mib - memory.lowest / _MIB,
        connections=known[CONNECTIONS].maximum,
        iops=sum(known[name].p99 for name in _IOPS),
        megabytes_per_second=sum(known[name].p99 for name in _BYTES) / _MEGABYTE,
        sessions=None if load is None else margins.cpu_peak(load),
    )


def too_small(need: Need, target: InstanceType, engine: str, headroom: Headroom) -> str:
    """Return what a class lacks for the need, empty when it holds all of it."""
    connections = allowed_connections(engine, target)
    if target.ebs_baseline_iops is None or target.ebs_baseline_mbytes_per_second is None:
        return "what it sustains towards its storage is not known"
    if need.vcpus > _roomy(sustained_vcpus(target), headroom.cpu):
        return "its CPU" if target.baseline_percent is None else "its CPU without credits"
    if need.sessions is not None and need.sessions > _roomy(sustained_vcpus(target), headroom.cpu):
        return "processors for the sessions that ran at once"
    if need.memory_mib > _roomy(target.memory_mib, headroom.memory):
        return "its memory"
    if connections is not None and need.connections > _roomy(connections, headroom.memory):
        return f"the {connections:,} connections that it allows"
    if need.iops > target.ebs_baseline_iops:
        return "its operations a second"
    if need.megabytes_per_second > float(target.ebs_baseline_mbytes_per_second):
        return "its throughput"
    return ""


def _roomy(offered: float, headroom_percent: int) -> float:
    return offered * (_FULL - headroom_percent) / _FULL
