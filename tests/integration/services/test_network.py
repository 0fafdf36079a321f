"""Elastic addresses, NAT gateways and interface endpoints on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
KINDS = ("elastic-ip", "nat-gateway", "vpc-endpoint")


def test_what_stands_in_a_network_is_listed_priced_and_judged(aws: AwsDouble, scanned: Scan) -> None:
    ec2 = aws.client("ec2", role=MAKER)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    used = ec2.allocate_address(Domain="vpc")["AllocationId"]
    free = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=used)["NatGateway"]["NatGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=gateway)
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.ssm", VpcEndpointType="Interface", SubnetIds=[subnet]
    )["VpcEndpoint"]["VpcEndpointId"]
    outcome = scanned(*KINDS)
    assert outcome.summary.gaps == ()
    report = report_of(outcome, why=True)
    found = {one["id"]: one for one in report["resources"]}
    assert {identity: one["monthlyCost"] for identity, one in found.items()} == {
        free: "3.65",
        used: "3.65",
        # What passes through them is billed too, and on the first day no metric says how much.
        gateway: None,
        endpoint: None,
    }
    assert [part["monthlyCost"] for part in found[gateway]["costParts"] + found[endpoint]["costParts"]] == [
        "32.85",
        "7.30",
    ]
    assert found[gateway]["attributes"]["route_tables"] == 1
    assert [(one["check"], one["resource"]["id"]) for one in report["recommendations"]] == [
        ("elastic_ip_unassociated", free)
    ]
    reasons = {(one["check"], one["resource"]): one["reason"] for one in report["notRecommended"]}
    assert reasons["elastic_ip_unassociated", used] == "it is in use"
    assert reasons["nat_gateway_idle", gateway] == "it is younger than 32 days"
