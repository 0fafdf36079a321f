"""rds_instance_graviton: as much memory for less, and what does not run there or is billed otherwise."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.rds.databases import database, found, reason

from finops.domain.canonical import Json
from finops_operator.services.rds.checks.rds_instance_graviton import CHECK


def test_an_x86_class_is_found_with_the_cheapest_graviton_class_of_its_size() -> None:
    one = found(CHECK, database())
    assert (one.action, one.target) == ("", "db.m6g.large")
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.171", "0.152")
    assert one.new_monthly_cost == Decimal("122.460")  # 0.152 × 730 and 11.50 of storage


def test_two_zones_and_aurora_have_prices_of_their_own() -> None:
    assert found(CHECK, database(multi_az=True)).evidence["targetHourlyPrice"] == "0.304"
    member = database(engine="aurora-mysql", db_cluster_id="c", storage_type="aurora", db_instance_class="db.r5.large")
    assert found(CHECK, member).target == "db.r6g.large"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"db_instance_class": "db.m6g.large"}, "no Graviton class takes the place of db.m6g.large"),
        ({"db_instance_class": "db.t2.micro"}, "no Graviton class takes the place of db.t2.micro"),
        ({"engine": "oracle-se2"}, "oracle-se2 does not run on Graviton"),
        ({"engine": "sqlserver-se"}, "sqlserver-se does not run on Graviton"),
        ({"db_cluster_id": "c"}, "its hours are billed with its cluster"),
        ({"multi_az": None}, "whether it stands in several zones is not known"),
        ({"db_instance_class": None}, "its class is not known"),
    ],
)
def test_what_does_not_run_there_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert reason(CHECK, database(**changes)) == why


def test_a_stopped_one_and_one_without_a_price_are_left_alone() -> None:
    assert reason(CHECK, database("stopped")) == "it is stopped, not available"
    assert reason(CHECK, database("available", "nowhere-1")) == "no price for db.m5.large in nowhere-1"
