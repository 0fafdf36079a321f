"""log_group_idle: months without an event, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import summarize
from tests.support.judging import used, without
from tests.unit.services.logs.log_groups import DAY, GIB, GROUPS, group, incoming

from finops.domain.canonical import Json
from finops_operator.services.logs.checks.log_group_idle import CHECK


def test_a_group_without_an_event_for_three_months_is_idle_and_its_storage_is_saved() -> None:
    idle = GROUPS.found(CHECK, group(), incoming(0))
    assert (idle.action, idle.new_monthly_cost) == ("", Decimal(0))
    assert idle.evidence["storedBytes"] == 100 * GIB
    assert idle.summary == "Nothing came in for 90 days, and what it stores is kept for ever."


def test_a_single_byte_on_one_day_breaks_it() -> None:
    once = used("/app/shop", month={"incomingBytes": 1.0}, incomingBytes=summarize([0.0] * 89 + [1.0], period=DAY))
    assert GROUPS.reason(CHECK, group(), once) == "1 bytes came in within 90 days"


def test_a_metric_that_is_missing_is_never_zero() -> None:
    unread = without(incoming(0), "incomingBytes")
    assert GROUPS.reason(CHECK, group(), unread) == "incoming bytes is unknown (Throttled)"


def test_a_shorter_window_proves_nothing_unless_the_policy_asks_for_less() -> None:
    short = incoming(0, days=89)
    assert GROUPS.reason(CHECK, group(), short) == "only 89 days of incoming bytes were read, 90 are needed"
    GROUPS.found(CHECK, group(), short, minimumIdleDays=Decimal(45))
    assert "180 are needed" in GROUPS.reason(CHECK, group(), incoming(0), minimumIdleDays=Decimal(180))


@pytest.mark.parametrize(("stored", "least", "finds"), [(GIB, 1, True), (GIB - 1, 1, False), (GIB, 2, False)])
def test_a_group_that_stores_next_to_nothing_is_left_alone(stored: int, least: int, finds: bool) -> None:
    verdict = GROUPS.judged(CHECK, group(stored_bytes=stored), incoming(0), minimumStoredGib=Decimal(least))
    assert hasattr(verdict, "evidence") is finds


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"retention_days": 30}, "its data is removed after 30 days"),
        ({"retention_policy": "all"}, "a policy of the account decides its retention"),
        ({"log_group_class": "DELIVERY"}, "AWS keeps events of the class Delivery for one day"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
        ({"stored_bytes": None}, "its retention or how much it stores is not known"),
    ],
)
def test_a_group_that_empties_itself_or_is_not_known_well_enough_is_not_judged(
    changes: dict[str, Json], why: str
) -> None:
    assert GROUPS.reason(CHECK, group(**changes), incoming(0)) == why


def test_savings_follow_the_prices() -> None:
    now, thrice = GROUPS.cost(group(), incoming(0)), GROUPS.at(3).cost(group(), incoming(0))
    assert now.monthly is not None
    assert thrice.monthly == 3 * now.monthly
    assert GROUPS.at(3).found(CHECK, group(), incoming(0)).new_monthly_cost == 0
