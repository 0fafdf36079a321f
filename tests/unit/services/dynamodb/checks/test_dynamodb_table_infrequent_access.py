"""dynamodb_table_infrequent_access: tables whose storage costs more than their requests."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.dynamodb.tables import GIB, TABLES, consumed, on_demand

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.dynamodb.checks.dynamodb_table_infrequent_access import CHECK

STORE = on_demand(table_bytes=100 * GIB)


def test_a_table_that_mostly_stores_costs_less_in_the_other_class() -> None:
    use = consumed(2, 2)
    found = TABLES.found(CHECK, STORE, use)
    expected = TABLES.cost(on_demand(table_bytes=100 * GIB, table_class="STANDARD_INFREQUENT_ACCESS"), use)
    assert found.new_monthly_cost == expected.unrounded_monthly
    assert found.target == "STANDARD_INFREQUENT_ACCESS"


def test_requests_of_more_than_twice_the_storage_break_it() -> None:
    # 25 USD of storage; 31 writes a second cost 50.9 USD a month of 730 hours.
    assert TABLES.reason(CHECK, STORE, consumed(0, 31)) == "its storage costs less than 50 % of its requests"
    TABLES.found(CHECK, STORE, consumed(0, 30))


def test_requests_that_would_cost_more_than_is_saved_break_it() -> None:
    # 15 USD saved on storage; a quarter more of 100 USD for requests.
    why = TABLES.reason(CHECK, STORE, consumed(0, 60), minimumStoragePercent=Decimal(10))
    assert why == "its requests would cost more than its storage saves"


@pytest.mark.parametrize(("gib", "finds"), [(4, True), (3.9, False)])
def test_a_table_that_stores_little_is_left_alone(gib: float, finds: bool) -> None:
    verdict = TABLES.judged(CHECK, on_demand(table_bytes=int(gib * GIB)), consumed())
    assert hasattr(verdict, "evidence") is finds


@pytest.mark.parametrize("name", ["consumedReadUnits", "consumedWriteUnits"])
def test_a_metric_that_is_missing_proves_nothing(name: str) -> None:
    assert TABLES.reason(CHECK, STORE, without(consumed(2, 2), name)) == f"{metric_words(name)} is unknown (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"billing_mode": "PROVISIONED"}, "its billing mode is PROVISIONED"),
        ({"table_class": "STANDARD_INFREQUENT_ACCESS"}, "its class is STANDARD_INFREQUENT_ACCESS"),
        ({"table_class": None}, "its class is not known"),
        ({"index_names": [f"i{number}" for number in range(6)]}, "only 5 of its indexes are measured"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_has_no_prices_or_is_there_already_is_not_judged(changes: dict[str, Json], why: str) -> None:
    facts: dict[str, Json] = {"table_bytes": 100 * GIB, **changes}
    assert TABLES.reason(CHECK, on_demand(**facts), consumed(2, 2)) == why
