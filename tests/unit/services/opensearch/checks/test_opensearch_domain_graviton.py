"""opensearch_domain_graviton: as much memory for less, and versions that do not run there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.opensearch.domains import DOMAINS, domain

from finops.domain.canonical import Json
from finops_operator.services.opensearch.checks.opensearch_domain_graviton import CHECK


def test_an_x86_type_is_found_with_the_graviton_type_of_its_size() -> None:
    one = DOMAINS.found(CHECK, domain())
    assert (one.action, one.target) == ("", "m6g.large.search")
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.142", "0.128")
    assert one.new_monthly_cost == Decimal("280.320")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instance_type": "m6g.large.search"}, "no Graviton type takes the place of m6g.large.search"),
        ({"instance_type": "i3.large.search"}, "no Graviton type takes the place of i3.large.search"),
        ({"engine_version": "Elasticsearch_7.8"}, "Elasticsearch 7.8 does not run there, 7.9 does"),
        ({"engine_version": None}, "its engine version is not known"),
        ({"instance_type": None}, "its instance type is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_what_does_not_run_there_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert DOMAINS.reason(CHECK, domain(**changes)) == why


def test_the_first_version_that_runs_there_is_found_and_one_without_a_price_is_not() -> None:
    DOMAINS.found(CHECK, domain(engine_version="Elasticsearch_7.9"))
    assert DOMAINS.reason(CHECK, domain("active", "nowhere-1")) == "no price for m5.large.search in nowhere-1"
