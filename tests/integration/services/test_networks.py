"""VPN connections and attachments of transit gateways on moto's EC2: a scan lists them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_vpn_connections_and_attachments_are_listed(aws: AwsDouble, scanned: Scan) -> None:
    ec2 = aws.client("ec2", role=MAKER)
    customer = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="192.0.2.1", BgpAsn=65000)["CustomerGateway"]
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    vpn = ec2.create_vpn_connection(
        Type="ipsec.1", CustomerGatewayId=customer["CustomerGatewayId"], TransitGatewayId=gateway
    )["VpnConnection"]["VpnConnectionId"]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway, VpcId=vpc, SubnetIds=[subnet])
    outcome = scanned("vpn-connection", "transit-gateway-attachment")
    assert outcome.summary.gaps == ()
    found = report_of(outcome)["resources"]
    kinds = {one["id"]: one["kind"] for one in found}
    assert kinds[vpn] == "vpn-connection"
    attached = {one["attributes"]["attached_type"] for one in found if one["kind"] == "transit-gateway-attachment"}
    assert attached == {"vpc", "vpn"}
    assert all(one["monthlyCost"] is None for one in found)
