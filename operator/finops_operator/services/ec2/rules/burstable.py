"""Which instance types earn credits for their processor; used by the kind, its checks and the watch after a resize.

Source: Amazon EC2 user guide, "Burstable performance instances"; pricing page of EC2, "T2/T3/T4g Unlimited mode
pricing", one price for all regions.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

_FAMILIES: Final = ("t2.", "t3.", "t3a.", "t4g.")
_GRAVITON_PRICE: Final = Decimal("0.04")
_LINUX_PRICE: Final = Decimal("0.05")
_WINDOWS_PRICE: Final = Decimal("0.096")


def is_burstable(instance_type: str) -> bool:
    """Return whether a type earns credits for its processor."""
    return instance_type.startswith(_FAMILIES)


def surplus_price(instance_type: str, *, windows: bool) -> Decimal:
    """Return what a vCPU-hour beyond the credits of a burstable type costs in unlimited mode, in US dollars."""
    if windows:
        return _WINDOWS_PRICE
    return _GRAVITON_PRICE if instance_type.startswith("t4g.") else _LINUX_PRICE
