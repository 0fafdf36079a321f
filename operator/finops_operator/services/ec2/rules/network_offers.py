"""Where AWS's price list has the figures of VPN connections and transit gateways.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types as the offer
file of the service and Cost and Usage Reports spell them.
"""

from __future__ import annotations

from typing import Final

from finops.domain.price import HOUR
from finops_operator.pricing.offers import GIGABYTES, HOURS, Offer, Offers

_CODE: Final = "AmazonVPC"
_VPN: Final = (("productFamily", "Cloud Connectivity"), ("operation", "CreateVpnConnection"))
_TO_VPC: Final = (("group", "AWSTransitGateway"), ("operation", "TransitGatewayVPC"))
_TO_VPN: Final = (("group", "AWSTransitGateway"), ("operation", "TransitGatewayVPN"))
VPN_OFFERS: Final[Offers] = {
    ("vpn", "connection_hour"): Offer(_CODE, _VPN, "VPN-Usage-Hours:ipsec.1", HOURS, HOUR),
}
TRANSIT_GATEWAY_OFFERS: Final[Offers] = {
    ("transit-gateway", "vpc_hour"): Offer(_CODE, _TO_VPC, "TransitGateway-Hours", HOURS, HOUR),
    ("transit-gateway", "vpc_gb"): Offer(_CODE, _TO_VPC, "TransitGateway-Bytes", GIGABYTES, "gb"),
    ("transit-gateway", "vpn_hour"): Offer(_CODE, _TO_VPN, "TransitGateway-Hours", HOURS, HOUR),
    ("transit-gateway", "vpn_gb"): Offer(_CODE, _TO_VPN, "TransitGateway-Bytes", GIGABYTES, "gb"),
}
