"""Metrics of parts: asked for in one request, joined period by period, unknown wherever one part is."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.scan.metrics.test_metric_fetch import Scripted, series

from finops.domain.resource import Resource
from finops_operator.plugins.kind import MetricSpec
from finops_operator.scan.metrics.fetch import fetch
from finops_operator.scan.metrics.parts import PARTS_UNKNOWN, TOO_MANY_PARTS, joined, query_of_parts
from finops_operator.scan.metrics.queries import HOUR, Batch, Query, Window, batches

WINDOW = Window(0, 4 * HOUR, HOUR)
SPEC = MetricSpec("bytes", "AWS/Kafka", "BytesInPerSec", "Cluster Name", ("Average", "Maximum"), "bytes a second")
WHOLE = Resource(
    kind="msk-cluster", id="c-1", arn="", name="c-1", account="111111111111", region="us-east-1", state="active"
)
STAMPS = [0.0, 3600.0, 7200.0, 10800.0]


def parts(count: int) -> list[tuple[tuple[str, str], ...]]:
    return [(("Cluster Name", "c-1"), ("Broker ID", str(number))) for number in range(1, count + 1)]


def asked(count: int, window: Window = WINDOW) -> Query:
    found = query_of_parts(WHOLE, SPEC, window, parts(count))
    assert isinstance(found, Query)
    return found


def test_all_parts_are_asked_for_at_once_and_the_highest_of_each_hour_counts() -> None:
    values: dict[str, list[float]] = {
        "q0_0": [1, 1, 1, 1],
        "q0_1": [9, 2, 2, 2],
        "q0_2": [3, 0, 3, 3],
        "q0_3": [4, 5, 1, 2],
    }

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "MetricDataResults": [series(one["Id"], STAMPS, values[one["Id"]]) for one in request["MetricDataQueries"]]
        }

    reader = Scripted(answer)
    (average, maximum), *_ = fetch(reader, Batch(WINDOW, (asked(2),))).points.values()
    assert (list(average), list(maximum)) == ([3, 1, 3, 3], [9, 5, 2, 2])
    sent = [one["MetricStat"] for one in reader.requests[0]["MetricDataQueries"]]
    brokers = [one["Metric"]["Dimensions"][1]["Value"] for one in sent]
    assert list(zip(brokers, [one["Stat"] for one in sent], strict=True)) == [
        ("1", "Average"),
        ("1", "Maximum"),
        ("2", "Average"),
        ("2", "Maximum"),
    ]
    assert (reader.metrics, reader.datapoints) == (2, 16)


def test_an_hour_in_which_one_part_has_no_point_is_unknown_whatever_the_others_had() -> None:
    reader = Scripted(
        lambda _: {
            "MetricDataResults": [
                *(series(one, STAMPS, [0, 0, 0, 0]) for one in ("q0_0", "q0_1")),
                *(series(one, STAMPS[1:], [0, 0, 0]) for one in ("q0_2", "q0_3")),
            ]
        }
    )
    (average, _), *_ = fetch(reader, Batch(WINDOW, (asked(2),))).points.values()
    assert math.isnan(average[0])
    assert list(average)[1:] == [0, 0, 0]


def test_a_part_that_failed_leaves_the_whole_unknown_with_its_reason() -> None:
    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        last = request["MetricDataQueries"][-1]["Id"]
        return {
            "MetricDataResults": [
                series(one["Id"], STAMPS, [0, 0, 0, 0], "InternalError" if one["Id"] == last else "Complete")
                for one in request["MetricDataQueries"]
            ]
        }

    answers = fetch(Scripted(answer, answer, answer), Batch(WINDOW, (asked(3),)))
    assert not answers.points
    assert list(answers.failed.values()) == ["InternalError"]


def test_more_parts_than_a_request_takes_and_none_at_all_are_a_reason_and_no_question() -> None:
    assert asked(250).series == 500
    assert query_of_parts(WHOLE, SPEC, WINDOW, parts(251)) == TOO_MANY_PARTS
    assert query_of_parts(WHOLE, SPEC, WINDOW, []) == PARTS_UNKNOWN


def test_what_is_asked_of_many_parts_shares_no_request_that_it_would_overfill() -> None:
    window = Window(0, 14 * 24 * HOUR, HOUR)
    plain = Query("i-1", "cpu", "AWS/EC2", "CPUUtilization", (("InstanceId", "i-1"),), ("Average",), window)
    other = replace(asked(140, window), resource_id="c-2")
    made = list(batches([asked(90, window), other, plain]))
    assert [one.series for one in made] == [180, 281]


@pytest.mark.parametrize(("statistic", "of"), [("Sum", sum), ("Minimum", min), ("Average", max)])
@given(values=st.lists(st.lists(st.integers(0, 1000) | st.none(), min_size=3, max_size=3), min_size=1, max_size=6))
def test_a_joined_point_is_of_all_parts_or_of_none(statistic: str, of: Any, values: list[list[int | None]]) -> None:
    found = joined(statistic, [array("f", (math.nan if one is None else one for one in part)) for part in values])
    for index, point in enumerate(found):
        period = [part[index] for part in values]
        if None in period:
            assert math.isnan(point)
        else:
            assert point == of(period)


def test_of_amounts_that_are_published_when_something_happened_a_part_without_a_point_adds_nothing() -> None:
    bytes_read = replace(SPEC, statistics=("Sum",), missing_means_zero=True, parts=lambda _: tuple(parts(2)))
    query = query_of_parts(WHOLE, bytes_read, WINDOW, parts(2))
    assert isinstance(query, Query)
    reader = Scripted(
        lambda _: {
            "MetricDataResults": [series("q0_0", STAMPS[:2], [5, 6]), series("q0_1", STAMPS[1:3], [1, 2])],
        }
    )
    ((total,),) = fetch(reader, Batch(WINDOW, (query,))).points.values()
    assert list(total)[:3] == [5, 7, 2]
    assert math.isnan(total[3]), "where no part has a point, what that means is the metric's own"
    with pytest.raises(ValueError, match="bytes"):
        replace(SPEC, missing_means_zero=True, parts=lambda _: tuple(parts(2)))
