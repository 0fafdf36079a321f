"""rds_snapshot_orphaned: the database is gone, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.rds.clusters import SNAPSHOTS, snapshot

from finops.domain.canonical import Json
from finops_operator.services.rds.checks.rds_snapshot_orphaned import CHECK


def test_an_old_snapshot_of_a_deleted_database_is_found_with_what_it_costs_at_most() -> None:
    one = SNAPSHOTS.found(CHECK, snapshot("available", "eu-west-1", 45))
    assert (one.action, one.new_monthly_cost, one.evidence["ageDays"]) == ("", Decimal(0), 45)
    assert one.evidence["monthlyCostAtMost"] == "9.50"  # 0.095 × 100 GiB
    assert {fact.label: fact.value for fact in one.facts}["Cost, at most"].startswith("9.50 USD a month")


def test_a_size_or_a_price_that_is_not_known_is_not_zero() -> None:
    assert SNAPSHOTS.found(CHECK, snapshot("available", "us-east-1")).evidence["monthlyCostAtMost"] is None
    assert SNAPSHOTS.found(CHECK, snapshot(size_gb=None)).evidence["monthlyCostAtMost"] is None
    assert SNAPSHOTS.found(CHECK, snapshot(engine="docdb")).evidence["monthlyCostAtMost"] is None


def test_a_month_must_pass_and_one_day_less_breaks_it() -> None:
    assert SNAPSHOTS.reason(CHECK, snapshot("available", "eu-west-1", 29.9)) == "it is 29 days old, 30 are needed"
    SNAPSHOTS.found(CHECK, snapshot("available", "eu-west-1", 30))
    SNAPSHOTS.found(CHECK, snapshot("available", "eu-west-1", 2), minimumAgeDays=Decimal(1))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source_exists": True}, "its database exists"),
        ({"source_exists": None}, "whether its database exists is not known"),
        ({"source_exists": None, "copied_from_elsewhere": True}, "whether its database exists is not known"),
    ],
)
def test_a_database_that_exists_or_may_exist_is_no_orphans_parent(changes: dict[str, Json], why: str) -> None:
    assert SNAPSHOTS.reason(CHECK, snapshot(**changes)) == why


def test_a_snapshot_that_is_not_finished_is_not_judged() -> None:
    assert SNAPSHOTS.reason(CHECK, snapshot("creating")) == "it is creating, not available"
