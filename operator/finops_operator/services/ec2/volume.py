"""EBS volumes: DescribeVolumes, operations and idle time.

Loaded by the registry; walked by the discover and measure stages. CloudWatch hears of a volume only while it is
attached to a running instance, so no data is never zero (Compute Optimizer, requirements for EBS). When a volume was
detached AWS does not tell: the discover stage keeps our own first sight of it as `unattached_since`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.kind import MetricSpec, ResourceKind
from finops_operator.services.ec2.rules.volume_bill import billed_parts

_PAGE: Final = 1000
_GONE: Final = frozenset({"deleting", "deleted"})
_OPERATION: Final = "ec2:DescribeVolumes"


def _collect(reader: PageReader, partition: str = "aws") -> Iterator[Resource | Gap]:
    """Yield volumes page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for volume in page.get("Volumes", ()):
                if volume.get("State") not in _GONE:
                    yield _resource(volume, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(volume: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity = str(volume["VolumeId"])
    tags = tags_of(volume)
    return Resource(
        kind="ebs-volume",
        id=identity,
        arn=f"arn:{partition}:ec2:{reader.region}:{reader.account}:volume/{identity}",
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(volume.get("State", "")),
        tags=tags,
        created=parse_time(volume.get("CreateTime")),
        attributes=_attributes(volume),
    )


def _attributes(volume: Mapping[str, Any]) -> dict[str, Json]:
    operator = volume.get("Operator") or {}
    attachments = [
        {
            "instance_id": str(one.get("InstanceId") or ""),
            "device": str(one.get("Device") or ""),
            "state": str(one.get("State") or ""),
        }
        for one in volume.get("Attachments") or ()
    ]
    values: dict[str, Json] = {
        "volume_type": volume.get("VolumeType"),
        "size_gb": volume.get("Size"),
        "iops": volume.get("Iops"),
        "throughput": volume.get("Throughput"),
        "encrypted": volume.get("Encrypted"),
        "kms_key_id": volume.get("KmsKeyId"),
        "availability_zone": volume.get("AvailabilityZone"),
        "snapshot_id": volume.get("SnapshotId") or "",
        "multi_attach": volume.get("MultiAttachEnabled"),
        "attachments": attachments,
        "attached_instance_id": attachments[0]["instance_id"] if attachments else "",
        "attached_device": attachments[0]["device"] if attachments else "",
        "operator_managed": operator.get("Managed"),
        "operator_principal": operator.get("Principal") or "",
    }
    return {name: value for name, value in values.items() if value is not None}


def _asked(resource: Resource) -> bool:
    """A detached volume publishes nothing, and that silence is what proves how long it has been detached."""
    return resource.state in {"in-use", "available"}


def _attached(resource: Resource) -> bool:
    return resource.state == "in-use"


def _console_url(resource: Resource) -> str:
    return (
        f"https://{resource.region}.console.aws.amazon.com/ec2/home?region={resource.region}"
        f"#VolumeDetails:volumeId={resource.id}"
    )


def _ebs(name: str, metric: str, unit: str, applies: Callable[[Resource], bool]) -> MetricSpec:
    return MetricSpec(name, "AWS/EBS", metric, "VolumeId", ("Sum",), unit, applies=applies)


KIND: Final = ResourceKind(
    id="ebs-volume",
    title="EBS volume",
    service="ec2",
    id_pattern=r"vol-[0-9a-f]{8,17}",
    permissions=("ec2:DescribeVolumes", "ec2:DescribeRegions", "cloudwatch:GetMetricData"),
    collect=_collect,
    metrics=(
        _ebs("volumeReadOps", "VolumeReadOps", "count", _asked),
        _ebs("volumeWriteOps", "VolumeWriteOps", "count", _asked),
        _ebs("volumeIdleSeconds", "VolumeIdleTime", "seconds", _attached),
    ),
    billed_parts=billed_parts,
    console_url=_console_url,
)
