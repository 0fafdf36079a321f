"""Planted databases: RDS, Aurora and its snapshots, DynamoDB, ElastiCache, OpenSearch, Redshift.

Rules: Compute Optimizer, "Viewing idle resource recommendations" (fourteen days without a connection); Trusted Advisor,
"Cost optimization" (RDS without connections, Redshift below 5 % of CPU); RDS user guide, "Extended Support", "Stopping
a DB instance" (AWS starts it again after seven days); DynamoDB developer guide, "Cost optimization".
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from finops_sandbox.planted.site import Site, ago, pairs

_GIB: Final = 2**30
_BUSY: Final[dict[str, Any]] = {
    "DatabaseConnections": 40,
    "CPUUtilization": (1.0, "steady"),
    "FreeableMemory": 0.4 * _GIB,
    "FreeStorageSpace": 20 * _GIB,
    "ReadIOPS": 300,
    "WriteIOPS": 200,
    "ReadThroughput": 4e6,
    "WriteThroughput": 3e6,
}
_QUIET: Final[dict[str, Any]] = {**_BUSY, "DatabaseConnections": 0, "CPUUtilization": 2, "ReadIOPS": 0, "WriteIOPS": 1}


def database(site: Site, name: str, /, days: int = 400, tags: dict[str, str] | None = None, **facts: Any) -> str:
    """List a database instance of PostgreSQL on Graviton with gp3, as RDS does, and return its name."""
    item = {
        "DBInstanceIdentifier": name,
        "DbiResourceId": f"db-{name.upper().replace('-', '')}",
        "DBInstanceArn": site.arn("rds", f"db:{name}"),
        "DBInstanceClass": "db.m6g.large",
        "Engine": "postgres",
        "EngineVersion": "16.4",
        "EngineLifecycleSupport": "open-source-rds-extended-support",
        "LicenseModel": "postgresql-license",
        "DBInstanceStatus": "available",
        "AllocatedStorage": 100,
        "StorageType": "gp3",
        "Iops": 3000,
        "StorageThroughput": 125,
        "MultiAZ": False,
        "AvailabilityZone": f"{site.region}a",
        "InstanceCreateTime": ago(days),
        "BackupRetentionPeriod": 7,
        "ReadReplicaDBInstanceIdentifiers": [],
        "PubliclyAccessible": False,
        "TagList": pairs(tags or {}),
    }
    site.listed("rds:DescribeDBInstances", {**item, **facts}, by={"DBInstanceIdentifier": "DBInstanceIdentifier"})
    return name


def measured(site: Site, name: str, values: dict[str, Any], days: int = 400) -> str:
    """Give a database its metrics."""
    site.measured("AWS/RDS", {"DBInstanceIdentifier": name}, days, **values)
    return name


def healthy_database(site: Site, name: str) -> str:
    """Add a database that works."""
    return measured(site, database(site, name), _BUSY)


def instances(site: Site) -> None:
    """RDS instances."""
    idle = measured(site, database(site, "rds-idle"), _QUIET)
    # 0.159 USD an hour for db.m6g.large with PostgreSQL, for the seven days after which AWS starts it again.
    site.wasted(idle, "no connection in fourteen days, CPU at 2 %", rds_instance_idle="26.71")
    one = measured(site, database(site, "rds-one-visit"), {**_QUIET, "DatabaseConnections": "seldom"})
    site.kept(one, "somebody connected once a week")
    young = measured(site, database(site, "rds-young", days=5), _QUIET, days=5)
    site.kept(young, "five days old")
    source = database(site, "rds-source", ReadReplicaDBInstanceIdentifiers=["rds-replica"])
    site.kept(measured(site, source, _QUIET), "feeds a replica")
    replica = database(site, "rds-replica", ReadReplicaSourceDBInstanceIdentifier=source)
    site.kept(measured(site, replica, _QUIET), "a replica stands by")
    cron = measured(site, database(site, "rds-scheduled-events"), {**_QUIET, "CPUUtilization": 30})
    site.kept(cron, "works without a connection: scheduled events")
    unread = {name: value for name, value in _QUIET.items() if name != "DatabaseConnections"}
    site.kept(measured(site, database(site, "rds-no-connections-metric"), unread), "connections are not known")
    kept = database(site, "rds-stack", tags={"finops.dev/ignore": "true"})
    measured(site, kept, _QUIET)
    stopped = database(site, "rds-stopped", DBInstanceStatus="stopped", AutomaticRestartTime=ago(-3))
    site.wasted(stopped, "stopped for four days; AWS starts it in three", rds_instance_stopped=None)
    night = database(site, "rds-stopped-tonight", DBInstanceStatus="stopped", AutomaticRestartTime=ago(-6.9))
    site.kept(night, "stopped a few hours ago")


def sizes(site: Site) -> None:
    """RDS instances that are too large, old, or in too many zones."""
    over = database(site, "rds-oversized", DBInstanceClass="db.m6g.2xlarge")
    calm = {**_BUSY, "CPUUtilization": 8, "FreeableMemory": 27 * _GIB, "DatabaseConnections": 30}
    # db.m6g.2xlarge 0.636 to db.m6g.xlarge 0.318, one step at a time.
    site.wasted(measured(site, over, calm), "8 % of CPU, 27 of 32 GiB free", rds_instance_overprovisioned="232.14")
    full = database(site, "rds-memory-full", DBInstanceClass="db.m6g.2xlarge")
    site.kept(measured(site, full, {**calm, "FreeableMemory": 4 * _GIB}), "CPU is low, but memory is used")
    peak = database(site, "rds-nightly", DBInstanceClass="db.m6g.2xlarge")
    site.kept(measured(site, peak, {**calm, "CPUUtilization": "nightly_peak"}), "three hours a night need it")
    old = database(site, "rds-m4", DBInstanceClass="db.m4.large", Engine="mysql", EngineVersion="8.4.3")
    site.wasted(
        measured(site, old, _BUSY),
        "m4 is a previous generation; m5 costs 0.171 instead of 0.175, Graviton m6g 0.152",
        rds_instance_previous_generation="2.92",
    )
    x86 = database(site, "rds-x86", DBInstanceClass="db.m5.large", Engine="mysql", EngineVersion="8.4.3")
    site.wasted(measured(site, x86, _BUSY), "x86 where Graviton costs less", rds_instance_graviton="13.87")
    licensed = database(site, "rds-oracle", DBInstanceClass="db.m5.large", Engine="oracle-se2", EngineVersion="19")
    site.kept(measured(site, licensed, _BUSY), "Oracle does not run on Graviton")
    twice = database(site, "rds-dev-two-zones", MultiAZ=True, tags={"env": "dev"})
    site.wasted(measured(site, twice, _BUSY), "two zones for development", rds_instance_several_zones="127.57")
    live = database(site, "rds-prod-two-zones", MultiAZ=True, tags={"env": "production"})
    site.kept(measured(site, live, _BUSY), "two zones for production")
    unsaid = database(site, "rds-untagged-two-zones", MultiAZ=True)
    site.kept(measured(site, unsaid, _BUSY), "two zones, and no tag says what for")
    gp2 = database(site, "rds-gp2", StorageType="gp2", AllocatedStorage=200, Iops=600)
    site.wasted(measured(site, gp2, _BUSY), "gp2; gp3 gives more for the same", rds_instance_storage_gp2="0.00")
    wide = database(site, "rds-storage-empty", AllocatedStorage=1000, Iops=12000, StorageThroughput=500)
    site.wasted(
        measured(site, wide, {**_BUSY, "FreeStorageSpace": 900 * _GIB}),
        "never more than 100 of 1,000 GiB used",
        rds_instance_storage_overprovisioned=None,
    )


def lifecycles(site: Site) -> None:
    """Versions of engines, with AWS's dates, and databases on old ones."""

    def of(engine: str, version: str, standard: tuple[int, int, int], extended: tuple[int, int, int]) -> dict[str, Any]:
        support = [
            ("open-source-rds-standard-support", (2018, 1, 1), standard),
            ("open-source-rds-extended-support", standard, extended),
        ]
        named = [
            {
                "LifecycleSupportName": name,
                "LifecycleSupportStartDate": datetime(*start, tzinfo=UTC),
                "LifecycleSupportEndDate": datetime(*end, tzinfo=UTC),
            }
            for name, start, end in support
        ]
        return {"Engine": engine, "MajorEngineVersion": version, "SupportedEngineLifecycles": named}

    for one in (
        of("postgres", "11", (2024, 2, 29), (2027, 3, 31)),
        of("postgres", "16", (2029, 2, 28), (2032, 2, 29)),
        of("mysql", "8.4", (2029, 7, 31), (2032, 7, 31)),
        of("aurora-postgresql", "11", (2024, 2, 29), (2027, 3, 31)),
        of("aurora-postgresql", "16", (2029, 2, 28), (2032, 2, 29)),
    ):
        site.listed("rds:DescribeDBMajorEngineVersions", one, member="DBMajorEngineVersions", by={"Engine": "Engine"})
    old = measured(site, database(site, "rds-postgres-11", EngineVersion="11.22"), _BUSY)
    site.wasted(old, "PostgreSQL 11 left standard support in 2024", rds_instance_extended_support=None)
    other = database(site, "rds-11-upgraded-by-aws", EngineVersion="11.22")
    facts = site.lists["rds:DescribeDBInstances"][-1]
    facts["EngineLifecycleSupport"] = "open-source-rds-extended-support-disabled"
    site.kept(measured(site, other, _BUSY), "extended support is refused: AWS upgrades it and bills nothing more")


