"""Whether a resource was used in the days before it is deleted, read anew right before the call.

Called by the `observe` of deletions. A metric that AWS publishes all the time proves nothing where its hours are
missing; one that AWS publishes only for a value above zero says by its absence that there was none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from finops.ports.aws_steps import Reader

METRICS: Final = "cloudwatch:GetMetricData"
WINDOW: Final = timedelta(days=7)
NONE: Final = "none"
SOME: Final = "some"
UNKNOWN: Final = "unknown"
_HOUR_SECONDS: Final = 3600
_COMPLETE: Final = "Complete"
_LEAST_ANSWERED: Final = 0.95
"""Of the hours: CloudWatch shows the latest ones a little late."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of one resource.

    Attributes:
        namespace, metric: as CloudWatch names them.
        dimensions: name and value of each.
        statistic: `Sum`, `Maximum`.
        missing_means_zero: whether AWS publishes it only for a value above zero.
    """

    namespace: str
    metric: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str
    missing_means_zero: bool = False


def recent_use(reader: Reader, measured: Sequence[Measured], now: datetime | None) -> str:
    """Return whether any of the metrics was above zero within the last week: `none`, `some` or `unknown`."""
    if now is None or not measured:
        return UNKNOWN
    values, words = _last_week(reader, measured, now)
    if any(value > 0 for found in values for value in found):
        return SOME
    least = _LEAST_ANSWERED * (WINDOW / timedelta(seconds=_HOUR_SECONDS))
    answered = all(
        word == _COMPLETE and (one.missing_means_zero or len(found) >= least)
        for one, found, word in zip(measured, values, words, strict=True)
    )
    return NONE if answered else UNKNOWN


def greatest(reader: Reader, measured: Measured, now: datetime | None) -> float | None:
    """Return the greatest value of a metric within the last week; None where CloudWatch shows none, or not all."""
    if now is None:
        return None
    (values,), (word,) = _last_week(reader, [measured], now)
    return max(values) if values and word == _COMPLETE else None


def _last_week(reader: Reader, measured: Sequence[Measured], now: datetime) -> tuple[list[list[float]], list[str]]:
    """Return the hourly values of each metric, and CloudWatch's word on how much of them it gave."""
    end = datetime.fromtimestamp(int(now.timestamp()) // _HOUR_SECONDS * _HOUR_SECONDS, UTC)
    queries = [_query(number, one) for number, one in enumerate(measured)]
    answer = reader.read(METRICS, {"MetricDataQueries": queries, "StartTime": end - WINDOW, "EndTime": now})
    ids = [str(query["Id"]) for query in queries]
    values: dict[str, list[float]] = {one: [] for one in ids}
    words: dict[str, str] = {}
    for result in answer.get("MetricDataResults", ()):
        # Pages follow each other: the word on an id's last page is the one about all of them.
        words[str(result.get("Id"))] = str(result.get("StatusCode"))
        values.setdefault(str(result.get("Id")), []).extend(result.get("Values", ()))
    return [values[one] for one in ids], [words.get(one, "") for one in ids]


def _query(number: int, measured: Measured) -> dict[str, Any]:
    metric = {
        "Namespace": measured.namespace,
        "MetricName": measured.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in measured.dimensions],
    }
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": _HOUR_SECONDS, "Stat": measured.statistic}}
