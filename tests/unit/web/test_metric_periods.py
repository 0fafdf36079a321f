"""Each figure of a metric says of which period and statistic it is, and a bound is never called an average."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.web_estate import NOW, priced, resource

from finops.domain.utilization import MetricSummary, Utilization
from finops_web.listing import average, measured, total
from finops_web.readings.resources import ResourceRow

DAY = 86_400
FINE = MetricSummary(
    90.0, 80.0, 70.0, 60.0, 50.0, 40.0, None, 4032, 4032, 300, NOW - timedelta(days=14), NOW, 1.0, read_seconds=DAY
)
DAYS = replace(FINE, average=4.0, points=14, expected=14, period_seconds=DAY, read_seconds=None)


def row(fine: MetricSummary | None, shown: MetricSummary | None) -> ResourceRow:
    of = Utilization("i-1", {"cpuPercent": shown} if shown else {}, fine={"cpuPercent": fine} if fine else {})
    return ResourceRow.of(resource("ec2-instance", "i-1"), priced("1"), of)


def test_figures_name_their_period_and_window_and_which_of_them_are_bounds() -> None:
    found = measured(row(FINE, DAYS))["cpuPercent"]

    assert (found["period_seconds"], found["read_seconds"], found["at_most"]) == (300, DAY, ["maximum", "p99_5"])
    assert (found["maximum"], found["average"]) == (90.0, 4.0)
    assert (found["start"], found["end"]) == (FINE.start.isoformat(), NOW.isoformat())


@pytest.mark.parametrize(
    ("fine", "shown", "mean", "bounds"),
    [
        (replace(FINE, read_seconds=None), DAYS, 40.0, []),
        # Hours know the mean exactly.
        (replace(FINE, read_seconds=3600), None, 40.0, ["maximum", "p99_5"]),
        (FINE, None, None, ["maximum", "p99_5", "average"]),
        (None, DAYS, 4.0, []),
    ],
)
def test_the_average_is_a_mean_that_was_measured_or_it_is_unknown(
    fine: MetricSummary | None, shown: MetricSummary | None, mean: float | None, bounds: list[str]
) -> None:
    assert average(row(fine, shown), "cpuPercent") == mean
    assert measured(row(fine, shown))["cpuPercent"]["at_most"] == bounds


def test_a_sum_is_that_of_days_where_shorter_periods_are_only_bounded() -> None:
    bounded, days = replace(FINE, total=99.0), replace(DAYS, total=50.0)

    assert total(row(bounded, days), "cpuPercent") == 50.0
    assert total(row(bounded, None), "cpuPercent") is None
    assert measured(row(bounded, days))["cpuPercent"]["at_most"] == ["maximum", "p99_5", "average", "total"]
