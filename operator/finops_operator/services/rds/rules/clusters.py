"""The four things that RDS's API calls a cluster, distinguished by their engine, and what each publishes and bills.

Aurora keeps storage that grows with the data and bills it by use; DocumentDB and Neptune do the same at prices of their
own. A Multi-AZ cluster of MySQL or PostgreSQL has three instances of one class and provisioned storage. Sources: the
pages "Metrics for Aurora", "Monitoring DocumentDB with CloudWatch", "Monitoring Neptune using CloudWatch" and "Viewing
DB cluster status" (column "Billed"), which is
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/accessing-monitoring.html.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec
from finops_operator.services.rds.rules.engines import OTHER_SERVICES, is_aurora
from finops_operator.services.rds.rules.states import STORAGE_ONLY

AURORA: Final = "Amazon Aurora"
MULTI_AZ: Final = "RDS Multi-AZ cluster"
DOCUMENTDB: Final = OTHER_SERVICES["docdb"]
NEPTUNE: Final = OTHER_SERVICES["neptune"]
SERVERLESS_MODE: Final = "serverless"
"""`EngineMode` of Aurora Serverless v1, which has no instances of its own."""

_MULTI_AZ_ENGINES: Final = frozenset({"mysql", "postgres"})

WORKING: Final = frozenset(
    {
        "available",
        "backing-up",
        "backtracking",
        "failing-over",
        "maintenance",
        "migrating",
        "modifying",
        "preparing-data-migration",
        "promoting",
        "renaming",
        "resetting-master-credentials",
        "storage-optimization",
        "update-iam-db-auth",
        "upgrading",
    }
)
"""Capacity and storage are billed."""

NOT_BILLED: Final = frozenset(
    {
        "cloning-failed",
        "creating",
        "deleting",
        "inaccessible-encryption-credentials",
        "migration-failed",
        "upgrade_failed",
    }
)
BILLED: Final = WORKING | STORAGE_ONLY
"""A stopped cluster is billed its storage, as a stopped instance is."""

CONNECTIONS: Final = "clusterConnections"
CPU: Final = "clusterCpuPercent"
DOCUMENT_CONNECTIONS: Final = "documentConnections"
DOCUMENT_CPU: Final = "documentCpuPercent"
GRAPH_REQUESTS: Final = "graphRequestsPerSecond"
GRAPH_CPU: Final = "graphCpuPercent"
CAPACITY: Final = "serverlessCapacity"
STORED: Final = "volumeBytesUsed"
READS: Final = "volumeReadOperations"
WRITES: Final = "volumeWriteOperations"


def service_of(engine: str | None) -> str:
    """Return what a cluster of this engine is, empty when we do not know the engine."""
    if is_aurora(engine):
        return AURORA
    if engine in _MULTI_AZ_ENGINES:
        return MULTI_AZ
    return OTHER_SERVICES.get(engine or "", "")


def _of(*services: str) -> Callable[[Resource], bool]:
    def applies(cluster: Resource) -> bool:
        return cluster.state in WORKING and service_of(cluster.text("engine")) in services

    return applies


def _scales(cluster: Resource) -> bool:
    return _of(AURORA)(cluster) and bool(cluster.text("maximum_capacity"))


def _level(name: str, namespace: str, metric: str, unit: str, applies: Callable[[Resource], bool]) -> MetricSpec:
    return MetricSpec(name, namespace, metric, "DBClusterIdentifier", ("Average", "Maximum"), unit, applies=applies)


def _stored(name: str, namespace: str, service: str) -> MetricSpec:
    """Return the bytes of a cluster's volume, which AWS bills as they are, stopped too: then they stay as they were."""
    return MetricSpec(
        name,
        namespace,
        "VolumeBytesUsed",
        "DBClusterIdentifier",
        ("Average",),
        "bytes used",
        hourly=False,
        daily=True,
        stands=lambda cluster: cluster.state in STORAGE_ONLY,
        applies=lambda cluster: cluster.state in BILLED and service_of(cluster.text("engine")) == service,
    )


def _operations(name: str, metric: str) -> MetricSpec:
    """Return the requests to a cluster's volume that AWS bills, which it publishes every five minutes."""
    return MetricSpec(
        name,
        "AWS/RDS",
        metric,
        "DBClusterIdentifier",
        ("Sum",),
        "count",
        hourly=False,
        daily=True,
        applies=_of(AURORA),
    )


METRICS: Final = (
    _level(CONNECTIONS, "AWS/RDS", "DatabaseConnections", "connections", _of(AURORA, MULTI_AZ)),
    _level(CPU, "AWS/RDS", "CPUUtilization", "percent", _of(AURORA, MULTI_AZ)),
    _level(CAPACITY, "AWS/RDS", "ServerlessDatabaseCapacity", "capacity units", _scales),
    _stored(STORED, "AWS/RDS", AURORA),
    _operations(READS, "VolumeReadIOPs"),
    _operations(WRITES, "VolumeWriteIOPs"),
    _level(DOCUMENT_CONNECTIONS, "AWS/DocDB", "DatabaseConnections", "connections", _of(DOCUMENTDB)),
    _level(DOCUMENT_CPU, "AWS/DocDB", "CPUUtilization", "percent", _of(DOCUMENTDB)),
    _stored("documentVolumeBytesUsed", "AWS/DocDB", DOCUMENTDB),
    _level(GRAPH_REQUESTS, "AWS/Neptune", "TotalRequestsPerSec", "requests a second", _of(NEPTUNE)),
    _level(GRAPH_CPU, "AWS/Neptune", "CPUUtilization", "percent", _of(NEPTUNE)),
    _stored("graphVolumeBytesUsed", "AWS/Neptune", NEPTUNE),
)
"""A cluster publishes every minute while it works, so that a missing point is unknown and never zero."""