def cluster(site: Site, name: str, /, members: int = 1, **facts: Any) -> str:
    """List a cluster of Aurora PostgreSQL with members on Graviton."""
    item = {
        "DBClusterIdentifier": name,
        "DbClusterResourceId": f"cluster-{name.upper().replace('-', '')}",
        "DBClusterArn": site.arn("rds", f"cluster:{name}"),
        "Engine": "aurora-postgresql",
        "EngineVersion": "16.4",
        "EngineMode": "provisioned",
        "EngineLifecycleSupport": "open-source-rds-extended-support",
        "Status": "available",
        "StorageType": "aurora",
        "ClusterCreateTime": ago(400),
        "MultiAZ": False,
        "DBClusterMembers": [
            {"DBInstanceIdentifier": f"{name}-{number}", "IsClusterWriter": number == 0} for number in range(members)
        ],
        "TagList": [],
    }
    kind = str(facts.pop("member_class", "db.r6g.large"))
    working = facts.get("Status", "available") == "available"
    for number in range(members):
        member = database(
            site,
            f"{name}-{number}",
            DBClusterIdentifier=name,
            DBInstanceClass=kind,
            Engine=facts.get("Engine", "aurora-postgresql"),
            StorageType="aurora",
            AllocatedStorage=1,
            DBInstanceStatus="available" if working else "stopped",
        )
        if working:
            measured(site, member, _BUSY)
        if kind == "db.serverless":
            site.measured("AWS/RDS", {"DBInstanceIdentifier": member}, 400, ServerlessDatabaseCapacity=2)
    site.listed("rds:DescribeDBClusters", {**item, **facts}, by={"DBClusterIdentifier": "DBClusterIdentifier"})
    return name


