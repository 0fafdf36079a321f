"""Whether the volumes of an instance use all that its type carries towards them. Pure; asked by both checks of sizing.

Every type has limits of its own towards EBS, in operations and in bytes a second, whatever its volumes could do
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ebs-optimized.html). An instance on Nitro measures what goes there;
of one on Xen its volumes do, all of them together. A type without limits of its own is never at one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from finops.domain.utilization import Utilization
from finops_operator.pricing.instance_types import InstanceType
from finops_operator.services.ec2.rules.instance_metrics import BYTES, OPERATIONS, VOLUME_BYTES, VOLUME_OPERATIONS

TOWARDS_VOLUMES: Final = (*OPERATIONS, *BYTES, *VOLUME_OPERATIONS, *VOLUME_BYTES)
"""Our names of all that is measured of what an instance and its volumes exchange; of one instance half apply."""
_AT_LIMIT: Final = 0.95
"""Share of a limit from which it is in use: five minutes at a limit are never full to the last operation."""
BUSY_PERCENT: Final = 30
"""Of a limit: what is in use in the mean where an instance lacks it. A backup that takes all there is lacks nothing."""
_MEGA: Final = 1e6


@dataclass(frozen=True, slots=True)
class VolumeLoad:
    """What went to and from the volumes a second: the P99 of 5 minutes and the mean; None where it is not known."""

    iops: float | None
    mean_iops: float | None
    mbytes_per_second: float | None
    mean_mbytes_per_second: float | None


def counters(utilization: Utilization) -> tuple[tuple[str, str], tuple[str, str] | None]:
    """Return the names of the operations and of the bytes that count: the instance's own, on Xen those of its volumes.

    Volumes publish bytes on Xen only when there were some, so that beside unknown operations they prove nothing: None.
    """
    if not any(name in utilization.fine for name in (*VOLUME_OPERATIONS, *VOLUME_BYTES)):
        return OPERATIONS, BYTES
    seen = all(name in utilization.fine for name in VOLUME_OPERATIONS)
    return VOLUME_OPERATIONS, VOLUME_BYTES if seen else None


def volume_load(utilization: Utilization) -> VolumeLoad:
    """Return what the 5-minute picture says of an instance's volumes; reads and writes share one limit."""
    operations, counted = counters(utilization)
    iops, mean_iops = _rates(utilization, operations)
    bytes_, mean_bytes = (None, None) if counted is None else _rates(utilization, counted)
    return VolumeLoad(
        iops,
        mean_iops,
        None if bytes_ is None else bytes_ / _MEGA,
        None if mean_bytes is None else mean_bytes / _MEGA,
    )


def held_by_volumes(utilization: Utilization, kind: InstanceType) -> bool:
    """Return whether its volumes would use all that a type carries: such a type is not what an instance needs."""
    load, share = volume_load(utilization), BUSY_PERCENT / 100
    return lacks_iops(load, kind, share) or lacks_throughput(load, kind, share)


def lacks_iops(load: VolumeLoad, current: InstanceType, share: float) -> bool:
    """Return whether the operations use what the type carries, and in the mean at least this share of it."""
    return _at_limit(load.iops, load.mean_iops, current.ebs_baseline_iops, share)


def lacks_throughput(load: VolumeLoad, current: InstanceType, share: float) -> bool:
    """Return the same of the bytes."""
    limit = current.ebs_baseline_mbytes_per_second
    return _at_limit(
        load.mbytes_per_second, load.mean_mbytes_per_second, None if limit is None else float(limit), share
    )


def _at_limit(peak: float | None, mean: float | None, limit: float | None, share: float) -> bool:
    if peak is None or mean is None or not limit:
        return False
    return peak >= _AT_LIMIT * limit and mean >= share * limit


def _rates(utilization: Utilization, names: tuple[str, str]) -> tuple[float | None, float | None]:
    found = [summary for name in names if (summary := utilization.fine.get(name)) is not None]
    if len(found) != len(names):
        return None, None
    return (
        sum(one.p99 / one.period_seconds for one in found),
        sum((one.total or 0.0) / max(one.hours, 1.0) / 3600 for one in found),
    )
