"""Database instances: DescribeDBInstances, connections and load, hours and storage.

Loaded by the registry; walked by the discover and measure stages. RDS's listing names the members of Aurora clusters
too, whose storage is the cluster's, those of Multi-AZ clusters, of which AWS bills all with the cluster, and those of
DocumentDB and Neptune, which are recognized by their engine: they are listed, but neither priced nor measured here.
A stopped instance publishes nothing, and no data is never zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_time, tags_of
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import (
    BilledPart,
    Listing,
    MetricSpec,
    Product,
    ProductOption,
    ResourceKind,
    Sample,
    States,
)
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import owned_by
from finops_operator.services.rds.rules.clusters import MULTI_AZ, service_of
from finops_operator.services.rds.rules.engines import (
    IO_OPTIMIZED,
    MULTI,
    OTHER_SERVICES,
    SERVERLESS,
    SINGLE,
    PricedEngine,
    is_aurora,
    priced_engine,
)
from finops_operator.services.rds.rules.extended_support import MEMORY, SupportReading, support_part
from finops_operator.services.rds.rules.lifecycles import OPERATION as _LIFECYCLES
from finops_operator.services.rds.rules.lifecycles import QUESTION
from finops_operator.services.rds.rules.listed import LISTED
from finops_operator.services.rds.rules.serverless import OFFERS, capacity_hours, capacity_metric, is_serverless
from finops_operator.services.rds.rules.signs import SIGNS
from finops_operator.services.rds.rules.states import NOT_BILLED, STOPPED, STORAGE_ONLY, WORKING
from finops_operator.services.rds.rules.storage import BACKUP_OFFERS, Storage

_PAGE: Final = 100
_GONE: Final = frozenset({"deleting"})
_OPERATION: Final = "rds:DescribeDBInstances"
_OUTPOSTS: Final = "outposts"
_BY_USE: Final = "serverless capacity is billed by use"
ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What is known of one database instance; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        db_cluster_id: cluster that the instance is a member of, empty for none.
        read_replicas: instances and clusters that replicate from it.
        replicates_from: what it is a replica of, empty for none.
        storage_throughput: MiB/s.
        additional_volumes: storage volumes beside the first.
        backup_target: `region` or `outposts`.
        performance_insights: whether RDS publishes how many sessions ran at once.
        standard_support_ends: ISO day of its version, asked where it is enrolled in extended support.
        extended_support: `billed` or `not yet` by the day of the scan.
        automatic_restart: ISO time at which AWS starts it again; empty unless it is stopped.
        billed_by_use: what AWS bills beside its hours and storage, by use or elsewhere, and what its cost leaves out.
    """

    engine: str | None = None
    engine_version: str | None = None
    db_instance_class: str | None = None
    license_model: str | None = None
    availability_zone: str | None = None
    multi_az: bool | None = None
    db_cluster_id: str | None = None
    read_replicas: tuple[str, ...] | None = None
    replicates_from: str | None = None
    allocated_storage_gb: int | None = None
    storage_type: str | None = None
    storage_iops: int | None = None
    storage_throughput: int | None = None
    additional_volumes: int | None = None
    dedicated_log_volume: bool | None = None
    backup_target: str | None = None
    backup_retention_days: int | None = None
    publicly_accessible: bool | None = None
    deletion_protection: bool | None = None
    engine_lifecycle_support: str | None = None
    performance_insights: bool | None = None
    standard_support_ends: str | None = None
    extended_support: str | None = None
    automatic_restart: str | None = None
    billed_by_use: tuple[str, ...] | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield instances page by page; a page that cannot be read ends the listing with a Gap."""
    support = SupportReading(reader)
    try:
        for page in reader.pages(_OPERATION, {"MaxRecords": _PAGE}):
            for instance in page.get("DBInstances", ()):
                if instance.get("DBInstanceStatus") not in _GONE:
                    yield _resource(instance, support, reader, partition)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from support.failed


def _resource(instance: Mapping[str, Any], support: SupportReading, reader: PageReader, partition: str) -> Resource:
    identity = str(instance["DBInstanceIdentifier"])
    return Resource(
        kind="rds-instance",
        id=identity,
        arn=str(instance.get("DBInstanceArn") or _arn(identity, reader, partition)),
        name=identity,
        account=reader.account,
        region=reader.region,
        state=str(instance.get("DBInstanceStatus", "")),
        tags=tags_of({"Tags": instance.get("TagList")}),
        created=parse_time(instance.get("InstanceCreateTime")),
        attributes=attributes_of(_with_uses(_facts(instance, support))),
    )


def _arn(identity: str, reader: PageReader, partition: str) -> str:
    return f"arn:{partition}:rds:{reader.region}:{reader.account}:db:{identity}"


def _facts(instance: Mapping[str, Any], support: SupportReading) -> DatabaseFacts:
    engine, version, lifecycle = (instance.get(key) for key in ("Engine", "EngineVersion", "EngineLifecycleSupport"))
    return DatabaseFacts(
        engine=engine,
        engine_version=version,
        db_instance_class=instance.get("DBInstanceClass"),
        license_model=instance.get("LicenseModel"),
        availability_zone=instance.get("AvailabilityZone"),
        multi_az=instance.get("MultiAZ"),
        db_cluster_id=instance.get("DBClusterIdentifier") or "",
        read_replicas=(
            *(instance.get("ReadReplicaDBInstanceIdentifiers") or ()),
            *(instance.get("ReadReplicaDBClusterIdentifiers") or ()),
        ),
        replicates_from=str(
            instance.get("ReadReplicaSourceDBInstanceIdentifier")
            or instance.get("ReadReplicaSourceDBClusterIdentifier")
            or ""
        ),
        allocated_storage_gb=instance.get("AllocatedStorage"),
        storage_type=instance.get("StorageType"),
        storage_iops=instance.get("Iops"),
        storage_throughput=instance.get("StorageThroughput"),
        additional_volumes=len(instance.get("AdditionalStorageVolumes") or ()),
        dedicated_log_volume=instance.get("DedicatedLogVolume"),
        backup_target=instance.get("BackupTarget"),
        backup_retention_days=instance.get("BackupRetentionPeriod"),
        publicly_accessible=instance.get("PubliclyAccessible"),
        deletion_protection=instance.get("DeletionProtection"),
        performance_insights=instance.get("PerformanceInsightsEnabled"),
        engine_lifecycle_support=lifecycle,
        # Of a member it is billed with its cluster, and asked there.
        standard_support_ends=None if instance.get("DBClusterIdentifier") else support.ends(engine, version, lifecycle),
        automatic_restart=instance.get("AutomaticRestartTime") or "",
    )


def _with_uses(facts: DatabaseFacts) -> DatabaseFacts:
    uses = ["backup_gb_month"]
    if is_aurora(facts.engine):
        uses.append("cluster_storage")
        if facts.storage_type != IO_OPTIMIZED:
            uses.append("cluster_io_request")
    elif _with_its_cluster(facts):
        uses += ["cluster_instance_hour", "cluster_storage"]
    if facts.publicly_accessible and _with_its_cluster(facts):
        uses.append("public_ipv4_hour")
    elif facts.publicly_accessible and facts.multi_az and not is_aurora(facts.engine):
        uses.append("standby_public_ipv4_hour")
    return replace(facts, billed_by_use=tuple(uses))


def database_facts(resource: Resource) -> DatabaseFacts:
    """Return the facts of an `rds-instance`."""
    return facts_of(DatabaseFacts, resource)


# -- what is billed ----------------------------------------------------------------------------------------------------


def billed_parts(instance: Resource) -> tuple[BilledPart, ...]:
    """Return the hours of its class and its storage; a stopped instance is billed its storage alone.

    A member of a Multi-AZ cluster has no cost of its own: AWS bills the cluster, and `rds-cluster` has the cost.
    Extended support of an old version is a part without a price; of a member it is a part of the cluster. A publicly
    accessible one has one public address while it works; whether one that is stopped keeps it, and whether a standby
    has one too, is not published. Backups beyond the free part are named by `billed_by_use` and not in the cost.
    https://aws.amazon.com/rds/pricing/, of addresses https://aws.amazon.com/vpc/pricing/
    """
    if instance.state in NOT_BILLED:
        return ()
    if instance.state not in WORKING | STORAGE_ONLY:
        return (_unknown("instance_hour", f"what AWS bills in the state {instance.state or 'that it did not give'}"),)
    facts = database_facts(instance)
    if _with_its_cluster(facts):
        return ()
    hours: tuple[BilledPart, ...] = ()
    if instance.state in WORKING:
        support = () if facts.db_cluster_id else support_part(instance)
        hours = (instance_hours(instance.region, facts), *support)
    # Whether a stopped one keeps its address AWS does not say; `billed_by_use` names it.
    address = _address(instance.region, facts) if instance.state in WORKING else ()
    return (*hours, *_storage_parts(instance.region, facts), *address)


def _address(region: str, facts: DatabaseFacts) -> tuple[BilledPart, ...]:
    if facts.publicly_accessible is None:
        return (_unknown("public_ipv4_hour", "whether it has a public address"),)
    query = PriceQuery("vpc", region, "public_ipv4_hour")
    return (BilledPart("public_ipv4_hour", ONE, query),) if facts.publicly_accessible else ()


def _with_its_cluster(facts: DatabaseFacts) -> bool:
    """Return whether AWS bills all of an instance with its cluster: the Multi-AZ clusters of RDS's own engines."""
    return bool(facts.db_cluster_id) and service_of(facts.engine) == MULTI_AZ


