"""IOPS and throughput that a gp3 volume needs in place of a gp2 volume, exact or at most. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from finops_operator.plugins.check import Facts, Parameters
from finops_operator.plugins.window import too_young
from finops_operator.services.ec2.judging.busiest import Busiest, busiest_bound
from finops_operator.services.ec2.volume import GP2_SMALL_GIB, GP3_FREE_IOPS, GP3_FREE_MIBPS, VolumeFacts

GP2_IOPS_PER_GIB: Final = 3
GP2_MAXIMUM_IOPS: Final = 16000
GP2_SMALL_MIBPS: Final = 128
GP2_MAXIMUM_MIBPS: Final = 250
"""https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html: up to 170 GiB 128 MiB/s, above up to 250."""
_IOPS_STEP: Final = 500
_MIBPS_STEP: Final = 25
"""Targets are whole steps, so that a scan of the next day does not ask for a slightly different one."""


@dataclass(frozen=True, slots=True)
class Performance:
    """IOPS and MiB/s of the target, and what they were chosen by; `busiest` is None where all of gp2's are kept."""

    iops: int
    throughput: int
    busiest: Busiest | None = None


def nominal(size_gib: int) -> Performance:
    """Return what a gp3 volume needs to be nowhere slower than a gp2 volume of the size."""
    iops = max(GP3_FREE_IOPS, min(GP2_IOPS_PER_GIB * size_gib, GP2_MAXIMUM_IOPS))
    return Performance(iops, max(GP3_FREE_MIBPS, GP2_SMALL_MIBPS if size_gib <= GP2_SMALL_GIB else GP2_MAXIMUM_MIBPS))


def needed(size_gib: int, busiest: Busiest, headroom_percent: float) -> Performance:
    """Return what carries the busiest 5 minutes with headroom, between what is free and what gp2 gives."""
    most, roomy = nominal(size_gib), 1 + headroom_percent / 100
    iops = max(GP3_FREE_IOPS, math.ceil(busiest.iops * roomy / _IOPS_STEP) * _IOPS_STEP)
    throughput = max(GP3_FREE_MIBPS, math.ceil(busiest.mibps * roomy / _MIBPS_STEP) * _MIBPS_STEP)
    return Performance(min(most.iops, iops), min(most.throughput, throughput), busiest)


def bound_of(facts: Facts[Any], parameters: Parameters) -> Performance | None:
    """Return what a larger volume needs at most as far as hours, or days, say; None where they do not count."""
    own: VolumeFacts = facts.own
    days, size = parameters["minimumMeasuredDays"], own.size_gb
    if own.volume_type != "gp2" or facts.resource.state != "in-use" or size is None or size <= GP2_SMALL_GIB:
        return None
    busiest = "young" if too_young(facts, days) else busiest_bound(facts, days)
    return None if isinstance(busiest, str) else needed(size, busiest, float(parameters["headroomPercent"]))


def beyond_free(bound: Performance) -> bool:
    """Return whether it is more than what is in the price of a gibibyte."""
    return bound.iops > GP3_FREE_IOPS or bound.throughput > GP3_FREE_MIBPS
