"""Which operating system and licence an instance is billed for.

The billed product is named by `UsageOperation` (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/billing-info-fields.html),
else by `PlatformDetails`, else by `Platform`. Products whose price our tables do not hold are unknown with a reason,
never the nearest known one.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

_BY_OPERATION: Final = MappingProxyType(
    {
        "RunInstances": "linux",
        "RunInstances:0002": "windows",
        "RunInstances:0010": "rhel",
        "RunInstances:1010": "rhel-ha",
        "RunInstances:000g": "suse",
        "RunInstances:0g00": "ubuntu-pro",
    }
)
_LICENCES: Final = MappingProxyType(
    {
        "RunInstances:0800": "Windows with a licence of your own",
        "RunInstances:0004": "Linux with SQL Server Standard",
        "RunInstances:0100": "Linux with SQL Server Enterprise",
        "RunInstances:0200": "Linux with SQL Server Web",
        "RunInstances:0006": "Windows with SQL Server Standard",
        "RunInstances:0102": "Windows with SQL Server Enterprise",
        "RunInstances:0202": "Windows with SQL Server Web",
        "RunInstances:0014": "Red Hat Enterprise Linux with SQL Server Standard",
        "RunInstances:0110": "Red Hat Enterprise Linux with SQL Server Enterprise",
        "RunInstances:0210": "Red Hat Enterprise Linux with SQL Server Web",
        "RunInstances:1014": "Red Hat Enterprise Linux High Availability with SQL Server Standard",
        "RunInstances:1110": "Red Hat Enterprise Linux High Availability with SQL Server Enterprise",
        "RunInstances:00g0": "Red Hat Enterprise Linux with a licence of your own",
    }
)
"""Operations whose product is not in the tables, in words."""

_BY_PLATFORM_DETAILS: Final = MappingProxyType(
    {
        "linux/unix": "linux",
        "windows": "windows",
        "red hat enterprise linux": "rhel",
        "red hat enterprise linux with ha": "rhel-ha",
        "red hat enterprise linux with high availability": "rhel-ha",
        "suse linux": "suse",
        "ubuntu pro": "ubuntu-pro",
        "ubuntu pro linux": "ubuntu-pro",
    }
)


@dataclass(frozen=True, slots=True)
class BilledSystem:
    """Either `os`, a key of the price tables, or `reason_unknown` in words."""

    os: str = ""
    reason_unknown: str = ""


def billed_system(operation: str, details: str, platform: str | None) -> BilledSystem:
    """Return the operating system an `ec2-instance` is billed for, or why it is not known.

    Args:
        operation: `UsageOperation`, empty where AWS did not give it.
        details: `PlatformDetails`, empty where AWS did not give them.
        platform: `Platform`, empty for all but Windows; None when nothing was read.
    """
    if operation:
        if operation in _BY_OPERATION:
            return BilledSystem(_BY_OPERATION[operation])
        licence = _LICENCES.get(operation, f"usage operation {operation}")
        return BilledSystem(reason_unknown=f"no price for {licence}")
    if details:
        known = _BY_PLATFORM_DETAILS.get(details.casefold())
        return BilledSystem(known) if known else BilledSystem(reason_unknown=f"no price for platform {details}")
    if platform is None:
        return BilledSystem(reason_unknown="the operating system is not known")
    if platform.casefold() in ("", "windows"):
        return BilledSystem(platform.casefold() or "linux")
    return BilledSystem(reason_unknown=f"no price for platform {platform.casefold()}")