def clusters(site: Site) -> None:
    """Aurora clusters."""

    def used(name: str, namespace: str = "AWS/RDS", **values: Any) -> str:
        volume = {"VolumeBytesUsed": 50 * _GIB, "VolumeReadIOPs": 1000, "VolumeWriteIOPs": 1000}
        site.measured(namespace, {"DBClusterIdentifier": name}, 400, **{**volume, **values})
        return name

    idle = used(cluster(site, "aurora-idle"), DatabaseConnections=0, CPUUtilization=3)
    site.wasted(idle, "no connection in fourteen days", rds_cluster_idle=None)
    busy = used(cluster(site, "aurora-busy"), DatabaseConnections=12, CPUUtilization=40)
    site.kept(busy, "in use")
    visited = used(cluster(site, "aurora-visited"), DatabaseConnections="seldom", CPUUtilization=3)
    site.kept(visited, "one connection a week")
    empty = used(cluster(site, "aurora-without-instances", members=0))
    site.wasted(empty, "no instance: nothing can connect", rds_cluster_without_instances=None)
    scaling = {"MinCapacity": 2.0, "MaxCapacity": 8.0}
    less: dict[str, Any] = {"member_class": "db.serverless", "ServerlessV2ScalingConfiguration": scaling}
    sleepy = cluster(site, "aurora-sleepy", **less)
    used(sleepy, DatabaseConnections="seldom", CPUUtilization=3, ServerlessDatabaseCapacity=2)
    site.wasted(sleepy, "two units paid for all hours, one visit a week", rds_cluster_auto_pause=None)
    awake = cluster(site, "aurora-awake", **less)
    site.kept(used(awake, DatabaseConnections=3, CPUUtilization=30, ServerlessDatabaseCapacity=3), "always connected")
    stopped = cluster(site, "aurora-stopped", Status="stopped", AutomaticRestartTime=ago(-2))
    site.measured("AWS/RDS", {"DBClusterIdentifier": stopped}, 400, VolumeBytesUsed=50 * _GIB)
    site.wasted(stopped, "stopped for five days; AWS starts it again in two", rds_cluster_stopped=None)
    old = used(cluster(site, "aurora-11", EngineVersion="11.21"), DatabaseConnections=12, CPUUtilization=40)
    site.wasted(old, "PostgreSQL 11 left standard support in 2024", rds_cluster_extended_support=None)


