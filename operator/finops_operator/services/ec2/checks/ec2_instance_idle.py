"""EC2 instances that do nothing: hardly any CPU at the peak and hardly any network.

Thresholds are Compute Optimizer's for idle EC2 instances. A stop ends the cost of the instance's hours and of public
addresses that AWS assigned. Elastic IP addresses are still billed and are the cost that remains. Volumes are still
billed as well: they are resources of their own, in the cost neither before nor after, and the finding says how many
there are. A GPU may be busy while the CPU is idle: an instance with one is judged where CloudWatch's agent publishes
its use, which must stay below the same limit as the CPU's, and one with several where it does so for all of them.
Where a day or more of the window is missing, that may be the one on which it worked: it is not judged, whatever
coverage a policy asks for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops.domain.canonical import Json
from finops.domain.recommendation import ActionType, Effort, EvidenceFact, Finding, NotRecommended
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.check import Check, Facts, Parameters, ParameterSpec
from finops_operator.plugins.measured import count, days, percent, period, window_fact
from finops_operator.plugins.settled import where_use_forbids
from finops_operator.plugins.sufficiency import coverage_evidence, day_lost, figure, insufficient
from finops_operator.services.ec2.instance import InstanceFacts
from finops_operator.services.ec2.rules.agent_gpu import GPU, gpu_unknown
from finops_operator.services.ec2.rules.new_types import own_type
from finops_operator.services.ec2.rules.remaining_cost import stopped_cost
from finops_operator.services.ec2.rules.run_by_others import stop_saves_nothing

ID: Final = "ec2_instance_idle"
MEGABYTE: Final = 1_000_000
_WHOLE_FROM: Final = 100
"""Megabytes from which decimals say nothing to a reader."""
_METRICS: Final = ("cpuPercent", "networkInBytes", "networkOutBytes")


def _evaluate(facts: Facts[InstanceFacts], parameters: Parameters) -> Finding | NotRecommended:
    reason = _not_judged(facts) or _not_known(facts)
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    gpu = _hourly(facts.utilization, GPU) if _has_gpu(facts) else None
    cpu, received, sent = (summary for name in _METRICS if (summary := _hourly(facts.utilization, name)))
    # The mean would hide a day of work: the busiest day must be an idle one too.
    daily = _busiest_day_megabytes(received) + _busiest_day_megabytes(sent)
    limits = parameters["maximumCpuPercent"], parameters["maximumNetworkMegabytesPerDay"]
    if cpu.maximum >= limits[0]:
        reason = f"CPU reached {figure(cpu.maximum)} %, the limit is {limits[0]} %"
    elif gpu is not None and gpu.maximum >= limits[0]:
        reason = f"its GPU reached {figure(gpu.maximum)} %, the limit is {limits[0]} %"
    elif daily >= limits[1]:
        carried = figure(daily) if daily < _WHOLE_FROM else count(daily)
        reason = f"network carried {carried} MB on its busiest day, the limit is {limits[1]} MB"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    return Finding(
        check=ID,
        action="ec2_instance_stop",
        parameters={},
        new_monthly_cost=stopped_cost(facts),
        evidence={
            "maximumCpuPercent": figure(cpu.maximum),
            "busiestDayNetworkMegabytes": figure(daily),
            **({"maximumGpuPercent": figure(gpu.maximum)} if gpu is not None else {}),
            "thresholdCpuPercent": str(limits[0]),
            "thresholdNetworkMegabytesPerDay": str(limits[1]),
            **_left_by_a_stop(facts.own),
            **coverage_evidence(cpu),
        },
        summary=f"Idle for {days(cpu.hours)}: CPU never above {percent(cpu.maximum)}, "
        f"network at most {figure(daily, 1)} MB a day.{_still_billed(facts.own)}",
        facts=tuple(_facts(facts.own, cpu, gpu, daily, limits)),
    )


def _not_known(facts: Facts[InstanceFacts]) -> str:
    """Return which metric that is needed cannot be judged, empty when all can."""
    needed = (*_METRICS, *((GPU,) if _has_gpu(facts) else ()))
    seen = facts.utilization
    return next(
        (why for name in needed if (why := insufficient(seen, name, facts.settings) or day_lost(seen, name))), ""
    )


def _has_gpu(facts: Facts[InstanceFacts]) -> bool:
    kind = own_type(facts)
    return kind is not None and kind.gpu_count > 0


def _facts(
    own: InstanceFacts, cpu: MetricSummary, gpu: MetricSummary | None, daily: float, limits: tuple[Decimal, Decimal]
) -> Iterator[EvidenceFact]:
    yield EvidenceFact(f"CPU, highest {period(cpu)}", f"{percent(cpu.maximum)}; idle is below {limits[0]} %")
    yield EvidenceFact("CPU, mean", percent(cpu.average))
    if gpu is not None:
        yield EvidenceFact(f"GPU, highest {period(gpu)}", f"{percent(gpu.maximum)}; idle is below {limits[0]} %")
    yield EvidenceFact("Network, busiest day", f"{figure(daily, 1)} MB; idle is below {limits[1]} MB")
    yield window_fact(cpu)
    volumes, addresses = _left_by_a_stop(own).values()
    yield EvidenceFact("Volumes, still billed", "not known" if volumes is None else str(volumes))
    yield EvidenceFact("Elastic IP addresses, still billed", "not known" if addresses is None else str(addresses))


def _left_by_a_stop(own: InstanceFacts) -> dict[str, Json]:
    """Return how many volumes and elastic addresses a stop leaves; null where AWS did not say."""
    return {
        "volumesStillBilled": None if own.volume_ids is None else len(own.volume_ids),
        "elasticAddressesStillBilled": None if own.elastic is None else sum(own.elastic),
    }


def _still_billed(own: InstanceFacts) -> str:
    """Return, as sentences, what a stop does not save; empty when nothing remains."""
    volumes, addresses = _left_by_a_stop(own).values()
    text = ""
    if volumes:
        text += f" Its {'volume is' if volumes == 1 else f'{volumes} volumes are'} still billed (not included)."
    if addresses:
        noun = "Elastic IP address is" if addresses == 1 else f"{addresses} Elastic IP addresses are"
        text += f" Its {noun} still billed: the cost that remains."
    return text


def _not_judged(facts: Facts[InstanceFacts]) -> str:
    resource, own = facts.resource, facts.own
    kind = own_type(facts)
    if resource.state != "running":
        return f"it is {resource.state}, not running"
    if own.root_device_type != "ebs":
        return "its root device is not known to be an EBS volume, so it cannot be stopped and started again"
    if own.lifecycle:
        return "it is not an on-demand instance"
    if reason := stop_saves_nothing(facts):
        return reason
    if kind is None:
        return "nothing is known about its type"
    if reason := gpu_unknown(kind):
        return reason
    return f"a stop would erase the local disks of its {kind.name}" if kind.instance_storage_gb else ""


def _hourly(utilization: Utilization, name: str) -> MetricSummary | None:
    """Return the hourly picture, whose sums show a burst best, else the finer one."""
    return utilization.metrics.get(name) or utilization.fine.get(name)


def _busiest_day_megabytes(summary: MetricSummary) -> float:
    """Return the traffic of the busiest 24 hours; the total, which old summaries have alone, is never less."""
    most = summary.busiest_day if summary.busiest_day is not None else summary.total
    return (most if most is not None else math.inf) / MEGABYTE


CHECK: Final = Check(
    id=ID,
    title="Idle EC2 instance",
    kinds=("ec2-instance",),
    parameters=(
        ParameterSpec(
            name="maximumCpuPercent",
            unit="percent",
            default=Decimal(5),
            minimum=Decimal("0.1"),
            maximum=Decimal(50),
            description="An instance whose CPU reached this at any time is not idle.",
            metrics=("cpuPercent", "gpuPercent"),
        ),
        ParameterSpec(
            name="maximumNetworkMegabytesPerDay",
            unit="MB a day",
            default=Decimal(5),
            minimum=Decimal("0.1"),
            maximum=Decimal(100000),
            description="An instance that received and sent this much together on any day is not idle.",
        ),
    ),
    documentation="https://docs.aws.amazon.com/compute-optimizer/latest/ug/view-idle-recommendations.html",
    action="ec2_instance_stop",
    action_type=ActionType.STOP,
    effort=Effort.LOW,
    restart_needed=False,
    rollback_possible=True,
    destructive=False,
    evaluate=_evaluate,
    settled_by_days=where_use_forbids(_evaluate),
)
