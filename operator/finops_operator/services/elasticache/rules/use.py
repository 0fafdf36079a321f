"""What CloudWatch says of a cache cluster, and which of it shows that somebody uses it.

Commands decide, not connections: AWS itself holds four to six connections to every Valkey and Redis OSS node. The
read and write commands count every type of data and the commands of scripts; messages that are only passed on are
counted apart. Memcached counts each command by its name. A node publishes every minute while it works, so that a
missing point is unknown. Sources: the pages "Metrics for Valkey and Redis OSS" and "Metrics for Memcached" of
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec

REDIS: Final = "redis"
VALKEY: Final = "valkey"
MEMCACHED: Final = "memcached"
WORKING: Final = frozenset({"available", "modifying", "rebooting cluster nodes", "snapshotting"})
READS: Final = "readCommands"
WRITES: Final = "writeCommands"
MESSAGES: Final = "messageCommands"
CONNECTIONS: Final = "cacheConnections"
CPU: Final = "cpuPercent"
MEMORY: Final = "memoryPercent"
GETS: Final = "getCommands"
SETS: Final = "setCommands"
COMMANDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {REDIS: (READS, WRITES, MESSAGES), VALKEY: (READS, WRITES, MESSAGES), MEMCACHED: (GETS, SETS)}
)
"""Engine → the counters that together are all of its use."""


def _of(*engines: str) -> Callable[[Resource], bool]:
    def applies(cluster: Resource) -> bool:
        return cluster.state in WORKING and cluster.text("engine") in engines

    return applies


def _counter(name: str, metric: str, *engines: str) -> MetricSpec:
    return MetricSpec(name, "AWS/ElastiCache", metric, "CacheClusterId", ("Sum",), "count", applies=_of(*engines))


def _level(name: str, metric: str, unit: str, *engines: str) -> MetricSpec:
    return MetricSpec(
        name, "AWS/ElastiCache", metric, "CacheClusterId", ("Average", "Maximum"), unit, applies=_of(*engines)
    )


METRICS: Final = (
    _counter(READS, "GetTypeCmds", REDIS, VALKEY),
    _counter(WRITES, "SetTypeCmds", REDIS, VALKEY),
    _counter(MESSAGES, "PubSubBasedCmds", REDIS, VALKEY),
    _level(MEMORY, "DatabaseMemoryUsagePercentage", "percent", REDIS, VALKEY),
    _counter(GETS, "CmdGet", MEMCACHED),
    _counter(SETS, "CmdSet", MEMCACHED),
    _level(CONNECTIONS, "CurrConnections", "connections", REDIS, VALKEY, MEMCACHED),
    _level(CPU, "CPUUtilization", "percent", REDIS, VALKEY, MEMCACHED),
)
