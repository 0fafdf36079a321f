"""Reads REPORT lines: which functions they are asked about, and the queries of CloudWatch Logs Insights.

Declared by the kind, called by the scan where the policy wants it. One query at a time runs in an account and region,
of the 30 to 100 that AWS lets run there; it is stopped where it is not waited for. What a query that was begun could
not answer is kept like an answer, because AWS bills what it read. What AWS would not begin, what would read too much,
and a function of which the calls before did not say enough, is left out by itself. Sources: CloudWatch Logs API
reference, StartQuery, GetQueryResults, StopQuery, DescribeLogGroups; Lambda developer guide, "Sending Lambda function
logs to CloudWatch".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any, Final

from finops.domain.logged import Logged, LoggedBatch
from finops.domain.price import Cost, PriceQuery
from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.errors import AwsCredentialsInvalid, AwsDenied, AwsError, AwsRejected, AwsThrottled
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.logged import Asking, LoggedMetric, Pause
from finops_operator.services.awslambda.rules.report_lines import (
    DAYS,
    QUERY,
    ROWS,
    logged_of,
    queries_of,
    reported,
    window_of,
)
from finops_operator.services.awslambda.rules.versions import BY_MEMORY, MEMORY

START: Final = "logs:StartQuery"
RESULTS: Final = "logs:GetQueryResults"
STOP: Final = "logs:StopQuery"
GROUPS: Final = "logs:DescribeLogGroups"
_COUNTS: Final = "cloudwatch:GetMetricData"
GROUP_PREFIX: Final = "/aws/lambda/"
TEXT: Final = "Text"
_STANDARD: Final = "STANDARD"
_PAGE: Final = 50
_ENDED: Final = frozenset({"Complete", "Failed", "Cancelled", "Timeout"})
"""Of any other status, `Unknown` among them, a query may still run."""
_PAUSE_SECONDS: Final = 1.0
_PATIENCE: Final = 300
"""How often an answer is asked for before a query is stopped."""
LARGEST_MB: Final = 1792
"""Above, memory buys further processors, and no check judges it."""
SMALLEST_MB: Final = 128
_NOT_MEASURED: Final = frozenset({"NotPublished", "NotPublishedSinceLaunch"})
"""What CloudWatch says of memory where Lambda Insights is off; after any other reason it may be on."""
NO_GROUP: Final = "its log group is not there, or of a class that is not read"
_INCOMPLETE: Final = "IncompleteAnswer"
NO_COUNT: Final = "the invocations of each day could not be read"
SIZE_UNKNOWN: Final = "SizeUnknown: how much its logs hold could not be read"


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


def most_saved(function: Resource, cost: Cost) -> Decimal | None:
    """Return what a month can save at most: all that is billed by memory but the share of the smallest size."""
    memory, billed = function.number("memory_mb"), cost.part(BY_MEMORY)
    if memory is None or not memory or billed is None:
        return None
    return billed * (1 - Decimal(SMALLEST_MB) / Decimal(str(memory)))


def price(region: str) -> PriceQuery:
    """Return what to ask about the price of a GB that CloudWatch Logs Insights reads."""
    return PriceQuery("cloudwatch", region, "logs_insights_scanned")


def read(reader: PageReader, pause: Pause, asking: Asking) -> Iterator[LoggedBatch]:
    """Yield what each query says of its functions.

    Raises:
        AwsError: one could not be begun; AwsDenied too after the batch of one whose answer may not be read.
    """
    by_group = {function.text("function_log_group"): function.id for function in asking.resources}
    there = _there(reader, by_group, window_of(asking.now)[0])
    yield LoggedBatch(
        {
            name: Logged(reason=there.get(group, NO_GROUP))
            for group, name in by_group.items()
            if there.get(group, NO_GROUP)
        }
    )
    for groups in queries_of(group for group, why in there.items() if not why):
        names = {group: by_group[group] for group in groups}
        counts, sizes = _counts(reader, names, asking.now)
        idle = {
            name: logged_of((), days, asking.now) for name, days in counts.items() if days and not any(days.values())
        }
        lost = {name: _unread(SIZE_UNKNOWN) for name, size in sizes.items() if size is None and name not in idle}
        lost |= {name: _unread(NO_COUNT) for name, days in counts.items() if days is None}
        decided = idle.keys() | lost.keys()
        sized = {name: size for name, size in sizes.items() if size is not None and name not in decided}
        # Nothing failed where one is left out: it is why its memory is not known, and no gap of the scan.
        left = {name: Logged(reason=why) for name, size in sized.items() if (why := asking.left_out(name, size))}
        yield LoggedBatch(idle, left_out=lost | left, sizes={name: sized[name] for name in left})
        asked = {group: name for group, name in names.items() if name in sized and name not in left}
        if asked:
            expected = {name: sized[name] for name in asked.values()}
            yield from _queried(reader, pause, asked, counts, expected, asking)


def _unread(reason: str) -> Logged:
    return Logged(reason=reason, failed=_INCOMPLETE, operation=_COUNTS)


def _queried(
    reader: PageReader,
    pause: Pause,
    asked: Mapping[str, str],
    counts: Mapping[str, Mapping[date, float] | None],
    sizes: Mapping[str, float],
    asking: Asking,
) -> Iterator[LoggedBatch]:
    """Yield what the queries about these groups bring: one, or more where AWS refuses it for some of them.

    What was set aside for queries that AWS did not begin may be read by others; where it did not answer, it may have.
    """
    waiting = sum(sizes.values())
    try:
        for groups, answer in _answers(reader, pause, sorted(asked), asking.now):
            names = {group: asked[group] for group in groups}
            expected = sum(sizes[name] for name in names.values())
            billed = answer.billed_bytes(expected)
            asking.budget.settle(expected, billed)
            waiting -= expected
            if answer.begun:
                yield replace(_batch(answer, names, counts, asking.now), scanned_bytes=billed)
            else:
                lost = Logged(reason=answer.reason, failed=answer.failed)
                yield LoggedBatch(left_out=dict.fromkeys(names.values(), lost))
            if answer.denied is not None:
                raise answer.denied
    except (AwsDenied, AwsThrottled, AwsCredentialsInvalid):
        asking.budget.settle(waiting, 0.0)
        raise


def _answers(
    reader: PageReader, pause: Pause, groups: Sequence[str], now: datetime
) -> Iterator[tuple[Sequence[str], _Answer]]:
    """Yield how the query of these groups ended, or those of its halves where AWS refuses one group of several.

    A group may have gone since it was listed, and AWS then begins no query that names it.
    """
    try:
        yield groups, _Query(reader, pause).run(groups, now)
    except AwsRejected as error:
        if len(groups) == 1:
            yield groups, _Answer(failed=error.code, reason=str(error), begun=False)
            return
        half = len(groups) // 2
        yield from _answers(reader, pause, groups[:half], now)
        yield from _answers(reader, pause, groups[half:], now)


def _batch(
    answer: _Answer, asked: Mapping[str, str], counts: Mapping[str, Mapping[date, float] | None], now: datetime
) -> LoggedBatch:
    days = None if answer.failed else reported(answer.status, answer.rows)
    if days is None:
        failed = answer.failed or _INCOMPLETE
        reason = answer.reason or f"the query of its logs ended as {answer.status}"
        lost = Logged(reason=reason, failed=failed, denied=answer.denied is not None)
        return LoggedBatch(dict.fromkeys(asked.values(), lost))
    found, start = {}, window_of(now)[0]
    for group, name in asked.items():
        lines = days.get(group, ())
        unread = Logged(reason="a row of the answer about its logs cannot be read")
        found[name] = unread if lines is None else logged_of(lines, counts[name] or {}, start)
    return LoggedBatch(found)


def _there(reader: PageReader, groups: Iterable[str], start: datetime) -> dict[str, str]:
    """Return log group → why its lines cannot say enough, empty: they may; one that is not there is absent.

    A query that names one that is not there fails for all.
    """
    wanted = set(groups)
    asked = {"limit": _PAGE, "logGroupNamePrefix": _beginning(min(wanted), max(wanted))}
    return {
        str(group["logGroupName"]): _too_short(group, start)
        for page in reader.pages(GROUPS, asked)
        for group in page.get("logGroups", ())
        if group["logGroupName"] in wanted and group.get("logGroupClass", _STANDARD) == _STANDARD
    }


def _too_short(group: Mapping[str, Any], start: datetime) -> str:
    """Return why a log group does not hold all the days that are read, empty: it may."""
    kept, created = group.get("retentionInDays"), group.get("creationTime")
    if kept is not None and int(kept) <= DAYS:
        return f"its log group keeps lines for {kept} days, and {DAYS} whole ones are read"
    if created is not None and datetime.fromtimestamp(int(created) / 1000, UTC) > start:
        return f"its log group is younger than the {DAYS} days that are read"
    return ""


def _beginning(first: str, last: str) -> str:
    """Return what all names between two begin with."""
    return "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))


def _counts(
    reader: PageReader, names: Mapping[str, str], now: datetime
) -> tuple[dict[str, dict[date, float] | None], dict[str, float | None]]:
    """Return function → day → invocations, and function → bytes that came in; None where AWS did not give all of it.

    What came in is what a query of these days reads.
    """
    start, end = window_of(now)
    functions = list(names.values())
    queries = [
        _sum_by_day(f"{letter}{at}", namespace, metric, dimension, value)
        for at, (group, name) in enumerate(names.items())
        for letter, namespace, metric, dimension, value in (
            ("i", "AWS/Lambda", "Invocations", "FunctionName", name),
            ("b", "AWS/Logs", "IncomingBytes", "LogGroupName", group),
        )
    ]
    asked = {"MetricDataQueries": queries, "StartTime": start, "EndTime": end}
    answer = reader.once(_COUNTS, asked, datapoints=DAYS * len(queries), metrics=len(queries))
    counts: dict[str, dict[date, float] | None] = dict.fromkeys(functions)
    sizes: dict[str, float | None] = dict.fromkeys(functions)
    whole = () if answer.get("NextToken") else answer.get("MetricDataResults", ())
    for one in whole:
        name = functions[int(one["Id"][1:])]
        if one.get("StatusCode") != "Complete":
            continue
        if one["Id"].startswith("b"):
            # AWS publishes a day only when something came in.
            sizes[name] = float(sum(one["Values"]))
            continue
        # AWS publishes a day only when the function was invoked.
        days = {(start + timedelta(days=at)).date(): 0.0 for at in range(DAYS)}
        days |= {
            datetime.fromtimestamp(at, UTC).date(): float(sent)
            for at, sent in zip(one["Timestamps"], one["Values"], strict=True)
        }
        counts[name] = days
    return counts, sizes


def _sum_by_day(name: str, namespace: str, metric: str, dimension: str, value: str) -> dict[str, Any]:
    of = {"Namespace": namespace, "MetricName": metric, "Dimensions": [{"Name": dimension, "Value": value}]}
    return {"Id": name, "MetricStat": {"Metric": of, "Period": 86_400, "Stat": "Sum"}}


@dataclass(frozen=True, slots=True)
class _Answer:
    """How a query ended.

    Attributes:
        scanned_bytes: what AWS said last that it has read; None: it did not say.
        failed: our code where it did not end by itself, or its end could not be read, with the reason.
        denied: the refusal where its answer may not be read.
        begun: whether AWS began it, and so may bill it.
    """

    status: str = ""
    rows: Sequence[Iterable[Mapping[str, str]]] = ()
    scanned_bytes: float | None = None
    failed: str = ""
    reason: str = ""
    denied: AwsDenied | None = None
    begun: bool = True

    def billed_bytes(self, expected: float) -> float:
        """Return what AWS may bill: what it said at the end that it read, else no less than was expected."""
        if not self.begun:
            return 0.0
        if self.scanned_bytes is None:
            return expected
        return self.scanned_bytes if self.status in _ENDED else max(expected, self.scanned_bytes)


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
            denied = error if isinstance(error, AwsDenied) else None
            self._last = replace(self._last, failed=error.code, reason=str(error), denied=denied)
        finally:
            if running:
                self._stop()
        return self._last

    def _wait(self) -> bool:
        """Ask until the query has ended or patience has; return whether it may still run."""
        for _ in range(_PATIENCE):
            answer = self._reader.once(RESULTS, {"queryId": self._id})
            status, scanned = str(answer.get("status")), (answer.get("statistics") or {}).get("bytesScanned")
            self._last = _Answer(status, answer.get("results") or (), None if scanned is None else float(scanned))
            if status in _ENDED:
                if answer.get("nextToken"):
                    self._last = replace(self._last, failed=_INCOMPLETE, reason="the answer has further pages")
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
    most_saved=most_saved,
    price=price,
    read=read,
)
