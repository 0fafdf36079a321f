"""EC2 instances: DescribeInstances, CPU, network, credits, EBS operations, and memory where the CloudWatch agent runs.

Loaded by the registry; walked by the discover and measure stages. Terminated instances stay listed for about an hour
and cost nothing, so they are left out. Metric names: EC2 user guide, "CloudWatch metrics for your instances".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.kind import MetricSpec, ResourceKind
from finops_operator.services.ec2.rules.instance_bill import billed_parts

_PAGE: Final = 1000
_GONE: Final = frozenset({"terminated", "shutting-down"})
_OPERATION: Final = "ec2:DescribeInstances"
_BURSTABLE: Final = ("t2.", "t3.", "t3a.", "t4g.")


def _collect(reader: PageReader, partition: str = "aws") -> Iterator[Resource | Gap]:
    """Yield instances page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for reservation in page.get("Reservations", ()):
                owner = str(reservation.get("OwnerId") or reader.account)
                for instance in reservation.get("Instances", ()):
                    if instance.get("State", {}).get("Name") not in _GONE:
                        yield _resource(instance, reader, partition, owner)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(instance: Mapping[str, Any], reader: PageReader, partition: str, owner: str) -> Resource:
    identity = str(instance["InstanceId"])
    tags = tags_of(instance)
    return Resource(
        kind="ec2-instance",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{owner}:instance/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(instance.get("State", {}).get("Name", "")),
        tags=tags,
        created=parse_time(instance.get("LaunchTime")),
        attributes=_attributes(instance, tags),
    )


def _attributes(instance: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Json]:
    placement = instance.get("Placement") or {}
    operator = instance.get("Operator") or {}
    interfaces = instance.get("NetworkInterfaces")
    addresses = _addresses(instance)
    values: dict[str, Json] = {
        "instance_type": instance.get("InstanceType"),
        "usage_operation": instance.get("UsageOperation"),
        "platform_details": instance.get("PlatformDetails"),
        "platform": str(instance.get("Platform") or "").lower(),
        "tenancy": placement.get("Tenancy"),
        "lifecycle": instance.get("InstanceLifecycle") or "",
        "availability_zone": placement.get("AvailabilityZone"),
        "placement_group": placement.get("GroupName") or "",
        "architecture": instance.get("Architecture"),
        "virtualization_type": instance.get("VirtualizationType"),
        "hypervisor": instance.get("Hypervisor"),
        "root_device_type": instance.get("RootDeviceType"),
        "root_device_name": instance.get("RootDeviceName"),
        "image_id": instance.get("ImageId"),
        "boot_mode": instance.get("CurrentInstanceBootMode") or instance.get("BootMode"),
        "state_transition_reason": instance.get("StateTransitionReason"),
        "auto_scaling_group": tags.get("aws:autoscaling:groupName", ""),
        "capacity_reservation": _reservation(instance),
        "ena_support": instance.get("EnaSupport"),
        "ebs_optimized": instance.get("EbsOptimized"),
        "hibernation_configured": (instance.get("HibernationOptions") or {}).get("Configured"),
        "operator_managed": operator.get("Managed"),
        "operator_principal": operator.get("Principal") or "",
        "network_interface_count": None if interfaces is None else len(interfaces),
        "volume_ids": [
            block["Ebs"]["VolumeId"]
            for block in instance.get("BlockDeviceMappings") or ()
            if (block.get("Ebs") or {}).get("VolumeId")
        ],
        "public_ipv4": list(addresses),
        "elastic": list(addresses.values()),
    }
    return {name: value for name, value in values.items() if value is not None}


def _reservation(instance: Mapping[str, Any]) -> str:
    target = (instance.get("CapacityReservationSpecification") or {}).get("CapacityReservationTarget") or {}
    return str(instance.get("CapacityReservationId") or target.get("CapacityReservationId") or "")


def _addresses(instance: Mapping[str, Any]) -> dict[str, bool]:
    """Return public IPv4 address → whether it is an Elastic IP, which goes on costing while the instance is stopped.

    AWS owns auto-assigned addresses (`IpOwnerId` is `amazon`), the account owns its Elastic IPs. Where the interfaces
    are not told, the address counts as Elastic: that can only make a saving smaller than it is.
    """
    found: dict[str, bool] = {}
    for interface in instance.get("NetworkInterfaces") or ():
        associations = [
            interface.get("Association"),
            *(one.get("Association") for one in interface.get("PrivateIpAddresses") or ()),
        ]
        for association in associations:
            if association and association.get("PublicIp"):
                found[str(association["PublicIp"])] = association.get("IpOwnerId") != "amazon"
    address = instance.get("PublicIpAddress")
    if address:
        found.setdefault(str(address), True)
    return found


def _runs(resource: Resource) -> bool:
    """A stopped instance publishes nothing; asking would be billed and answer nothing."""
    return resource.state == "running"


def _bursts(resource: Resource) -> bool:
    return _runs(resource) and resource.text("instance_type").startswith(_BURSTABLE)


def _console_url(resource: Resource) -> str:
    return (
        f"https://{resource.region}.console.aws.amazon.com/ec2/home?region={resource.region}"
        f"#InstanceDetails:instanceId={resource.id}"
    )


def _level(name: str, metric: str, unit: str, *, fine: bool = False) -> MetricSpec:
    return MetricSpec(name, "AWS/EC2", metric, "InstanceId", ("Average", "Maximum"), unit, fine=fine, applies=_runs)


def _amount(name: str, metric: str, unit: str, *, hourly: bool) -> MetricSpec:
    return MetricSpec(name, "AWS/EC2", metric, "InstanceId", ("Sum",), unit, hourly=hourly, fine=True, applies=_runs)


KIND: Final = ResourceKind(
    id="ec2-instance",
    title="EC2 instance",
    service="ec2",
    id_pattern=r"i-[0-9a-f]{8,17}",
    permissions=(
        "ec2:DescribeInstances",
        "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeRegions",
        "cloudwatch:GetMetricData",
        "cloudwatch:ListMetrics",
    ),
    collect=_collect,
    metrics=(
        _level("cpuPercent", "CPUUtilization", "percent", fine=True),
        _amount("networkInBytes", "NetworkIn", "bytes", hourly=True),
        _amount("networkOutBytes", "NetworkOut", "bytes", hourly=True),
        # Only right-sizing asks for these, so only its candidates are billed for them.
        _amount("ebsReadOps", "EBSReadOps", "count", hourly=False),
        _amount("ebsWriteOps", "EBSWriteOps", "count", hourly=False),
        _amount("ebsReadBytes", "EBSReadBytes", "bytes", hourly=False),
        _amount("ebsWriteBytes", "EBSWriteBytes", "bytes", hourly=False),
        MetricSpec(
            "cpuCreditBalance",
            "AWS/EC2",
            "CPUCreditBalance",
            "InstanceId",
            ("Average", "Maximum"),
            "credits",
            applies=_bursts,
        ),
        MetricSpec(
            "memoryPercent",
            "CWAgent",
            "mem_used_percent",
            "InstanceId",
            ("Average", "Maximum"),
            "percent",
            discovered=True,
            applies=_runs,
        ),
    ),
    billed_parts=billed_parts,
    console_url=_console_url,
)
