"""Database clusters: Aurora, Multi-AZ clusters, DocumentDB and Neptune, which RDS's own listing names together.

Loaded by the registry; walked by the discover and measure stages. The hours of Aurora's, DocumentDB's and Neptune's
members are those of the members; the cluster has the storage. A Multi-AZ cluster is priced with its three instances
together, so that its members cost nothing of their own. A stopped cluster publishes nothing,
and its storage is billed as the newest day of the last 30 has it.
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
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, Members, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.rds.rules.clusters import (
    AURORA,
    BILLED,
    METRICS,
    MULTI_AZ,
    NOT_BILLED,
    READS,
    SERVERLESS_MODE,
    STORED,
    WORKING,
    WRITES,
    service_of,
)
from finops_operator.services.rds.rules.engines import IO_OPTIMIZED, READABLE, priced_engine
from finops_operator.services.rds.rules.extended_support import MEMORY, SupportReading, support_part
from finops_operator.services.rds.rules.lifecycles import OPERATION as _LIFECYCLES
from finops_operator.services.rds.rules.lifecycles import QUESTION
from finops_operator.services.rds.rules.members import OPERATION as _MEMBERS
from finops_operator.services.rds.rules.members import MemberReading
from finops_operator.services.rds.rules.signs import SIGNS
from finops_operator.services.rds.rules.states import STOPPED

_PAGE: Final = 100
_OPERATION: Final = "rds:DescribeDBClusters"
_GONE: Final = "deleting"
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What is known of one cluster; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        cluster_service: `Amazon Aurora`, `RDS Multi-AZ cluster`, `Amazon DocumentDB` or `Amazon Neptune`; empty for an
            engine that we do not know.
        engine_mode: `serverless` for Aurora Serverless v1, `provisioned` for all others, serverless v2 among them.
        db_cluster_instance_class: of a Multi-AZ cluster.
        members: its instances; `readers`: how many of them do not write; `member_classes`: in the order of the members.
        minimum_capacity, maximum_capacity: Aurora capacity units of its serverless v2 instances.
        pause_after_seconds: of no connection, after which serverless v2 instances pause.
        global_cluster: the global database that it is part of, empty for none.
        replicates_from: what it is a replica of, empty for none.
        standard_support_ends: ISO day of its version, asked where it is enrolled in extended support.
        extended_support: `billed` or `not yet` by the day of the scan.
        automatic_restart: ISO time at which AWS starts it again; empty unless it is stopped.
        not_in_cost: what AWS bills of it by use and its cost leaves out.
    """

    cluster_service: str | None = None
    engine: str | None = None
    engine_version: str | None = None
    engine_mode: str | None = None
    engine_lifecycle_support: str | None = None
    standard_support_ends: str | None = None
    extended_support: str | None = None
    storage_type: str | None = None
    db_cluster_instance_class: str | None = None
    allocated_storage_gb: int | None = None
    storage_iops: int | None = None
    members: tuple[str, ...] | None = None
    member_classes: tuple[str, ...] | None = None
    readers: int | None = None
    minimum_capacity: Decimal | None = None
    maximum_capacity: Decimal | None = None
    pause_after_seconds: int | None = None
    global_cluster: str | None = None
    replicates_from: str | None = None
    read_replicas: tuple[str, ...] | None = None
    backup_retention_days: int | None = None
    deletion_protection: bool | None = None
    automatic_restart: str | None = None
    not_in_cost: tuple[str, ...] | None = None


# -- listing -----------------------------------------------------------------------------------------------------------


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield clusters page by page; a page that cannot be read ends the listing with a Gap."""
    beside = _Beside(MemberReading(reader), SupportReading(reader))
    try:
        for page in reader.pages(_OPERATION, {"MaxRecords": _PAGE}):
            for cluster in page.get("DBClusters", ()):
                if cluster.get("Status") != _GONE:
                    yield _resource(cluster, beside, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from beside.members.gaps()
    yield from beside.support.failed


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is read beside the description of a cluster."""

    members: MemberReading
    support: SupportReading


