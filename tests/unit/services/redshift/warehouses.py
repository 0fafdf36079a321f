"""Warehouses and what was measured of them, for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.redshift.cluster import KIND

WAREHOUSES: Final = Bench(KIND)
ARN: Final = "arn:aws:redshift:us-east-1:111122223333:cluster:sales"


def warehouse(
    state: str = "available", region: str = "us-east-1", days: float = 365, /, **attributes: Json
) -> Resource:
    """Return two dc2.large nodes in one zone, changed as asked."""
    facts: dict[str, Json] = {"node_type": "dc2.large", "nodes": 2, "multi_az": False, **attributes}
    return Resource(
        kind="redshift-cluster",
        id="sales",
        arn=ARN,
        name="sales",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return two weeks of little load without a connection, changed as asked."""
    return Utilization("sales", metrics={"databaseConnections": flat(0), "cpuPercent": flat(2), **metrics})


def without(name: str) -> Utilization:
    """Return two weeks with connections and one metric that could not be read."""
    known = {key: value for key, value in measured(databaseConnections=flat(3)).metrics.items() if key != name}
    return Utilization("sales", metrics=known, unknown={name: "Throttled"})
