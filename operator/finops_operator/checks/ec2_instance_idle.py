"""EC2 instances that do nothing: hardly any CPU at the peak and hardly any network.

Thresholds are Compute Optimizer's for idle EC2 instances. Stopping keeps volumes and elastic addresses, which stay in
the cost that remains. A GPU may work while the CPU sleeps, and GPU use is not measured: such instances are not judged.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

from finops.domain.recommendation import ActionType, Effort, Finding, NotRecommended
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins import Check, Facts, Parameters, ParameterSpec
from finops_operator.sufficiency import coverage_evidence, figure, insufficient

ID: Final = "ec2_instance_idle"
MEGABYTE: Final = 1_000_000
_METRICS: Final = ("cpuPercent", "networkInBytes", "networkOutBytes")


def _evaluate(facts: Facts, parameters: Parameters) -> Finding | NotRecommended:
    reason = _not_judged(facts) or next(
        (why for name in _METRICS if (why := insufficient(facts.utilization, name, facts.settings))), ""
    )
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    cpu, received, sent = (summary for name in _METRICS if (summary := _hourly(facts.utilization, name)))
    daily = _daily_megabytes(received) + _daily_megabytes(sent)
    # One period with more than a day's allowance breaks the rule even where the mean would hide it.
    burst = max(received.maximum, sent.maximum) / MEGABYTE
    limits = parameters["maximumCpuPercent"], parameters["maximumNetworkMegabytesPerDay"]
    if cpu.maximum >= limits[0]:
        reason = f"CPU reached {figure(cpu.maximum)} %, the limit is {limits[0]} %"
    elif daily >= limits[1] or burst >= limits[1]:
        reason = f"network carried {figure(max(daily, burst))} MB a day, the limit is {limits[1]} MB"
    if reason:
        return NotRecommended(ID, facts.resource.id, reason)
    stopped = facts.cost_of(replace(facts.resource, state="stopped"))
    return Finding(
        check=ID,
        action="ec2_instance_stop",
        parameters={},
        new_monthly_cost=stopped.unrounded_monthly,
        evidence={
            "maximumCpuPercent": figure(cpu.maximum),
            "networkMegabytesPerDay": figure(daily),
            "thresholdCpuPercent": str(limits[0]),
            "thresholdNetworkMegabytesPerDay": str(limits[1]),
            **coverage_evidence(cpu),
        },
        summary=f"Peak CPU {figure(cpu.maximum)} % and {figure(daily)} MB of network a day: it does no work.",
    )


def _not_judged(facts: Facts) -> str:
    resource = facts.resource
    kind = facts.catalog.get(resource.text("instance_type"))
    if resource.state != "running":
        return f"it is {resource.state}, not running"
    if resource.text("root_device_type") != "ebs":
        return "its root device is not known to be an EBS volume, so it cannot be stopped and started again"
    if resource.text("lifecycle"):
        return "it is not an on-demand instance"
    if kind is None:
        return "nothing is known about its type"
    if kind.gpu_count:
        return "it has a GPU, whose use is not measured"
    return _loses_disks(resource, kind.instance_storage_gb)


def _loses_disks(resource: Resource, gigabytes: int) -> str:
    return f"a stop would erase the local disks of its {resource.text('instance_type')}" if gigabytes else ""


def _hourly(utilization: Utilization, name: str) -> MetricSummary | None:
    """Return the hourly picture, whose sums show a burst best, else the finer one."""
    return utilization.metrics.get(name) or utilization.fine.get(name)


def _daily_megabytes(summary: MetricSummary) -> float:
    """Return the mean per day of the time that was seen; the sum of a counter is always there."""
    return (summary.total or 0.0) / MEGABYTE / (summary.hours / 24)


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
        ),
        ParameterSpec(
            name="maximumNetworkMegabytesPerDay",
            unit="MB a day",
            default=Decimal(5),
            minimum=Decimal("0.1"),
            maximum=Decimal(100000),
            description="An instance that received and sent this much a day together is not idle.",
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
)
