"""log_group_infrequent_access: much that comes in and nothing made of it, and what needs the Standard class."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import summarize
from tests.support.judging import used, without
from tests.unit.services.logs.log_groups import DAY, GIB, GROUPS, group, incoming

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.logs.checks.log_group_infrequent_access import CHECK


def plain(**changes: Json) -> Resource:
    return group(**{"metric_filters": 0, **changes})


def test_a_group_that_takes_in_much_is_found_and_its_saving_is_not_known() -> None:
    one = GROUPS.found(CHECK, plain(), incoming(2, days=30))
    assert (one.action, one.target, one.new_monthly_cost) == ("", "INFREQUENT_ACCESS", None)
    assert one.summary.startswith("60 GiB came in within 30 days, and no metric filter reads it")
    unread = " ".join(fact.value for fact in one.facts if fact.label.startswith("Not read"))
    assert "embedded metrics" in unread
    assert "data protection or anomaly detection" in unread


def test_less_than_is_worth_the_work_is_left_alone() -> None:
    GROUPS.found(CHECK, plain(), incoming(50 / 30 + 0.001, days=30))
    why = "48 GiB came in for each 30 days, 50 GiB are needed"
    assert GROUPS.reason(CHECK, plain(), incoming(1.6, days=30)) == why
    GROUPS.found(CHECK, plain(), incoming(1.6, days=30), minimumMonthlyGib=Decimal(40))


def test_what_a_longer_window_brought_is_counted_by_the_month() -> None:
    assert "30 GiB came in for each 30 days" in GROUPS.reason(CHECK, plain(), incoming(1, days=90))


def test_one_day_of_much_is_counted_with_the_quiet_ones() -> None:
    once = [0.0] * 29 + [40.0 * GIB]
    seen = used("/app/shop", month={"incomingBytes": sum(once)}, incomingBytes=summarize(once, period=DAY))
    assert "40 GiB came in" in GROUPS.reason(CHECK, plain(), seen)


def test_what_is_not_measured_or_too_new_is_not_judged() -> None:
    assert GROUPS.reason(CHECK, plain(), without(incoming(2, days=30), "incomingBytes")) == (
        "incoming bytes is unknown (Throttled)"
    )
    assert GROUPS.reason(CHECK, plain(), incoming(2, days=29)).startswith("only 29 days of incoming bytes were read")
    assert GROUPS.reason(CHECK, replace(plain(), created=None), incoming(2)) == "its age is not known"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"log_group_class": "INFREQUENT_ACCESS"}, "its class is INFREQUENT_ACCESS, not STANDARD"),
        ({"log_group_class": None}, "its class is not known, not STANDARD"),
        ({"metric_filters": 2}, "2 metric filters read it, which only STANDARD has"),
        ({"metric_filters": None}, "whether metrics are made of it is not known"),
        ({"tags_known": False}, "its tags could not be read"),
    ],
)
def test_what_needs_the_standard_class_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert GROUPS.reason(CHECK, plain(**changes), incoming(2)) == why


def test_groups_whose_events_hold_metrics_are_left_alone() -> None:
    insights = replace(plain(), id="/aws/containerinsights/shop/performance")
    assert "its events hold metrics" in GROUPS.reason(CHECK, insights, incoming(2))
