"""dynamodb_table_unused: a month without a read or a write, and what is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import summarize
from tests.support.judging import without
from tests.unit.services.dynamodb.tables import DAY, TABLES, consumed, on_demand, table

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.dynamodb.checks.dynamodb_table_unused import CHECK


@pytest.mark.parametrize("one", [table(), on_demand()])
def test_a_table_that_nobody_used_for_a_month_is_named_and_all_of_it_is_saved(one: object) -> None:
    assert isinstance(one, type(table()))
    unused = TABLES.found(CHECK, one, consumed())
    assert (unused.action, unused.new_monthly_cost) == ("", Decimal(0))
    assert unused.summary == "Nobody read or wrote it for 30 days."


@pytest.mark.parametrize("name", ["consumedReadUnits", "consumedWriteUnits"])
def test_a_single_unit_on_one_day_breaks_it(name: str) -> None:
    quiet = consumed()
    once = replace(quiet, metrics={**quiet.metrics, name: summarize([0.0] * 29 + [1.0], period=DAY)})
    assert TABLES.reason(CHECK, table(), once) == "it consumed 1 units within 30 days"


def test_reading_an_index_is_using_the_table() -> None:
    one = table(index_names=["i"])
    TABLES.found(CHECK, one, consumed(indexes=0))
    assert "it consumed" in TABLES.reason(CHECK, one, consumed(indexes=0.01))


@pytest.mark.parametrize("name", ["consumedReadUnits", "consumedWriteUnits", "indexReadUnits1"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    unread = without(consumed(indexes=0), name)
    assert TABLES.reason(CHECK, table(index_names=["i"]), unread) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_shorter_window_proves_nothing() -> None:
    assert "30 are needed" in TABLES.reason(CHECK, table(), consumed(days=29))
    assert "90 are needed" in TABLES.reason(CHECK, table(), consumed(days=60), minimumIdleDays=Decimal(90))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"table_replicas": ["eu-west-1"]}, "it is replicated, and each region needs what the others write"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
        ({"index_names": [f"i{number}" for number in range(6)]}, "only 5 of its indexes are measured"),
        ({"index_names": None}, "its indexes are not known"),
    ],
)
def test_what_others_may_need_or_is_not_measured_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert TABLES.reason(CHECK, table(**changes), consumed()) == why


def test_a_young_table_and_one_that_is_not_active_are_not_judged() -> None:
    assert TABLES.reason(CHECK, table("ACTIVE", 29), consumed()) == "it is younger than 30 days"
    assert TABLES.reason(CHECK, replace(table(), created=None), consumed()) == "its age is not known"
    assert TABLES.reason(CHECK, table("UPDATING"), consumed()) == "it is UPDATING, not ACTIVE"
