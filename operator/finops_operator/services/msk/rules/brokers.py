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

WORKING: Final = frozenset({"active", "healing", "maintenance", "rebooting_broker", "updating"})
RECEIVED: Final = "brokerReceivedBytesPerSecond"
SENT: Final = "brokerSentBytesPerSecond"


def _applies(cluster: Resource) -> bool:
    return cluster.state in WORKING and bool(cluster.number("brokers"))


def _brokers(cluster: Resource) -> tuple[tuple[tuple[str, str], ...], ...]:
    count = int(cluster.number("brokers") or 0)
    return tuple((("Cluster Name", cluster.name), ("Broker ID", str(broker))) for broker in range(1, count + 1))


def _level(name: str, metric: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/Kafka",
        metric,
        "Cluster Name",
        ("Average", "Maximum"),
        "bytes a second",
        parts=_brokers,
        applies=_applies,
    )


METRICS: Final = (_level(RECEIVED, "BytesInPerSec"), _level(SENT, "BytesOutPerSec"))
