"""Which instance types earn credits for their processor; used by the kind, its checks and the watch after a resize.

Source: Amazon EC2 user guide, "Burstable performance instances". What surplus credits cost in unlimited mode is in the
price tables of each region, by family, for Windows and for all else.
"""

from __future__ import annotations

from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.pricing.instance_types import bundled_catalog

_FAMILIES: Final = ("t2.", "t3.", "t3a.", "t4g.")


def is_burstable(instance_type: str) -> bool:
    """Return whether a type earns credits for its processor."""
    return instance_type.startswith(_FAMILIES)


def baseline_percent(instance_type: str) -> float | None:
    """Return what each vCPU of a burstable type may use for ever, in percent; None where that is not known."""
    kind = bundled_catalog().get(instance_type)
    return None if kind is None or kind.baseline_percent is None else float(kind.baseline_percent)


def surplus_query(region: str, instance_type: str, *, windows: bool) -> PriceQuery:
    """Return what to ask the price tables for a vCPU-hour beyond the credits of a burstable type in unlimited mode."""
    family, system = instance_type.partition(".")[0], "windows" if windows else "linux"
    return PriceQuery("ec2-cpu-credits", region, "surplus_credit_vcpu_hour", (("family", family), ("os", system)))
