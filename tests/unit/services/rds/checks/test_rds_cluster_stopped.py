"""rds_cluster_stopped: when AWS starts it again, and who was stopped for a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.rds.clusters import CLUSTERS, cluster

from finops.domain.canonical import Json
from finops.domain.price import Price
from finops.domain.resource import Resource
from finops_operator.services.rds.checks.rds_cluster_stopped import CHECK


def stopped(days: float = 3, **changes: Json) -> Resource:
    restart = (NOW + timedelta(days=7 - days)).isoformat()
    return cluster("stopped", **{"automatic_restart": restart, **changes})


def test_a_stopped_cluster_is_found_with_the_day_of_its_start() -> None:
    one = CLUSTERS.found(CHECK, stopped())
    assert (one.new_monthly_cost, one.evidence["stoppedDays"]) == (None, "3")
    assert one.summary == "Its storage is billed while it is stopped, and AWS starts it again on 2026-11-28."
    assert {fact.label: fact.value for fact in one.facts}["Hours of its members"].startswith("423.40 USD")


def test_one_that_was_stopped_for_a_night_is_left_alone() -> None:
    assert CLUSTERS.reason(CHECK, stopped(days=0.9)) == "it was stopped 0.9 days ago, 1 are needed"
    CLUSTERS.found(CHECK, stopped(days=1))
    CLUSTERS.found(CHECK, stopped(days=0.1), minimumStoppedDays=Decimal(0))


@pytest.mark.parametrize("state", ["available", "starting", "stopping"])
def test_a_cluster_in_any_other_state_is_not_stopped(state: str) -> None:
    assert CLUSTERS.reason(CHECK, cluster(state)) == f"it is {state}, not stopped"


@pytest.mark.parametrize("text", ["", "soon"])
def test_without_the_time_of_its_start_nobody_knows_since_when_it_is_stopped(text: str) -> None:
    assert CLUSTERS.reason(CHECK, stopped(automatic_restart=text)) == "since when it is stopped is not known"


def test_the_hours_of_a_serverless_member_are_not_those_of_one_capacity_unit() -> None:
    """A price of a unit is known; how many units the member would have is not."""
    price = Price(Decimal("0.12"), "hour", "price list", NOW.date())
    bench = replace(CLUSTERS, lookup=lambda _query: price)
    for member, listed in (("db.serverless", False), ("db.r6g.large", True)):
        asked = stopped(member_classes=[member], engine="aurora-postgresql", storage_type="aurora")
        assert ("Hours of its members" in {fact.label for fact in bench.found(CHECK, asked).facts}) is listed
