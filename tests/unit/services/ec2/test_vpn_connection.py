"""VPN connections as collected: tunnels, never the keys, errors as gaps, and what is billed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from tests.support.judging import Pages
from tests.unit.services.ec2.networks import VPN, VPNS, vpn

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
from finops_operator.services.ec2.vpn_connection import KIND, VpnFacts

MODEL = botocore.session.get_session().get_service_model("ec2")
LIST = "ec2:DescribeVpnConnections"
KEY = "kept by nobody"


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "VpnConnectionId": VPN,
        "State": "available",
        "CustomerGatewayConfiguration": f"<pre_shared_key>{KEY}</pre_shared_key>",
        "CustomerGatewayId": "cgw-1",
        "TransitGatewayId": "tgw-1",
        "Options": {"StaticRoutesOnly": True, "EnableAcceleration": False},
        "VgwTelemetry": [
            {"Status": "UP", "LastStatusChange": "2026-02-01T00:00:00Z"},
            {"Status": "DOWN", "LastStatusChange": "2026-03-01T00:00:00Z"},
        ],
        "Tags": [{"Key": "Name", "Value": "office"}],
        **changes,
    }


def collected(*pages: Any) -> list[Resource | Gap]:
    return list(KIND.listing.collect(Pages({LIST: pages}), "aws"))


def test_a_connection_carries_its_tunnels_and_never_their_keys() -> None:
    (one,) = collected({"VpnConnections": [listed()]})
    assert isinstance(one, Resource)
    own = facts_of(VpnFacts, one)
    assert (one.id, one.state, one.name) == (VPN, "available", "office")
    assert (own.gateway, own.customer_gateway, own.static_routes) == ("tgw-1", "cgw-1", True)
    assert (own.tunnels, own.tunnels_up, own.status_changed) == (2, 1, "2026-03-01T00:00:00+00:00")
    assert KEY not in repr(one)
    assert listed().keys() <= MODEL.shape_for("VpnConnection").members.keys()


def test_deleted_ones_that_are_still_listed_are_left_out_and_a_refused_listing_is_a_gap() -> None:
    assert collected({"VpnConnections": [listed(State="deleted"), listed(State="deleting")]}) == []
    (gap,) = collected(AwsDenied("no", operation=LIST, code="UnauthorizedOperation"))
    assert isinstance(gap, Gap)


@pytest.mark.parametrize(
    ("options", "addresses"),
    [
        ({}, [("public_ipv4_hour", 2)]),
        ({"OutsideIpAddressType": "PublicIpv4"}, [("public_ipv4_hour", 2)]),
        ({"OutsideIpAddressType": "PrivateIpv4"}, []),
    ],
)
def test_its_hours_have_no_price_and_public_addresses_have_one(options: dict[str, str], addresses: list[Any]) -> None:
    (one,) = collected({"VpnConnections": [listed(Options=options)]})
    assert isinstance(one, Resource)
    assert VPNS.cost(one).missing == ("connection_hour: no price for VPN connections",)
    _, *priced = KIND.billed_parts(one)
    assert [(part.dimension, part.quantity) for part in priced] == addresses
    assert all(part.query is not None and VPNS.lookup(part.query) is not None for part in priced)
    assert KIND.billed_parts(vpn("deleted")) == ()


def test_a_missing_point_is_unknown_and_an_owner_is_known_by_tags() -> None:
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert not any(spec.applies(vpn("pending")) for spec in KIND.metrics)
    assert KIND.owner(replace(vpn(), tags={"crossplane-name": "x"})) is not None