def _resource(cluster: Mapping[str, Any], beside: _Beside, reader: PageReader, partition: str) -> Resource:
    identity = str(cluster["DBClusterIdentifier"])
    arn = f"arn:{partition}:rds:{reader.region}:{reader.account}:cluster:{identity}"
    return Resource(
        kind="rds-cluster",
        id=identity,
        arn=str(cluster.get("DBClusterArn") or arn),
        name=identity,
        account=reader.account,
        region=reader.region,
        state=str(cluster.get("Status") or ""),
        tags=tags_of({"Tags": cluster.get("TagList")}),
        created=parse_time(cluster.get("ClusterCreateTime")),
        attributes=attributes_of(_facts(cluster, beside)),
    )


def _facts(cluster: Mapping[str, Any], beside: _Beside) -> ClusterFacts:
    described = cluster.get("DBClusterMembers")
    members = None if described is None else tuple(str(one["DBInstanceIdentifier"]) for one in described)
    engine, version, lifecycle = (cluster.get(key) for key in ("Engine", "EngineVersion", "EngineLifecycleSupport"))
    scaling = cluster.get("ServerlessV2ScalingConfiguration") or {}
    return ClusterFacts(
        cluster_service=service_of(engine),
        engine=engine,
        engine_version=version,
        engine_mode=cluster.get("EngineMode"),
        engine_lifecycle_support=lifecycle,
        standard_support_ends=beside.support.ends(engine, version, lifecycle),
        storage_type=cluster.get("StorageType"),
        db_cluster_instance_class=cluster.get("DBClusterInstanceClass"),
        allocated_storage_gb=cluster.get("AllocatedStorage"),
        storage_iops=cluster.get("Iops"),
        members=members,
        member_classes=None if members is None else beside.members.classes(members),
        readers=None if described is None else sum(not one.get("IsClusterWriter") for one in described),
        minimum_capacity=_decimal(scaling.get("MinCapacity")),
        maximum_capacity=_decimal(scaling.get("MaxCapacity")),
        pause_after_seconds=scaling.get("SecondsUntilAutoPause"),
        global_cluster=str(cluster.get("GlobalClusterIdentifier") or ""),
        replicates_from=str(cluster.get("ReplicationSourceIdentifier") or ""),
        read_replicas=tuple(cluster.get("ReadReplicaIdentifiers") or ()),
        backup_retention_days=cluster.get("BackupRetentionPeriod"),
        deletion_protection=cluster.get("DeletionProtection"),
        automatic_restart=cluster.get("AutomaticRestartTime") or "",
        not_in_cost=_not_in_cost(cluster),
    )


def _decimal(number: object) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def _not_in_cost(cluster: Mapping[str, Any]) -> tuple[str, ...]:
    uses = ["backup_gb_month"]
    if cluster.get("GlobalClusterIdentifier"):
        uses.append("replicated_io_request")
    return tuple(uses)


