"""What CloudWatch says of brokers: there is no figure of a whole cluster, so that each broker is asked by its number.

Bytes of clients are published once there is a topic, and every minute then, so that a missing point is unknown. The
copies that brokers make for each other count elsewhere. The figure of the cluster is the one of its busiest broker, and
unknown while one broker's is. Source: "Metrics for monitoring Standard brokers" in
https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html
"""

from __future__ import annotations

from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec
from finops_operator.services.msk.rules.clients import CLUSTER, COUNT, NAMESPACE, WAY

WORKING: Final = frozenset({"active", "healing", "maintenance", "rebooting_broker", "updating"})
RECEIVED: Final = "brokerReceivedBytesPerSecond"
SENT: Final = "brokerSentBytesPerSecond"
CONNECTIONS: Final = "brokerClientConnections"
"""Of authenticated clients, on the busiest broker by one way of authentication."""


def _applies(cluster: Resource) -> bool:
    return cluster.state in WORKING and bool(cluster.number("brokers"))


def _brokers(cluster: Resource) -> tuple[tuple[tuple[str, str], ...], ...]:
    count = int(cluster.number("brokers") or 0)
    return tuple(((CLUSTER, cluster.name), ("Broker ID", str(broker))) for broker in range(1, count + 1))


def _ways(cluster: Resource) -> tuple[str, ...]:
    found = cluster.attributes.get("client_authentications")
    return tuple(map(str, found)) if isinstance(found, list | tuple) else ()


def _counts_clients(cluster: Resource) -> bool:
    return _applies(cluster) and bool(_ways(cluster))


def _connections(cluster: Resource) -> tuple[tuple[tuple[str, str], ...], ...]:
    return tuple((*broker, (WAY, way)) for broker in _brokers(cluster) for way in _ways(cluster))


def _level(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        NAMESPACE,
        metric,
        CLUSTER,
        ("Average", "Maximum"),
        "bytes a second",
        parts=_brokers,
        applies=_applies,
    )


METRICS: Final = (
    _level(RECEIVED, "BytesInPerSec"),
    _level(SENT, "BytesOutPerSec"),
    MetricSpec(
        CONNECTIONS,
        NAMESPACE,
        COUNT,
        CLUSTER,
        ("Average", "Maximum"),
        "connections",
        parts=_connections,
        applies=_counts_clients,
    ),
)
