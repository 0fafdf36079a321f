"""rds_snapshot_old: made by hand and kept for ever, and what is the affair of others."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.rds.clusters import SNAPSHOTS, snapshot

from finops.domain.canonical import Json
from finops_operator.services.rds.checks.rds_snapshot_old import CHECK


def test_an_old_snapshot_of_a_living_database_is_found() -> None:
    one = SNAPSHOTS.found(CHECK, snapshot("available", "eu-west-1", 91, source_exists=True))
    assert (one.new_monthly_cost, one.evidence["ageDays"]) == (Decimal(0), 91)
    assert (one.action, one.parameters) == ("rds_snapshot_delete", {})
    assert one.summary == "The snapshot was made by hand 91 days ago and does not end by itself."


def test_a_quarter_must_pass_and_one_day_less_breaks_it() -> None:
    assert (
        SNAPSHOTS.reason(CHECK, snapshot("available", "eu-west-1", 89.9, source_exists=True))
        == "it is 89 days old, 90 are needed"
    )
    SNAPSHOTS.found(CHECK, snapshot("available", "eu-west-1", 90, source_exists=True))


def test_a_copy_from_elsewhere_gets_old_as_any_other() -> None:
    one = SNAPSHOTS.found(CHECK, snapshot(source_exists=None, copied_from_elsewhere=True))
    assert one.action == "", "its database is not here, so that its owner decides"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source_exists": False}, "its database no longer exists, and it may be the last copy"),
        ({"source_exists": None}, "whether its database exists is not known"),
    ],
)
def test_a_database_that_is_gone_or_unknown_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert SNAPSHOTS.reason(CHECK, snapshot(**changes)) == why


def test_a_snapshot_that_is_not_finished_is_not_judged() -> None:
    assert SNAPSHOTS.reason(CHECK, snapshot("copying", source_exists=True)) == "it is copying, not available"
