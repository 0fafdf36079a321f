"""vpn_connection_idle: up with probes alone for a month, and what is no proof of that."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import summarize
from tests.unit.services.ec2.networks import DAY, VPNS, tunnels, vpn, without

from finops_operator.services.ec2.checks.vpn_connection_idle import CHECK


def test_a_connection_that_carries_probes_alone_is_idle() -> None:
    one = VPNS.found(CHECK, vpn(), tunnels(1))
    assert (one.action, one.new_monthly_cost, one.evidence["busiestDayMegabytes"]) == ("", Decimal(0), "0.2")
    assert one.summary == "It is up and carried less than 1 MB a day for 30 days."


@pytest.mark.parametrize("name", ["tunnelInBytes", "tunnelOutBytes"])
def test_a_single_day_of_traffic_in_either_direction_breaks_it(name: str) -> None:
    busy = summarize([200_000.0] * 29 + [1_000_000.0], period=DAY)
    why = "on its busiest day 1 MB went one way, 1 MB are the limit"
    assert VPNS.reason(CHECK, vpn(), tunnels(1, **{name: busy})) == why
    almost = summarize([200_000.0] * 29 + [999_999.0], period=DAY)
    VPNS.found(CHECK, vpn(), tunnels(1, **{name: almost}))


def test_one_that_is_down_is_left_to_the_other_check() -> None:
    assert VPNS.reason(CHECK, vpn(), tunnels(0)) == "no tunnel was up"


@pytest.mark.parametrize("name", ["tunnelState", "tunnelInBytes", "tunnelOutBytes"])
def test_a_metric_that_could_not_be_read_is_never_zero(name: str) -> None:
    assert "is unknown (Throttled)" in VPNS.reason(CHECK, vpn(), without(tunnels(1), name))
    assert "only 29 days" in VPNS.reason(CHECK, vpn(), tunnels(1, 29))
    assert VPNS.reason(CHECK, vpn("pending"), tunnels(1)) == "it is pending, not available"


@pytest.mark.parametrize(
    ("name", "words"),
    [("tunnelState", "tunnel state"), ("tunnelInBytes", "tunnel in bytes"), ("tunnelOutBytes", "tunnel out bytes")],
)
def test_a_lost_day_of_the_month_may_have_been_the_one_with_traffic(name: str, words: str) -> None:
    lost = tunnels(1, **{name: summarize([1.0] * 29, period=DAY, expected=30)})
    assert VPNS.reason(CHECK, vpn(), lost) == f"nothing is known of {words} in 24 of its hours"
