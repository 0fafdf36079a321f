"""Sends one batch to GetMetricData and returns packed points, or the reason why a series stays unknown.

Called by the measure stage. Follows NextToken, asks again for series that came back as InternalError or PartialData,
and never turns a failure into an empty series: an empty array means that CloudWatch said there was nothing.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from typing import Any, Final

from finops.domain.rings import blank
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.scan.metrics.parts import joined
from finops_operator.scan.metrics.queries import Batch, Query, Window

OPERATION: Final = "cloudwatch:GetMetricData"
_ROUNDS: Final = 3
_COMPLETE: Final = "Complete"
_STATISTICS_PER_METRIC: Final = 5


@dataclass(slots=True)
class MetricAnswers:
    """What a batch brought.

    Attributes:
        points: query → one array per statistic, one value per period of the window, NaN where there is none.
        failed: query → code of what went wrong (`Throttling`, `InternalError`, …).
        errors: the exceptions behind failed requests, for gaps.
    """

    points: dict[Query, tuple[array[float], ...]] = field(default_factory=dict)
    failed: dict[Query, str] = field(default_factory=dict)
    errors: list[AwsError] = field(default_factory=list)


def fetch(reader: PageReader, batch: Batch) -> MetricAnswers:
    """Ask for `batch`; every query ends in exactly one of `points` and `failed`. Never raises AwsError."""
    answers = MetricAnswers()
    waiting: Sequence[Query] = batch.queries
    for _ in range(_ROUNDS):
        request = _Request(batch.window, waiting)
        try:
            request.send(reader)
        except AwsError as error:
            answers.errors.append(error)
            answers.failed.update(dict.fromkeys(waiting, error.code))
            return answers
        waiting = request.collect(answers)
        if not waiting:
            break
    return answers


class _Request:
    """One GetMetricData conversation: all its pages, collected by series id."""

    def __init__(self, window: Window, queries: Sequence[Query]) -> None:
        self._window = window
        self._queries = queries
        self._status: dict[str, str] = {}
        self._series: dict[str, array[float]] = {}
        self._ids: dict[Query, tuple[str, ...]] = {
            query: tuple(f"q{number}_{index}" for index in range(query.series)) for number, query in enumerate(queries)
        }

    def send(self, reader: PageReader) -> None:
        parameters = self._parameters()
        series = len(parameters["MetricDataQueries"])
        metrics = sum(len(query.parts) * -(-len(query.statistics) // _STATISTICS_PER_METRIC) for query in self._queries)
        # A page is part of the same request: points and bill are counted with the first one.
        answer = reader.once(OPERATION, parameters, datapoints=series * self._window.points, metrics=metrics)
        self._take(answer)
        while answer.get("NextToken"):
            answer = reader.once(OPERATION, {**parameters, "NextToken": answer["NextToken"]})
            self._take(answer)

    def collect(self, answers: MetricAnswers) -> list[Query]:
        """File finished queries under `answers` and return those worth asking again."""
        again: list[Query] = []
        for query, ids in self._ids.items():
            worst = next((code for code in map(self._code, ids) if code != _COMPLETE), _COMPLETE)
            if worst == _COMPLETE:
                answers.failed.pop(query, None)
                answers.points[query] = self._of_all_parts(query, ids)
            else:
                answers.failed[query] = worst
                if worst != "Forbidden":
                    again.append(query)
        return again

    def _code(self, series_id: str) -> str:
        return self._status.get(series_id, "NotAnswered")

    def _of_all_parts(self, query: Query, ids: Sequence[str]) -> tuple[array[float], ...]:
        count = len(query.statistics)
        return tuple(
            query.answered(
                joined(
                    statistic,
                    [self._points(one) for one in ids[index::count]],
                    missing_adds_zero=query.missing_adds_zero,
                )
            )
            for index, statistic in enumerate(query.statistics)
        )

    def _points(self, series_id: str) -> array[float]:
        return self._series.get(series_id) or blank(self._window.points)

    def _take(self, answer: Mapping[str, Any]) -> None:
        start, period, length = self._window.start, self._window.period, self._window.points
        for result in answer.get("MetricDataResults", ()):
            series_id = str(result.get("Id", ""))
            # PartialData on one page is Complete on the last one; an InternalError stays.
            self._status[series_id] = str(result.get("StatusCode") or _COMPLETE)
            stamps, values = result.get("Timestamps", ()), result.get("Values", ())
            series = self._series.get(series_id)
            if series is None and self._is_whole(stamps):
                self._series[series_id] = array("f", values)
                continue
            if series is None:
                series = self._series[series_id] = blank(length)
            for stamp, value in zip(stamps, values, strict=True):
                index = int(_seconds(stamp) - start) // period
                if 0 <= index < length:
                    series[index] = value

    def _is_whole(self, stamps: Sequence[object]) -> bool:
        """Return whether every period of the window has its point, in order: then nothing needs to be sorted in."""
        window = self._window
        if len(stamps) != window.points:
            return False
        return _seconds(stamps[0]) == window.start and _seconds(stamps[-1]) == window.end - window.period

    def _parameters(self) -> dict[str, Any]:
        queries = [
            {
                "Id": series_id,
                "MetricStat": {
                    "Metric": {
                        "Namespace": query.namespace,
                        "MetricName": query.metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
                    },
                    "Period": self._window.period,
                    "Stat": query.asked(statistic),
                },
                "ReturnData": True,
            }
            for query, ids in self._ids.items()
            for series_id, (dimensions, statistic) in zip(ids, product(query.parts, query.statistics), strict=True)
        ]
        return {
            "MetricDataQueries": queries,
            "StartTime": self._window.start_time,
            "EndTime": self._window.end_time,
            "ScanBy": "TimestampAscending",
        }


def _seconds(stamp: object) -> float:
    """Return seconds since the epoch: JSON carries numbers, other protocols ISO text."""
    if isinstance(stamp, (int, float)):
        return float(stamp)
    text = str(stamp)
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
