"""Elastic addresses, NAT gateways and interface endpoints: what the listings say, what is billed, what is a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.facts import NOW, in_region
from tests.support.judging import Bench, Pages, used

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.kind import ResourceKind
from finops_operator.services.ec2 import elastic_ip, nat_gateway, vpc_endpoint

ADDRESSES = "ec2:DescribeAddresses"
GATEWAYS = "ec2:DescribeNatGateways"
ROUTES = "ec2:DescribeRouteTables"
ENDPOINTS = "ec2:DescribeVpcEndpoints"
ADDRESS = {"AllocationId": "eipalloc-0a", "PublicIp": "192.0.2.1", "PublicIpv4Pool": "amazon"}
GATEWAY = {
    "NatGatewayId": "nat-0a",
    "State": "available",
    "CreateTime": "2026-01-01T00:00:00+00:00",
    "VpcId": "vpc-0a",
    "Tags": [{"Key": "Name", "Value": "out"}],
}
ENDPOINT = {
    "VpcEndpointId": "vpce-0a",
    "VpcEndpointType": "Interface",
    "State": "Available",
    "ServiceName": "com.amazonaws.us-east-1.ssm",
    "VpcId": "vpc-0a",
    "SubnetIds": ["subnet-0a", "subnet-0b"],
    "RequesterManaged": False,
}


def listed(kind: ResourceKind[Any], **answers: Any) -> list[Resource | Gap]:
    named = {f"ec2:{name}": pages for name, pages in answers.items()}
    return list(kind.listing.collect(Pages(named, region="us-east-1"), "aws"))


def denied(operation: str) -> AwsDenied:
    return AwsDenied("not allowed", operation=operation, code="UnauthorizedOperation")


def resources(found: list[Resource | Gap]) -> list[Resource]:
    return [one for one in found if isinstance(one, Resource)]


def gaps(found: list[Resource | Gap]) -> list[str]:
    return [one.operation for one in found if isinstance(one, Gap)]


# -- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "state", "monthly"),
    [
        ({}, elastic_ip.UNASSOCIATED, "3.65"),
        ({"AssociationId": "eipassoc-0a", "NetworkInterfaceId": "eni-0a"}, elastic_ip.ASSOCIATED, "3.65"),
        ({"AssociationId": "eipassoc-0a", "InstanceId": "i-0a"}, elastic_ip.ON_INSTANCE, "0.00"),
        ({"PublicIpv4Pool": "ipv4pool-ec2-0a"}, elastic_ip.BROUGHT_ALONG, "0.00"),
    ],
)
def test_an_address_is_billed_once_and_one_that_was_brought_along_never(
    more: Mapping[str, str], state: str, monthly: str
) -> None:
    (one,) = resources(listed(elastic_ip.KIND, DescribeAddresses=[{"Addresses": [{**ADDRESS, **more}]}]))
    assert (one.id, one.state) == ("eipalloc-0a", state)
    assert one.arn == "arn:aws:ec2:us-east-1:111122223333:elastic-ip/eipalloc-0a"
    assert Bench(elastic_ip.KIND).cost(one).monthly == Decimal(monthly)


def test_our_first_sight_of_a_free_address_is_kept_until_it_is_used() -> None:
    memory = elastic_ip.KIND.memory
    assert memory is not None
    (free,) = resources(listed(elastic_ip.KIND, DescribeAddresses=[{"Addresses": [ADDRESS]}]))
    first = memory.carry_over(free, None, NOW)
    later = memory.carry_over(free, first, NOW + timedelta(days=9))
    used = replace(first, state=elastic_ip.ASSOCIATED)
    again = memory.carry_over(free, used, NOW + timedelta(days=9))
    assert first.text("unassociated_since") == later.text("unassociated_since") == NOW.isoformat()
    assert again.text("unassociated_since") == (NOW + timedelta(days=9)).isoformat()
    assert memory.applies(free)
    assert not memory.applies(used)


def test_an_address_that_a_service_made_is_that_services() -> None:
    managed = {**ADDRESS, "ServiceManaged": "nlb"}
    (one,) = resources(listed(elastic_ip.KIND, DescribeAddresses=[{"Addresses": [managed]}]))
    owner = elastic_ip.KIND.owner(one)
    assert owner is not None
    assert "AWS service" in owner.system


@pytest.mark.parametrize(("service", "billed"), [("alb", 0), ("nlb", 0), ("rds", 0), ("rnat", 1), ("", 1)])
def test_an_address_in_the_cost_of_what_made_it_is_not_billed_twice(service: str, billed: int) -> None:
    managed = {**ADDRESS, "AssociationId": "eipassoc-1", "NetworkInterfaceId": "eni-1", "ServiceManaged": service}
    (one,) = resources(listed(elastic_ip.KIND, DescribeAddresses=[{"Addresses": [managed]}]))
    assert one.state == elastic_ip.ASSOCIATED
    assert len(elastic_ip.KIND.billed_parts(one)) == billed


# -- NAT gateways ------------------------------------------------------------------------------------------------------


def test_a_gateway_is_listed_with_the_route_tables_that_name_it_and_billed_by_the_hour() -> None:
    routes = [{"Routes": [{"NatGatewayId": "nat-0a"}, {"NatGatewayId": "nat-0a"}, {"GatewayId": "local"}]}]
    found = listed(
        nat_gateway.KIND,
        DescribeNatGateways=[{"NatGateways": [GATEWAY, {**GATEWAY, "NatGatewayId": "nat-0b", "State": "deleted"}]}],
        DescribeRouteTables=[{"RouteTables": [*routes, *routes]}],
    )
    (one,) = resources(found)
    assert (one.id, one.name, one.number("route_tables")) == ("nat-0a", "out", 2)
    quiet = used(one.id, month=dict.fromkeys(nat_gateway.BYTES, 0.0))
    assert Bench(nat_gateway.KIND).cost(one, quiet).monthly == Decimal("32.85")  # 0.045 × 730
    # 720 GiB from each side in 720 hours are 2 × 730 in a month: 65.70 more.
    busy = used(one.id, month=dict.fromkeys(nat_gateway.BYTES, 720.0 * 2**30))
    assert Bench(nat_gateway.KIND).cost(one, busy).monthly == Decimal("98.55")
    unseen = used(one.id, month={nat_gateway.BYTES[0]: 0.0})
    assert Bench(nat_gateway.KIND).cost(one, unseen).monthly is None
    assert gaps(found) == []


def test_without_the_right_to_read_routes_their_number_is_unknown_and_a_gap_says_so() -> None:
    found = listed(
        nat_gateway.KIND,
        DescribeNatGateways=[{"NatGateways": [GATEWAY]}],
        DescribeRouteTables=denied(ROUTES),
    )
    assert resources(found)[0].number("route_tables") is None
    assert gaps(found) == ["DescribeRouteTables"]


def test_routes_are_not_read_where_there_is_no_gateway() -> None:
    pages = Pages({GATEWAYS: [{"NatGateways": []}]})
    assert list(nat_gateway.KIND.listing.collect(pages, "aws")) == []
    assert [operation for operation, _ in pages.asked] == [GATEWAYS]


def test_a_regional_gateway_has_no_known_cost_and_no_metrics_of_its_own() -> None:
    regional = {**GATEWAY, "AvailabilityMode": "regional"}
    found = listed(
        nat_gateway.KIND,
        DescribeNatGateways=[{"NatGateways": [regional]}],
        DescribeRouteTables=[{"RouteTables": []}],
    )
    (one,) = resources(found)
    assert Bench(nat_gateway.KIND).cost(one).monthly is None
    assert not any(spec.applies(one) for spec in nat_gateway.KIND.metrics)


# -- interface endpoints -----------------------------------------------------------------------------------------------


def test_an_interface_endpoint_is_billed_for_each_of_its_zones_and_others_are_left_out() -> None:
    gateway = {**ENDPOINT, "VpcEndpointId": "vpce-0b", "VpcEndpointType": "Gateway"}
    gone = {**ENDPOINT, "VpcEndpointId": "vpce-0c", "State": "Deleted"}
    (one,) = resources(listed(vpc_endpoint.KIND, DescribeVpcEndpoints=[{"VpcEndpoints": [ENDPOINT, gateway, gone]}]))
    assert (one.id, one.state, vpc_endpoint.KIND.type_of(one)) == ("vpce-0a", "available", "ssm")
    quiet, some = (used(one.id, month={"endpointBytesByDay": amount}) for amount in (0.0, 1.0))
    assert Bench(vpc_endpoint.KIND).cost(one, quiet).monthly == Decimal("14.60")  # 2 × 0.01 × 730
    assert Bench(vpc_endpoint.KIND).cost(one, some).missing == ("data_processed: no price for data processed",)
    assert Bench(vpc_endpoint.KIND).cost(one).monthly is None
    assert Bench(vpc_endpoint.KIND).cost(in_region(one, "nowhere-1")).monthly is None


def test_the_traffic_of_an_endpoint_is_asked_for_by_all_four_dimensions() -> None:
    (one,) = resources(listed(vpc_endpoint.KIND, DescribeVpcEndpoints=[{"VpcEndpoints": [ENDPOINT]}]))
    asked = [spec.dimensions(one) for spec in vpc_endpoint.KIND.metrics if spec.dimensions is not None]
    assert asked == 2 * [
        (
            ("Endpoint Type", "Interface"),
            ("Service Name", "com.amazonaws.us-east-1.ssm"),
            ("VPC Endpoint Id", "vpce-0a"),
            ("VPC Id", "vpc-0a"),
        )
    ]


def test_an_endpoint_to_another_region_publishes_nothing_and_is_not_asked_about() -> None:
    abroad = {**ENDPOINT, "ServiceRegion": "eu-central-1"}
    (one,) = resources(listed(vpc_endpoint.KIND, DescribeVpcEndpoints=[{"VpcEndpoints": [abroad]}]))
    assert not vpc_endpoint.KIND.metrics[0].applies(one)


@pytest.mark.parametrize(
    ("kind", "operation"),
    [(elastic_ip.KIND, ADDRESSES), (nat_gateway.KIND, GATEWAYS), (vpc_endpoint.KIND, ENDPOINTS)],
)
def test_a_missing_right_is_a_gap_and_never_an_empty_list(kind: ResourceKind[Any], operation: str) -> None:
    found = listed(kind, **{operation.removeprefix("ec2:"): denied(operation)})
    assert gaps(found) == [operation.removeprefix("ec2:")]
    assert operation in kind.permissions
