"""CloudWatch's reading calls over generated series, with its limits and paging.

Limits: CloudWatch API reference, GetMetricData (500 queries, 100,800 datapoints, id pattern), ListMetrics (500 a page),
GetMetricStatistics (1,440 points); retention 15 days below five minutes, 63 days below an hour, 455 days.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.catalog import Catalog
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.metrics import STATISTICS, points
from finops_sandbox.aws.wire import Timestamps

MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800
_MAX_STATISTIC_POINTS = 1_440
_LIST_PAGE = 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
# (age, the smallest period that still has data)
_RETENTION = ((timedelta(days=455), None), (timedelta(days=63), 3600), (timedelta(days=15), 300))


@dataclass(frozen=True, slots=True)
class _Query:
    query_id: str
    label: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    statistic: str
    period: int
    returned: bool


def _refuse(message: str) -> AwsError:
    return AwsError("ValidationError", message)


def _query(document: Mapping[str, Any]) -> _Query:
    query_id = str(document.get("Id", ""))
    if not _ID.fullmatch(query_id) or len(query_id) > 255:
        raise _refuse(
            f"The value '{query_id}' for parameter MetricDataQueries.member.Id is not matching the expected "
            "pattern ^[a-z][a-zA-Z0-9_]*$"
        )
    if "MetricStat" not in document:
        raise _refuse("the AWS double computes no expressions: give a MetricStat in every query")
    stat = document["MetricStat"]
    metric = stat.get("Metric") or {}
    period, name = int(stat.get("Period", 0)), str(stat.get("Stat", ""))
    if name not in STATISTICS:
        raise _refuse(f"the AWS double keeps no raw samples: statistic '{name}' is not one of {', '.join(STATISTICS)}")
    if period not in {1, 5, 10, 30} and (period < 60 or period % 60):
        raise _refuse("The period must be 1, 5, 10, 30 or any multiple of 60.")
    return _Query(
        query_id,
        str(document.get("Label") or metric.get("MetricName", "")),
        str(metric.get("Namespace", "")),
        str(metric.get("MetricName", "")),
        {str(item["Name"]): str(item.get("Value", "")) for item in metric.get("Dimensions") or []},
        name,
        period,
        bool(document.get("ReturnData", True)),
    )


def _times(parameters: Mapping[str, Any]) -> tuple[datetime, datetime]:
    start, end = parameters.get("StartTime"), parameters.get("EndTime")
    if start is None or end is None:
        raise _refuse("The parameters StartTime and EndTime are required.")
    if start >= end:
        raise _refuse("The parameter EndTime must be greater than StartTime.")
    return start.astimezone(UTC), end.astimezone(UTC)


def _period_kept(period: int, start: datetime, now: datetime) -> bool:
    """Whether data of this period still exists at the start time."""
    for age, smallest in _RETENTION:
        if now - start > age:
            return smallest is not None and period >= smallest and period % smallest == 0
    return True


def _values(catalog: Catalog, query: _Query, start: datetime, end: datetime) -> tuple[tuple[int, ...], list[float]]:
    if not _period_kept(query.period, start, catalog.now):
        return (), []
    series = catalog.series(query.namespace, query.metric, query.dimensions)
    if series is None:
        return (), []
    end = min(end, catalog.now)
    return points(series, query.statistic, query.period, int(start.timestamp()), int(end.timestamp()))


def get_metric_data(call: Call) -> Mapping[str, Any]:
    """Up to 100,800 datapoints; the rest under NextToken, the series that is cut marked PartialData."""
    documents = call.parameters.get("MetricDataQueries") or []
    if len(documents) > MAX_QUERIES:
        raise _refuse(f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.")
    queries = [_query(document) for document in documents]
    if not queries:
        raise _refuse("The collection MetricDataQueries must not be empty.")
    if len({query.query_id for query in queries}) != len(queries):
        raise _refuse("The values for parameter id in MetricDataQueries are not unique.")
    start, end = _times(call.parameters)
    budget = int(call.parameters.get("MaxDatapoints") or MAX_DATAPOINTS)
    budget = max(1, min(budget, MAX_DATAPOINTS))
    at, offset = _position(call.parameters.get("NextToken"))
    catalog = Catalog.of(call.estate, call.account, call.region)
    ascending = call.parameters.get("ScanBy") == "TimestampAscending"
    lost = _lost_series(call)
    results: list[dict[str, Any]] = []
    token = None
    for number in range(at, len(queries)):
        query = queries[number]
        if not query.returned:
            continue
        if query.query_id in lost:
            results.append(_result(query, (), [], "InternalError"))
            continue
        times, values = _values(catalog, query, start, end)
        if not ascending:
            times, values = times[::-1], values[::-1]
        skipped = offset if number == at else 0
        left = len(values) - skipped
        taken = min(left, budget)
        status = "Complete" if taken == left else "PartialData"
        if skipped or taken < left:
            times, values = times[skipped : skipped + taken], values[skipped : skipped + taken]
        results.append(_result(query, times, values, status))
        budget -= taken
        if taken < left:
            token = _token(number, skipped + taken)
            break
        if budget == 0 and number + 1 < len(queries):
            token = _token(number + 1, 0)
            break
    return {"MetricDataResults": results, "NextToken": token, "Messages": []}


def _result(query: _Query, times: Sequence[int], values: list[float], status: str) -> dict[str, Any]:
    return {
        "Id": query.query_id,
        "Label": query.label,
        "Timestamps": Timestamps(tuple(times)),
        "Values": values,
        "StatusCode": status,
    }


def _lost_series(call: Call) -> set[str]:
    """The ids that an injected partial_metrics fault takes away; the same ones for the same queries."""
    fault = call.estate.faults.strike("partial_metrics", call.facts())
    if fault is None:
        return set()
    share = float(fault.options.get("fraction", 0.5))
    ids = [str(document.get("Id")) for document in call.parameters.get("MetricDataQueries") or []]
    return {one for one in ids if zlib.crc32(one.encode()) % 1000 < share * 1000}


def _token(number: int, offset: int) -> str:
    return base64.urlsafe_b64encode(f"{number}:{offset}".encode()).decode()


def _position(token: Any) -> tuple[int, int]:
    if not token:
        return 0, 0
    try:
        number, _, offset = base64.urlsafe_b64decode(str(token)).decode().partition(":")
        return int(number), int(offset)
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise AwsError("InvalidNextToken", "The next token specified is invalid.") from error


def list_metrics(call: Call) -> Mapping[str, Any]:
    """Metrics by namespace, name and dimensions; 500 a page; those without values for two weeks are left out."""
    catalog = Catalog.of(call.estate, call.account, call.region)
    recent = call.parameters.get("RecentlyActive") == "PT3H"
    wanted = call.parameters.get("Dimensions") or []
    matching = (
        {
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
        }
        for namespace, metric, dimensions in catalog.listing(recent=recent)
        if call.parameters.get("Namespace") in {None, namespace}
        and call.parameters.get("MetricName") in {None, metric}
        and all(_has_dimension(dict(dimensions), item) for item in wanted)
    )
    start, _ = _position(call.parameters.get("NextToken"))
    page = list(islice(matching, start, start + _LIST_PAGE + 1))
    token = _token(start + _LIST_PAGE, 0) if len(page) > _LIST_PAGE else None
    return {"Metrics": page[:_LIST_PAGE], "NextToken": token}


def _has_dimension(dimensions: Mapping[str, str], item: Mapping[str, Any]) -> bool:
    value = dimensions.get(str(item["Name"]))
    return value is not None and item.get("Value") in {None, value}


def get_metric_statistics(call: Call) -> Mapping[str, Any]:
    """One metric, several statistics, at most 1,440 points."""
    parameters = call.parameters
    start, end = _times(parameters)
    names = [str(name) for name in parameters.get("Statistics") or []]
    if not names:
        raise AwsError("MissingParameter", "At least one of Statistics and ExtendedStatistics must be given.")
    period = int(parameters.get("Period", 0))
    if period and (end - start).total_seconds() / period > _MAX_STATISTIC_POINTS:
        message = "You have requested up to more than 1,440 datapoints, which exceeds the limit of 1,440."
        raise AwsError("InvalidParameterCombination", message)
    catalog = Catalog.of(call.estate, call.account, call.region)
    merged: dict[int, dict[str, Any]] = {}
    for name in names:
        metric = {key: parameters.get(key) for key in ("Namespace", "MetricName", "Dimensions")}
        query = _query({"Id": "q", "MetricStat": {"Metric": metric, "Period": period, "Stat": name}})
        for moment, value in zip(*_values(catalog, query, start, end), strict=True):
            row = merged.setdefault(moment, {"Timestamp": datetime.fromtimestamp(moment, UTC), "Unit": "None"})
            row[name] = value
    return {"Label": str(parameters.get("MetricName", "")), "Datapoints": list(merged.values())}


HANDLERS: dict[str, Handler] = {
    "GetMetricData": get_metric_data,
    "ListMetrics": list_metrics,
    "GetMetricStatistics": get_metric_statistics,
}
