"""rds_instance_previous_generation: the current class of the size, where its price is known and no higher."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.services.rds.databases import database, found, judged, reason

from finops.domain.price import Price, PriceQuery
from finops.domain.recommendation import NotRecommended
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.rds.checks.rds_instance_previous_generation import CHECK, PREVIOUS, SUCCESSORS


def test_a_class_of_a_previous_generation_is_found_with_the_current_one_of_its_size() -> None:
    one = found(CHECK, database(db_instance_class="db.m4.large"))
    assert (one.action, one.target) == ("rds_instance_resize", "db.m5.large")
    assert one.parameters == {"dbInstanceClass": "db.m5.large", "apply": "window"}
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.175", "0.171")
    assert one.new_monthly_cost == Decimal("136.330")
    assert one.summary == "db.m4.large is of a previous generation; db.m5.large is faster and costs less."


def test_the_storage_stays_as_it_is_and_two_zones_have_the_price_of_two() -> None:
    one = found(CHECK, database(db_instance_class="db.m4.large", multi_az=True))
    assert one.new_monthly_cost == Decimal("272.660")


def test_a_current_class_at_the_same_price_is_faster_for_nothing() -> None:
    assert found(CHECK, database(db_instance_class="db.r4.large")).summary.endswith("costs the same.")


def test_a_member_of_an_aurora_cluster_is_judged_by_the_prices_of_aurora() -> None:
    member = database(engine="aurora-mysql", db_cluster_id="c", storage_type="aurora", db_instance_class="db.r4.large")
    assert found(CHECK, member).evidence["targetHourlyPrice"] == "0.29"


@pytest.mark.parametrize("name", ["db.m5.large", "db.t3.micro", "db.r6g.large", "db.serverless"])
def test_a_current_class_is_left_alone(name: str) -> None:
    assert reason(CHECK, database(db_instance_class=name)) == f"{name} is no class of a previous generation"


@pytest.mark.parametrize("name", ["db.m1.large", "db.m2.xlarge", "db.t1.micro"])
def test_a_size_that_no_current_class_has_is_left_alone(name: str) -> None:
    assert reason(CHECK, database(db_instance_class=name)) == f"no current class has the size of {name}"


def test_without_both_prices_nothing_is_proposed() -> None:
    odd = database(db_instance_class="db.m3.medium")
    assert reason(CHECK, odd) == "no price for db.m5.medium with its engine in us-east-1"
    assert "no price for db.m4.large" in reason(CHECK, database(db_instance_class="db.m4.large", engine="db2-se"))
    assert reason(CHECK, database(db_instance_class=None)) == "its class is not known"


def test_a_dearer_class_is_not_proposed() -> None:
    def dearer(query: PriceQuery) -> Price | None:
        price = SOURCE.lookup(query)
        newer = dict(query.attributes).get("class") == "db.m5.large"
        return replace(price, amount=price.amount * 2) if price is not None and newer else price

    verdict = judged(CHECK, database(db_instance_class="db.m4.large"), lookup=dearer)
    assert isinstance(verdict, NotRecommended)
    assert verdict.reason == "db.m5.large would cost more"


def test_a_stopped_database_cannot_be_changed() -> None:
    assert reason(CHECK, database("stopped", db_instance_class="db.m4.large")) == "it is stopped, not available"


def test_no_successor_is_of_a_previous_generation_itself() -> None:
    assert not set(SUCCESSORS.values()) & PREVIOUS


def test_of_a_member_of_a_cluster_it_is_advice() -> None:
    one = found(CHECK, database(db_instance_class="db.m4.large", db_cluster_id=None))
    assert (one.action, one.parameters) == ("", {})


def test_a_policy_may_have_the_class_changed_at_once_instead_of_in_the_window() -> None:
    one = found(CHECK, database(db_instance_class="db.m4.large"), applyAtOnce=Decimal(1))
    assert one.parameters == {"dbInstanceClass": "db.m5.large", "apply": "now"}
