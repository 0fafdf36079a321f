"""What CloudWatch says of brokers: there is no figure of a whole cluster, so that each broker is asked by its number.

Bytes of clients are published once there is a topic, and every minute then, so that a missing point is unknown. The
copies that brokers make for each other count elsewhere. Source: "Metrics for monitoring Standard brokers" in
https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec

MOST: Final = 6
"""Brokers that are measured; a cluster with more is not judged by them, because each costs two questions."""

WORKING: Final = frozenset({"active", "healing", "maintenance", "rebooting_broker", "updating"})


def received(broker: int) -> str:
    """Return our name of the bytes that a broker received from clients."""
    return f"broker{broker}ReceivedBytesPerSecond"


def sent(broker: int) -> str:
    """Return our name of the bytes that a broker sent to clients."""
    return f"broker{broker}SentBytesPerSecond"


def _of(broker: int) -> Callable[[Resource], bool]:
    def applies(cluster: Resource) -> bool:
        brokers = cluster.number("brokers")
        return cluster.state in WORKING and brokers is not None and broker <= brokers <= MOST

    return applies


def _named(broker: int) -> Callable[[Resource], tuple[tuple[str, str], ...]]:
    def dimensions(cluster: Resource) -> tuple[tuple[str, str], ...]:
        return ("Cluster Name", cluster.name), ("Broker ID", str(broker))

    return dimensions


def _level(name: str, metric: str, broker: int) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/Kafka",
        metric,
        "Cluster Name",
        ("Average", "Maximum"),
        "bytes a second",
        dimensions=_named(broker),
        applies=_of(broker),
    )


METRICS: Final = tuple(
    _level(name(broker), metric, broker)
    for broker in range(1, MOST + 1)
    for name, metric in ((received, "BytesInPerSec"), (sent, "BytesOutPerSec"))
)
