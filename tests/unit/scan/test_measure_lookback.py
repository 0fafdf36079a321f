"""Long lookbacks: days and hours for 455 days, 5 minutes for 62, and nothing that CloudWatch has forgotten is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.scan.measuring import NOW, CloudWatch, instance, measure, volume

from finops.store.connection import Store
from finops_operator.plugins.check import Settled
from finops_operator.scan.metrics.first_days import DaysPicture

LONG_AGO = NOW - timedelta(days=900)
KEPT = ((timedelta(days=455), 0), (timedelta(days=63), 3600), (timedelta(days=15), 300))
"""(age, shortest period of which points are kept that long)."""


@dataclass
class Forgetting(CloudWatch):
    """Answers with nothing at all where a window begins before points of its period are kept."""

    def _series(self, query: Mapping[str, Any], start: int, end: int) -> dict[str, Any]:
        age, period = timedelta(seconds=NOW.timestamp() - start), query["MetricStat"]["Period"]
        if any(age > oldest and (not shortest or period < shortest) for oldest, shortest in KEPT):
            return {"Id": query["Id"], "StatusCode": "Complete", "Timestamps": [], "Values": []}
        return super()._series(query, start, end)


@pytest.mark.parametrize(("days", "fine"), [(62, True), (63, False), (455, False)])
def test_five_minutes_are_read_where_all_of_the_lookback_is_kept_of_them(store: Store, days: int, fine: bool) -> None:
    reader = Forgetting()
    found, _ = measure(store, reader, instance(created=LONG_AGO), days=days, fine=True)
    seen = found["i-1"]
    assert ("cpuPercent" in seen.fine) is fine
    assert (300 in reader.periods) is fine
    # What only 5 minutes hold is not known, which is neither zero nor an answer of AWS.
    assert seen.unknown.get("ebsReadOps", "") == ("" if fine else "BeyondRetention")
    lacking = 2 if days == 455 else 0
    hours = seen.metrics["cpuPercent"]
    assert (hours.expected, hours.points, hours.period_seconds) == (days * 24, days * 24 - lacking, 3600)


def test_hours_that_are_kept_no_longer_are_a_hole_and_are_not_asked_for_again(store: Store) -> None:
    measure(store, Forgetting(), instance(created=LONG_AGO), days=455)
    again = Forgetting()
    found, _ = measure(store, again, instance(created=LONG_AGO), days=455)
    assert again.requests == []
    assert found["i-1"].metrics["cpuPercent"].points == 455 * 24 - 2


@pytest.mark.parametrize(("days", "asked"), [(62, True), (63, True), (453, True), (454, False), (455, False)])
def test_days_are_the_first_picture_where_they_reach(store: Store, days: int, asked: bool) -> None:
    reader = Forgetting(lambda _metric, statistic, _at: 1440.0 if statistic == "SampleCount" else 10.0)

    def by_days(_resource: Any, picture: DaysPicture) -> Settled:
        assert picture.days.metrics["cpuPercent"].expected == days
        return Settled.BY_DAYS

    measure(store, reader, instance(created=LONG_AGO), days=days, settled=by_days)
    assert set(reader.periods) == ({86_400} if asked else {3600})


def test_that_a_volume_was_idle_is_never_concluded_from_days_that_were_forgotten(store: Store) -> None:
    # It worked 200 days ago: an answer without a point would say that nothing ever happened.
    worked = (NOW - timedelta(days=200)).timestamp() // 86_400
    reader = Forgetting(lambda _metric, _statistic, at: 7.0 if at // 86_400 == worked else None)
    found, _ = measure(store, reader, volume("available"), days=455, silence=455)
    seen = found["vol-1"]
    assert seen.metrics["volumeReadOps"].total == 7.0
    assert "volumeReadOps" not in seen.unknown
