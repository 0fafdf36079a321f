"""vpn_connection_down: no tunnel up for a month, and what is no proof of that."""

from __future__ import annotations

from decimal import Decimal

from tests.support.facts import summarize
from tests.unit.services.ec2.networks import DAY, VPNS, tunnels, vpn, without

from finops_operator.services.ec2.checks.vpn_connection_down import CHECK


def test_a_connection_whose_tunnels_were_down_for_long_is_found() -> None:
    one = VPNS.found(CHECK, vpn(), tunnels())
    assert (one.action, one.new_monthly_cost) == ("", Decimal(0))
    assert one.summary == "None of its tunnels was up for 30 days."


def test_a_single_day_on_which_a_tunnel_was_up_breaks_it() -> None:
    once = summarize([0.0] * 29 + [0.5], period=DAY)
    assert VPNS.reason(CHECK, vpn(), tunnels(tunnelState=once)) == "a tunnel was up"
    assert VPNS.reason(CHECK, vpn(tunnels_up=1), tunnels()) == "1 of its tunnels are up"


def test_without_data_or_with_less_than_a_month_nothing_is_known() -> None:
    assert VPNS.reason(CHECK, vpn(), without(tunnels(), "tunnelState")) == "tunnel state is unknown (Throttled)"
    assert "only 29 days" in VPNS.reason(CHECK, vpn(), tunnels(0, 29))
    assert VPNS.reason(CHECK, vpn("pending"), tunnels()) == "it is pending, not available"


def test_a_lost_day_of_the_month_may_have_been_the_one_on_which_a_tunnel_was_up() -> None:
    lost = tunnels(tunnelState=summarize([0.0] * 29, period=DAY, expected=30))
    assert VPNS.reason(CHECK, vpn(), lost) == "nothing is known of tunnel state in 24 of its hours"