def _unknown(dimension: str, what: str) -> BilledPart:
    return BilledPart(dimension, Decimal(0), None, f"{what} is not known")


def instance_hours(region: str, facts: DatabaseFacts) -> BilledPart:
    """Return the hours of an instance with these facts, as if it were running."""
    if facts.db_instance_class is None:
        return _unknown("instance_hour", "its class")
    if facts.backup_target == _OUTPOSTS:
        return BilledPart("instance_hour", ONE, None, "no price for Outposts")
    if is_serverless(facts.db_instance_class, facts.engine):
        return capacity_hours(region, facts.engine or "", facts.storage_type or "")
    priced = _priced(facts)
    if priced.reason_unknown:
        return BilledPart("instance_hour", ONE, None, priced.reason_unknown)
    query = hour_query(region, facts.db_instance_class, priced.engine, priced.deployment)
    return BilledPart("instance_hour", ONE, query)


def _priced(facts: DatabaseFacts) -> PricedEngine:
    """Return engine and deployment of the tables, or why they hold no price of this instance."""
    priced = priced_engine(facts.engine or "", facts.license_model or "", facts.storage_type or "")
    if priced.reason_unknown:
        return priced
    if facts.db_instance_class == SERVERLESS:
        return PricedEngine(reason_unknown=_BY_USE)
    if is_aurora(facts.engine):
        # A member of an Aurora cluster is one instance in one zone; its cluster spans several.
        return replace(priced, deployment=SINGLE)
    if _with_its_cluster(facts):
        return PricedEngine(reason_unknown="its hours are billed with its cluster")
    if facts.multi_az is None:
        return PricedEngine(reason_unknown="whether it stands in several zones is not known")
    return replace(priced, deployment=MULTI if facts.multi_az else SINGLE)


