"""What AWS bills for an EBS volume: gigabytes, and IOPS and throughput where the type charges them.

Free parts and tiers: https://aws.amazon.com/ebs/pricing/ (gp3 includes 3,000 IOPS and 125 MiB/s; io2 is cheaper above
32,000 and above 64,000 IOPS). A volume bills the same whether it is attached or not.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.resource import Resource
from finops_operator.plugins.kind import BilledPart

GP3_FREE_IOPS: Final = 3000
GP3_FREE_MIBPS: Final = 125
IO2_TIERS: Final = (("iops_month", 0, 32000), ("iops_month_tier2", 32000, 64000), ("iops_month_tier3", 64000, None))
"""Dimension, IOPS up to which the tier before it reaches, IOPS up to which it reaches itself."""

NEVER_BILLED: Final = frozenset({"deleting", "deleted", "error"})


def billed_parts(volume: Resource) -> tuple[BilledPart, ...]:
    """Return the billed parts of an `ebs-volume`; a size, IOPS or throughput that AWS did not give is unknown."""
    if volume.state in NEVER_BILLED:
        return ()
    kind = volume.text("volume_type")
    size = volume.number("size_gb")
    parts = [_part(volume, "gb_month", size, "its size is not known")]
    if kind == "gp3":
        parts += _above(volume, "iops_month", "iops", GP3_FREE_IOPS)
        parts += _above(volume, "throughput_mibps_month", "throughput", GP3_FREE_MIBPS)
    elif kind == "io1":
        parts.append(_part(volume, "iops_month", volume.number("iops"), "its IOPS are not known"))
    elif kind == "io2":
        parts += _io2_tiers(volume)
    elif kind == "standard" and volume.state != "available":
        parts.append(BilledPart("io_request", Decimal(0), None, "requests to magnetic volumes are billed by use"))
    return tuple(parts)


def _part(volume: Resource, dimension: str, quantity: int | None, reason: str) -> BilledPart:
    if quantity is None:
        return BilledPart(dimension, Decimal(0), None, reason)
    attributes = (("volume_type", volume.text("volume_type")),)
    return BilledPart(dimension, Decimal(quantity), PriceQuery("ebs", volume.region, dimension, attributes))


def _above(volume: Resource, dimension: str, attribute: str, free: int) -> list[BilledPart]:
    """Return the part above what is free, nothing when all of it is."""
    amount = volume.number(attribute)
    if amount is not None and amount <= free:
        return []
    return [_part(volume, dimension, None if amount is None else amount - free, f"its {attribute} is not known")]


def _io2_tiers(volume: Resource) -> list[BilledPart]:
    iops = volume.number("iops")
    if iops is None:
        return [_part(volume, "iops_month", None, "its IOPS are not known")]
    parts = []
    for dimension, below, upto in IO2_TIERS:
        inside = (iops if upto is None else min(iops, upto)) - below
        if inside > 0:
            parts.append(_part(volume, dimension, inside, ""))
    return parts
