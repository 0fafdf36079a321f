"""rds_instance_several_zones: for tests and in two zones, and what may be production."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.services.rds.databases import database, found, reason

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.rds.checks.rds_instance_several_zones import CHECK


def tagged(value: str = "dev", state: str = "available", /, **changes: Json) -> Resource:
    return replace(database(state, **{"multi_az": True, **changes}), tags={"Environment": value})


def test_a_test_database_in_two_zones_is_found_and_half_of_it_saved() -> None:
    one = found(CHECK, tagged())
    assert (one.action, one.target, one.new_monthly_cost) == ("", "single zone", Decimal("136.330"))
    assert one.evidence["environmentTag"] == "dev"


@pytest.mark.parametrize("value", ["production", "prod", "", "staging", "dev and production"])
def test_what_may_be_production_is_left_alone(value: str) -> None:
    assert reason(CHECK, tagged(value)) == "no tag says that it is for tests or development"


def test_without_a_tag_nothing_is_said() -> None:
    assert reason(CHECK, database(multi_az=True)) == "no tag says that it is for tests or development"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"multi_az": False}, "it stands in one zone"),
        ({"multi_az": None}, "whether it stands in several zones is not known"),
        ({"db_cluster_id": "c"}, "it is a member of a cluster"),
    ],
)
def test_what_stands_in_one_zone_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert reason(CHECK, tagged("dev", **changes)) == why


def test_a_stopped_one_is_not_judged() -> None:
    assert reason(CHECK, tagged("dev", "stopped")) == "it is stopped, not available"
