"""How careful right-sizing is: the presets of AWS Compute Optimizer, and which families may be used.

Built from `spec.sizing` by the pipeline; read by the sizing modules and by the over-provisioned check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from finops.domain.utilization import MetricSummary


@dataclass(frozen=True, slots=True)
class Preset:
    """One column of Compute Optimizer's table of rightsizing preferences.

    Attributes:
        cpu_percentile: `p90`, `p95` or `p99_5` of the 5-minute CPU maxima: the peak that must fit.
        cpu_headroom_percent, memory_headroom_percent: share of the target that stays free at that peak.
    """

    cpu_percentile: str
    cpu_headroom_percent: int
    memory_headroom_percent: int

    def cpu_peak(self, summary: MetricSummary) -> float:
        """Return the CPU percentage that counts as the workload's peak."""
        values = {"p90": summary.p90, "p95": summary.p95, "p99_5": summary.p99_5}
        return values[self.cpu_percentile]


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "MaxSavings": Preset("p90", 0, 10),
        "Balanced": Preset("p95", 30, 30),
        "Default": Preset("p99_5", 20, 20),
        "MaxPerformance": Preset("p99_5", 30, 30),
    }
)
"""https://docs.aws.amazon.com/compute-optimizer/latest/ug/rightsizing-preferences.html"""


@dataclass(frozen=True, slots=True)
class SizingPolicy:
    """`spec.sizing` of a policy.

    Attributes:
        preset: a key of PRESETS.
        allow_families: only these families (`m5`, `t3`) may be advised; empty: all.
        deny_families: never these.
        minimum_vcpus: of a target; a current type with fewer may keep its number.
        vendor_change, hypervisor_change: whether a person may have such a change carried out; if not, it is advice.
        burstable: the same of a burstable target for an instance that is not burstable.
    """

    preset: str = "Default"
    allow_families: frozenset[str] = frozenset()
    deny_families: frozenset[str] = frozenset()
    minimum_vcpus: int = 2
    vendor_change: bool = False
    hypervisor_change: bool = False
    burstable: bool = False

    @property
    def margins(self) -> Preset:
        return PRESETS[self.preset]

    def allows(self, family: str) -> bool:
        """Return whether a family may be advised; a denial outweighs a permission."""
        return family not in self.deny_families and (not self.allow_families or family in self.allow_families)
