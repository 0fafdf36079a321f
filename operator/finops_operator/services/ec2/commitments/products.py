"""One name for the platform that is billed: EC2 writes it in three ways, Savings Plans in a fourth.

Sources: EC2 API reference, DescribeReservedInstances and DescribeCapacityReservations; EC2 user guide, "AMI billing
information fields"; Savings Plans API reference, SavingsPlanRateProperty.
"""

from __future__ import annotations

from typing import Final

from finops_operator.services.ec2.rules.operating_system import billed_system

_SAME: Final = {
    "linux": "linux/unix",
    "rhel": "red hat enterprise linux",
    "rhel with ha": "red hat enterprise linux with ha",
    "red hat enterprise linux with high availability": "red hat enterprise linux with ha",
    "rhel with sql server standard": "red hat enterprise linux with sql server standard",
    "rhel with sql server enterprise": "red hat enterprise linux with sql server enterprise",
    "rhel with sql server web": "red hat enterprise linux with sql server web",
    "sql server standard": "linux with sql server standard",
    "sql server enterprise": "linux with sql server enterprise",
    "sql server web": "linux with sql server web",
    "ubuntu pro linux": "ubuntu pro",
}


def product_of(text: str) -> str:
    """Return the one name of a platform: `Linux/UNIX (Amazon VPC)` and `Linux/UNIX` are `linux/unix`."""
    plain = text.removesuffix(" (Amazon VPC)").strip().casefold()
    return _SAME.get(plain, plain)


def system_of(product: str) -> str:
    """Return the operating system by which the price tables know a product; empty where they do not."""
    return billed_system("", product, None).os