def cluster_facts(resource: Resource) -> ClusterFacts:
    """Return the facts of an `rds-cluster`."""
    return facts_of(ClusterFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(cluster: Resource) -> tuple[BilledPart, ...]:
    """Return what is billed for the cluster itself: Aurora's storage as it is, and its requests by use.

    Extended support of the version is billed by the vCPUs of its members and is a part of the cluster, without a price.
    Backups beyond the free part are named by the fact `not_in_cost` and are not in the cost.
    https://aws.amazon.com/rds/aurora/pricing/ and https://aws.amazon.com/rds/pricing/
    """
    if cluster.state in NOT_BILLED:
        return ()
    if cluster.state not in BILLED:
        state = cluster.state or "that it did not give"
        return (_unknown("storage_gb_month", f"what AWS bills in the state {state} is not known"),)
    facts = cluster_facts(cluster)
    working = cluster.state in WORKING
    service = service_of(facts.engine)
    # Without a member there is no vCPU that could be billed.
    support = tuple(support_part(cluster)) if working and facts.members != () else ()
    if service == MULTI_AZ:
        hours = (_readable_hours(cluster.region, facts),) if working else ()
        return (*hours, *support, _unknown("storage_gb_month", "the tables do not price storage of Multi-AZ clusters"))
    if service != AURORA:
        return (_unknown("storage_gb_month", f"no price for {service or 'its engine'}"),)
    return (*_aurora_parts(cluster.region, facts, working=working), *support)


def _readable_hours(region: str, facts: ClusterFacts) -> BilledPart:
    if facts.db_cluster_instance_class is None:
        return _unknown("instance_hour", "its class is not known")
    engine = priced_engine(facts.engine or "", "", "").engine
    product = (("class", facts.db_cluster_instance_class), ("engine", engine), ("deployment", READABLE))
    return BilledPart("instance_hour", _ONE, PriceQuery("rds", region, "instance_hour", product))


def _aurora_parts(region: str, facts: ClusterFacts, *, working: bool) -> Iterator[BilledPart]:
    if facts.storage_type is None:
        yield _unknown("storage_gb_month", "whether its storage is optimized for requests is not known")
        return
    optimized = facts.storage_type == IO_OPTIMIZED
    stored = "ioopt_storage_gb_month" if optimized else "storage_gb_month"
    yield BilledPart("storage_gb_month", 1 / GIB, _volume_query(region, stored), metric=STORED)
    if not working:
        return
    if not optimized:
        request = _volume_query(region, "io_request")
        yield BilledPart("io_request", _ONE, request, metric=READS)
        yield BilledPart("io_request", _ONE, request, metric=WRITES)
    if facts.engine_mode == SERVERLESS_MODE:
        yield _unknown("capacity_unit_hour", "no price for serverless capacity")


def _volume_query(region: str, dimension: str) -> PriceQuery:
    return PriceQuery("rds", region, dimension, (("volume_type", "aurora"), ("deployment", "any")))


def _unknown(dimension: str, reason: str) -> BilledPart:
    return BilledPart(dimension, Decimal(0), None, reason)


# -- what else is declared ---------------------------------------------------------------------------------------------


KIND: Final = ResourceKind(
    id="rds-cluster",
    title="RDS cluster",
    service="rds",
    id_pattern=r"[A-Za-z][A-Za-z0-9-]{0,62}",
    arn_pattern="arn:*:rds:*:*:cluster:*",
    limits={
        "allocated_storage_gb": Limit(
            262_144, "GiB", "Amazon Aurora user guide, “Quotas and constraints for Amazon Aurora”"
        ),
        "storage_iops": Limit(256_000, "IOPS", "Amazon RDS user guide, “Amazon RDS DB instance storage”"),
        "minimum_capacity": Limit(256, "ACU", "Amazon Aurora user guide, “Aurora Serverless v2 capacity”"),
        "maximum_capacity": Limit(256, "ACU", "Amazon Aurora user guide, “Aurora Serverless v2 capacity”"),
    },
    facts=ClusterFacts,
    listing=Listing(
        permissions=(_OPERATION, _MEMBERS, _LIFECYCLES, "cloudwatch:GetMetricData"),
        collect=_collect,
        questions=(QUESTION,),
    ),
    billed_as=BilledAs("Amazon Relational Database Service", "Databases", "Relational Databases"),
    states=States(running=WORKING, stopped=frozenset({STOPPED, "stopping"}), billed=BILLED, free=NOT_BILLED),
    metrics=METRICS,
    billed_parts=billed_parts,
    memory=MEMORY,
    console_url=console_page("rds/home?region={region}#database:id={id};is-cluster=true"),
    sample=Sample("cluster-1", "arn:aws:rds:us-east-1:111111111111:cluster:cluster-1"),
    owner=owned_by(SIGNS),
    members=Members("rds-instance", lambda resource: cluster_facts(resource).members, billed_itself=True),
    type_of=lambda resource: resource.text("cluster_service"),
)
