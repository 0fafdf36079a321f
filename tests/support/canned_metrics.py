"""CloudWatch's answers of the canned endpoint: GetMetricData and GetMetricStatistics, with AWS's limits.

JSON answers are joined from series that were written before; CBOR and query go the way of the AWS double. Limits:
CloudWatch API reference, GetMetricData (500 queries, 100,800 datapoints a page, ids), GetMetricStatistics (1,440).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from tests.support.canned_fleet import CannedFleet, Rendered

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.metrics import STATISTICS
from finops_sandbox.aws.wire import Timestamps

MAXIMUM_QUERIES: Final = 500
MAXIMUM_POINTS: Final = 100_800
_STATISTICS_POINTS: Final = 1_440
_ID: Final = re.compile(r"[a-z][a-zA-Z0-9_]{0,254}")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of GetMetricData: id, metric name, points and status of each series; how many points were asked for."""

    results: Sequence[tuple[str, str, Rendered, str]]
    token: str
    asked: int

    @property
    def answered(self) -> int:
        return sum(len(series.values) for _, _, series, _ in self.results)

    def as_json(self) -> bytes:
        parts = b",".join(
            b'{"Id":"%s","Label":"%s",%s,"StatusCode":"%s"}'
            % (name.encode(), label.encode(), series.json, status.encode())
            for name, label, series, status in self.results
        )
        token = b',"NextToken":"%s"' % self.token.encode() if self.token else b""
        return b'{"MetricDataResults":[%s],"Messages":[]%s}' % (parts, token)

    def as_document(self) -> dict[str, Any]:
        results = [
            {
                "Id": name,
                "Label": label,
                "Timestamps": Timestamps(series.times),
                "Values": list(series.values),
                "StatusCode": status,
            }
            for name, label, series, status in self.results
        ]
        return {"MetricDataResults": results, "Messages": [], "NextToken": self.token or None}


def _refused(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def seconds(stamp: Any) -> int:
    """Return seconds since the epoch of a time as any protocol brings it.

    Raises:
        AwsError: there is none.
    """
    if isinstance(stamp, datetime):
        return int(stamp.timestamp())
    if isinstance(stamp, int | float):
        return int(stamp)
    raise _refused("The parameters StartTime and EndTime are required.")


def metric_data(fleet: CannedFleet, parameters: Mapping[str, Any]) -> Page:
    """Answer GetMetricData.

    Raises:
        AwsError: a limit or a rule of the operation.
    """
    queries = parameters.get("MetricDataQueries") or ()
    if not 0 < len(queries) <= MAXIMUM_QUERIES:
        raise _refused(f"The collection MetricDataQueries must have a size between 1 and {MAXIMUM_QUERIES}.")
    if len({query["Id"] for query in queries}) != len(queries):
        raise _refused("The values for parameter id in MetricDataQueries are not unique.")
    start, end = seconds(parameters.get("StartTime")), seconds(parameters.get("EndTime"))
    if start >= end:
        raise _refused("The parameter EndTime must be greater than StartTime.")
    descending = parameters.get("ScanBy") != "TimestampAscending"
    token = str(parameters.get("NextToken") or "0.0")
    first, _, offset = token.partition(".")
    results: list[tuple[str, str, Rendered, str]] = []
    room, following = MAXIMUM_POINTS, ""
    # AWS counts what a request asks for by period and range; its further pages belong to the same request.
    asked = 0 if parameters.get("NextToken") else sum(-(-(end - start) // _period(_stat(one))) for one in queries)
    for number in range(int(first), len(queries)):
        name, metric, series = _series(fleet, queries[number], start, end)
        skipped = int(offset) if number == int(first) else 0
        if descending:
            series = _cut(replace(series, times=series.times[::-1], values=series.values[::-1]), 0, len(series.values))
        left = len(series.values) - skipped
        if skipped or left > room:
            series = _cut(series, skipped, skipped + room)
        results.append((name, metric, series, "Complete" if left <= room else "PartialData"))
        if left > room:
            following = f"{number}.{skipped + room}"
            break
        room -= left
    return Page(results, following, asked)


def _series(fleet: CannedFleet, query: Mapping[str, Any], start: int, end: int) -> tuple[str, str, Rendered]:
    """Return id, metric and points of one query."""
    name = query["Id"]
    if not _ID.fullmatch(name):
        raise _refused(f"The value '{name}' for parameter Id is not matching ^[a-z][a-zA-Z0-9_]*$.")
    stat = _stat(query)
    metric = stat["Metric"]
    dimensions = tuple((one["Name"], one["Value"]) for one in metric.get("Dimensions") or ())
    period = _period(stat)
    question = (_statistic(stat.get("Stat")), period, start // period * period, end)
    return name, metric["MetricName"], fleet.rendered(metric["Namespace"], metric["MetricName"], dimensions, question)


def _stat(query: Mapping[str, Any]) -> Mapping[str, Any]:
    stat: Mapping[str, Any] | None = query.get("MetricStat")
    if stat is None:
        raise _refused("the canned endpoint computes no expressions: give a MetricStat in every query")
    return stat


def _statistic(name: Any) -> str:
    if name not in STATISTICS:
        raise _refused(f"the canned endpoint keeps no raw samples: '{name}' is not one of {', '.join(STATISTICS)}")
    return str(name)


def _period(asked: Mapping[str, Any]) -> int:
    period = int(asked.get("Period") or 0)
    if period < 60 or period % 60:
        raise _refused("The period must be a multiple of 60.")
    return period


def _cut(series: Rendered, first: int, last: int) -> Rendered:
    times, values = series.times[first:last], series.values[first:last]
    text = b'"Timestamps":%s,"Values":%s' % (orjson.dumps(list(times)), orjson.dumps(list(values)))
    return Rendered(times, values, text)


def metric_statistics(fleet: CannedFleet, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Answer GetMetricStatistics: one metric, the statistics named, in no order.

    Raises:
        AwsError: a limit or a rule of the operation.
    """
    start, end = seconds(parameters.get("StartTime")), seconds(parameters.get("EndTime"))
    period = _period(parameters)
    names = [_statistic(name) for name in parameters.get("Statistics") or ()]
    if not names:
        raise AwsError("MissingParameter", "At least one of Statistics and ExtendedStatistics must be given.")
    if start >= end:
        raise _refused("The parameter EndTime must be greater than StartTime.")
    if (end - start) / period > _STATISTICS_POINTS:
        raise AwsError("InvalidParameterCombination", "You have requested more than 1,440 datapoints.")
    metric = str(parameters["MetricName"])
    dimensions = tuple((str(one["Name"]), str(one["Value"])) for one in parameters.get("Dimensions") or ())
    merged: dict[int, dict[str, Any]] = {}
    for name in names:
        series = fleet.rendered(str(parameters["Namespace"]), metric, dimensions, (name, period, start, end))
        for moment, value in zip(series.times, series.values, strict=True):
            row = merged.setdefault(moment, {"Timestamp": datetime.fromtimestamp(moment, UTC), "Unit": "None"})
            row[name] = value
    return {"Label": metric, "Datapoints": list(merged.values())}
