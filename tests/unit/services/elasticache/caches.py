"""Caches and what was measured of them, for the tests of the kinds and their checks; bundled prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.elasticache import cluster as cluster_kind
from finops_operator.services.elasticache import replication_group as group_kind
from finops_operator.services.elasticache import serverless_cache as serverless_kind

CACHES: Final = Bench(cluster_kind.KIND)
GROUPS: Final = Bench(group_kind.KIND)
SERVERLESS: Final = Bench(serverless_kind.KIND)
ARN: Final = "arn:aws:elasticache:us-east-1:111122223333:cluster:sessions"
METRICS: Final = (
    "readCommands",
    "writeCommands",
    "messageCommands",
    "getCommands",
    "setCommands",
)


def cache(state: str = "available", region: str = "us-east-1", days: float = 365, /, **attributes: Json) -> Resource:
    """Return a single cache.m5.large of Redis OSS 7.1 in no group, changed as asked."""
    facts: dict[str, Json] = {
        "engine": "redis",
        "engine_version": "7.1.0",
        "cache_node_type": "cache.m5.large",
        "nodes": 1,
        "replication_group": "",
        "outpost": False,
        "pending_node_type": "",
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="elasticache-cluster",
        id="sessions",
        arn=ARN,
        name="sessions",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def group(state: str = "available", days: float = 365, /, **attributes: Json) -> Resource:
    """Return a group of three cache.m5.large of Redis OSS 7.1 in one shard, changed as asked."""
    facts: dict[str, Json] = {
        "nodes": 3,
        "members": ["g-001", "g-002", "g-003"],
        "replication_group": "g",
        "group_nodes": 3,
        "group_shards": 1,
        "global_group": False,
        **attributes,
    }
    return replace(
        cache(state, "us-east-1", days, **facts),
        kind="elasticache-replication-group",
        id="g",
        name="g",
        arn="arn:aws:elasticache:us-east-1:111122223333:replicationgroup:g",
    )


def serverless(state: str = "available", days: float = 365, /, **attributes: Json) -> Resource:
    """Return a serverless cache of Valkey, changed as asked."""
    facts: dict[str, Json] = {"engine": "valkey", "engine_version": "8.0", "tags_known": True, **attributes}
    return Resource(
        kind="elasticache-serverless-cache",
        id="sessions",
        arn="arn:aws:elasticache:us-east-1:111122223333:serverlesscache:sessions",
        name="sessions",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return two weeks of a cache that nobody used, with AWS's four connections and a fifth of its memory in use."""
    quiet = {name: flat(0) for name in METRICS}
    levels = {"cacheConnections": flat(4), "cpuPercent": flat(2), "memoryPercent": flat(20), "processingUnits": flat(0)}
    return Utilization("sessions", metrics={**quiet, **levels, **metrics})


def without(name: str) -> Utilization:
    """Return the same weeks with one metric that could not be read."""
    known = {key: value for key, value in measured().metrics.items() if key != name}
    return Utilization("sessions", metrics=known, unknown={name: "Throttled"})
