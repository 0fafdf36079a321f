"""Streams and what was measured of them, for the tests of the kind and its checks."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, flat
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.kinesis.stream import KIND

STREAMS: Final = Bench(KIND)
ARN: Final = "arn:aws:kinesis:us-east-1:111122223333:stream/events"


def stream(state: str = "active", days: float = 365, /, **attributes: Json) -> Resource:
    """Return a stream of four shards that keeps records for a day, without registered consumers, changed as asked."""
    facts: dict[str, Json] = {
        "mode": "PROVISIONED",
        "shards": 4,
        "consumers": 0,
        "retention_hours": 24,
        "tags_known": True,
        **attributes,
    }
    return Resource(
        kind="kinesis-stream",
        id="events",
        arn=ARN,
        name="events",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def measured(**metrics: MetricSummary) -> Utilization:
    """Return two weeks without records, with readers a second behind, changed as asked."""
    quiet = {"recordsPut": flat(0), "recordsFetched": flat(0), "iteratorAgeMilliseconds": flat(1000)}
    return Utilization("events", metrics={**quiet, **metrics})


def without(name: str, why: str = "Throttled", *, days: float = 14, **metrics: MetricSummary) -> Utilization:
    """Return the same weeks with one metric that is not there, asked for over so many days."""
    known = {key: value for key, value in measured(**metrics).metrics.items() if key != name}
    asked = {name: NOW - timedelta(days=days)}
    return Utilization("events", metrics=known, unknown={name: why}, asked_from=asked)