def snapshots(site: Site) -> None:
    """Snapshots of databases."""

    def snapshot(name: str, of: str, days: int, **facts: Any) -> str:
        item = {
            "DBSnapshotIdentifier": name,
            "DBSnapshotArn": site.arn("rds", f"snapshot:{name}"),
            "DBInstanceIdentifier": of,
            "DbiResourceId": f"db-{of.upper().replace('-', '')}",
            "SnapshotCreateTime": ago(days),
            "OriginalSnapshotCreateTime": ago(days),
            "InstanceCreateTime": ago(400),
            "Engine": "postgres",
            "EngineVersion": "16.4",
            "AllocatedStorage": 100,
            "Status": "available",
            "SnapshotType": "manual",
            "StorageType": "gp3",
            "TagList": [],
        }
        site.listed("rds:DescribeDBSnapshots", {**item, **facts}, by={"SnapshotType": "SnapshotType"})
        return f"snapshot:{name}"

    source = healthy_database(site, "rds-with-snapshots")
    site.kept(source, "in use")
    site.wasted(snapshot("rds-snap-old", source, 200), "manual and 200 days old", rds_snapshot_old=None)
    site.kept(snapshot("rds-snap-89-days", source, 89), "younger than three months")
    site.kept(snapshot("rds-snap-new", source, 3), "the newest")
    site.wasted(snapshot("rds-snap-orphan", "deleted-db", 200), "its database is gone", rds_snapshot_orphaned=None)
    site.kept(snapshot("rds-snap-young-orphan", "deleted-db", 20), "its database is gone for three weeks only")
    # Not among those that are made by hand, so not even listed.
    snapshot("rds-snap-backup", source, 200, SnapshotType="awsbackup")
    snapshot("awsbackup:job-1f0c", source, 200)


