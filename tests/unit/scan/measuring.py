"""A CloudWatch that answers from a function, resources to measure, and one page measured with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from finops.domain.resource import Resource, Shard
from finops.domain.utilization import Utilization
from finops.errors import AwsError
from finops.store.connection import Store
from finops.store.utilization import UtilizationStore
from finops_operator.plugins.kind import ResourceKind
from finops_operator.scan.metrics.first_days import Judge
from finops_operator.scan.metrics.measure import Judged, Measurer, MeasureSettings, Wishes
from finops_operator.services.ec2.instance import KIND as INSTANCE
from finops_operator.services.ec2.volume import KIND as VOLUME

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=200)
Value = Callable[[str, str, int], float | None]
"""(metric, statistic, epoch seconds) → the point, None where there is none."""


@dataclass
class CloudWatch:
    """Answers GetMetricData from a function, ListMetrics from a list; `broken` is raised instead."""

    value: Value = lambda _metric, _statistic, _at: 10.0
    agents: list[list[dict[str, str]]] = field(default_factory=list)
    broken: AwsError | None = None
    refused: frozenset[str] = frozenset()
    account: str = "111111111111"
    region: str = "us-east-1"
    requests: list[tuple[int, int, int]] = field(default_factory=list)
    """(start, period, series) of each request."""
    dimensions: list[dict[str, str]] = field(default_factory=list)
    """Of each series that was asked for."""

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        assert operation == "cloudwatch:GetMetricData"
        start, end = (int(parameters[name].timestamp()) for name in ("StartTime", "EndTime"))
        queries = parameters["MetricDataQueries"]
        self.requests.append((start, queries[0]["MetricStat"]["Period"], len(queries)))
        if self.broken is not None:
            raise self.broken
        return {"MetricDataResults": [self._series(one, start, end) for one in queries]}

    def _series(self, query: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
        asked = query["MetricStat"]
        self.dimensions.append({one["Name"]: one["Value"] for one in asked["Metric"]["Dimensions"]})
        metric, period = asked["Metric"]["MetricName"], asked["Period"]
        if metric in self.refused:
            return {"Id": query["Id"], "StatusCode": "InternalError", "Timestamps": [], "Values": []}
        stamps = range(start, end, period)
        points = [(at, self.value(metric, asked["Stat"], at)) for at in stamps]
        kept = [(float(at), value) for at, value in points if value is not None]
        return {
            "Id": query["Id"],
            "StatusCode": "Complete",
            "Timestamps": [at for at, _ in kept],
            "Values": [value for _, value in kept],
        }

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        assert operation == "cloudwatch:ListMetrics"
        if self.broken is not None:
            raise self.broken
        wanted = parameters["MetricName"] == "mem_used_percent"
        yield {"Metrics": [{"Dimensions": pairs} for pairs in self.agents] if wanted else []}

    @property
    def periods(self) -> list[int]:
        return [period for _, period, _ in self.requests]


def instance(number: int = 1, **changes: Any) -> Resource:
    made = Resource(
        "ec2-instance",
        f"i-{number}",
        f"arn:{number}",
        "",
        "111111111111",
        "us-east-1",
        "running",
        created=LONG_AGO,
        attributes={"instance_type": "m5.large"},
    )
    return replace(made, **changes)


def volume(state: str, **changes: Any) -> Resource:
    return replace(instance(), kind="ebs-volume", id="vol-1", state=state, attributes={}, **changes)


def measure(
    store: Store,
    reader: CloudWatch,
    *resources: Resource,
    now: datetime = NOW,
    fine: bool | Judged = False,
    settled: Judge | None = None,
    days: int = 14,
    silence: int = 32,
    kind: ResourceKind[Any] | None = None,
    threads: int = 1,
) -> tuple[dict[str, Utilization], Measurer]:
    kind = kind or (VOLUME if resources[0].kind == "ebs-volume" else INSTANCE)
    shard = Shard("111111111111", "us-east-1", kind.id)
    settings = MeasureSettings(now, days, silence)
    wishes = Wishes(fine if callable(fine) else lambda _r, _u: bool(fine), settled)
    with ThreadPoolExecutor(threads) as requests:
        measurer = Measurer(shard, kind, reader, UtilizationStore(store), settings, wishes, requests)
        return measurer.page(resources), measurer
