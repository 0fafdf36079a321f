"""What CloudWatch is asked about instances: CPU, network, EBS operations, credits, and what agents publish.

A part of the kind. Metric names: EC2 user guide, "CloudWatch metrics for your instances". An instance on Xen measures
nothing of its volumes; these measure themselves (EBS user guide, "CloudWatch metrics for Amazon EBS"), the bytes on Xen
only when something was read or written, and no maxima.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import DimensionSet, MetricSpec
from finops_operator.pricing.instance_types import bundled_catalog
from finops_operator.services.ec2.rules.agent_gpu import agent_gpu
from finops_operator.services.ec2.rules.agent_memory import agent_memory
from finops_operator.services.ec2.rules.burstable import is_burstable
from finops_operator.services.ec2.rules.credit_mode import SURPLUS_CREDITS

RUNNING: Final = "running"
PACKETS: Final = ("networkPacketsIn", "networkPacketsOut")
OPERATIONS: Final = ("ebsReadOps", "ebsWriteOps")
BYTES: Final = ("ebsReadBytes", "ebsWriteBytes")
VOLUME_OPERATIONS: Final = ("volumeReadOps", "volumeWriteOps")
"""What all volumes of an instance on Xen carried, in place of what one on Nitro measures itself."""
VOLUME_BYTES: Final = ("volumeReadBytes", "volumeWriteBytes")
_SAMPLES_IN_FIVE_MINUTES: Final = 5
"""One a minute, with basic as with detailed monitoring."""


def runs(instance: Resource) -> bool:
    """Return whether it publishes anything: of a stopped one, asking would be billed and answer nothing."""
    return instance.state == RUNNING


def _bursts(instance: Resource) -> bool:
    return runs(instance) and is_burstable(instance.text("instance_type"))


def _on_xen(instance: Resource) -> bool:
    """A type that the tables do not know is newer than Xen."""
    kind = bundled_catalog().get(instance.text("instance_type"))
    return kind is not None and kind.hypervisor == "xen"


def _measures_volumes(instance: Resource) -> bool:
    return runs(instance) and not _on_xen(instance)


def _volumes_measure(instance: Resource) -> bool:
    return runs(instance) and _on_xen(instance)


def _volumes(instance: Resource) -> tuple[DimensionSet, ...]:
    listed = instance.attributes.get("volume_ids")
    return tuple((("VolumeId", str(one)),) for one in listed) if isinstance(listed, Sequence) else ()


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


def _amount(
    name: str,
    metric: str,
    unit: str,
    *,
    hourly: bool,
    asked_last: bool = False,
    applies: Callable[[Resource], bool] = runs,
) -> MetricSpec:
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
        applies=applies,
    )


def _of_volumes(name: str, metric: str, unit: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/EBS",
        metric,
        "VolumeId",
        ("Sum",),
        unit,
        missing_means_zero=name in VOLUME_BYTES,
        hourly=False,
        fine=True,
        parts=_volumes,
        applies=_volumes_measure,
    )


METRICS: Final = (
    _level("cpuPercent", "CPUUtilization", "percent", fine=True, by_the_clock=True),
    _amount("networkInBytes", "NetworkIn", "bytes", hourly=True),
    _amount("networkOutBytes", "NetworkOut", "bytes", hourly=True),
    # Only right-sizing asks for these, so only its candidates are billed for them.
    _amount(PACKETS[0], "NetworkPacketsIn", "count", hourly=False, asked_last=True),
    _amount(PACKETS[1], "NetworkPacketsOut", "count", hourly=False, asked_last=True),
    _amount(OPERATIONS[0], "EBSReadOps", "count", hourly=False, applies=_measures_volumes),
    _amount(OPERATIONS[1], "EBSWriteOps", "count", hourly=False, applies=_measures_volumes),
    _amount(BYTES[0], "EBSReadBytes", "bytes", hourly=False, applies=_measures_volumes),
    _amount(BYTES[1], "EBSWriteBytes", "bytes", hourly=False, applies=_measures_volumes),
    _of_volumes(VOLUME_OPERATIONS[0], "VolumeReadOps", "count"),
    _of_volumes(VOLUME_OPERATIONS[1], "VolumeWriteOps", "count"),
    _of_volumes(VOLUME_BYTES[0], "VolumeReadBytes", "bytes"),
    _of_volumes(VOLUME_BYTES[1], "VolumeWriteBytes", "bytes"),
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