def tables(site: Site) -> None:
    """Tables of DynamoDB."""

    def table(name: str, mode: str, use: tuple[Any, Any], units: tuple[int, int] = (0, 0), size: float = 1) -> str:
        site.listed("dynamodb:ListTables", name)
        item = {
            "TableName": name,
            "TableArn": site.arn("dynamodb", f"table/{name}"),
            "TableStatus": "ACTIVE",
            "CreationDateTime": ago(400),
            "BillingModeSummary": {"BillingMode": mode},
            "ProvisionedThroughput": {"ReadCapacityUnits": units[0], "WriteCapacityUnits": units[1]},
            "TableSizeBytes": int(size * _GIB),
            "ItemCount": 1000,
            "DeletionProtectionEnabled": False,
        }
        site.answered("dynamodb:DescribeTable", {"TableName": name}, Table=item)
        recovery = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": {}}
        recovery["PointInTimeRecoveryDescription"] = {"PointInTimeRecoveryStatus": "DISABLED"}
        site.answered("dynamodb:DescribeContinuousBackups", {"TableName": name}, ContinuousBackupsDescription=recovery)
        values = {"ConsumedReadCapacityUnits": use[0], "ConsumedWriteCapacityUnits": use[1]}
        site.measured("AWS/DynamoDB", {"TableName": name}, 400, **values)
        return name

    unused = table("ddb-unused", "PAY_PER_REQUEST", (0, 0), size=100)
    site.wasted(
        unused,
        "neither read nor written in 30 days; were it to be kept, the other class stores for less",
        dynamodb_table_unused="25.00",
        dynamodb_table_infrequent_access=None,
    )
    site.kept(table("ddb-once-a-week", "PAY_PER_REQUEST", ("seldom", 0), size=0.1), "read once a week")
    # 60 % of 100 units, each minute: 3,600 of 6,000.
    site.kept(table("ddb-well-used", "PROVISIONED", (3600, 3600), (100, 100)), "60 % of its capacity used")
    # 100 read and 100 write units: 0.00013 and 0.00065 an hour; 10 % of it is used all of the time.
    over = table("ddb-oversized", "PROVISIONED", (600, 600), (100, 100))
    site.wasted(
        over, "10 % of its capacity used", dynamodb_table_overprovisioned=None, dynamodb_table_to_on_demand=None
    )
    # 70 reads and writes a second all of the time: 137.97 USD on demand, 57 as capacity with a third to spare.
    steady = table("ddb-steady", "PAY_PER_REQUEST", (4200, 4200))
    site.wasted(steady, "steady work on demand", dynamodb_table_to_provisioned=None)
    site.kept(table("ddb-bursts", "PAY_PER_REQUEST", ((100, "spike"), (100, "spike")), size=0.1), "comes in bursts")
    site.kept(table("ddb-small", "PROVISIONED", (60, 60), (1, 1)), "the smallest capacity there is")


def _cache(site: Site, name: str, /, days: int = 400, **facts: Any) -> str:
    item = {
        "CacheClusterId": name,
        "ARN": site.arn("elasticache", f"cluster:{name}"),
        "CacheNodeType": "cache.m6g.large",
        "Engine": "valkey",
        "EngineVersion": "8.0",
        "CacheClusterStatus": "available",
        "NumCacheNodes": 1,
        "PreferredAvailabilityZone": f"{site.region}a",
        "CacheClusterCreateTime": ago(days),
        "SnapshotRetentionLimit": 0,
    }
    site.listed("elasticache:DescribeCacheClusters", {**item, **facts})
    return name


def _used(site: Site, name: str, /, days: int = 400, **values: Any) -> str:
    busy = {
        "GetTypeCmds": 5000,
        "SetTypeCmds": 2000,
        "PubSubBasedCmds": 0,
        "DatabaseMemoryUsagePercentage": 70,
        "CurrConnections": 30,
        "CPUUtilization": 35,
    }
    site.measured("AWS/ElastiCache", {"CacheClusterId": name}, days, **{**busy, **values})
    return name


