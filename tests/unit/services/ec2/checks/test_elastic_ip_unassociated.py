"""elastic_ip_unassociated: an address on nothing, and those that are used, free or somebody else's."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.ec2.checks.elastic_ip_unassociated import CHECK
from finops_operator.services.ec2.elastic_ip import ASSOCIATED, BROUGHT_ALONG, KIND, ON_INSTANCE, UNASSOCIATED

JUDGED = Bench(KIND)


def address(state: str = UNASSOCIATED, **attributes: Json) -> Resource:
    facts: dict[str, Json] = {"service_managed": "", "unassociated_since": (NOW - timedelta(days=7)).isoformat()}
    return Resource(
        "elastic-ip", "eipalloc-0a", "arn", "", "111122223333", "us-east-1", state, attributes={**facts, **attributes}
    )


def test_an_address_on_nothing_is_found_with_what_it_costs() -> None:
    one = JUDGED.found(CHECK, address())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert JUDGED.cost(address()).monthly == Decimal("3.65")
    assert one.evidence == {"seenUnassociatedDays": 7, "thresholdUnassociatedDays": "0"}


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (address(ASSOCIATED), "it is in use"),
        (address(ON_INSTANCE), "it is in use"),
        (address(BROUGHT_ALONG), "its owner brought it along, and it costs nothing"),
        (address(service_managed="nlb"), "a service of AWS made it and gives it back"),
    ],
)
def test_what_is_used_or_costs_nothing_is_left_alone(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one) == why


def test_a_policy_that_asks_for_days_counts_them_from_our_first_sight() -> None:
    assert JUDGED.found(CHECK, address(), minimumUnassociatedDays=Decimal(7)).check == CHECK.id
    assert JUDGED.reason(CHECK, address(), minimumUnassociatedDays=Decimal(8)) == (
        "it was first seen on nothing 7 days ago, 8 are needed"
    )
    unseen = address(unassociated_since=None)
    assert JUDGED.reason(CHECK, unseen, minimumUnassociatedDays=Decimal(1)) == (
        "since when it is on nothing is not known"
    )
    assert JUDGED.found(CHECK, unseen).evidence["seenUnassociatedDays"] is None


def test_an_address_that_the_scan_itself_sees_first_is_found() -> None:
    just_listed = address(unassociated_since=(NOW + timedelta(seconds=1)).isoformat())
    assert JUDGED.found(CHECK, just_listed).evidence["seenUnassociatedDays"] == 0


def test_an_address_of_a_local_zone_is_found_and_has_no_price() -> None:
    far = address(network_border_group="us-east-1-bos-1")
    assert JUDGED.found(CHECK, far).check == CHECK.id
    assert JUDGED.cost(far).missing == ("idle_public_ipv4_hour: no price for addresses of us-east-1-bos-1",)
    assert JUDGED.cost(address(network_border_group="us-east-1")).monthly == Decimal("3.65")
