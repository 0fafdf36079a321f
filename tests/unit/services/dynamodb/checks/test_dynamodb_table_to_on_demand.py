"""dynamodb_table_to_on_demand: capacity that costs more than the same use would on demand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.dynamodb.tables import TABLES, consumed, on_demand, table

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.dynamodb.checks.dynamodb_table_to_on_demand import CHECK


def test_a_table_that_fills_little_of_its_capacity_costs_less_on_demand() -> None:
    use = consumed(5, 5)
    found = TABLES.found(CHECK, table(), use)
    assert found.new_monthly_cost == TABLES.cost(on_demand(), use).unrounded_monthly
    assert found.target == "PAY_PER_REQUEST"
    assert found.evidence["meanReadUtilizationPercent"] == "5"


def test_use_at_aws_own_limit_keeps_the_capacity_and_twice_the_use_too() -> None:
    assert "the limit is 35 %" in TABLES.reason(CHECK, table(), consumed(35, 1))
    assert "the limit is 35 %" in TABLES.reason(CHECK, table(), consumed(1, 70))


def test_little_use_that_is_no_cheaper_on_demand_is_left_alone() -> None:
    # 100 write units cost 46.80 in 720 hours; 28.8 a second on demand cost the same.
    assert TABLES.reason(CHECK, table(read_capacity=1), consumed(0.3, 25)) == "on demand it would not cost 20 % less"
    found = TABLES.found(CHECK, table(read_capacity=1), consumed(0.3, 25), minimumSavingPercent=Decimal(5))
    assert found.new_monthly_cost is not None


@pytest.mark.parametrize("name", ["consumedReadUnits", "consumedWriteUnits", "indexWriteUnits1"])
def test_a_metric_that_is_missing_is_never_little_use(name: str) -> None:
    one = table(index_names=["i"], index_read_capacity=10, index_write_capacity=10)
    TABLES.found(CHECK, one, consumed(5, 5, indexes=0.1))
    unread = without(consumed(5, 5, indexes=0.1), name)
    assert TABLES.reason(CHECK, one, unread) == f"{metric_words(name)} is unknown (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"scaled": True}, "Application Auto Scaling changes its capacity"),
        ({"scaled": None}, "whether its capacity is scaled could not be read"),
        ({"billing_mode": "PAY_PER_REQUEST"}, "its billing mode is PAY_PER_REQUEST"),
        ({"write_capacity": None}, "its capacity is not known"),
        ({"table_replicas": ["eu-west-1"]}, "it is replicated, and each region needs what the others write"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_something_else_decides_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert TABLES.reason(CHECK, table(**changes), consumed(5, 5)) == why


def test_without_a_price_it_is_still_found() -> None:
    assert TABLES.found(CHECK, replace(table(), region="nowhere-1"), consumed(5, 5)).new_monthly_cost is None
