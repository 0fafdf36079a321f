"""log_group_no_retention: data that is kept for ever, and how much of it a retention would remove."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.judging import without
from tests.unit.services.logs.log_groups import GIB, GROUPS, group, incoming

from finops.domain.canonical import Json
from finops_operator.services.logs.checks.log_group_no_retention import CHECK


def test_a_group_that_keeps_everything_would_store_no_more_than_three_months_brought() -> None:
    found = GROUPS.found(CHECK, group(), incoming(0.1))
    # 100 GiB stored, 9 GiB of three months remain; what comes in costs the same as before.
    assert GROUPS.cost(group(), incoming(0.1)).unrounded_monthly is not None
    saved = GROUPS.cost(group(), incoming(0.1)).unrounded_monthly - found.new_monthly_cost  # type: ignore[operator]
    assert round(saved, 2) == Decimal("2.73")
    assert found.target == "90 days"
    assert (
        found.summary == "It keeps every event for ever. With a retention of 90 days it stores 9 GiB at most, "
        "instead of 100 GiB."
    )


def test_a_group_that_stores_no_more_than_three_months_brought_saves_nothing() -> None:
    assert "as much as it stores" in GROUPS.reason(CHECK, group(), incoming(100 / 90))
    GROUPS.found(CHECK, group(), incoming(99 / 90))
    assert "as much as it stores" in GROUPS.reason(CHECK, group(), incoming(2 * 99 / 90))


def test_a_metric_that_is_missing_proves_nothing() -> None:
    unread = without(incoming(0.1), "incomingBytes")
    assert GROUPS.reason(CHECK, group(), unread) == "incoming bytes is unknown (Throttled)"


def test_a_window_shorter_than_the_retention_proves_nothing() -> None:
    assert "90 are needed" in GROUPS.reason(CHECK, group(), incoming(0.1, days=60))
    GROUPS.found(CHECK, group(), incoming(0.1, days=60), retentionDays=Decimal(60))


@pytest.mark.parametrize(("age", "finds"), [(90, True), (89, False)])
def test_a_group_younger_than_the_retention_holds_nothing_to_remove(age: float, finds: bool) -> None:
    verdict = GROUPS.judged(CHECK, group(age), incoming(0.1))
    assert hasattr(verdict, "evidence") is finds


def test_a_group_of_unknown_age_is_not_judged() -> None:
    assert GROUPS.reason(CHECK, replace(group(), created=None), incoming(0.1)) == "its age is not known"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"retention_days": 365}, "its data is removed after 365 days"),
        ({"retention_policy": "all"}, "a policy of the account decides its retention"),
        ({"tags_known": None}, "its tags could not be read, so it may be protected"),
        ({"stored_bytes": GIB // 2}, "it stores 512 MiB, 1 GiB count"),
    ],
)
def test_a_group_with_a_retention_or_not_known_well_enough_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert GROUPS.reason(CHECK, group(**changes), incoming(0.1)) == why


def test_a_group_without_a_price_is_still_found() -> None:
    assert GROUPS.found(CHECK, replace(group(), region="nowhere-1"), incoming(0.1)).new_monthly_cost is None
