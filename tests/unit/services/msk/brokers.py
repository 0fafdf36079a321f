"""Kafka clusters and what was measured of them, for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.msk.cluster import KIND
from finops_operator.services.msk.rules.brokers import CONNECTIONS, RECEIVED, SENT

KAFKA: Final = Bench(KIND)
END: Final = "events/12345678-1234-1234-1234-123456789012-1"
ARN: Final = f"arn:aws:kafka:us-east-1:111122223333:cluster/{END}"


def kafka(state: str = "active", region: str = "us-east-1", days: float = 365, /, **attributes: Json) -> Resource:
    """Return three kafka.m5.large brokers, changed as asked."""
    facts: dict[str, Json] = {
        "cluster_type": "PROVISIONED",
        "broker_type": "kafka.m5.large",
        "brokers": 3,
        "client_authentications": ["IAM"],
        **attributes,
    }
    return Resource(
        kind="msk-cluster",
        id=END,
        arn=ARN,
        name="events",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return two weeks in which no broker had anything to do, changed as asked."""
    quiet = {RECEIVED: flat(0), SENT: flat(0), CONNECTIONS: flat(0)}
    return Utilization(END, metrics={**quiet, **metrics})


def without(name: str) -> Utilization:
    """Return the same weeks with one metric that could not be read."""
    known = {key: value for key, value in measured().metrics.items() if key != name}
    return Utilization(END, metrics=known, unknown={name: "NotPublished"})
