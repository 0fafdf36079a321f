"""Functions beyond the first step of Lambda's price: what they add to an account's duration, and what they cost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import NOW
from tests.support.manifests import manifest
from tests.unit.services.awslambda.functions import function, invoked

from finops.crds.scan_policy import ScanPolicy
from finops.domain.price import PriceQuery
from finops_operator.plugins.facts import with_facts
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.policy_rules import PolicyRules
from finops_operator.scan.price import SharedUnits, cost_of, monthly_units
from finops_operator.services.awslambda.function import KIND, FunctionFacts


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


def rules(shared: SharedUnits) -> PolicyRules:
    return PolicyRules(
        policy=("team-a", "functions"),
        spec_policy=ScanPolicy.from_object(manifest("ScanPolicy", {"spec": {}})),
        now=NOW,
        accounts={},
        kinds={KIND.id: KIND},
        checks={},
        actions={},
        enabled=(),
        lookup=SOURCE.lookup,
        shared=shared,
    )


def test_a_function_that_goes_saves_the_second_price_where_others_fill_the_first_step() -> None:
    one, use = function("us-east-1"), invoked(1_000_000)
    first = PriceQuery("lambda", "us-east-1", "x86_gb_second_tier1")
    units = {first: Decimal(7_000_000_000)}
    policy = rules(SharedUnits(units))
    at_margin = policy.at_margin(one, use)
    assert at_margin is not None
    share, last = policy.cost(one, use), at_margin(one)
    assert share.monthly is not None
    assert last.monthly is not None
    assert 0 < last.monthly < share.monthly
    duration = next(part for part in last.components if part.dimension == "gb_second")
    assert duration.price.amount == Decimal("0.000015")


def test_a_function_that_moves_to_arm_pays_the_price_that_all_functions_on_arm_reach() -> None:
    one, use = function("us-east-1"), invoked(1_000_000)
    arm = PriceQuery("lambda", "us-east-1", "arm_gb_second_tier1")
    at_margin = rules(SharedUnits({arm: Decimal(9_000_000_000)})).at_margin(one, use)
    assert at_margin is not None
    moved = at_margin(with_facts(one, FunctionFacts(architecture="arm64", memory_mb=1024, provisioned_instances=0)))
    duration = next(part for part in moved.components if part.dimension == "gb_second")
    assert duration.price.amount == Decimal("0.0000120001")


def test_where_no_units_were_counted_a_saving_is_the_difference_of_two_costs() -> None:
    assert rules(SharedUnits()).at_margin(function(), invoked(1)) is None
