"""What is read by the day: 30 days for the bill, more where a check needs them, and what a missing day means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.scan.measuring import LONG_AGO, NOW, CloudWatch, Value, instance, measure

from finops.domain.utilization import MonthlyUse, Utilization
from finops.errors import AwsThrottled
from finops.store.connection import Store
from finops_operator.plugins.kind import MetricSpec
from finops_operator.services.ec2.instance import KIND as INSTANCE

DAY = 86_400
MIDNIGHT = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp())
SENT = MetricSpec("sent", "Test", "Sent", "Id", ("Sum",), "bytes", hourly=False, daily=True, missing_means_zero=True)
KEPT = MetricSpec("kept", "Test", "Kept", "Id", ("Average",), "bytes kept", hourly=False, daily=True, lag_days=2)


def measured(
    store: Store,
    spec: MetricSpec,
    value: Value,
    *,
    created: datetime = LONG_AGO,
    reader: CloudWatch | None = None,
    longest: int = 14,
) -> Utilization:
    kind = replace(INSTANCE, metrics=(spec,))
    found, _ = measure(
        store, reader or CloudWatch(value), instance(created=created), kind=kind, days=14, silence=longest
    )
    return found["i-1"]


def test_a_counter_is_summed_over_the_last_thirty_whole_days_whatever_the_lookback(store: Store) -> None:
    reader = CloudWatch(lambda *_: 5.0)
    found = measured(store, SENT, reader.value, reader=reader)
    assert found.month == {"sent": MonthlyUse(150.0, 720.0)}
    assert reader.requests == [(MIDNIGHT - 30 * DAY, DAY, 1)]


def test_a_check_may_see_more_days_and_the_bill_still_has_thirty(store: Store) -> None:
    found = measured(store, SENT, lambda _metric, _statistic, at: 1.0 if at < MIDNIGHT - 30 * DAY else 2.0, longest=90)
    assert found.month == {"sent": MonthlyUse(60.0, 720.0)}
    assert found.metrics["sent"].total == 120.0
    assert found.metrics["sent"].days == 90


def test_of_something_younger_the_days_since_its_creation_count(store: Store) -> None:
    found = measured(store, SENT, lambda *_: 4.0, created=NOW - timedelta(days=10, hours=13))
    assert found.month == {"sent": MonthlyUse(40.0, 240.0)}


def test_what_is_not_a_day_old_has_no_use_yet(store: Store) -> None:
    found = measured(store, SENT, lambda *_: 4.0, created=NOW - timedelta(hours=5))
    assert (found.month, found.unknown) == ({}, {"sent": "TooNew"})


def every_other_day(_metric: str, _statistic: str, at: int) -> float | None:
    return 3.0 if at // DAY % 2 else None


def test_a_missing_day_is_zero_where_the_metric_says_so(store: Store) -> None:
    assert measured(store, SENT, every_other_day).month == {"sent": MonthlyUse(45.0, 720.0)}


def test_too_many_missing_days_are_unknown_where_a_missing_day_is_not_zero(store: Store) -> None:
    spec = replace(SENT, missing_means_zero=False)
    assert measured(store, spec, every_other_day).month == {}


def test_a_single_missing_day_counts_like_the_others_and_two_make_the_use_unknown(store: Store) -> None:
    spec = replace(SENT, missing_means_zero=False)

    def without(count: int) -> Value:
        return lambda _metric, _statistic, at: None if at >= MIDNIGHT - count * DAY else 2.0

    assert measured(store, spec, without(1)).month == {"sent": MonthlyUse(58.0, 696.0)}
    assert measured(store, replace(spec, name="other"), without(2)).month == {}


def test_a_level_counts_as_the_newest_day_has_it_that_is_surely_published(store: Store) -> None:
    def growing(_metric: str, _statistic: str, at: int) -> float:
        return float((at - MIDNIGHT) // DAY + 100)

    assert measured(store, KEPT, growing).month == {"kept": MonthlyUse(97.0, None)}


@pytest.mark.parametrize(("zero", "expected"), [(True, {"kept": MonthlyUse(0.0, None)}), (False, {})])
def test_a_level_whose_newest_day_is_missing_is_zero_only_where_the_metric_says_so(
    store: Store, zero: bool, expected: dict[str, MonthlyUse]
) -> None:
    spec = replace(KEPT, missing_means_zero=zero)
    found = measured(store, spec, lambda _metric, _statistic, at: None if at >= MIDNIGHT - 3 * DAY else 7.0)
    assert found.month == expected


def test_a_level_that_stands_counts_as_the_newest_day_that_has_a_figure_and_without_any_is_unknown(
    store: Store,
) -> None:
    stands = replace(KEPT, stands=lambda resource: resource.id == "i-1")

    def until_stopped(_metric: str, _statistic: str, at: int) -> float | None:
        return None if at >= MIDNIGHT - 6 * DAY else float(at // DAY)

    found = measured(store, stands, until_stopped)
    assert found.month == {"kept": MonthlyUse(float(MIDNIGHT // DAY - 7))}
    assert measured(store, replace(KEPT, name="other"), until_stopped).month == {}
    assert measured(store, replace(stands, name="never"), lambda *_: None).month == {}


def test_a_level_that_is_billed_by_the_hour_counts_the_hours_of_its_units(store: Store) -> None:
    spec = replace(KEPT, billed_hours=True, lag_days=0, missing_means_zero=False)
    found = measured(store, spec, lambda _metric, _statistic, at: 1.0 if at < MIDNIGHT - 10 * DAY else 4.0)
    # 20 days of one unit and 10 of four.
    assert found.month == {"kept": MonthlyUse((20 + 40) * 24.0, 720.0)}


def test_hours_of_units_are_unknown_where_more_than_a_day_is_missing(store: Store) -> None:
    spec = replace(KEPT, billed_hours=True, lag_days=0, missing_means_zero=False)
    found = measured(store, spec, lambda _metric, _statistic, at: None if at >= MIDNIGHT - 2 * DAY else 4.0)
    assert found.month == {}


def test_a_failed_question_is_no_use_at_all(store: Store) -> None:
    slow = AwsThrottled("slow down", operation="cloudwatch:GetMetricData", code="Throttling")
    found = measured(store, SENT, lambda *_: 1.0, reader=CloudWatch(broken=slow))
    assert (found.month, found.unknown) == ({}, {"sent": "Throttling"})


def test_what_was_answered_today_is_not_asked_again(store: Store) -> None:
    first = measured(store, SENT, lambda *_: 5.0)
    again = CloudWatch(lambda *_: 9.0)
    assert measured(store, SENT, again.value, reader=again) == first
    assert again.requests == []


class Listing(CloudWatch):
    """A CloudWatch that lists one metric, and says what it was asked to list."""

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked = dict(parameters)
        pairs = [{"Name": "Id", "Value": "i-1"}, {"Name": "Class", "Value": "cold"}]
        yield {"Metrics": [{"Dimensions": pairs}]}


def test_further_dimensions_are_part_of_the_question(store: Store) -> None:
    spec = replace(KEPT, discovered=True, also=(("Class", "cold"),))
    reader = Listing(lambda *_: 8.0)
    assert measured(store, spec, reader.value, reader=reader).month == {"kept": MonthlyUse(8.0, None)}
    assert reader.asked["Dimensions"] == [{"Name": "Class", "Value": "cold"}]


@pytest.mark.parametrize(("zero", "expected"), [(True, {"kept": MonthlyUse(0.0, None)}), (False, {})])
def test_what_is_listed_for_nobody_is_not_asked_and_zero_only_where_the_metric_says_so(
    store: Store, zero: bool, expected: dict[str, MonthlyUse]
) -> None:
    statistics = ("Average", "Maximum")
    spec = replace(KEPT, discovered=True, also=(("Class", "warm"),), missing_means_zero=zero, statistics=statistics)
    reader = Listing(lambda *_: 8.0)
    found = measured(store, spec, reader.value, reader=reader)
    assert (found.month, reader.requests) == (expected, [])
    assert ("kept" in found.metrics) is zero


def test_a_metric_may_be_named_by_more_than_the_id_of_its_resource(store: Store) -> None:
    reader = CloudWatch(lambda *_: 1.0)
    named = replace(SENT, dimensions=lambda one: (("Account", one.account), ("Id", one.id)))
    measured(store, named, reader.value, reader=reader)
    assert reader.dimensions == [{"Account": "111111111111", "Id": "i-1"}]


def test_a_metric_may_be_read_over_fewer_days_than_others_need(store: Store) -> None:
    spec = replace(SENT, only_days=14)
    found = measured(store, spec, lambda *_: 2.0, longest=90)
    assert found.metrics["sent"].days == 14
    assert found.month == {"sent": MonthlyUse(28.0, 336.0)}
