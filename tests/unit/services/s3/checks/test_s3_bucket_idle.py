"""s3_bucket_idle: months without a request, where requests are counted, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.s3.buckets import BUCKETS, bucket, stored

from finops.domain.canonical import Json
from finops.domain.utilization import MonthlyUse, Utilization
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.s3.checks.s3_bucket_idle import CHECK

COUNTED = bucket(request_filter="all")


def quiet(days: int = 90, *, last: float = 0, **gib: float) -> Utilization:
    found = stored([0.0] * (days - 1) + [last], **gib)
    names = ("getRequests", "headRequests", "putRequests", "postRequests", "listRequests")
    month = {**found.month, **{name: MonthlyUse(0, 720) for name in names}}
    return Utilization(found.resource_id, found.metrics, month=month)


def test_a_bucket_without_a_request_for_three_months_costs_less_in_a_colder_class() -> None:
    use = quiet(standardBytes=1000, glacierBytes=1000)
    found = BUCKETS.found(CHECK, COUNTED, use)
    # 1,000 GiB × 0.023 → × 0.004; what lies in Glacier stays.
    assert BUCKETS.cost(COUNTED, use).monthly == Decimal("26.60")
    assert found.new_monthly_cost is not None
    assert round(found.new_monthly_cost, 2) == Decimal("7.60")
    assert found.summary == "No request came for 90 days; it stores 2 TiB."


def test_a_single_request_breaks_it() -> None:
    assert BUCKETS.reason(CHECK, COUNTED, quiet(last=1, standardBytes=1000)) == "1 requests came within 90 days"


@pytest.mark.parametrize("name", ["allRequests", "standardBytes"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    unread = without(quiet(standardBytes=1000), name)
    assert BUCKETS.reason(CHECK, COUNTED, unread) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_shorter_window_proves_nothing_unless_the_policy_asks_for_less() -> None:
    assert "90 are needed" in BUCKETS.reason(CHECK, COUNTED, quiet(89, standardBytes=1000))
    BUCKETS.found(CHECK, COUNTED, quiet(89, standardBytes=1000), minimumIdleDays=Decimal(60))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"request_filter": ""}, "its requests are not counted"),
        ({"request_filter": None}, "whether its requests are counted could not be read"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_a_bucket_whose_requests_are_not_counted_is_not_judged(changes: dict[str, Json], why: str) -> None:
    facts: dict[str, Json] = {"request_filter": "all", **changes}
    assert BUCKETS.reason(CHECK, bucket(**facts), quiet(standardBytes=1000)) == why


@pytest.mark.parametrize(("gib", "finds"), [(100, True), (99, False)])
def test_a_bucket_that_stores_little_is_left_alone(gib: float, finds: bool) -> None:
    verdict = BUCKETS.judged(CHECK, COUNTED, quiet(standardBytes=gib))
    assert hasattr(verdict, "evidence") is finds


def test_savings_follow_the_prices() -> None:
    use = quiet(standardBytes=1000)
    now, thrice = BUCKETS.found(CHECK, COUNTED, use), BUCKETS.at(3).found(CHECK, COUNTED, use)
    assert now.new_monthly_cost is not None
    assert thrice.new_monthly_cost == 3 * now.new_monthly_cost


def test_what_lies_in_a_cold_class_already_saves_nothing() -> None:
    use = quiet(glacierBytes=1000)
    assert BUCKETS.found(CHECK, COUNTED, use).new_monthly_cost == BUCKETS.cost(COUNTED, use).unrounded_monthly
