"""Manual snapshots of database instances and clusters: AWS keeps and bills them until somebody deletes them.

Loaded by the registry. Automated snapshots end with their retention and those of AWS Backup with its plan, so neither
is listed. AWS does not say how many bytes of a snapshot it bills: it counts only what changed, over all backups of a
region, beyond as much as the databases' storage. So the cost of a single one is unknown, and the size that AWS gives is
an upper bound. Whether the database still exists is read from the listings of instances and clusters; names are used
again, so that the resource id decides where AWS gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NONE_SOLD
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.rds.rules.signs import SIGNS
from finops_operator.services.rds.rules.sources import OPERATIONS, SourceReading

AVAILABLE: Final = "available"
OF_INSTANCE: Final = "instance"
OF_CLUSTER: Final = "cluster"
_INSTANCES: Final = "rds:DescribeDBSnapshots"
_CLUSTERS: Final = "rds:DescribeDBClusterSnapshots"
_MANUAL: Final[dict[str, Any]] = {"SnapshotType": "manual", "MaxRecords": 100}
_OF_BACKUP: Final = "awsbackup:"
"""Begins the names of AWS Backup's recovery points, whatever type a listing gives them; a person's have no colon."""
_GIB: Final = 2**30
_REGION: Final = 3
_ACCOUNT: Final = 4
"""Places in an ARN."""


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What is known of one snapshot; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        snapshot_of: `instance` or `cluster`.
        source: identifier of the database at the time of the snapshot.
        source_exists: whether that very database is still there; of a copy from elsewhere nobody here knows.
        size_gb: of the whole data where AWS gives it, else the storage that was allocated; AWS bills no more than that.
        copied_from_elsewhere: whether it is a copy of a snapshot in another account or region.
    """

    snapshot_of: str | None = None
    source: str | None = None
    source_exists: bool | None = None
    engine: str | None = None
    engine_version: str | None = None
    size_gb: int | None = None
    encrypted: bool | None = None
    copied_from_elsewhere: bool | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the snapshots of both listings; a page that cannot be read ends its listing with a Gap."""
    sources = SourceReading(reader)
    seen = False
    try:
        for page in reader.pages(_INSTANCES, _MANUAL):
            seen = True
            for one in _made_by_hand(page.get("DBSnapshots", ()), "DBSnapshotIdentifier"):
                yield _of_instance(one, sources, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
        if not seen:
            # A list of cluster snapshots alone would take the others for gone; nothing at all keeps what was known.
            return
    try:
        for page in reader.pages(_CLUSTERS, _MANUAL):
            for one in _made_by_hand(page.get("DBClusterSnapshots", ()), "DBClusterSnapshotIdentifier"):
                yield _of_cluster(one, sources, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from sources.gaps()


def _made_by_hand(listed: Iterable[Mapping[str, Any]], name: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in listed if not str(one[name]).startswith(_OF_BACKUP))


def _of_instance(described: Mapping[str, Any], sources: SourceReading, reader: PageReader, partition: str) -> Resource:
    source = str(described.get("DBInstanceIdentifier") or "")
    elsewhere = _elsewhere(described.get("SourceDBSnapshotIdentifier"), reader)
    exists = None if elsewhere else sources.instance_exists(source, str(described.get("DbiResourceId") or ""))
    facts = SnapshotFacts(
        snapshot_of=OF_INSTANCE,
        source=source,
        source_exists=exists,
        size_gb=_size(described),
        encrypted=described.get("Encrypted"),
        copied_from_elsewhere=elsewhere,
        engine=described.get("Engine"),
        engine_version=described.get("EngineVersion"),
    )
    name = str(described["DBSnapshotIdentifier"])
    arn = str(described.get("DBSnapshotArn") or _arn(f"snapshot:{name}", reader, partition))
    return _resource(name, arn, described, facts, reader)


def _of_cluster(described: Mapping[str, Any], sources: SourceReading, reader: PageReader, partition: str) -> Resource:
    source = str(described.get("DBClusterIdentifier") or "")
    elsewhere = _elsewhere(described.get("SourceDBClusterSnapshotArn"), reader)
    exists = None if elsewhere else sources.cluster_exists(source, str(described.get("DbClusterResourceId") or ""))
    size = described.get("AllocatedStorage")
    facts = SnapshotFacts(
        snapshot_of=OF_CLUSTER,
        source=source,
        source_exists=exists,
        # Storage that grows with the data is given as 1 or not at all.
        size_gb=None if size in (0, 1) else size,
        encrypted=described.get("StorageEncrypted"),
        copied_from_elsewhere=elsewhere,
        engine=described.get("Engine"),
        engine_version=described.get("EngineVersion"),
    )
    name = str(described["DBClusterSnapshotIdentifier"])
    arn = str(described.get("DBClusterSnapshotArn") or _arn(f"cluster-snapshot:{name}", reader, partition))
    return _resource(name, arn, described, facts, reader)


def _elsewhere(original: object, reader: PageReader) -> bool:
    """Return whether the original of a copy is another account's or region's; a bare name is of this one."""
    parts = str(original or "").split(":")
    return len(parts) > _ACCOUNT and (parts[_REGION], parts[_ACCOUNT]) != (reader.region, reader.account)


def _size(described: Mapping[str, Any]) -> int | None:
    whole = described.get("FullSnapshotSizeInBytes")
    return -(-int(whole) // _GIB) if whole else described.get("AllocatedStorage")


def _arn(end: str, reader: PageReader, partition: str) -> str:
    return f"arn:{partition}:rds:{reader.region}:{reader.account}:{end}"


def _resource(name: str, arn: str, described: Mapping[str, Any], facts: SnapshotFacts, reader: PageReader) -> Resource:
    kind = "cluster-snapshot" if facts.snapshot_of == OF_CLUSTER else "snapshot"
    return Resource(
        kind="rds-snapshot",
        # The two listings may hold the same name, so that the id says which it is of, as the ARN does.
        id=f"{kind}:{name}",
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(described.get("Status") or ""),
        tags=tags_of({"Tags": described.get("TagList")}),
        created=parse_time(described.get("OriginalSnapshotCreateTime") or described.get("SnapshotCreateTime")),
        attributes=attributes_of(facts),
    )


# -- what else is declared ---------------------------------------------------------------------------------------------


def billed_parts(snapshot: Resource) -> tuple[BilledPart, ...]:
    """Return the backup storage, of which AWS does not say how much a single snapshot is billed.

    https://aws.amazon.com/rds/pricing/, "Backup storage"
    """
    del snapshot
    reason = "AWS bills what changed, over all backups of the region, and does not say how much that is"
    return (BilledPart("backup_gb_month", Decimal(0), None, reason),)


KIND: Final = ResourceKind(
    id="rds-snapshot",
    title="RDS snapshot",
    service="rds",
    id_pattern=r"(?:cluster-)?snapshot:[A-Za-z][A-Za-z0-9-]{0,254}",
    arn_pattern="arn:*:rds:*:*:*snapshot:*",
    limits={
        "size_gb": Limit(262_144, "GiB", "Amazon Aurora user guide, “Quotas and constraints for Amazon Aurora”"),
    },
    facts=SnapshotFacts,
    listing=Listing(permissions=(_INSTANCES, _CLUSTERS, *OPERATIONS), collect=_collect),
    billed_as=BilledAs("Amazon Relational Database Service", "Databases", "Relational Databases"),
    states=States(running=frozenset({AVAILABLE}), billed=frozenset({AVAILABLE, "copying", "creating"})),
    billed_parts=billed_parts,
    left_out=("exported_gb",),
    console_url=console_page("rds/home?region={region}#db-snapshot:id={id}"),
    sample=Sample("snapshot:my-snapshot", "arn:aws:rds:us-east-1:111111111111:snapshot:my-snapshot"),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("engine"),
    commitments=NONE_SOLD,
)
