"""dynamodb_table_to_provisioned: steady work on demand that capacity would cost less for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.dynamodb.tables import TABLES, burst, consumed, on_demand, table

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.dynamodb.checks.dynamodb_table_to_provisioned import CHECK


def test_steady_work_costs_less_with_capacity_for_its_busiest_minutes() -> None:
    use = consumed(70, 70)
    found = TABLES.found(CHECK, on_demand(), use)
    assert found.parameters == {"billingMode": "PROVISIONED", "readCapacity": 100, "writeCapacity": 100}
    assert found.new_monthly_cost == TABLES.cost(table(), use).unrounded_monthly
    assert "Application Auto Scaling" in found.expectation


def test_one_burst_of_five_minutes_breaks_it() -> None:
    use = consumed(70, 70)
    bursting = replace(use, fine={**use.fine, "writeUnits": burst(70, 700)})
    assert "would not cost 20 % less" in TABLES.reason(CHECK, on_demand(), bursting)


def test_a_saving_at_the_limit_counts_and_below_it_does_not() -> None:
    use = consumed(70, 70)
    now, then = TABLES.cost(on_demand(), use).unrounded_monthly, TABLES.cost(table(), use).unrounded_monthly
    assert now is not None
    assert then is not None
    share = 100 * (now - then) / now
    TABLES.found(CHECK, on_demand(), use, minimumSavingPercent=share)
    assert "less" in TABLES.reason(CHECK, on_demand(), use, minimumSavingPercent=share + Decimal("0.01"))


@pytest.mark.parametrize("name", ["readUnits", "writeUnits"])
def test_a_metric_that_is_missing_proves_nothing(name: str) -> None:
    use = consumed(70, 70)
    fine = {key: value for key, value in use.fine.items() if key != name}
    assert (
        TABLES.reason(CHECK, on_demand(), without(replace(use, fine=fine), name))
        == f"{metric_words(name)} is unknown (Throttled)"
    )


def test_a_bill_that_is_not_known_proves_nothing() -> None:
    unread = without(consumed(70, 70), "consumedReadUnits")
    assert TABLES.reason(CHECK, on_demand(), unread) == "what it costs is not known"


def test_hours_hide_what_lasted_minutes_and_only_ask_for_more() -> None:
    hours = replace(consumed(70, 70), fine={})
    assert TABLES.reason(CHECK, on_demand(), hours) == "read units was not measured by five minutes"
    parameters = {spec.name: spec.default for spec in CHECK.parameters}
    assert CHECK.wants_fine(TABLES.facts(on_demand(), hours), parameters)
    assert not CHECK.wants_fine(TABLES.facts(table(), hours), parameters)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"index_names": ["i"]}, "it has global secondary indexes, each with work of its own"),
        ({"index_names": None}, "it has global secondary indexes, each with work of its own"),
        ({"billing_mode": "PROVISIONED"}, "its billing mode is PROVISIONED"),
        ({"table_replicas": ["eu-west-1"]}, "it is replicated, and each region needs what the others write"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_needs_more_than_this_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert TABLES.reason(CHECK, on_demand(**changes), consumed(70, 70)) == why


def test_a_table_that_nobody_uses_is_no_steady_work() -> None:
    assert "would not cost 20 % less" in TABLES.reason(CHECK, on_demand(), consumed())
