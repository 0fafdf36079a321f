"""Reads REPORT lines: which functions they are asked about, and the queries of CloudWatch Logs Insights.

Declared by the kind, called by the scan where the policy wants it. One query at a time runs in an account and region,
of the 30 to 100 that AWS lets run there; it is stopped where it is not waited for. What a query that was begun could
not answer is kept like an answer, because AWS bills what it read. Sources: CloudWatch Logs API reference, StartQuery,
GetQueryResults, StopQuery, DescribeLogGroups; Lambda developer guide, "Sending Lambda function logs to CloudWatch".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from finops.domain.logged import Logged, LoggedBatch
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.logged import LoggedMetric, Pause
from finops_operator.services.awslambda.rules.report_lines import (
    DAYS,
    QUERY,
    ROWS,
    logged_of,
    queries_of,
    reported,
    window_of,
)
from finops_operator.services.awslambda.rules.versions import MEMORY

START: Final = "logs:StartQuery"
RESULTS: Final = "logs:GetQueryResults"
STOP: Final = "logs:StopQuery"
GROUPS: Final = "logs:DescribeLogGroups"
_COUNTS: Final = "cloudwatch:GetMetricData"
GROUP_PREFIX: Final = "/aws/lambda/"
TEXT: Final = "Text"
_STANDARD: Final = "STANDARD"
_PAGE: Final = 50
_RUNNING: Final = frozenset({"Scheduled", "Running"})
_PAUSE_SECONDS: Final = 1.0
_PATIENCE: Final = 300
"""How often an answer is asked for before a query is stopped."""
LARGEST_MB: Final = 1792
"""Above, memory buys further processors, and no check judges it."""
SMALLEST_MB: Final = 128
_NOT_MEASURED: Final = frozenset({"NotPublished", "NotPublishedSinceLaunch"})
"""What CloudWatch says of memory where Lambda Insights is off; after any other reason it may be on."""
NO_GROUP: Final = "its log group is not there, or of a class that is not read"
NO_COUNT: Final = "the invocations of each day could not be read"


def needed(function: Resource, utilization: Utilization, now: datetime) -> bool:
    """Return whether only REPORT lines can say that a function has too much memory, and they may say so.

    A log group of another name may be shared by functions, and lines do not say whose they are.
    """
    memory, changed = function.number("memory_mb"), parse_time(function.text("last_modified"))
    invocations = utilization.best("invocations")
    return (
        utilization.best(MEMORY) is None
        and utilization.unknown.get(MEMORY) in _NOT_MEASURED
        and memory is not None
        and SMALLEST_MB < memory <= LARGEST_MB
        and not function.attributes.get("on_own_capacity")
        and function.text("function_log_group") == GROUP_PREFIX + function.id
        and function.text("function_log_format") == TEXT
        and changed is not None
        and changed <= now - timedelta(days=DAYS)
        and invocations is not None
        and bool(invocations.total)
        and utilization.best("longestMilliseconds") is not None
    )


def read(reader: PageReader, pause: Pause, functions: Sequence[Resource], now: datetime) -> Iterator[LoggedBatch]:
    """Yield what each query says of its functions; raises AwsError where one could not be begun."""
    by_group = {function.text("function_log_group"): function.id for function in functions}
    there = _there(reader, by_group)
    yield LoggedBatch({name: Logged(reason=NO_GROUP) for group, name in by_group.items() if group not in there})
    for groups in queries_of(there):
        names = {group: by_group[group] for group in groups}
        counts = _counts(reader, list(names.values()), now)
        idle = {name: Logged(reason=NO_COUNT) for name in names.values() if counts[name] is None}
        idle |= {name: logged_of((), days, now) for name, days in counts.items() if days and not any(days.values())}
        yield LoggedBatch(idle)
        asked = {group: name for group, name in names.items() if name not in idle}
        if asked:
            yield _batch(_Query(reader, pause).run(sorted(asked), now), asked, counts, now)


def _batch(
    answer: _Answer, asked: Mapping[str, str], counts: Mapping[str, Mapping[date, float] | None], now: datetime
) -> LoggedBatch:
    days = None if answer.failed else reported(answer.status, answer.rows)
    if days is None:
        failed = answer.failed or "IncompleteAnswer"
        lost = Logged(reason=answer.reason or f"the query of its logs ended as {answer.status}", failed=failed)
        return LoggedBatch(dict.fromkeys(asked.values(), lost), answer.scanned_bytes)
    found, start = {}, window_of(now)[0]
    for group, name in asked.items():
        lines = days.get(group, ())
        unread = Logged(reason="a row of the answer about its logs cannot be read")
        found[name] = unread if lines is None else logged_of(lines, counts[name] or {}, start)
    return LoggedBatch(found, answer.scanned_bytes)


def _there(reader: PageReader, groups: Iterable[str]) -> list[str]:
    """Return those of the log groups that a query may name: one that is not there fails it for all."""
    wanted = set(groups)
    asked = {"limit": _PAGE, "logGroupNamePrefix": _beginning(min(wanted), max(wanted))}
    return sorted(
        str(group["logGroupName"])
        for page in reader.pages(GROUPS, asked)
        for group in page.get("logGroups", ())
        if group["logGroupName"] in wanted and group.get("logGroupClass", _STANDARD) == _STANDARD
    )


def _beginning(first: str, last: str) -> str:
    """Return what all names between two begin with."""
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def _counts(reader: PageReader, names: Sequence[str], now: datetime) -> dict[str, dict[date, float] | None]:
    """Return function → day → invocations, None where AWS did not give all of it."""
    start, end = window_of(now)
    queries = [
        {
            "Id": f"i{at}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Lambda",
                    "MetricName": "Invocations",
                    "Dimensions": [{"Name": "FunctionName", "Value": name}],
                },
                "Period": 86_400,
                "Stat": "Sum",
            },
        }
        for at, name in enumerate(names)
    ]
    asked = {"MetricDataQueries": queries, "StartTime": start, "EndTime": end}
    answer = reader.once(_COUNTS, asked, datapoints=DAYS * len(names), metrics=len(names))
    found: dict[str, dict[date, float] | None] = dict.fromkeys(names)
    if answer.get("NextToken"):
        return found
    for one in answer.get("MetricDataResults", ()):
        if one.get("StatusCode") == "Complete":
            # AWS publishes a day only when the function was invoked.
            days = {(start + timedelta(days=at)).date(): 0.0 for at in range(DAYS)}
            days |= {
                datetime.fromtimestamp(at, UTC).date(): float(sent)
                for at, sent in zip(one["Timestamps"], one["Values"], strict=True)
            }
            found[names[int(one["Id"][1:])]] = days
    return found


@dataclass(frozen=True, slots=True)
class _Answer:
    """How a query ended.

    Attributes:
        failed: our code where it did not end by itself, or its end could not be read, with the reason.
    """

    status: str = ""
    rows: Sequence[Iterable[Mapping[str, str]]] = ()
    scanned_bytes: float = 0.0
    failed: str = ""
    reason: str = ""


class _Query:
    """One query, from its start to its end."""

    def __init__(self, reader: PageReader, pause: Pause) -> None:
        self._reader = reader
        self._pause = pause
        self._id = ""
        self._last = _Answer()

    def run(self, groups: Sequence[str], now: datetime) -> _Answer:
        """Return how the query of these groups ended. Raises AwsError where it was not begun."""
        start, end = window_of(now)
        asked: dict[str, Any] = {
            "logGroupNames": list(groups),
            "queryString": QUERY,
            "startTime": int(start.timestamp()),
            # Both ends are a part of what is read.
            "endTime": int(end.timestamp()) - 1,
            "limit": ROWS,
        }
        self._id = str(self._reader.once(START, asked)["queryId"])
        running = True
        try:
            running = self._wait()
        except AwsError as error:
            self._last = replace(self._last, failed=error.code, reason=str(error))
        finally:
            if running:
                self._stop()
        return self._last

    def _wait(self) -> bool:
        """Ask until the query has ended or patience has; return whether it may still run."""
        for _ in range(_PATIENCE):
            answer = self._reader.once(RESULTS, {"queryId": self._id})
            status, scanned = str(answer.get("status")), (answer.get("statistics") or {}).get("bytesScanned", 0.0)
            self._last = _Answer(status, answer.get("results") or (), float(scanned))
            if status not in _RUNNING:
                if answer.get("nextToken"):
                    self._last = replace(self._last, failed="IncompleteAnswer", reason="the answer has further pages")
                return False
            self._pause(_PAUSE_SECONDS)
        reason = f"the query of its logs did not end in {_PATIENCE * _PAUSE_SECONDS:.0f} s"
        self._last = replace(self._last, failed="QueryTimedOut", reason=reason)
        return True

    def _stop(self) -> None:
        try:
            self._reader.once(STOP, {"queryId": self._id})
        except AwsError as error:
            reason = f"{self._last.reason or 'the query was left'}, and it was not stopped: {error}"
            self._last = replace(self._last, failed=self._last.failed or error.code, reason=reason)


REPORT_LINES: Final = LoggedMetric(
    metric=MEMORY,
    check="lambda_function_memory",
    wanted=lambda metrics: metrics.lambda_report_lines,
    permissions=(START, RESULTS, STOP, GROUPS, _COUNTS),
    needed=needed,
    read=read,
)
