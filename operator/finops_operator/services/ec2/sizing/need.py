"""What a workload needs, in vCPUs, memory and bandwidth, from what its instance did. Pure.

Called by `sizing.choose`. A dimension without data is None, and None never allows less than the instance has now.
Method: https://docs.aws.amazon.com/compute-optimizer/latest/ug/rightsizing-preferences.html (percentile of the 5-minute
CPU maxima plus headroom), and a credit balance over one day for burstable targets.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.kind import STOPPED_AT_MOST
from finops_operator.plugins.sizing_policy import Preset
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.ec2.sizing.volume_load import counters

HOURS_PER_DAY: Final = 24.0
HOUR_SECONDS: Final = 3600
_BITS: Final = 8
_GIGA: Final = 1e9
_MEGA: Final = 1e6
LARGEST_OPERATION_BYTES: Final = 1024 * 1024
"""One EBS operation carries at most 1,024 KiB (HDD; 256 KiB on SSD):
https://docs.aws.amazon.com/ebs/latest/userguide/ebs-io-characteristics.html"""

_THROTTLED_BAND: Final = 0.1
"""A burstable instance whose peak lies this close to its baseline may have wanted more than it got."""


@dataclass(frozen=True, slots=True)
class Need:
    """Figures a target must offer, headroom included.

    Attributes:
        vcpus: peak, in vCPUs of the current type.
        sustained_vcpus: mean over the window.
        worst_day_vcpus: upper bound of the mean over the busiest 24 hours.
        memory_mib, network_gbps, ebs_iops, ebs_mbytes_per_second: None when not measured. Without measured bytes the
            EBS bandwidth is what the operations could have carried at most.
        packets_per_second: of the busier direction; None when not measured.
    """

    vcpus: float
    sustained_vcpus: float
    worst_day_vcpus: float
    memory_mib: float | None
    network_gbps: float | None
    ebs_iops: float | None
    ebs_mbytes_per_second: float | None
    packets_per_second: float | None = None

    def scaled(self, factor: float) -> Need:
        """Return the need with every known figure multiplied: the slack a newly advised target must have."""
        return replace(
            self,
            vcpus=self.vcpus * factor,
            sustained_vcpus=self.sustained_vcpus * factor,
            worst_day_vcpus=self.worst_day_vcpus * factor,
            memory_mib=_times(self.memory_mib, factor),
            network_gbps=_times(self.network_gbps, factor),
            ebs_iops=_times(self.ebs_iops, factor),
            ebs_mbytes_per_second=_times(self.ebs_mbytes_per_second, factor),
            packets_per_second=_times(self.packets_per_second, factor),
        )


def need_of(utilization: Utilization, cpu: MetricSummary, current: InstanceType, margins: Preset) -> Need:
    """Return the need of the workload that runs on `current`; `cpu` is a sufficient summary of `cpuPercent`."""
    vcpus_per_percent = current.vcpus / 100 / (1 - margins.cpu_headroom_percent / 100)
    operations, counted = counters(utilization)
    iops = _sum_of_rates(utilization, *operations)
    peak = margins.cpu_peak(cpu)
    # Credits do not outlast a stop on every type, and none are earned while it lasts: what is stopped again and again
    # must get by without them.
    often_stopped = cpu.running_share < 1 - STOPPED_AT_MOST
    return Need(
        vcpus=peak * vcpus_per_percent,
        sustained_vcpus=(max(peak, cpu.average) if often_stopped else cpu.average) * vcpus_per_percent,
        worst_day_vcpus=(cpu.maximum if often_stopped else worst_day_percent(cpu)) * vcpus_per_percent,
        memory_mib=_memory(utilization, current, margins),
        network_gbps=_network(utilization),
        ebs_iops=iops,
        ebs_mbytes_per_second=_ebs_bandwidth(utilization, counted, iops),
        packets_per_second=_busier(utilization, ("networkPacketsIn", "networkPacketsOut")),
    )


def least_need(utilization: Utilization, hourly: MetricSummary, current: InstanceType, margins: Preset) -> Need:
    """Return a need that the 5-minute picture cannot undercut, from the hourly one: what not even this leaves is gone.

    What days prove (`Utilization.least`) counts where it is more, and alone where days stand for the hours.

    A tenth of the hours above a level means at least 0.8 % of the 5-minute maxima above it, so the 5-minute P99.5 is
    never below the hourly P90; and no percentile of maxima from P90 up is likely below the mean. Of network and volumes
    the hours prove nothing.
    """
    vcpus_per_percent = current.vcpus / 100 / (1 - margins.cpu_headroom_percent / 100)
    peak = mean = worst_day = 0.0
    if hourly.period_seconds == HOUR_SECONDS:
        peak = hourly.p90 if margins.cpu_percentile == "p99_5" else hourly.average
        mean = worst_day = hourly.average
    least = utilization.least.get("cpuPercent")
    if least is not None:
        peak = max(peak, {"p90": least.p90, "p95": least.p95, "p99_5": least.p99_5}[margins.cpu_percentile])
        # What is left of the busiest day, after the hours above every percentile, is filled up at P90.
        mean, worst_day = max(mean, least.average), max(worst_day, least.p90)
    return Need(
        vcpus=peak * vcpus_per_percent,
        sustained_vcpus=mean * vcpus_per_percent,
        worst_day_vcpus=worst_day * vcpus_per_percent,
        memory_mib=_memory(utilization, current, margins),
        network_gbps=0.0,
        ebs_iops=0.0,
        ebs_mbytes_per_second=0.0,
    )


