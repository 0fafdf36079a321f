"""dynamodb_table_overprovisioned: capacity that the busiest five minutes hardly touched."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.judging import Bench, without
from tests.unit.services.dynamodb.tables import TABLES, burst, consumed, on_demand, table

from finops.domain.canonical import Json
from finops.domain.utilization import Utilization
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.dynamodb.checks.dynamodb_table_overprovisioned import CHECK


def peaked(peak: float) -> Utilization:
    quiet = consumed(2, 2)
    return replace(quiet, fine={**quiet.fine, "readUnits": burst(2, peak)})


def test_a_table_that_used_a_tenth_at_most_gets_what_its_busiest_minutes_need() -> None:
    found = TABLES.found(CHECK, table(), peaked(7))
    # 7 units a second fill 10 to 70 %, and 2 fill 3.
    assert found.parameters == {"readCapacity": 10, "writeCapacity": 3}
    expected = TABLES.cost(table(read_capacity=10, write_capacity=3), peaked(7))
    assert found.new_monthly_cost == expected.unrounded_monthly
    assert found.summary == "Its busiest five minutes used 7 % of its read and 2 % of its write capacity."


def test_five_busy_minutes_of_two_weeks_break_it() -> None:
    assert TABLES.reason(CHECK, table(), peaked(20)) == "readUnits reached 20 % of its capacity, the limit is 20 %"
    TABLES.found(CHECK, table(), peaked(19.9))
    assert "writeUnits reached 40 %" in TABLES.reason(CHECK, table(), consumed(2, 40))


@pytest.mark.parametrize("name", ["readUnits", "writeUnits"])
def test_a_metric_that_is_missing_is_never_little_use(name: str) -> None:
    quiet = consumed(2, 2)
    fine = {key: value for key, value in quiet.fine.items() if key != name}
    unread = without(replace(quiet, fine=fine), name)
    assert TABLES.reason(CHECK, table(), unread) == f"{metric_words(name)} is unknown (Throttled)"


def test_hours_hide_what_lasted_minutes_and_only_ask_for_more() -> None:
    hours = replace(consumed(2, 2), fine={})
    assert TABLES.reason(CHECK, table(), hours) == "read units was not measured by five minutes"
    assert wants_fine(TABLES, hours)
    assert not wants_fine(TABLES, replace(consumed(30, 2), fine={}))


def wants_fine(tables: Bench, utilization: Utilization) -> bool:
    parameters = {spec.name: spec.default for spec in CHECK.parameters}
    return CHECK.wants_fine(tables.facts(table(), utilization), parameters)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"scaled": True}, "Application Auto Scaling changes its capacity"),
        ({"scaled": None}, "whether its capacity is scaled could not be read"),
        ({"table_replicas": ["eu-west-1"]}, "it is replicated, and each region needs what the others write"),
        ({"read_capacity": None}, "its capacity is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_something_else_decides_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert TABLES.reason(CHECK, table(**changes), consumed(2, 2)) == why


def test_a_table_on_demand_has_no_capacity_and_one_unit_is_the_least() -> None:
    assert TABLES.reason(CHECK, on_demand(), consumed(2, 2)) == "its billing mode is PAY_PER_REQUEST"
    smallest = table(read_capacity=1, write_capacity=1)
    assert TABLES.reason(CHECK, smallest, consumed(0, 0)) == "no less capacity can be provisioned"


def test_a_policy_may_allow_more_use() -> None:
    assert "the limit is 20 %" in TABLES.reason(CHECK, table(), peaked(40))
    found = TABLES.found(CHECK, table(), peaked(40), maximumUtilizationPercent=Decimal(50))
    assert found.parameters["readCapacity"] == 58


def test_savings_follow_the_prices() -> None:
    now, thrice = TABLES.found(CHECK, table(), peaked(7)), TABLES.at(3).found(CHECK, table(), peaked(7))
    assert now.new_monthly_cost is not None
    assert thrice.new_monthly_cost == 3 * now.new_monthly_cost
