"""rds_instance_stopped: what stays to be paid, when AWS starts it again, and who is left alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.unit.services.rds.databases import database, found, judged, reason

from finops.domain.canonical import Json
from finops.domain.price import Price, PriceQuery
from finops.domain.recommendation import NotRecommended
from finops.domain.resource import Resource
from finops_operator.pricing.offers import offer_of
from finops_operator.services.rds.checks.rds_instance_stopped import CHECK
from finops_operator.services.rds.instance import KIND
from finops_operator.services.rds.rules.storage import backup_query, storage_query


def stopped(days: float = 3, region: str = "eu-west-1", **changes: Json) -> Resource:
    restart = (NOW + timedelta(days=7 - days)).isoformat()
    return database("stopped", region, **{"automatic_restart": restart, **changes})


def test_a_stopped_database_is_found_with_the_day_of_its_start_and_what_a_snapshot_costs() -> None:
    one = found(CHECK, stopped())
    assert one.new_monthly_cost == Decimal("9.500")  # 0.095 × 100 GiB, against 12.70 of storage
    assert one.evidence["stoppedDays"] == "3"
    assert one.summary == "Its storage is billed while it is stopped, and AWS starts it again on 2026-11-28."
    assert {fact.label: fact.value for fact in one.facts}["Its hours, once started"] == "137.97 USD a month"


def test_without_a_price_of_snapshots_the_saving_is_unknown_and_not_all_of_it() -> None:
    one = found(CHECK, stopped(region="us-east-1"))
    assert (one.new_monthly_cost, one.saving_knowable) == (None, False)
    assert {fact.label: fact.value for fact in one.facts}["Saves, at most"] == (
        "11.50 USD a month, less what its snapshot costs"
    )
    assert "final snapshot" in CHECK.saving_unknown, "people may weigh it where the policy says so"


def test_a_saving_that_only_the_price_of_its_own_storage_keeps_unknown_is_no_question_for_people() -> None:
    assert found(CHECK, stopped(region="us-east-1", storage_type="new")).saving_knowable
    assert found(CHECK, stopped()).saving_knowable


def test_the_price_of_its_final_snapshot_is_asked_of_the_price_list_where_the_tables_have_none() -> None:
    offer = offer_of(backup_query("us-east-1"), KIND.offers)
    assert offer is not None
    assert offer.is_of("USE2-RDS:ChargedBackupUsage")
    assert not offer.is_of("Aurora:BackupUsage")
    assert offer_of(storage_query("us-east-1", "gb_month", "gp3", "single-az"), KIND.offers) is None


def test_a_snapshot_that_could_cost_as_much_as_the_storage_is_no_saving() -> None:
    def at_par(query: PriceQuery) -> Price | None:
        return Price(Decimal("0.1"), "gb-month", "test", date(2026, 1, 1)) if query.dimension == "gb_month" else None

    verdict = judged(CHECK, stopped(), lookup=at_par)
    assert isinstance(verdict, NotRecommended)
    assert verdict.reason == "a final snapshot could cost as much as its storage"


def test_one_that_was_stopped_for_a_night_is_left_alone() -> None:
    assert reason(CHECK, stopped(days=0.9)) == "it was stopped 0.9 days ago, 1 are needed"
    found(CHECK, stopped(days=1))
    found(CHECK, stopped(days=0.1), minimumStoppedDays=Decimal(0))


@pytest.mark.parametrize("state", ["available", "starting", "stopping"])
def test_a_database_in_any_other_state_is_not_stopped(state: str) -> None:
    assert reason(CHECK, database(state)) == f"it is {state}, not stopped"


@pytest.mark.parametrize("text", ["", "soon"])
def test_without_the_time_of_its_start_nobody_knows_since_when_it_is_stopped(text: str) -> None:
    assert reason(CHECK, stopped(automatic_restart=text)) == "since when it is stopped is not known"


def test_a_member_of_a_cluster_is_its_clusters_affair() -> None:
    assert reason(CHECK, stopped(db_cluster_id="c")) == "its cluster was stopped, and the storage is the cluster's"
    assert reason(CHECK, stopped(db_cluster_id=None)) == "whether it is a member of a cluster is not known"
