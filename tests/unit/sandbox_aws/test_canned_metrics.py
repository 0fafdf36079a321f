"""The canned endpoint's figures and limits without a connection: pages of points, buckets, what an answer costs."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from tests.support.canned_fleet import CannedFleet
from tests.support.canned_limits import Limits
from tests.support.canned_metrics import MAXIMUM_POINTS, Page, metric_data

from finops_sandbox.aws.errors import AwsError

LAUNCHED, NOW = datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 11, 20, 12, tzinfo=UTC)
START, END = int(datetime(2026, 11, 6, tzinfo=UTC).timestamp()), int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module")
def fleet() -> CannedFleet:
    return CannedFleet("111111111111", "us-east-1", 600, LAUNCHED, NOW)


def request(count: int, period: int, **further: Any) -> dict[str, Any]:
    queries = [
        {
            "Id": f"q{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/EC2",
                    "MetricName": "CPUUtilization",
                    "Dimensions": [{"Name": "InstanceId", "Value": f"i-0f1ee7{number:011x}"}],
                },
                "Period": period,
                "Stat": "Maximum",
            },
        }
        for number in range(count)
    ]
    return {
        "MetricDataQueries": queries,
        "StartTime": START,
        "EndTime": END,
        "ScanBy": "TimestampAscending",
        **further,
    }


def test_the_series_of_a_fleet_are_there_for_another_of_the_same_moment_and_for_no_other(fleet: CannedFleet) -> None:
    small = fleet.changed(240, NOW, 0)
    asked = ("AWS/EC2", "CPUUtilization", (("InstanceId", f"i-0f1ee7{7:011x}"),), ("Maximum", 86_400, START, END))
    made = small.rendered(*asked)
    assert small.changed(500, NOW, 0).rendered(*asked) is made
    assert len(small.changed(500, NOW, 0).numbers) == 500
    later = small.changed(240, NOW.replace(hour=13), 0)
    assert later.rendered(*asked) is not made
    assert small.changed(240, NOW, 1).rendered(*asked) is not made


def test_more_points_than_a_page_holds_follow_under_a_token(fleet: CannedFleet) -> None:
    whole = [metric_data(fleet, request(1, 300)).results[0][2].values]
    first = metric_data(fleet, request(29, 300))
    second = metric_data(fleet, request(29, 300, NextToken=first.token))
    assert first.answered == MAXIMUM_POINTS
    assert first.answered + second.answered == 29 * 4032
    assert (first.asked, second.asked, second.token) == (29 * 4032, 0, "")
    assert first.results[0][2].values == whole[0]
    # Twenty-five series of 4,032 points fill the page exactly: none is cut.
    assert [status for _, _, _, status in first.results] == ["Complete"] * 25 + ["PartialData"]
    assert len(first.results[-1][2].values) == 0


def test_a_page_in_json_is_what_its_document_says(fleet: CannedFleet) -> None:
    page = metric_data(fleet, request(3, 86_400))
    parsed = orjson.loads(page.as_json())["MetricDataResults"]
    assert [one["Values"] for one in parsed] == [one["Values"] for one in page.as_document()["MetricDataResults"]]
    assert [one["Timestamps"] for one in parsed] == [[*range(START, END, 86_400)]] * 3


def test_the_newest_come_first_unless_the_order_is_named(fleet: CannedFleet) -> None:
    ascending = metric_data(fleet, request(1, 86_400)).results[0][2]
    descending = metric_data(fleet, request(1, 86_400, ScanBy="TimestampDescending")).results[0][2]
    assert descending.values == ascending.values[::-1]
    assert descending.times == ascending.times[::-1]


def test_an_expression_is_refused(fleet: CannedFleet) -> None:
    asked = request(1, 86_400)
    asked["MetricDataQueries"] = [{"Id": "q0", "Expression": "SUM(METRICS())"}]
    with pytest.raises(AwsError, match="computes no expressions"):
        metric_data(fleet, asked)


def test_a_budget_of_datapoints_refills_by_the_second() -> None:
    limits = Limits(enforced=True)
    refused = [limits.refuses("cloudwatch:GetMetricData", datapoints=100_000) for _ in range(5)]
    assert refused == [False, False, False, True, True]


def test_a_listing_without_pages_has_the_smaller_bucket() -> None:
    limits = Limits(enforced=True)
    taken = [
        sum(not limits.refuses("ec2:DescribeInstances", paginated=paged) for _ in range(300)) for paged in (False, True)
    ]
    assert 50 <= taken[0] < 60
    assert 100 <= taken[1] < 110


def test_without_switches_nothing_is_refused() -> None:
    limits = Limits()
    assert not any(limits.refuses("ec2:DescribeInstances", paginated=False) for _ in range(1000))


def test_a_series_costs_microseconds_so_that_the_endpoint_is_never_what_is_measured(fleet: CannedFleet) -> None:
    asked = request(500, 86_400)

    def answered() -> Page:
        page = metric_data(fleet, asked)
        assert page.as_json()
        return page

    answered()
    took = []
    for _ in range(5):
        begun = time.thread_time()
        answered()
        took.append(time.thread_time() - begun)
    # Cloud Custodian spends a millisecond of its own on a series, the product some tens of microseconds.
    assert min(took) / 500 < 50e-6