def fixed_hour_query(region: str, facts: DatabaseFacts) -> PriceQuery | str:
    """Return what to ask the price tables about an hour of an instance with these facts, or why no hour has a price.

    What a serverless instance costs by the hour is what it used, never the price of one unit.
    """
    hours = instance_hours(region, facts)
    if hours.metric:
        return _BY_USE
    return hours.reason_unknown if hours.query is None else hours.query


def hour_query(region: str, instance_class: str, engine: str, deployment: str) -> PriceQuery:
    """Return what to ask the price tables about an hour of a class."""
    product = (("class", instance_class), ("engine", engine), ("deployment", deployment))
    return PriceQuery("rds", region, "instance_hour", product)


def _storage_parts(region: str, facts: DatabaseFacts) -> Iterator[BilledPart]:
    """Yield what is billed of the storage; that of a cluster is the cluster's, except where we cannot know."""
    if is_aurora(facts.engine) or facts.engine in OTHER_SERVICES:
        return
    if facts.multi_az is None:
        yield _unknown("gb_month", "whether its storage is held twice")
        return
    deployment = MULTI if facts.multi_az else SINGLE
    yield from Storage(
        region=region,
        engine=facts.engine or "",
        deployment=deployment,
        volume_type=facts.storage_type or "",
        size_gb=facts.allocated_storage_gb,
        iops=facts.storage_iops,
        throughput=facts.storage_throughput,
    ).parts()
    if facts.additional_volumes:
        yield _unknown("additional_gb_month", "the price of its additional storage volumes")
    if facts.dedicated_log_volume:
        yield _unknown("log_volume_month", "the price of its dedicated log volume")


