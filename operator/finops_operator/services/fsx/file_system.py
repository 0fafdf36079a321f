"""FSx file systems: DescribeFileSystems, operations by the day, throughput and free storage.

Loaded by the registry; walked by the discover and measure stages. AWS bills the storage and the throughput that were
ordered, used or not; the bundled tables hold no price of FSx, so that the cost is unknown. The metrics have gaps during
maintenance, so that a missing point is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, moment_of, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.ownership import Sign, owned_by

_OPERATION: Final = "fsx:DescribeFileSystems"
_PAGE: Final = 100
_GONE: Final = "DELETING"
AVAILABLE: Final = "available"
_WORKING: Final = frozenset({AVAILABLE, "updating", "misconfigured"})
_FREE: Final = frozenset({"creating", "failed"})
WINDOWS: Final = "WINDOWS"
LUSTRE: Final = "LUSTRE"
ONTAP: Final = "ONTAP"
OPENZFS: Final = "OPENZFS"
_CONFIGURATIONS: Final = {
    WINDOWS: "WindowsConfiguration",
    LUSTRE: "LustreConfiguration",
    ONTAP: "OntapConfiguration",
    OPENZFS: "OpenZFSConfiguration",
}
READ: Final = "readOperations"
WRITTEN: Final = "writeOperations"
THROUGHPUT: Final = "networkThroughputPercent"
FREE_STORAGE: Final = "freeStorageBytes"
_SIGNS: Final = (
    Sign(("fsx.csi.aws.com/",), "a Kubernetes cluster", "Change or delete the PersistentVolume or the StorageClass."),
)


@dataclass(frozen=True, slots=True)
class FsxFacts:
    """What is known of one file system; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        file_system_type: `WINDOWS`, `LUSTRE`, `ONTAP` or `OPENZFS`.
        throughput_mbps: megabytes a second that were ordered; None for Lustre, where it follows from the storage.
        deployment: one zone or several, in AWS's word (`MULTI_AZ_1`).
        changing: whether AWS is still carrying out a change.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    file_system_type: str | None = None
    storage_type: str | None = None
    storage_gib: int | None = None
    throughput_mbps: int | None = None
    deployment: str | None = None
    backup_days: int | None = None
    changing: bool | None = None
    not_in_cost: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield file systems page by page; a page that cannot be read ends the listing with a Gap."""
    try:
        for page in reader.pages(_OPERATION, {"MaxResults": _PAGE}):
            for one in page.get("FileSystems", ()):
                if one.get("Lifecycle") != _GONE:
                    yield _resource(one, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(described: Mapping[str, Any], reader: PageReader, partition: str) -> Resource:
    identity, tags = str(described["FileSystemId"]), tags_of(described)
    made = f"arn:{partition}:fsx:{reader.region}:{reader.account}:file-system/{identity}"
    return Resource(
        kind="fsx-file-system",
        id=identity,
        arn=str(described.get("ResourceARN") or made),
        name=tags.get("Name", ""),
        account=reader.account,
        region=reader.region,
        state=str(described.get("Lifecycle") or "").lower(),
        tags=tags,
        created=moment_of(described.get("CreationTime")),
        attributes=attributes_of(_facts(described)),
    )


def _facts(described: Mapping[str, Any]) -> FsxFacts:
    name = str(described.get("FileSystemType") or "")
    configuration = described.get(_CONFIGURATIONS.get(name, "")) or {}
    actions = described.get("AdministrativeActions") or ()
    return FsxFacts(
        file_system_type=name or None,
        storage_type=described.get("StorageType"),
        storage_gib=described.get("StorageCapacity"),
        throughput_mbps=None if name == LUSTRE else configuration.get("ThroughputCapacity"),
        deployment=configuration.get("DeploymentType"),
        backup_days=configuration.get("AutomaticBackupRetentionDays"),
        changing=any(one.get("Status") in ("PENDING", "IN_PROGRESS", "OPTIMIZING") for one in actions),
        not_in_cost=("backup_gb_month", "data_transfer"),
    )


def billed_parts(file_system: Resource) -> tuple[BilledPart, ...]:
    """Return the storage and the throughput that were ordered, without a price. https://aws.amazon.com/fsx/ ."""
    if file_system.state in _FREE:
        return ()
    facts = facts_of(FsxFacts, file_system)
    storage = BilledPart("storage_gb_month", Decimal(facts.storage_gib or 0), None, "no price for FSx storage")
    if facts.throughput_mbps is None:
        return (storage,)
    reason = "no price for FSx throughput"
    return (storage, BilledPart("throughput_mbps_month", Decimal(facts.throughput_mbps), None, reason))


def _works(file_system: Resource) -> bool:
    return file_system.state in _WORKING


def _has_throughput(file_system: Resource) -> bool:
    return _works(file_system) and file_system.text("file_system_type") in (WINDOWS, ONTAP, OPENZFS)


def _of_windows(file_system: Resource) -> bool:
    return _works(file_system) and file_system.text("file_system_type") == WINDOWS


def _counter(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name, "AWS/FSx", metric, "FileSystemId", ("Sum",), "count", hourly=False, daily=True, applies=_works
    )


KIND: Final = ResourceKind(
    id="fsx-file-system",
    title="FSx file system",
    service="fsx",
    id_pattern=r"fs-[0-9a-f]{8,40}",
    arn_pattern="arn:*:fsx:*:*:file-system/*",
    facts=FsxFacts,
    listing=Listing(permissions=(_OPERATION, "cloudwatch:GetMetricData"), collect=_collect),
    billed_as=BilledAs("Amazon FSx", "Storage", "File Storage"),
    states=States(running=_WORKING, billed=_WORKING, free=_FREE),
    metrics=(
        _counter(READ, "DataReadOperations"),
        _counter(WRITTEN, "DataWriteOperations"),
        MetricSpec(
            THROUGHPUT,
            "AWS/FSx",
            "NetworkThroughputUtilization",
            "FileSystemId",
            ("Average", "Maximum"),
            "percent",
            applies=_has_throughput,
        ),
        MetricSpec(
            FREE_STORAGE,
            "AWS/FSx",
            "FreeStorageCapacity",
            "FileSystemId",
            ("Average", "Maximum"),
            "bytes free",
            applies=_of_windows,
        ),
    ),
    billed_parts=billed_parts,
    console_url=console_page("fsx/home?region={region}#file-system-details/{id}"),
    sample=Sample("fs-0123456789abcdef0", "arn:aws:fsx:us-east-1:111111111111:file-system/fs-0123456789abcdef0"),
    owner=owned_by(_SIGNS),
    type_of=lambda resource: resource.text("file_system_type"),
    commitments=NONE_SOLD,
)
