"""Domains and what was measured of them, for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from typing import Final

from tests.support.facts import flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.opensearch.domain import KIND

DOMAINS: Final = Bench(KIND)
ARN: Final = "arn:aws:es:us-east-1:111122223333:domain/logs"


def domain(state: str = "active", region: str = "us-east-1", /, **attributes: Json) -> Resource:
    """Return three m5.large data nodes with disks of their own, without masters, changed as asked."""
    facts: dict[str, Json] = {
        "engine_version": "OpenSearch_2.11",
        "instance_type": "m5.large.search",
        "data_nodes": 3,
        "master_type": "",
        "master_nodes": 0,
        "coordinator_type": "",
        "coordinator_nodes": 0,
        "warm_type": "",
        "warm_nodes": 0,
        "cold_storage": False,
        "volume_type": "",
        "volume_gb": 0,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="opensearch-domain",
        id="logs",
        arn=ARN,
        name="logs",
        account="111122223333",
        region=region,
        state=state,
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return two weeks in which nothing was searched or indexed, changed as asked."""
    quiet = {"searchesPerMinute": flat(0), "indexingPerMinute": flat(0)}
    return Utilization("logs", metrics={**quiet, **metrics})


def without(name: str) -> Utilization:
    """Return the same weeks with one metric that could not be read."""
    known = {key: value for key, value in measured().metrics.items() if key != name}
    return Utilization("logs", metrics=known, unknown={name: "Throttled"})