def caches(site: Site) -> None:
    """ElastiCache."""
    cache = partial(_cache, site)
    used = partial(_used, site)

    quiet: dict[str, Any] = {"GetTypeCmds": 0, "SetTypeCmds": 0, "CurrConnections": 5, "CPUUtilization": 2}
    idle = used(cache("cache-idle"), **quiet)
    site.wasted(idle, "no command in fourteen days; its snapshot has no price", elasticache_cluster_idle=None)
    site.kept(used(cache("cache-busy")), "in use")
    site.kept(used(cache("cache-connected"), **{**quiet, "CurrConnections": 9}), "clients are connected")
    site.kept(used(cache("cache-one-read"), **{**quiet, "GetTypeCmds": "seldom"}), "read once a week")
    site.kept(used(cache("cache-young", days=6), 6, **quiet), "six days old")
    large = used(
        cache("cache-oversized", CacheNodeType="cache.m6g.xlarge"), DatabaseMemoryUsagePercentage=20, CPUUtilization=10
    )
    site.wasted(large, "20 % of its memory and 10 % of CPU", elasticache_cluster_overprovisioned="86.43")
    site.kept(
        used(
            cache("cache-peak", CacheNodeType="cache.m6g.xlarge"), DatabaseMemoryUsagePercentage=45, CPUUtilization=10
        ),
        "half would be too full",
    )
    redis = used(cache("cache-redis", Engine="redis", EngineVersion="7.1"))
    site.wasted(redis, "Valkey costs a fifth less", elasticache_cluster_valkey=None)
    old = used(cache("cache-redis-5", Engine="redis", EngineVersion="5.0.6"))
    site.wasted(
        old,
        "Redis OSS 5 left standard support in 2026",
        elasticache_cluster_extended_support=None,
        elasticache_cluster_valkey=None,
    )
    old = used(cache("cache-m3", CacheNodeType="cache.m3.large", Engine="memcached", EngineVersion="1.6.22"))
    site.measured("AWS/ElastiCache", {"CacheClusterId": old}, 400, CmdGet=5000, CmdSet=2000)
    site.wasted(old, "m3 is a previous generation", elasticache_cluster_previous_generation=None)
    x86 = used(cache("cache-x86", CacheNodeType="cache.m5.large"))
    site.wasted(x86, "x86 where Graviton costs less", elasticache_cluster_graviton=None)
    _cache_groups(site, quiet)


def _cache_groups(site: Site, quiet: dict[str, Any]) -> None:
    """Groups of three nodes, each found once: with all of its nodes."""

    def group(name: str, *, last: dict[str, Any], **values: Any) -> str:
        nodes = [f"{name}-00{number}" for number in (1, 2, 3)]
        for node in nodes:
            _cache(site, node, ReplicationGroupId=name)
            _used(site, node, **{**values, **(last if node == nodes[-1] else {})})
        item = {
            "ReplicationGroupId": name,
            "ARN": site.arn("elasticache", f"replicationgroup:{name}"),
            "Status": "available",
            "MemberClusters": nodes,
            "NodeGroups": [
                {
                    "NodeGroupId": "0001",
                    "Status": "available",
                    "NodeGroupMembers": [
                        {"CacheClusterId": node, "CurrentRole": "primary" if node == nodes[0] else "replica"}
                        for node in nodes
                    ],
                }
            ],
            "ReplicationGroupCreateTime": ago(400),
        }
        site.listed("elasticache:DescribeReplicationGroups", item)
        return name

    idle = group("cache-group-idle", last={}, **quiet)
    site.wasted(idle, "no command on any of three nodes", elasticache_replication_group_idle=None)
    site.kept(group("cache-group-one-read", last={"GetTypeCmds": "seldom"}, **quiet), "its last node is read")
