"""Which rows of AWS's offer files are the figures of instances, volumes, snapshots and what their networks are billed.

Sources: those of `pricing/listed.py`, and the selectors of Infracost and Karpenter for instances and volumes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from finops_operator.pricing.listed import (
    GB_MONTHLY,
    HOURLY,
    IOPS_MONTHLY,
    PER_GB,
    THROUGHPUT,
    Rule,
    having,
    mapped,
    part,
    per,
    spelled,
    usage_type,
)

_EC2: Final = "AmazonEC2"
_SYSTEMS: Final = {
    "RunInstances": "linux",
    "RunInstances:0002": "windows",
    "RunInstances:0010": "rhel",
    "RunInstances:000g": "suse",
}
"""Operation of an instance without further licences → our word for its system."""


def _instances() -> Iterator[Rule]:
    yield Rule(
        _EC2,
        *("ec2", "instance_hour", "hour", HOURLY),
        having(
            productfamily=("Compute Instance", "Compute Instance (bare metal)"),
            tenancy="Shared",
            capacitystatus="Used",
            preinstalledsw="NA",
            marketoption=("OnDemand", ""),
        ),
        usage_type(r"BoxUsage(?::.+)?"),
        (("os", mapped("operation", _SYSTEMS)), ("instance_type", spelled("instancetype"))),
    )
    yield Rule(
        _EC2,
        *("ec2-cpu-credits", "surplus_credit_vcpu_hour", "vcpu-hour", per(frozenset({"vcpu-hours", "vcpu-hour"}))),
        having(productfamily="CPU Credits"),
        usage_type(r"CPUCredits:(?P<family>t\w+)"),
        (("family", part("family")), ("os", mapped("operatingsystem", {"Linux": "linux", "Windows": "windows"}))),
    )


def _volumes() -> Iterator[Rule]:
    of = ("volume_type", spelled("volumeapiname"))
    storage, system = having(productfamily="Storage"), having(productfamily="System Operation")
    yield Rule(
        _EC2, "ebs", "gb_month", "gb-month", GB_MONTHLY, storage, usage_type(r"EBS:VolumeUsage(?:\.(?:\w+))?"), (of,)
    )
    yield Rule(
        *(_EC2, "ebs", "iops_month", "iops-month", IOPS_MONTHLY, system),
        *(usage_type(r"EBS:VolumeP-IOPS\.(?:piops|io2|gp3)"), (of,)),
    )
    for tier in ("tier2", "tier3"):
        yield Rule(
            *(_EC2, "ebs", f"iops_month_{tier}", "iops-month", IOPS_MONTHLY, system),
            *(usage_type(rf"EBS:VolumeP-IOPS\.io2\.{tier}"), (of,)),
        )
    yield Rule(
        *(_EC2, "ebs", "throughput_mibps_month", "mibps-month", THROUGHPUT),
        *(having(productfamily="Provisioned Throughput"), usage_type(r"EBS:VolumeP-Throughput\.gp3"), (of,)),
    )


def _snapshots() -> Iterator[Rule]:
    snapshots = having(productfamily="Storage Snapshot")
    for dimension, usage in (
        ("snapshot_gb_month", r"EBS:SnapshotUsage"),
        ("snapshot_archive_gb_month", r"EBS:SnapshotArchiveStorage"),
    ):
        yield Rule(_EC2, "ebs", dimension, "gb-month", GB_MONTHLY, snapshots, usage_type(usage))


def _gateways() -> Iterator[Rule]:
    # One for a whole region (`RegionalNatGateway`) has the same usage types and prices of its own.
    gateway = having(productfamily="NAT Gateway", operation="NatGateway")
    yield Rule(_EC2, "nat-gateway", "hour", "hour", HOURLY, gateway, usage_type("NatGateway-Hours"))
    yield Rule(_EC2, "nat-gateway", "data_processed", "gb", PER_GB, gateway, usage_type("NatGateway-Bytes"))


def _addresses() -> Iterator[Rule]:
    for dimension, usage in (("public_ipv4_hour", "InUseAddress"), ("idle_public_ipv4_hour", "IdleAddress")):
        yield Rule("AmazonVPC", "vpc", dimension, "hour", HOURLY, (), usage_type(f"PublicIPv4:{usage}"))


def _endpoints() -> Iterator[Rule]:
    yield Rule(
        *("AmazonVPC", "vpc-endpoint", "interface_az_hour", "hour", HOURLY),
        *(having(productfamily="VpcEndpoint"), usage_type("VpcEndpoint-Hours")),
    )


INSTANCES: Final = tuple(_instances())
VOLUMES: Final = tuple(_volumes())
SNAPSHOTS: Final = tuple(_snapshots())
GATEWAYS: Final = tuple(_gateways())
ADDRESSES: Final = tuple(_addresses())
ENDPOINTS: Final = tuple(_endpoints())
