"""What CloudWatch is asked about instances: CPU, network, EBS operations, credits, and what agents publish.

A part of the kind. Metric names: EC2 user guide, "CloudWatch metrics for your instances".
"""

from __future__ import annotations

from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec
from finops_operator.services.ec2.rules.agent_gpu import agent_gpu
from finops_operator.services.ec2.rules.agent_memory import agent_memory
from finops_operator.services.ec2.rules.burstable import is_burstable
from finops_operator.services.ec2.rules.credit_mode import SURPLUS_CREDITS

RUNNING: Final = "running"
PACKETS: Final = ("networkPacketsIn", "networkPacketsOut")
_SAMPLES_IN_FIVE_MINUTES: Final = 5
"""One a minute, with basic as with detailed monitoring."""


def runs(instance: Resource) -> bool:
    """Return whether it publishes anything: of a stopped one, asking would be billed and answer nothing."""
    return instance.state == RUNNING


def _bursts(instance: Resource) -> bool:
    return runs(instance) and is_burstable(instance.text("instance_type"))


def _level(name: str, metric: str, unit: str, *, fine: bool = False, by_the_clock: bool = False) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/EC2",
        metric,
        "InstanceId",
        ("Average", "Maximum"),
        unit,
        samples_in_five_minutes=_SAMPLES_IN_FIVE_MINUTES,
        fine=fine,
        by_the_clock=by_the_clock,
        applies=runs,
    )


def _amount(name: str, metric: str, unit: str, *, hourly: bool, asked_last: bool = False) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/EC2",
        metric,
        "InstanceId",
        ("Sum",),
        unit,
        hourly=hourly,
        samples_in_five_minutes=_SAMPLES_IN_FIVE_MINUTES,
        by_day=("Maximum",),
        fine=True,
        asked_last=asked_last,
        by_the_clock=hourly,
        applies=runs,
    )


METRICS: Final = (
    _level("cpuPercent", "CPUUtilization", "percent", fine=True, by_the_clock=True),
    _amount("networkInBytes", "NetworkIn", "bytes", hourly=True),
    _amount("networkOutBytes", "NetworkOut", "bytes", hourly=True),
    # Only right-sizing asks for these, so only its candidates are billed for them.
    _amount(PACKETS[0], "NetworkPacketsIn", "count", hourly=False, asked_last=True),
    _amount(PACKETS[1], "NetworkPacketsOut", "count", hourly=False, asked_last=True),
    _amount("ebsReadOps", "EBSReadOps", "count", hourly=False),
    _amount("ebsWriteOps", "EBSWriteOps", "count", hourly=False),
    _amount("ebsReadBytes", "EBSReadBytes", "bytes", hourly=False),
    _amount("ebsWriteBytes", "EBSWriteBytes", "bytes", hourly=False),
    MetricSpec(
        "cpuCreditBalance",
        "AWS/EC2",
        "CPUCreditBalance",
        "InstanceId",
        ("Average", "Maximum"),
        "credits",
        samples_in_five_minutes=_SAMPLES_IN_FIVE_MINUTES,
        by_day=("Minimum",),
        applies=_bursts,
    ),
    MetricSpec(
        SURPLUS_CREDITS,
        "AWS/EC2",
        "CPUSurplusCreditsCharged",
        "InstanceId",
        ("Sum",),
        "count",
        samples_in_five_minutes=_SAMPLES_IN_FIVE_MINUTES,
        applies=_bursts,
    ),
    agent_memory(runs),
    agent_gpu(runs),
)
