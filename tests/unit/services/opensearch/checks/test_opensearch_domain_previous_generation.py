"""opensearch_domain_previous_generation: the current type of the size, where its price is known and no higher."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.opensearch.domains import DOMAINS, domain

from finops.domain.canonical import Json
from finops_operator.services.opensearch.checks.opensearch_domain_previous_generation import CHECK


def test_a_type_of_a_previous_generation_is_found_with_the_current_one_of_its_size() -> None:
    one = DOMAINS.found(CHECK, domain(instance_type="m4.large.search"))
    assert (one.action, one.target) == ("", "m5.large.search")
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.151", "0.142")
    assert one.new_monthly_cost == Decimal("310.980")


def test_with_storage_that_has_no_price_the_saving_is_unknown_and_the_finding_stays() -> None:
    assert DOMAINS.found(CHECK, domain(instance_type="m4.large.search", volume_type="gp3")).new_monthly_cost is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"instance_type": "m5.large.search"}, "m5.large.search is no type of a previous generation"),
        ({"instance_type": "m3.medium.search"}, "no price in us-east-1 for what could take the place"),
        ({"instance_type": "m4.large.search", "engine_version": "Elasticsearch_2.3"}, "Elasticsearch 2.3 does not run"),
        ({"instance_type": None}, "its instance type is not known"),
        ({"instance_type": "m4.large.search", "tags_known": False}, "its tags could not be read"),
    ],
)
def test_what_cannot_be_changed_or_compared_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert DOMAINS.reason(CHECK, domain(**changes)).startswith(why)


def test_without_a_price_nothing_is_proposed() -> None:
    nowhere = domain("active", "nowhere-1", instance_type="m4.large.search")
    assert DOMAINS.reason(CHECK, nowhere) == "no price for m4.large.search in nowhere-1"
