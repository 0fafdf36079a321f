"""Whether a NAT gateway carried anything lately, read anew right before it is deleted.

Called by the deletion's `observe`. A gateway reports every minute, zeros included, as long as it is available; so hours
without data prove nothing. Source: VPC user guide, "NAT gateway metrics and dimensions".
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from finops.ports.aws_steps import Reader
from finops_operator.plugins.recent_use import Measured, recent_use

_MEASURED: Final = (
    ("ActiveConnectionCount", "Maximum"),
    ("PacketsInFromSource", "Sum"),
    ("PacketsInFromDestination", "Sum"),
)


def use_of(reader: Reader, gateway: str, now: datetime | None) -> str:
    """Return whether it had a connection or a packet within the last week: `none`, `some` or `unknown`."""
    of_gateway = (("NatGatewayId", gateway),)
    return recent_use(reader, [Measured("AWS/NATGateway", name, of_gateway, stat) for name, stat in _MEASURED], now)
