"""Queries of logs: whom they are asked about, in which order, and how each of them ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest
from tests.support.facts import NOW
from tests.support.judging import without
from tests.unit.services.awslambda.functions import ago, function, invoked, memory

from finops.domain.logged import Logged, LoggedBatch
from finops.domain.resource import Resource
from finops.errors import AwsDenied, AwsRejected
from finops_operator.services.awslambda.rules.report_lines import DAYS, window_of
from finops_operator.services.awslambda.rules.report_queries import (
    GROUP_PREFIX,
    GROUPS,
    NO_COUNT,
    NO_GROUP,
    REPORT_LINES,
    RESULTS,
    START,
    STOP,
)

COUNTS: Final = "cloudwatch:GetMetricData"
PAST: Final = without(invoked(100), "memoryPercent", reason="NotPublished")
RUNNING: Final = {"status": "Running", "results": []}


def named(name: str) -> Resource:
    made = function(function_log_group=GROUP_PREFIX + name, function_log_format="Text")
    return replace(made, id=name, name=name)


def row(name: str, day: int) -> list[dict[str, str]]:
    moment = window_of(NOW)[0].replace(day=10 + day)
    fields = {"@log": f"111122223333:{GROUP_PREFIX}{name}", "bin(1d)": f"{moment:%Y-%m-%d} 00:00:00.000"}
    fields |= {"lines": "100", "most": "20", "mean": "10"}
    return [{"field": key, "value": value} for key, value in fields.items()]


def complete(*names: str, **more: Any) -> dict[str, Any]:
    rows = [row(name, day) for name in names for day in range(DAYS)]
    return {"status": "Complete", "results": rows, "statistics": {"bytesScanned": 1e9}, **more}


def counted(parameters: Mapping[str, Any]) -> dict[str, Any]:
    stamps = [parameters["StartTime"].timestamp() + 86_400 * day for day in range(DAYS)]
    queries = parameters["MetricDataQueries"]
    whole = {"StatusCode": "Complete", "Timestamps": stamps, "Values": [100.0] * DAYS}
    return {"MetricDataResults": [{"Id": one["Id"], **whole} for one in queries]}


@dataclass
class Reader:
    """Answers each operation from a list, the last of it again and again; what is an error is raised."""

    answers: Mapping[str, list[Any]]
    groups: tuple[str, ...] = ()
    account: str = "111122223333"
    region: str = "eu-west-1"
    asked: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> dict[str, Any]:
        self.asked.append((operation, parameters))
        given = self.answers.get(operation, [])
        if not given:
            return counted(parameters) if operation == COUNTS else {"queryId": "q"}
        answer = given.pop(0) if len(given) > 1 else given[0]
        if isinstance(answer, Exception):
            raise answer
        found: dict[str, Any] = answer
        return found

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        self.asked.append((operation, parameters))
        yield {"logGroups": [{"logGroupName": name} for name in self.groups]}
        rare = {"logGroupName": GROUP_PREFIX + "rare", "logGroupClass": "INFREQUENT_ACCESS"}
        yield {"logGroups": [rare]}

    def count(self, operation: str) -> int:
        return sum(1 for one, _ in self.asked if one == operation)


def reader(*names: str, **answers: list[Any]) -> Reader:
    operations = {"results": RESULTS, "start": START, "stop": STOP, "counts": COUNTS}
    given = {operations[name]: each for name, each in answers.items()}
    return Reader(given, tuple(GROUP_PREFIX + name for name in names))


def read(aws: Reader, *names: str) -> tuple[dict[str, Logged], float]:
    pauses: list[float] = []
    batches: list[LoggedBatch] = list(REPORT_LINES.read(aws, pauses.append, [named(one) for one in names], NOW))
    found = {name: one for batch in batches for name, one in batch.found.items()}
    return found, sum(batch.scanned_bytes for batch in batches)


def test_a_function_whose_memory_nothing_else_says_is_asked_about() -> None:
    assert REPORT_LINES.needed(named("one"), PAST, NOW)


@pytest.mark.parametrize(
    "attributes",
    [
        {"memory_mb": 128},
        {"memory_mb": 1793},
        {"memory_mb": None},
        {"function_log_format": "JSON"},
        {"function_log_group": "/shared/by/several"},
        {"last_modified": ago(13)},
        {"on_own_capacity": True},
    ],
)
def test_a_function_that_lines_cannot_decide_is_not_asked_about(attributes: dict[str, Any]) -> None:
    facts = {**named("one").attributes, **attributes}
    assert not REPORT_LINES.needed(replace(named("one"), attributes=facts), PAST, NOW)


def test_what_insights_measures_or_may_measure_is_not_read_from_logs() -> None:
    assert not REPORT_LINES.needed(named("one"), invoked(100, memory=memory(10)), NOW)
    throttled = without(invoked(100), "memoryPercent", reason="Throttled")
    assert not REPORT_LINES.needed(named("one"), throttled, NOW)
    for name in ("invocations", "longestMilliseconds"):
        assert not REPORT_LINES.needed(named("one"), without(PAST, name), NOW)
    assert not REPORT_LINES.needed(named("one"), without(invoked(0), "memoryPercent", reason="NotPublished"), NOW)


def test_one_query_answers_all_functions_and_is_waited_for() -> None:
    aws = reader("one", "two", results=[RUNNING, RUNNING, complete("one", "two")])
    found, scanned = read(aws, "one", "two")
    assert {name: one.covered_percent for name, one in found.items()} == {"one": 100.0, "two": 100.0}
    assert scanned == 1e9
    assert (aws.count(START), aws.count(RESULTS), aws.count(STOP)) == (1, 3, 0)
    (asked,) = [parameters for operation, parameters in aws.asked if operation == START]
    start, end = window_of(NOW)
    assert (asked["startTime"], asked["endTime"]) == (start.timestamp(), end.timestamp() - 1)
    assert asked["logGroupNames"] == [GROUP_PREFIX + "one", GROUP_PREFIX + "two"]


def test_a_log_group_that_is_not_there_or_of_another_class_is_left_out_of_the_query() -> None:
    aws = reader("one", results=[complete("one")])
    found, _ = read(aws, "one", "two", "rare")
    assert (found["two"].reason, found["rare"].reason) == (NO_GROUP, NO_GROUP)
    assert found["one"].summary is not None
    (listed,) = [parameters for operation, parameters in aws.asked if operation == GROUPS]
    assert listed["logGroupNamePrefix"] == GROUP_PREFIX


def test_without_the_invocations_of_each_day_nothing_is_queried() -> None:
    paged = counted({"StartTime": NOW, "MetricDataQueries": [{"Id": "i0"}]})
    answers: tuple[dict[str, Any], ...] = ({"MetricDataResults": []}, {**paged, "NextToken": "further"})
    for answer in answers:
        aws = reader("one", counts=[answer])
        assert read(aws, "one")[0]["one"].reason == NO_COUNT
        assert aws.count(START) == 0


def test_a_function_that_was_not_invoked_in_those_days_is_not_queried() -> None:
    idle = {"MetricDataResults": [{"Id": "i0", "StatusCode": "Complete", "Timestamps": [], "Values": []}]}
    aws = reader("one", counts=[idle])
    assert read(aws, "one")[0]["one"].reason == "it was not invoked"
    assert aws.count(START) == 0


def test_a_query_that_does_not_end_is_stopped_and_kept_as_lost() -> None:
    aws = reader("one", results=[{**RUNNING, "statistics": {"bytesScanned": 5.0}}])
    found, scanned = read(aws, "one")
    assert (found["one"].failed, found["one"].summary, scanned) == ("QueryTimedOut", None, 5.0)
    assert found["one"].reason == "the query of its logs did not end in 300 s"
    assert (aws.count(RESULTS), aws.count(STOP)) == (300, 1)


def test_a_query_whose_answer_is_refused_is_stopped_and_a_failure_to_stop_it_is_said() -> None:
    refused = AwsDenied("allow logs:GetQueryResults", operation=RESULTS, code="AccessDeniedException")
    unstopped = AwsRejected("it is not running", operation=STOP, code="InvalidParameterException")
    aws = reader("one", results=[refused], stop=[unstopped])
    (lost,) = read(aws, "one")[0].values()
    assert lost.failed == "AccessDeniedException"
    assert lost.reason == "allow logs:GetQueryResults, and it was not stopped: it is not running"


@pytest.mark.parametrize("answer", [{"status": "Failed"}, {"status": "Timeout"}, complete("one", nextToken="further")])
def test_an_answer_that_is_not_whole_is_lost(answer: dict[str, Any]) -> None:
    aws = reader("one", results=[answer])
    (lost,) = read(aws, "one")[0].values()
    assert (lost.failed, lost.summary, aws.count(STOP)) == ("IncompleteAnswer", None, 0)


def test_a_query_that_cannot_be_begun_raises_and_nothing_is_kept_of_it() -> None:
    refused = AwsDenied("allow logs:StartQuery", operation=START, code="AccessDeniedException")
    with pytest.raises(AwsDenied):
        read(reader("one", start=[refused]), "one")


def test_what_ends_the_scan_while_a_query_runs_stops_the_query() -> None:
    aws = reader("one", results=[RUNNING])

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(REPORT_LINES.read(aws, interrupted, [named("one")], NOW))
    assert aws.count(STOP) == 1
