"""GetMetricData conversations: pages joined, failures named, nothing empty that was not said to be empty."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from finops.errors import AwsThrottled
from finops_operator.scan.metrics.fetch import fetch
from finops_operator.scan.metrics.queries import HOUR, Batch, Query, Window

WINDOW = Window(0, 4 * HOUR, HOUR)
Answer = Callable[[Mapping[str, Any]], dict[str, Any]]


def query(number: int, statistics: tuple[str, ...] = ("Average", "Maximum")) -> Query:
    return Query(
        f"i-{number}", "cpu", "AWS/EC2", "CPUUtilization", (("InstanceId", f"i-{number}"),), statistics, WINDOW
    )


class Scripted:
    """A reader that answers from a list of functions of the request."""

    account, region = "111111111111", "us-east-1"

    def __init__(self, *answers: Answer) -> None:
        self._answers = iter(answers)
        self.requests: list[dict[str, Any]] = []
        self.metrics = self.datapoints = 0

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        assert operation == "cloudwatch:GetMetricData"
        self.requests.append(dict(parameters))
        self.metrics += metrics
        self.datapoints += datapoints
        return next(self._answers)(parameters)

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        raise AssertionError("pages are followed by the fetcher")


def series(identity: str, stamps: list[float], values: list[float], status: str = "Complete") -> dict[str, Any]:
    return {"Id": identity, "Timestamps": stamps, "Values": values, "StatusCode": status}


def all_with(value: float, status: str = "Complete") -> Answer:
    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        stamps = [0.0, 3600.0, 7200.0, 10800.0]
        values = [] if status == "InternalError" else [value] * 4
        return {
            "MetricDataResults": [
                series(one["Id"], stamps[: len(values)], values, status) for one in request["MetricDataQueries"]
            ]
        }

    return answer


def test_every_statistic_becomes_one_value_per_hour_and_a_hole_stays_a_hole() -> None:
    reader = Scripted(
        lambda _: {
            "MetricDataResults": [
                series("q0_0", [10800.0, 0.0], [4.0, 1.0]),
                series("q0_1", [0.0, 3600.0, 7200.0, 10800.0], [1, 2, 3, 4]),
            ]
        }
    )
    (average, maximum), *_ = fetch(reader, Batch(WINDOW, (query(0),))).points.values()
    assert average[0] == 1.0
    assert average[3] == 4.0
    assert math.isnan(average[1])
    assert list(maximum) == [1.0, 2.0, 3.0, 4.0]


def test_times_are_read_as_numbers_or_as_text() -> None:
    stamps: list[Any] = ["1970-01-01T01:00:00+00:00", "7200"]
    reader = Scripted(lambda _: {"MetricDataResults": [series("q0_0", stamps, [5, 6])]})
    (points,) = fetch(reader, Batch(WINDOW, (query(0, ("Sum",)),))).points.values()
    assert list(points[0])[1:3] == [5.0, 6.0]


def test_partial_pages_are_joined_and_billed_once() -> None:
    reader = Scripted(
        lambda _: {"MetricDataResults": [series("q0_0", [0.0], [1], "PartialData")], "NextToken": "more"},
        lambda _: {"MetricDataResults": [series("q0_0", [3600.0, 7200.0, 10800.0], [2, 3, 4])]},
    )
    answers = fetch(reader, Batch(WINDOW, (query(0, ("Sum",)),)))
    assert list(answers.points[query(0, ("Sum",))][0]) == [1.0, 2.0, 3.0, 4.0]
    assert reader.requests[1]["NextToken"] == "more"
    assert (reader.metrics, reader.datapoints) == (1, 4)


def test_two_statistics_of_a_metric_are_billed_as_one() -> None:
    reader = Scripted(all_with(1))
    fetch(reader, Batch(WINDOW, (query(0), query(1, ("Sum",)))))
    assert (reader.metrics, reader.datapoints) == (2, 12)


def test_a_series_with_an_internal_error_is_asked_again_alone() -> None:
    def first(request: Mapping[str, Any]) -> dict[str, Any]:
        answer = all_with(1)(request)
        answer["MetricDataResults"][0].update(StatusCode="InternalError", Timestamps=[], Values=[])
        return answer

    reader = Scripted(first, all_with(7))
    answers = fetch(reader, Batch(WINDOW, (query(0), query(1))))
    assert [len(request["MetricDataQueries"]) for request in reader.requests] == [4, 2]
    assert list(answers.points[query(0)][0]) == [7.0] * 4
    assert not answers.failed


def test_a_series_that_keeps_failing_stays_unknown() -> None:
    reader = Scripted(*[all_with(1, "InternalError")] * 3)
    answers = fetch(reader, Batch(WINDOW, (query(0),)))
    assert answers.failed == {query(0): "InternalError"}
    assert not answers.points


def test_partial_data_without_a_next_page_is_not_taken_for_all_there_is() -> None:
    reader = Scripted(*[all_with(1, "PartialData")] * 3)
    assert fetch(reader, Batch(WINDOW, (query(0),))).failed == {query(0): "PartialData"}


def test_a_series_that_the_answer_leaves_out_is_unknown_and_not_empty() -> None:
    reader = Scripted(*[lambda _: {"MetricDataResults": []}] * 3)
    assert fetch(reader, Batch(WINDOW, (query(0),))).failed == {query(0): "NotAnswered"}


def test_an_empty_series_that_is_complete_is_known_to_be_empty() -> None:
    reader = Scripted(lambda _: {"MetricDataResults": [series("q0_0", [], [])]})
    (points,) = fetch(reader, Batch(WINDOW, (query(0, ("Sum",)),))).points.values()
    assert all(math.isnan(value) for value in points[0])


def test_a_refused_request_makes_all_its_series_unknown_with_the_code() -> None:
    def refuse(_: Mapping[str, Any]) -> dict[str, Any]:
        raise AwsThrottled("too fast", operation="cloudwatch:GetMetricData", code="Throttling")

    answers = fetch(Scripted(refuse), Batch(WINDOW, (query(0), query(1))))
    assert set(answers.failed.values()) == {"Throttling"}
    assert len(answers.errors) == 1


def test_forbidden_series_are_not_asked_again() -> None:
    reader = Scripted(all_with(1, "Forbidden"))
    assert fetch(reader, Batch(WINDOW, (query(0),))).failed == {query(0): "Forbidden"}


@pytest.mark.parametrize("stamp", [-3600.0, 4 * 3600.0])
def test_points_outside_the_window_are_ignored(stamp: float) -> None:
    reader = Scripted(lambda _: {"MetricDataResults": [series("q0_0", [stamp], [9])]})
    (points,) = fetch(reader, Batch(WINDOW, (query(0, ("Sum",)),))).points.values()
    assert all(math.isnan(value) for value in points[0])
