"""Clusters and snapshots, and what was measured of them, for the tests of the kinds and their checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.rds import cluster as cluster_kind
from finops_operator.services.rds import snapshot as snapshot_kind
from finops_operator.services.rds.rules.clusters import service_of

CLUSTERS: Final = Bench(cluster_kind.KIND)
SNAPSHOTS: Final = Bench(snapshot_kind.KIND)
CLUSTER_ARN: Final = "arn:aws:rds:us-east-1:111122223333:cluster:orders"


def cluster(state: str = "available", region: str = "us-east-1", days: float = 365, /, **attributes: Json) -> Resource:
    """Return an Aurora cluster of two db.r5.large that nothing depends on, changed as asked."""
    facts: dict[str, Json] = {
        "engine": "aurora-mysql",
        "engine_version": "8.0.mysql_aurora.3.04.0",
        "engine_mode": "provisioned",
        "storage_type": "aurora",
        "members": ["orders-1", "orders-2"],
        "member_classes": ["db.r5.large", "db.r5.large"],
        "global_cluster": "",
        "replicates_from": "",
        "read_replicas": [],
        "automatic_restart": "",
        **attributes,
    }
    facts.setdefault("cluster_service", service_of(str(facts["engine"])))
    return Resource(
        kind="rds-cluster",
        id="orders",
        arn=CLUSTER_ARN,
        name="orders",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def snapshot(state: str = "available", region: str = "eu-west-1", days: float = 100, /, **attributes: Json) -> Resource:
    """Return a manual snapshot of a deleted MySQL instance, 100 GiB, in a region whose backup price is known."""
    facts: dict[str, Json] = {
        "snapshot_of": "instance",
        "source": "orders",
        "source_exists": False,
        "engine": "mysql",
        "engine_version": "8.0.36",
        "size_gb": 100,
        "copied_from_elsewhere": False,
        **attributes,
    }
    return Resource(
        kind="rds-snapshot",
        id="snapshot:before-upgrade",
        arn=f"arn:aws:rds:{region}:111122223333:snapshot:before-upgrade",
        name="before-upgrade",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return the hours of a cluster that nobody used for two weeks, changed as asked."""
    quiet: dict[str, Any] = {
        "clusterConnections": flat(0),
        "clusterCpuPercent": flat(3),
        "documentConnections": flat(0),
        "documentCpuPercent": flat(3),
        "graphRequestsPerSecond": flat(0),
        "graphCpuPercent": flat(3),
        "serverlessCapacity": flat(2),
    }
    return Utilization("orders", metrics={**quiet, **metrics})


def without(name: str, why: str = "Throttled") -> Utilization:
    """Return the same hours with one metric that could not be read."""
    known = {key: value for key, value in measured().metrics.items() if key != name}
    return Utilization("orders", metrics=known, unknown={name: why})
