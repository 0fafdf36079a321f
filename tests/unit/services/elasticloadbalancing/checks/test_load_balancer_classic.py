"""load_balancer_classic: what succeeds it, and when nothing is said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.services.elasticloadbalancing.balancers import balancer, found, reason

from finops_operator.services.elasticloadbalancing.checks.load_balancer_classic import CHECK


@pytest.mark.parametrize(
    ("protocols", "target"),
    [
        (["HTTP"], "application"),
        (["HTTP", "HTTPS"], "application"),
        (["HTTPS", "TCP"], "network"),
        (["SSL"], "network"),
    ],
)
def test_a_classic_load_balancer_is_advised_to_become_what_its_listeners_need(
    protocols: list[str], target: str
) -> None:
    one = found(CHECK, balancer("classic", listener_protocols=list(protocols)))
    assert (one.target, one.action) == (target, "")
    # us-east-1: 0.025 an hour now, 0.0225 as either successor.
    assert one.evidence["hoursMonthlyCost"] == "18.25"
    assert one.new_monthly_cost == Decimal("0.0225") * 730


def test_its_public_addresses_cost_the_same_afterwards() -> None:
    one = found(CHECK, balancer("classic", listener_protocols=["HTTP"], public_addresses=2))
    assert one.new_monthly_cost == (Decimal("0.0225") + 2 * Decimal("0.005")) * 730


@pytest.mark.parametrize("kind", ["application", "network", "gateway"])
def test_the_present_generation_is_left_alone(kind: str) -> None:
    assert reason(CHECK, balancer(kind)) == f"it is of the type {kind}"


def test_listeners_that_are_not_known_or_not_there_say_nothing_of_a_successor() -> None:
    assert reason(CHECK, balancer("classic", listener_protocols=None)) == "it has no listeners"
    assert reason(CHECK, balancer("classic", listener_protocols=[])) == "it has no listeners"


def test_without_a_price_the_saving_is_not_known_and_nothing_is_said() -> None:
    assert "the saving is not known" in reason(CHECK, replace(balancer("classic"), region="cn-north-1"))


def test_one_whose_tags_could_not_be_read_is_left_alone() -> None:
    assert "may be protected" in reason(CHECK, balancer("classic", tags_known=False))