def worst_day_percent(cpu: MetricSummary) -> float:
    """Return an upper bound of the mean CPU of the busiest 24 hours, from percentiles alone.

    Worst case: all the periods above each percentile fall on one day. So the day is filled from the top: the hours
    above P99.5 at the maximum, those between P99 and P99.5 at P99.5, and so on; what is left of the day at P90.
    """
    hours = max(cpu.hours, 1.0)
    tiers = ((0.005, cpu.maximum), (0.005, cpu.p99_5), (0.04, cpu.p99), (0.05, cpu.p95), (0.9, cpu.p90))
    left = day = min(HOURS_PER_DAY, hours)
    area = 0.0
    for share, level in tiers:
        taken = min(left, share * hours)
        area += taken * level
        left -= taken
    return area / day


def hidden_demand(utilization: Utilization, cpu: MetricSummary, current: InstanceType, margins: Preset) -> str:
    """Return why the CPU figures of a burstable instance may hide its real demand, empty when they do not.

    An instance out of credits is held at its baseline, so a peak near the baseline can mean "enough" or "throttled".
    A credit balance that in no hour fell below an hour's worth did not throttle. The credit mode is not read: an
    instance in unlimited mode is treated like one in standard mode, which can only withhold advice.
    """
    if current.baseline_percent is None:
        return ""
    baseline = float(current.baseline_percent)
    if abs(margins.cpu_peak(cpu) - baseline) > _THROTTLED_BAND * baseline:
        return ""
    if _never_short(utilization, current):
        return ""
    return "its CPU stays at the baseline of its type, so it may be held back for want of credits"


def may_hide_demand(
    utilization: Utilization, least: MetricSummary, most: MetricSummary, current: InstanceType, margins: Preset
) -> bool:
    """Return whether `hidden_demand` may find a reason for a CPU between `least` and `most`.

    `utilization` holds a credit balance whose `lowest` is no higher than the real one.
    """
    if current.baseline_percent is None:
        return False
    baseline = float(current.baseline_percent)
    band = _THROTTLED_BAND * baseline
    near = margins.cpu_peak(least) <= baseline + band and margins.cpu_peak(most) >= baseline - band
    return near and not _never_short(utilization, current)


def _never_short(utilization: Utilization, current: InstanceType) -> bool:
    """Return whether the credit balance never fell below what an hour earns."""
    balance = utilization.best("cpuCreditBalance")
    earned = float(current.baseline_percent or 0) / 100 * current.vcpus * 60
    return balance is not None and balance.lowest >= earned


def _memory(utilization: Utilization, current: InstanceType, margins: Preset) -> float | None:
    summary = utilization.best("memoryPercent")
    if summary is None:
        return None
    return summary.maximum / 100 * current.memory_mib / (1 - margins.memory_headroom_percent / 100)


def _network(utilization: Utilization) -> float | None:
    """Return the larger direction's P99: bandwidth is granted each way."""
    bytes_per_second = _busier(utilization, ("networkInBytes", "networkOutBytes"))
    return None if bytes_per_second is None else bytes_per_second * _BITS / _GIGA


def _busier(utilization: Utilization, names: tuple[str, str]) -> float | None:
    """Return the larger P99 a second of both directions, None where one is not known."""
    known = [rate for name in names if (rate := _rate(utilization, name)) is not None]
    return max(known) if len(known) == len(names) else None


def _ebs_bandwidth(utilization: Utilization, counted: tuple[str, str] | None, iops: float | None) -> float | None:
    """Return measured MB/s, or what the measured operations could have carried at most."""
    measured = None if counted is None else _sum_of_rates(utilization, *counted)
    if measured is not None:
        return measured / _MEGA
    return _times(iops, LARGEST_OPERATION_BYTES / _MEGA)


def _sum_of_rates(utilization: Utilization, first: str, second: str) -> float | None:
    one, other = _rate(utilization, first), _rate(utilization, second)
    return None if one is None or other is None else one + other


def _rate(utilization: Utilization, name: str) -> float | None:
    """Return the P99 of a counter per second; only 5-minute sums show peaks, an hour's mean would hide them."""
    summary = utilization.fine.get(name)
    return None if summary is None else summary.p99 / summary.period_seconds


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
