"""ebs_volume_magnetic: gp3 with its free performance instead, and what is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import in_region, volume
from tests.support.judging import Bench

from finops.domain.resource import Resource
from finops_operator.services.ec2.checks.ebs_volume_magnetic import CHECK
from finops_operator.services.ec2.volume import KIND

JUDGED = Bench(KIND)


def test_a_magnetic_volume_is_found_with_both_prices_and_a_saving_that_nobody_knows() -> None:
    magnetic = volume("in-use", volume_type="standard", iops=None)
    one = JUDGED.found(CHECK, magnetic)
    assert (one.action, one.target, one.new_monthly_cost) == ("", "gp3", Decimal("8.00"))
    assert (one.evidence["pricePerGbMonth"], one.evidence["gp3PricePerGbMonth"]) == ("0.05", "0.08")
    assert JUDGED.cost(magnetic).monthly is None


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (volume("in-use", volume_type="st1"), "its type is not standard"),
        (volume("in-use", volume_type=None), "its type is not known"),
        (volume("available", volume_type="standard"), "it is available, not attached"),
        (volume("in-use", volume_type="standard", size_gb=None), "its size is not known"),
        (in_region(volume("in-use", volume_type="standard"), "nowhere-1"), "no price for standard in nowhere-1"),
    ],
)
def test_another_type_and_what_is_not_known_are_left_alone(one: Resource, why: str) -> None:
    assert JUDGED.reason(CHECK, one) == why