# -- what else is declared ---------------------------------------------------------------------------------------------


def _publishes(resource: Resource) -> bool:
    """A stopped instance publishes nothing; members of other services publish in namespaces of their own."""
    return resource.state in WORKING and resource.text("engine") not in OTHER_SERVICES


def _publishes_load(resource: Resource) -> bool:
    return _publishes(resource) and resource.attributes.get("performance_insights") is True


def _price_queries(region: str, instance_class: str, options: Mapping[str, str]) -> tuple[PriceQuery, ...]:
    return (hour_query(region, instance_class, options["--engine"], options["--deployment"]),)


def _level(name: str, metric: str, unit: str, *, lowest: bool = False) -> MetricSpec:
    """Return a level; `lowest`: what is free must be free at every moment, which no mean says."""
    statistics = ("Average", "Maximum", *(("Minimum",) if lowest else ()))
    return MetricSpec(name, "AWS/RDS", metric, "DBInstanceIdentifier", statistics, unit, applies=_publishes)


KIND: Final = ResourceKind(
    id="rds-instance",
    title="RDS instance",
    service="rds",
    id_pattern=r"[A-Za-z][A-Za-z0-9-]{0,62}",
    arn_pattern="arn:*:rds:*:*:db:*",
    limits={
        "allocated_storage_gb": Limit(65_536, "GiB", "Amazon RDS user guide, “Amazon RDS DB instance storage”"),
        "storage_iops": Limit(256_000, "IOPS", "Amazon RDS user guide, “Amazon RDS DB instance storage”"),
        "storage_throughput": Limit(4_000, "MiB/s", "Amazon RDS user guide, “Amazon RDS DB instance storage”"),
        "backup_retention_days": Limit(35, "days", "Amazon RDS user guide, “Backup retention period”"),
    },
    facts=DatabaseFacts,
    listing=Listing(
        permissions=(_OPERATION, _LIFECYCLES, "cloudwatch:GetMetricData"), collect=_collect, questions=(QUESTION,)
    ),
    billed_as=BilledAs("Amazon Relational Database Service", "Databases", "Relational Databases", "availability_zone"),
    states=States(
        running=WORKING, stopped=frozenset({STOPPED, "stopping"}), billed=WORKING | STORAGE_ONLY, free=NOT_BILLED
    ),
    metrics=(
        _level("databaseConnections", "DatabaseConnections", "connections"),
        _level("cpuPercent", "CPUUtilization", "percent"),
        _level("freeableMemory", "FreeableMemory", "bytes free", lowest=True),
        _level("freeStorageSpace", "FreeStorageSpace", "bytes free", lowest=True),
        _level("readIops", "ReadIOPS", "operations a second"),
        _level("writeIops", "WriteIOPS", "operations a second"),
        _level("readThroughput", "ReadThroughput", "bytes a second"),
        _level("writeThroughput", "WriteThroughput", "bytes a second"),
        # Source: Amazon RDS user guide, "Amazon CloudWatch metrics for Amazon RDS Performance Insights".
        capacity_metric(_publishes),
        replace(_level("dbLoadCpu", "DBLoadCPU", "sessions on the CPU at once"), applies=_publishes_load),
    ),
    billed_parts=billed_parts,
    memory=MEMORY,
    offers={**OFFERS, **BACKUP_OFFERS},
    console_url=console_page("rds/home?region={region}#database:id={id};is-cluster=false"),
    sample=Sample("database-1", "arn:aws:rds:us-east-1:111111111111:db:database-1"),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("db_instance_class"),
    products=(
        Product(
            option="--db-instance-class",
            metavar="CLASS",
            description="Such as db.m5.large.",
            queries=_price_queries,
            sample="db.m5.large",
            options=(
                ProductOption(
                    "--engine", "NAME", "mysql", "mysql, postgres, mariadb, aurora-mysql, oracle-se2-byol, …"
                ),
                ProductOption("--deployment", "NAME", SINGLE, f"{SINGLE} or {MULTI}"),
            ),
        ),
    ),
    listed=LISTED,
)
