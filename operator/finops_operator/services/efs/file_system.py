"""File systems: DescribeFileSystems, bytes by storage class, connections, and the lifecycle that moves files.

Loaded by the registry; walked by the discover and measure stages. AWS gives the bytes of each storage class and bills
them; the tables hold the price of the regional Standard class alone, so that data in One Zone, Infrequent Access and
Archive has no price. Reads and writes of elastic throughput are billed by use and have no price here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.quantity import GIB
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.unknown_state import billed_as_unknown
from finops_operator.services.efs.rules.signs import SIGNS

_OPERATION: Final = "efs:DescribeFileSystems"
_LIFECYCLE: Final = "efs:DescribeLifecycleConfiguration"
_CALLS: Final = {
    "elasticfilesystem:DescribeFileSystems": _OPERATION,
    "elasticfilesystem:DescribeLifecycleConfiguration": _LIFECYCLE,
}
_PAGE: Final = 100
_GONE: Final = frozenset({"deleting", "deleted"})
_FREE: Final = _GONE | {"creating"}
"""Billed is what is stored, and nothing is yet."""
AVAILABLE: Final = "available"
_WORKING: Final = frozenset({AVAILABLE, "updating"})
PROVISIONED: Final = "provisioned"
_ELASTIC: Final = "elastic"
CONNECTIONS: Final = "clientConnections"
METERED: Final = "meteredBytes"


@dataclass(frozen=True, slots=True)
class FileSystemFacts:
    """What is known of one file system; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        standard_bytes, infrequent_bytes, archive_bytes: by storage class.
        one_zone: whether it stands in a single zone, at prices of its own.
        moves_to_infrequent, moves_to_archive: after how long without access (`AFTER_30_DAYS`), empty for never; None
            where the lifecycle could not be read.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    standard_bytes: int | None = None
    infrequent_bytes: int | None = None
    archive_bytes: int | None = None
    one_zone: bool | None = None
    mount_targets: int | None = None
    throughput_mode: str | None = None
    provisioned_mibps: Decimal | None = None
    performance_mode: str | None = None
    moves_to_infrequent: str | None = None
    moves_to_archive: str | None = None
    replication_overwrite_protection: str | None = None
    not_in_cost: tuple[str, ...] | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield file systems page by page; a page that cannot be read ends the listing with a Gap."""
    failed: list[Gap] = []
    try:
        for page in reader.pages(_OPERATION, {"MaxItems": _PAGE}):
            for one in page.get("FileSystems", ()):
                if one.get("LifeCycleState") not in _GONE:
                    yield _resource(one, _lifecycle(str(one["FileSystemId"]), reader, failed), reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from failed


def _lifecycle(identity: str, reader: PageReader, failed: list[Gap]) -> dict[str, str] | None:
    """Return the lifecycle of one file system; after one refusal no other is asked for."""
    if failed:
        return None
    try:
        policies = reader.once(_LIFECYCLE, {"FileSystemId": identity}).get("LifecyclePolicies", ())
    except AwsError as error:
        failed.append(gap_of(error, reader))
        return None
    return {str(name): str(value) for policy in policies for name, value in policy.items()}


def _resource(
    described: Mapping[str, Any], lifecycle: Mapping[str, str] | None, reader: PageReader, partition: str
) -> Resource:
    identity = str(described["FileSystemId"])
    made = f"arn:{partition}:elasticfilesystem:{reader.region}:{reader.account}:file-system/{identity}"
    created = described.get("CreationTime")
    return Resource(
        kind="efs-file-system",
        id=identity,
        arn=str(described.get("FileSystemArn") or made),
        name=str(described.get("Name") or ""),
        account=reader.account,
        region=reader.region,
        state=str(described.get("LifeCycleState") or ""),
        tags=tags_of(described),
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(_facts(described, lifecycle)),
    )


def _facts(described: Mapping[str, Any], lifecycle: Mapping[str, str] | None) -> FileSystemFacts:
    size = described.get("SizeInBytes") or {}
    infrequent, archive = size.get("ValueInIA") or 0, size.get("ValueInArchive") or 0
    standard = size.get("ValueInStandard")
    if standard is None and size.get("Value") is not None:
        standard = size["Value"] - infrequent - archive
    mode, throughput = described.get("ThroughputMode"), described.get("ProvisionedThroughputInMibps")
    uses = ("infrequent_access_gb", "backup_gb_month")
    return FileSystemFacts(
        standard_bytes=standard,
        infrequent_bytes=infrequent if size else None,
        archive_bytes=archive if size else None,
        one_zone=bool(described.get("AvailabilityZoneName")),
        mount_targets=described.get("NumberOfMountTargets"),
        throughput_mode=mode,
        provisioned_mibps=None if throughput is None else Decimal(str(throughput)),
        performance_mode=described.get("PerformanceMode"),
        moves_to_infrequent=None if lifecycle is None else lifecycle.get("TransitionToIA", ""),
        moves_to_archive=None if lifecycle is None else lifecycle.get("TransitionToArchive", ""),
        replication_overwrite_protection=(described.get("FileSystemProtection") or {}).get(
            "ReplicationOverwriteProtection"
        ),
        not_in_cost=uses,
    )


def file_system_facts(resource: Resource) -> FileSystemFacts:
    """Return the facts of an `efs-file-system`."""
    return facts_of(FileSystemFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(file_system: Resource) -> tuple[BilledPart, ...]:
    """Return the bytes it stores by class, and throughput beyond them: provisioned, or elastic by use.

    https://aws.amazon.com/efs/pricing/
    """
    if file_system.state in _FREE:
        return ()
    if file_system.state not in _WORKING:
        return billed_as_unknown("standard_gb_month", file_system.state)
    facts = file_system_facts(file_system)
    parts = [_standard(file_system.region, facts)]
    for stored, dimension, name in (
        (facts.infrequent_bytes, "infrequent_gb_month", "Infrequent Access"),
        (facts.archive_bytes, "archive_gb_month", "Archive"),
    ):
        if stored:
            parts.append(BilledPart(dimension, stored / GIB, None, f"no price for data in {name}"))
    if facts.throughput_mode == PROVISIONED:
        reason = "no price for throughput beyond what the data includes"
        parts.append(BilledPart("throughput_mibps_month", Decimal(0), None, reason))
    elif facts.throughput_mode == _ELASTIC:
        parts.append(BilledPart("elastic_gb", 1 / GIB, None, "no price for elastic throughput", metric=METERED))
    return tuple(parts)


def _standard(region: str, facts: FileSystemFacts) -> BilledPart:
    if facts.standard_bytes is None:
        return BilledPart("standard_gb_month", Decimal(0), None, "how much it stores is not known")
    quantity = facts.standard_bytes / GIB
    if facts.one_zone and quantity:
        return BilledPart("standard_gb_month", quantity, None, "no price for One Zone storage")
    return BilledPart("standard_gb_month", quantity, PriceQuery("efs", region, "standard"))


# -- what else is declared ---------------------------------------------------------------------------------------------


def _works(file_system: Resource) -> bool:
    return file_system.state in _WORKING


def _counter(name: str, metric: str, unit: str) -> MetricSpec:
    """Return a counter by days; AWS publishes it only while a client is connected."""
    return MetricSpec(
        name,
        "AWS/EFS",
        metric,
        "FileSystemId",
        ("Sum",),
        unit,
        missing_means_zero=True,
        hourly=False,
        daily=True,
        applies=_works,
    )


KIND: Final = ResourceKind(
    id="efs-file-system",
    title="EFS file system",
    service="elasticfilesystem",
    id_pattern=r"fs-[0-9a-f]{8,40}",
    arn_pattern="arn:*:elasticfilesystem:*:*:file-system/*",
    facts=FileSystemFacts,
    listing=Listing(
        permissions=(*_CALLS, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={"elasticfilesystem:DescribeLifecycleConfiguration": lambda known: {"FileSystemId": known}},
        calls=_CALLS,
    ),
    billed_as=BilledAs("Amazon Elastic File System", "Storage", "File Storage"),
    states=States(running=_WORKING, billed=_WORKING, free=_FREE),
    metrics=(
        _counter(CONNECTIONS, "ClientConnections", "count"),
        _counter(METERED, "MeteredIOBytes", "bytes"),
    ),
    billed_parts=billed_parts,
    console_url=console_page("efs/home?region={region}#/file-systems/{id}"),
    sample=Sample(
        "fs-0123456789abcdef0",
        "arn:aws:elasticfilesystem:us-east-1:111111111111:file-system/fs-0123456789abcdef0",
    ),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("throughput_mode"),
    commitments=NONE_SOLD,
)
