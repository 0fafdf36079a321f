"""Functions beyond the first step of Lambda's price: what they add to an account's duration, and what they cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.awslambda.functions import function, invoked

from finops.domain.price import PriceQuery
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import cost_of, monthly_units
from finops_operator.services.awslambda.function import KIND


def test_a_function_adds_its_gigabyte_seconds_to_those_of_its_processor_and_region() -> None:
    # 1 GB, a million invocations a day of 0.1 s: 3,000,000 in 30 days.
    ((query, units),) = monthly_units(function(), KIND.billed_parts, invoked(1_000_000), Decimal(730))
    assert (query.region, query.dimension) == ("eu-west-1", "x86_gb_second_tier1")
    assert units == Decimal(3_000_000) * 730 / 720
    arm = function(architecture="arm64")
    assert [one.dimension for one, _ in monthly_units(arm, KIND.billed_parts, invoked(1), Decimal(730))] == [
        "arm_gb_second_tier1"
    ]


def test_a_function_of_which_nothing_was_measured_adds_nothing_and_stays_unknown() -> None:
    assert list(monthly_units(function(), KIND.billed_parts, None, Decimal(730))) == []
    assert cost_of(function(), KIND.billed_parts, SOURCE.lookup, Decimal(730), None).monthly is None


@pytest.mark.parametrize(
    ("architecture", "step", "cheaper"), [("x86", 6_000_000_000, "0.000015"), ("arm", 7_500_000_000, "0.0000120001")]
)
def test_functions_beyond_the_first_step_have_the_average_of_both(architecture: str, step: int, cheaper: str) -> None:
    one = function("us-east-1", architecture={"x86": "x86_64", "arm": "arm64"}[architecture])
    first = PriceQuery("lambda", "us-east-1", f"{architecture}_gb_second_tier1")
    known = SOURCE.lookup(first)
    assert known is not None
    cost = cost_of(one, KIND.billed_parts, SOURCE.lookup, Decimal(720), invoked(1), {first: Decimal(2 * step)})
    duration = next(part for part in cost.components if part.dimension == "gb_second")
    assert duration.price.amount == (known.amount + Decimal(cheaper)) / 2


def test_functions_beyond_the_second_step_are_unknown_where_no_table_has_the_third() -> None:
    first = PriceQuery("lambda", "eu-west-1", "x86_gb_second_tier1")
    shared = {first: Decimal(15_000_000_001)}
    cost = cost_of(function(), KIND.billed_parts, SOURCE.lookup, Decimal(720), invoked(1), shared)
    assert cost.monthly is None
    assert cost.known_monthly is not None
    assert "gb_second: no price in eu-west-1 of further units" in cost.missing[0]
