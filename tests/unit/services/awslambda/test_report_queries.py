"""Queries of logs: whom they are asked about, in which order, and how each of them ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final

import pytest
from tests.support.facts import NOW
from tests.support.judging import without
from tests.unit.services.awslambda.functions import ago, function, invoked, memory

from finops.domain.logged import Logged, LoggedBatch
from finops.domain.resource import Resource
from finops.errors import AwsDenied, AwsError, AwsRejected, AwsThrottled, AwsUnreachable
from finops_operator.plugins.logged import Asking, ByteBudget
from finops_operator.services.awslambda.rules.report_lines import DAYS, ReportedDay, logged_of, matched_days, window_of
from finops_operator.services.awslambda.rules.report_queries import (
    GROUP_PREFIX,
    GROUPS,
    NO_COUNT,
    NO_GROUP,
    REPORT_LINES,
    RESULTS,
    SIZE_UNKNOWN,
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
    described: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
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
        yield {"logGroups": [{"logGroupName": name, **self.described.get(name, {})} for name in self.groups]}
        rare = {"logGroupName": GROUP_PREFIX + "rare", "logGroupClass": "INFREQUENT_ACCESS"}
        yield {"logGroups": [rare]}

    def count(self, operation: str) -> int:
        return sum(1 for one, _ in self.asked if one == operation)


def reader(*names: str, **answers: list[Any]) -> Reader:
    operations = {"results": RESULTS, "start": START, "stop": STOP, "counts": COUNTS}
    given = {operations[name]: each for name, each in answers.items()}
    return Reader(given, tuple(GROUP_PREFIX + name for name in names))


def asking(*names: str, most: float | None = 1e12, budget: float = 1e12) -> Asking:
    return Asking([named(one) for one in names], NOW, dict.fromkeys(names, most), ByteBudget(budget))


def read(aws: Reader, *names: str, asked: Asking | None = None) -> tuple[dict[str, Logged], float]:
    batches: list[LoggedBatch] = []
    with suppress(AwsDenied):
        for batch in REPORT_LINES.read(aws, lambda _: None, asked or asking(*names)):
            batches.append(batch)  # noqa: PERF402 - what came before a refusal counts
    found = {name: one for batch in batches for name, one in (batch.found | batch.left_out).items()}
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
    assert (found["one"].failed, found["one"].summary, scanned) == ("QueryTimedOut", None, 1400.0)
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
        list(REPORT_LINES.read(reader("one", start=[refused]), lambda _: None, asking("one")))


def test_what_ends_the_scan_while_a_query_runs_stops_the_query() -> None:
    aws = reader("one", results=[RUNNING])

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(REPORT_LINES.read(aws, interrupted, asking("one")))
    assert aws.count(STOP) == 1


def described(**settings: Any) -> Reader:
    aws = reader("one", "two", results=[complete("one", "two")])
    return replace(aws, described={GROUP_PREFIX + "two": settings})


_START = window_of(NOW)[0]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"retentionInDays": 7}, "its log group keeps lines for 7 days, and 14 whole ones are read"),
        ({"retentionInDays": 14}, "its log group keeps lines for 14 days, and 14 whole ones are read"),
        ({"retentionInDays": 15}, ""),
        ({"creationTime": _START.timestamp() * 1000 + 1000}, "its log group is younger than the 14 days that are read"),
        ({"creationTime": _START.timestamp() * 1000}, ""),
        ({}, ""),
    ],
)
def test_only_log_groups_that_may_hold_all_the_days_are_asked(settings: dict[str, Any], reason: str) -> None:
    aws = described(**settings)
    found, _ = read(aws, "one", "two")
    assert found["one"].summary is not None
    assert (found["two"].reason, found["two"].summary is None) == (reason, True) if reason else found["two"].summary
    (asked,) = [parameters for operation, parameters in aws.asked if operation == START]
    assert (GROUP_PREFIX + "two" in asked["logGroupNames"]) is not bool(reason)


# Each function of the double wrote 100 bytes a day.
@pytest.mark.parametrize(
    ("most", "budget", "codes"),
    [
        (1400.0, 2800.0, ["", ""]),
        (1399.0, 2800.0, ["CostsMoreThanItSaves", "CostsMoreThanItSaves"]),
        (1400.0, 2799.0, ["", "OverTheCeiling"]),
        (1400.0, 1399.0, ["OverTheCeiling", "OverTheCeiling"]),
        (None, 2800.0, ["SavingUnknown", "SavingUnknown"]),
    ],
)
def test_what_would_read_more_than_it_saves_or_than_the_scan_may_is_left_out_and_named(
    most: float | None, budget: float, codes: list[str]
) -> None:
    aws = reader("one", "two", results=[complete("one", "two")])
    found, _ = read(aws, asked=asking("one", "two", most=most, budget=budget))
    assert [found[name].reason.partition(":")[0] * (found[name].summary is None) for name in ("one", "two")] == codes
    assert not any(one.failed for one in found.values()), "a gap of the scan hides the region from other work"
    assert aws.count(START) == (not all(codes))


def test_what_a_query_read_beyond_what_was_expected_is_taken_from_what_the_scan_may_still_read() -> None:
    asked = asking("one", budget=5e9)
    read(reader("one", results=[complete("one")]), asked=asked)
    assert asked.budget.bytes_left == 4e9


def _lost(failing: type[AwsError]) -> AwsError:
    return failing("no answer", operation=RESULTS, code="Lost")


@pytest.mark.parametrize(
    "answers",
    [
        [_lost(AwsThrottled)],
        [_lost(AwsUnreachable)],
        [_lost(AwsDenied)],
        [_lost(AwsRejected)],
        [RUNNING, _lost(AwsThrottled)],
        [{**RUNNING, "statistics": {"bytesScanned": 5.0}}, _lost(AwsThrottled)],
        [{"status": "Timeout"}],
        [{"status": "Failed", "results": []}],
        [RUNNING],
    ],
)
def test_shards_that_share_a_ceiling_keep_to_it_though_aws_does_not_say_what_their_queries_read(
    answers: list[Any],
) -> None:
    """Each of 20 regions has 10 functions with 1400 bytes of logs; the ceiling holds 50 of them."""
    budget, begun, billed = ByteBudget(70_000.0), 0, 0.0
    for region in range(20):
        names = [f"f{region:02d}{at}" for at in range(10)]
        aws = reader(*names, results=list(answers))
        limit = Asking([named(one) for one in names], NOW, dict.fromkeys(names, 1e12), budget)
        _, scanned = read(aws, asked=limit)
        billed += scanned
        begun += sum(len(sent["logGroupNames"]) for operation, sent in aws.asked if operation == START)
    assert (begun, billed, budget.bytes_left) == (50, 70_000.0, 0.0)


def test_what_aws_says_that_an_ended_query_read_is_what_counts_though_it_failed() -> None:
    asked = asking("one", budget=5_000.0)
    _, scanned = read(reader("one", results=[{"status": "Failed", "statistics": {"bytesScanned": 7.0}}]), asked=asked)
    assert (scanned, asked.budget.bytes_left) == (7.0, 4_993.0)


@pytest.mark.parametrize("status", ["Unknown", "SomethingNew"])
def test_a_query_of_whose_end_aws_says_nothing_is_running_stopped_and_counts_for_what_was_expected(status: str) -> None:
    asked = asking("one", budget=5_000.0)
    aws = reader("one", results=[{"status": status, "statistics": {"bytesScanned": 0.0}}])
    found, scanned = read(aws, asked=asked)
    assert (found["one"].failed, scanned, asked.budget.bytes_left) == ("QueryTimedOut", 1400.0, 3_600.0)
    assert aws.count(STOP) == 1


def test_a_query_that_aws_does_not_begin_uses_up_nothing() -> None:
    refused = AwsRejected("no such group", operation=START, code="ResourceNotFoundException")
    asked = asking("one", budget=5_000.0)
    _, scanned = read(reader("one", start=[refused]), asked=asked)
    assert (scanned, asked.budget.bytes_left) == (0.0, 5_000.0)


@pytest.mark.parametrize(
    ("failing", "left"), [(AwsDenied, 5_000.0), (AwsThrottled, 5_000.0), (AwsUnreachable, 3_600.0)]
)
def test_other_shards_may_read_what_a_query_that_aws_did_not_begin_was_expected_to(
    failing: type[AwsError], left: float
) -> None:
    """Where AWS did not answer it may have begun it, and bill it."""
    asked = asking("one", budget=5_000.0)
    aws = reader("one", start=[failing("no answer", operation=START, code="Lost")])
    with pytest.raises(failing):
        list(REPORT_LINES.read(aws, lambda _: None, asked))
    assert asked.budget.bytes_left == left


@pytest.mark.parametrize(("answered", "reason"), [(["i0"], SIZE_UNKNOWN), (["b0"], NO_COUNT), ([], NO_COUNT)])
def test_what_was_not_read_of_a_function_before_its_query_is_a_failed_call_that_the_next_scan_makes_again(
    answered: list[str], reason: str
) -> None:
    given = counted({"StartTime": window_of(NOW)[0], "MetricDataQueries": [{"Id": one} for one in answered]})
    batches = list(REPORT_LINES.read(reader("one", counts=[given]), lambda _: None, asking("one")))
    assert [dict(one.found) for one in batches if one.found] == [], "nothing is kept of it for a day"
    (lost,) = [one.left_out["one"] for one in batches if one.left_out]
    assert (lost.failed, lost.operation, lost.reason) == ("IncompleteAnswer", COUNTS, reason)


def test_a_refused_answer_ends_asking_and_is_kept_of_those_that_were_asked() -> None:
    refused = AwsDenied("allow logs:GetQueryResults", operation=RESULTS, code="AccessDeniedException")
    names = [f"f{at:02d}" for at in range(60)]
    aws = reader(*names, results=[refused])
    batches = REPORT_LINES.read(aws, lambda _: None, asking(*names))
    kept = [next(batches).found for _ in range(3)]
    with pytest.raises(AwsDenied):
        next(batches)
    found = {name: one for each in kept for name, one in each.items()}
    assert (len(found), all(one.denied for one in found.values()), aws.count(START)) == (50, True, 1)


class OneRejected(Reader):
    """Begins no query that names the log group `two`."""

    def once(self, operation: str, parameters: Mapping[str, Any], **more: int) -> dict[str, Any]:
        if operation == START and GROUP_PREFIX + "two" in parameters["logGroupNames"]:
            self.asked.append((operation, parameters))
            raise AwsRejected("Log group 'two' does not exist.", operation=START, code="ResourceNotFoundException")
        return super().once(operation, parameters, **more)


def test_a_log_group_that_aws_rejects_is_left_out_and_the_others_of_its_query_are_read() -> None:
    names = ("four", "one", "three", "two")
    aws = OneRejected({RESULTS: [complete(*names)]}, tuple(GROUP_PREFIX + name for name in names))
    found, _ = read(aws, *names)
    assert all(found[name].summary for name in names if name != "two")
    assert (found["two"].failed, found["two"].denied) == ("ResourceNotFoundException", False)


def _days(*counts: float) -> dict[date, float]:
    return {(_START + timedelta(days=at)).date(): count for at, count in enumerate(counts)}


@pytest.mark.parametrize(
    ("invoked", "lines", "covered"),
    [
        ((1, 0, 0), (0, 1, 0), [1]),
        ((10, 10), (8, 12), [10, 10]),
        ((10, 10), (8, 11), [9, 10]),
        ((10, 0, 10), (8, 0, 12), [8, 10]),
        ((10, 10), (12, 10), [10, 10]),
        ((10, 10), (10, 8), [10, 8]),
    ],
)
def test_a_line_of_the_day_after_counts_for_an_invocation_before_midnight(
    invoked: tuple[float, ...], lines: tuple[int, ...], covered: list[float]
) -> None:
    found = matched_days({day: int(count) for day, count in _days(*lines).items()}, _days(*invoked))
    assert [written for _, _, written in found] == covered


def test_lines_of_invocations_around_midnight_cover_them_and_are_not_those_of_others() -> None:
    for began, lines in (((1.0, 0.0, 0.0), (0, 1, 0)), ((0.0, 1.0, 0.0), (1, 1, 0))):
        reported = [ReportedDay(day, int(count), 20.0, 10.0) for day, count in _days(*lines).items() if count]
        found = logged_of(reported, _days(*began), _START)
        assert (found.covered_percent, found.summary is not None) == (100.0, True), found.reason
    many = [ReportedDay(day, 20, 20.0, 10.0) for day in _days(1, 1, 1)]
    assert "others write to it" in logged_of(many, _days(10, 10, 10), _START).reason
