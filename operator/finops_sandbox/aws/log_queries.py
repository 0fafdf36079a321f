"""Queries of CloudWatch Logs Insights over the lines that moto holds, of the one kind that the double can answer.

Moto answers a query at once, without `stats`. Here it runs until its answer was asked for once, is worked out from the
text of the lines, and AWS's refusals are kept: a log group that is not there or of which there are too many, times that
are no seconds, a query that ended already. Every other text of a query is refused. Sources: CloudWatch Logs API
reference, StartQuery, GetQueryResults, StopQuery; Lambda developer guide, the REPORT line.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.clock import naive_utc
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate import Place
from finops_sandbox.aws.estate_services import FunctionSpec
from finops_sandbox.aws.facts import LogQuery
from finops_sandbox.aws.wire import Answer

_JSON = (("content-type", "application/x-amz-json-1.1"),)
_KNOWN = (
    'filter @type = "REPORT" | stats count(*) as lines, max(@maxMemoryUsed * 100 / @memorySize) as most, '
    "avg(@maxMemoryUsed * 100 / @memorySize) as mean by @log, bin(1d)"
)
_REPORT = re.compile(r"^REPORT RequestId: \S+\t.*Memory Size: (\d+) MB\tMax Memory Used: (\d+) MB")
_PARAMETERS = frozenset({"logGroupNames", "queryString", "startTime", "endTime", "limit"})
_GROUPS, _ROWS = 50, 10_000
_RUNNING, _COMPLETE = "Running", "Complete"
_LATEST_SECONDS = 10**11
"""Beyond it a time must be milliseconds."""


@dataclass(frozen=True, slots=True)
class _Line:
    group: str
    at: datetime
    message: str


def _backend(account: str, region: str) -> Any:
    from moto.logs.models import logs_backends  # noqa: PLC0415 - moto loads slowly

    return logs_backends[account][region]


def seed(place: Place, spec: FunctionSpec, now: datetime, created: datetime) -> None:
    """Put the REPORT lines of a function into its log group, which is made for them."""
    if spec.reports is None:
        return
    from moto.logs.models import LogEvent  # noqa: PLC0415 - moto loads slowly

    backend, name, stream = _backend(place.account, place.region), f"/aws/lambda/{spec.name}", "lines"
    if name not in backend.groups:
        backend.create_log_group(name, {})
        backend.groups[name].creation_time = naive_utc(created)
    backend.create_log_stream(name, stream)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    written = backend.groups[name].streams[stream].events
    # A line a minute from noon on.
    for day in range(spec.reports.days, 0, -1):
        for at in range(spec.reports.per_day):
            moment = midnight - timedelta(days=day) + timedelta(hours=12, minutes=at)
            milliseconds = int(moment.timestamp() * 1000)
            written.append(LogEvent(milliseconds, {"timestamp": milliseconds, "message": _report(spec)}))


def _report(spec: FunctionSpec) -> str:
    used = 0 if spec.reports is None else spec.reports.used
    figures = "Duration: 90.10 ms\tBilled Duration: 91 ms"
    return f"REPORT RequestId: {uuid.uuid4()}\t{figures}\tMemory Size: {spec.memory} MB\tMax Memory Used: {used} MB\t"


def _start(call: Call) -> Answer:
    asked = call.parameters
    if unknown := set(asked) - _PARAMETERS:
        raise AwsError("InvalidParameterException", f"the AWS double does not know {', '.join(sorted(unknown))}")
    if asked.get("queryString") != _KNOWN:
        raise AwsError("MalformedQueryException", "the AWS double answers one query alone, of REPORT lines by the day")
    groups, held = list(asked.get("logGroupNames") or ()), _backend(call.account, call.region).groups
    if not 0 < len(groups) <= _GROUPS or len(set(groups)) != len(groups):
        raise AwsError("InvalidParameterException", f"1 to {_GROUPS} log groups can be queried, each once")
    if missing := [name for name in groups if name not in held]:
        raise AwsError("ResourceNotFoundException", f"Log group '{missing[0]}' does not exist.")
    start, end, limit = (int(asked.get(name, 0)) for name in ("startTime", "endTime", "limit"))
    if not 0 < start < end < _LATEST_SECONDS or not 0 <= limit <= _ROWS:
        raise AwsError("InvalidParameterException", "Query's start and end are seconds, its limit at most 10000")
    made = str(uuid.uuid4())
    call.estate.further.log_queries[call.account, call.region, made] = LogQuery(tuple(groups), start, end)
    return _answer({"queryId": made})


def _results(call: Call) -> Answer:
    query = _named(call)
    if query.status == _RUNNING and query.asked:
        query.status = _COMPLETE
    query.asked = True
    lines = list(_lines(call, query)) if query.status == _COMPLETE else []
    rows = list(_rows(call.account, lines))
    return _answer({"results": rows, "status": query.status, "statistics": _statistics(lines)})


def _stop(call: Call) -> Answer:
    query = _named(call)
    if query.status != _RUNNING:
        raise AwsError("InvalidParameterException", f"Query {call.parameters['queryId']} is not running.")
    query.status = "Cancelled"
    return _answer({"success": True})


def _named(call: Call) -> LogQuery:
    key = call.account, call.region, str(call.parameters.get("queryId"))
    found = call.estate.further.log_queries.get(key)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Query '{key[2]}' does not exist.")
    return found


def _lines(call: Call, query: LogQuery) -> Iterator[_Line]:
    held = _backend(call.account, call.region).groups
    for name in query.groups:
        for stream in held[name].streams.values() if name in held else ():
            for event in stream.events:
                # Both ends are a part of the range.
                if query.start <= event.timestamp // 1000 <= query.end:
                    yield _Line(name, datetime.fromtimestamp(event.timestamp / 1000, UTC), event.message)


def _rows(account: str, lines: Sequence[_Line]) -> Iterator[list[dict[str, str]]]:
    shares: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        if (found := _REPORT.match(line.message)) is not None:
            size, used = (int(one) for one in found.groups())
            shares.setdefault((line.group, f"{line.at:%Y-%m-%d} 00:00:00.000"), []).append(used * 100 / size)
    for (group, day), of_day in shares.items():
        fields = {
            "@log": f"{account}:{group}",
            "bin(1d)": day,
            "lines": str(len(of_day)),
            "most": f"{max(of_day):g}",
            "mean": f"{sum(of_day) / len(of_day):g}",
        }
        yield [{"field": name, "value": value} for name, value in fields.items()]


def _statistics(lines: Sequence[_Line]) -> Mapping[str, float]:
    matched = sum(1 for line in lines if _REPORT.match(line.message))
    scanned = float(sum(len(line.message.encode()) for line in lines))
    return {"recordsMatched": float(matched), "recordsScanned": float(len(lines)), "bytesScanned": scanned}


def _answer(members: Mapping[str, Any]) -> Answer:
    return Answer(200, _JSON, json.dumps(members).encode())


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("logs", "StartQuery"): _start,
    ("logs", "GetQueryResults"): _results,
    ("logs", "StopQuery"): _stop,
}
