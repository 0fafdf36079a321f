"""Planted networks: load balancers, addresses, NAT gateways, endpoints, VPN, transit gateways, CloudFront, Route 53.

Rules: Trusted Advisor, "Cost optimization" (classic load balancers below 100 requests a day, unassociated addresses,
inactive NAT gateways and endpoints after 30 days); Compute Optimizer (NAT gateways after 32 days); Elastic Load
Balancing user guides, "CloudWatch metrics" (requests are published only when there are some).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from finops_sandbox.planted.site import Site, ago


def _balancer(site: Site, name: str, kind: str = "application", *, days: float = 400, healthy: int | None = 2) -> str:
    """List a load balancer with a target group of so many targets; None: one whose listener only redirects."""
    word = {"application": "app", "network": "net", "gateway": "gwy"}[kind]
    own = f"{word}/{name}/50dc6c495c0c9188"
    arn = site.arn("elasticloadbalancing", f"loadbalancer/{own}")
    item = {
        "LoadBalancerArn": arn,
        "LoadBalancerName": name,
        "DNSName": f"{name}.elb.amazonaws.com",
        "CreatedTime": ago(days),
        "Scheme": "internal",
        "Type": kind,
        "State": {"Code": "active"},
        "VpcId": "vpc-1",
        "AvailabilityZones": [{"ZoneName": f"{site.region}{zone}", "SubnetId": f"subnet-{zone}"} for zone in "ab"],
        "IpAddressType": "ipv4",
    }
    site.listed("elbv2:DescribeLoadBalancers", item, by={"LoadBalancerArns": "LoadBalancerArn"})
    site.listed(
        "elbv2:DescribeTags",
        {"ResourceArn": arn, "Tags": []},
        member="TagDescriptions",
        by={"ResourceArns": "ResourceArn"},
    )
    listener = site.arn("elasticloadbalancing", f"listener/{own}/f2f7dc8efc522ab2")
    group = site.arn("elasticloadbalancing", f"targetgroup/{name}/6d0ecf831eec9f09")
    action: dict[str, Any] = {"Type": "forward", "TargetGroupArn": group}
    if healthy is None:
        action = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
    else:
        target = {"TargetGroupArn": group, "TargetGroupName": name, "LoadBalancerArns": [arn], "TargetType": "instance"}
        site.listed("elbv2:DescribeTargetGroups", target)
        health = [{"Target": {"Id": f"i-{one}"}, "TargetHealth": {"State": "healthy"}} for one in range(healthy)]
        site.answered("elbv2:DescribeTargetHealth", {"TargetGroupArn": group}, TargetHealthDescriptions=health)
    made = {"ListenerArn": listener, "LoadBalancerArn": arn, "Port": 80, "Protocol": "HTTP", "DefaultActions": [action]}
    site.answered("elbv2:DescribeListeners", {"LoadBalancerArn": arn}, Listeners=[made])
    rule = {"RuleArn": f"{listener}/1", "Priority": "default", "Actions": [action], "IsDefault": True}
    site.answered("elbv2:DescribeRules", {"ListenerArn": listener}, Rules=[rule])
    return own


def load_balancers(site: Site) -> None:
    """Load balancers: 730 hours at 0.0225 USD, 0.025 for a classic one."""

    def requests(own: str, number: Any, days: int = 400) -> str:
        site.measured("AWS/ApplicationELB", {"LoadBalancer": own}, days, RequestCount=number)
        return own

    site.wasted(
        requests(_balancer(site, "alb-silent"), "never"), "no request in fourteen days", load_balancer_idle="16.43"
    )
    few = requests(_balancer(site, "alb-few"), "seldom_published")
    site.wasted(few, "a request a week", load_balancer_idle="16.43")
    site.kept(requests(_balancer(site, "alb-busy"), 50), "72,000 requests a day")
    # 0.08 a minute are 115 a day.
    site.kept(requests(_balancer(site, "alb-115"), 0.08), "115 requests a day")
    site.kept(_balancer(site, "alb-young", days=4), "four days old")
    redirect = _balancer(site, "alb-redirect", healthy=None)
    site.measured("AWS/ApplicationELB", {"LoadBalancer": redirect}, 400, RequestCount=20, HTTP_Redirect_Count=20)
    site.kept(redirect, "redirects, without a target")
    bare = requests(_balancer(site, "alb-no-targets", healthy=0), "never")
    site.wasted(bare, "no target, no request", load_balancer_without_targets="16.43", load_balancer_idle="16.43")

    def flows(own: str, new: Any, size: Any) -> str:
        values = {"NewFlowCount": new, "ProcessedBytes": size, "ConsumedLCUs": 0 if size == 0 else 0.01}
        site.measured("AWS/NetworkELB", {"LoadBalancer": own}, 400, **values)
        return own

    still = flows(_balancer(site, "nlb-silent", "network"), 0, 0)
    site.wasted(still, "no flow in fourteen days", load_balancer_idle="16.43")
    site.kept(flows(_balancer(site, "nlb-lasting", "network"), 0, 500), "one long connection carries bytes")
    site.kept(flows(_balancer(site, "nlb-busy", "network"), 40, 9000), "in use")
    _classic_balancers(site)


def _classic_balancers(site: Site) -> None:
    for name, number, why in (("clb-silent", "never", "fewer than 100 requests a day"), ("clb-busy", 30, "in use")):
        item = {
            "LoadBalancerName": name,
            "DNSName": f"{name}.elb.amazonaws.com",
            "ListenerDescriptions": [{"Listener": {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}}],
            "AvailabilityZones": [f"{site.region}a"],
            "Instances": [{"InstanceId": "i-1"}],
            "Scheme": "internet-facing",
            "CreatedTime": ago(400),
        }
        site.listed("elb:DescribeLoadBalancers", item)
        tags = {"LoadBalancerName": name, "Tags": []}
        site.listed("elb:DescribeTags", tags, member="TagDescriptions", by={"LoadBalancerNames": "LoadBalancerName"})
        # What a used one will need in capacity units is not known.
        checks: dict[str, str | None] = {"load_balancer_classic": "1.82" if number == "never" else None}
        if number == "never":
            # 730 hours at 0.025 USD, and at 0.005 for the public address in its zone.
            checks["load_balancer_idle"] = "21.90"
        values = {"RequestCount": number, "EstimatedProcessedBytes": number}
        site.measured("AWS/ELB", {"LoadBalancerName": name}, 400, **values)
        site.wasted(name, f"classic; {why}", **checks)


def addresses(site: Site) -> None:
    """Elastic addresses and NAT gateways, which the double makes by itself."""
    site.load("addresses", name="eip-free")
    # 730 hours at 0.005 USD.
    site.wasted(site.made("address", "eip-free"), "on nothing", elastic_ip_unassociated="3.65")
    site.load("addresses", name="eip-used", instance="with-gp3")
    site.kept(site.made("address", "eip-used"), "on an instance")
    site.load("natGateways", name="nat-silent", age="200d", traffic="zero")
    site.wasted(site.made("nat-gateway", "nat-silent"), "not a packet in 32 days", nat_gateway_idle="32.85")
    site.load("natGateways", name="nat-busy", age="200d", traffic="normal")
    site.wasted(site.made("nat-gateway", "nat-busy"), "carries much beside no endpoint for S3", nat_gateway_s3=None)
    site.load("natGateways", name="nat-young", age="10d", traffic="zero")
    site.kept(site.made("nat-gateway", "nat-young"), "ten days old")
    site.load("natGateways", name="nat-rare", age="200d", traffic="seldom")
    site.kept(site.made("nat-gateway", "nat-rare"), "a packet a week")


def _endpoint(
    site: Site, number: int, kind: str = "Interface", *, days: float = 400, size: Any = "never", **facts: Any
) -> str:
    name = f"vpce-0{number:016x}"
    service = f"com.amazonaws.{site.region}.ssm"
    item = {
        "VpcEndpointId": name,
        "VpcEndpointType": kind,
        "VpcId": "vpc-1",
        "ServiceName": service,
        "State": "available",
        "SubnetIds": ["subnet-a", "subnet-b"] if kind == "Interface" else [],
        "RequesterManaged": False,
        "CreationTimestamp": ago(days),
        "OwnerId": site.account,
        "Tags": [],
    }
    site.listed("ec2:DescribeVpcEndpoints", {**item, **facts}, by={"VpcEndpointIds": "VpcEndpointId"})
    if kind == "Interface":
        dimensions = {"Endpoint Type": kind, "Service Name": service, "VPC Endpoint Id": name, "VPC Id": "vpc-1"}
        site.measured("AWS/PrivateLinkEndpoints", dimensions, int(days), BytesProcessed=size)
    return name


def _vpn(site: Site, number: int, state: float, size: Any, days: int = 400) -> str:
    name = f"vpn-0{number:016x}"
    item = {
        "VpnConnectionId": name,
        "State": "available",
        "Type": "ipsec.1",
        "CustomerGatewayId": "cgw-1",
        "VpnGatewayId": "vgw-1",
        "VgwTelemetry": [{"OutsideIpAddress": "192.0.2.1", "Status": "UP" if state else "DOWN"}],
        "Tags": [],
    }
    site.listed("ec2:DescribeVpnConnections", item, member="VpnConnections")
    site.measured("AWS/VPN", {"VpnId": name}, days, TunnelState=state, TunnelDataIn=size, TunnelDataOut=size)
    return name


def _attachment(site: Site, number: int, size: Any, days: float = 400, **facts: Any) -> str:
    name = f"tgw-attach-0{number:016x}"
    item = {
        "TransitGatewayAttachmentId": name,
        "TransitGatewayId": "tgw-1",
        "TransitGatewayOwnerId": site.account,
        "ResourceOwnerId": site.account,
        "ResourceType": "vpc",
        "ResourceId": f"vpc-{number}",
        "State": "available",
        "Association": {"TransitGatewayRouteTableId": "tgw-rtb-1", "State": "associated"},
        "CreationTime": ago(days),
        "Tags": [],
    }
    site.listed("ec2:DescribeTransitGatewayAttachments", {**item, **facts})
    if size is not None:
        of = {"TransitGateway": "tgw-1", "TransitGatewayAttachment": name}
        site.measured("AWS/TransitGateway", of, int(days), BytesIn=size, BytesOut=size)
    return name


def endpoints(site: Site) -> None:
    """Interface endpoints, VPN connections, attachments of transit gateways."""
    endpoint = partial(_endpoint, site)
    vpn = partial(_vpn, site)
    attachment = partial(_attachment, site)

    # Two zones at 0.01 USD an hour.
    site.wasted(endpoint(1), "not a byte in 30 days", vpc_endpoint_idle="14.60")
    site.kept(endpoint(2, size=5000), "in use")
    site.kept(endpoint(3, size="seldom_published"), "a byte a week")
    site.kept(endpoint(4, days=12), "twelve days old")
    site.kept(endpoint(5, "Gateway"), "a gateway endpoint costs nothing")
    site.kept(endpoint(6, RequesterManaged=True), "another service holds it")

    site.wasted(vpn(1, 0, 0), "both tunnels down for a month", vpn_connection_down=None)
    # 100 bytes a minute are 144 kB a day: probes and routing.
    site.wasted(vpn(2, 1, 100), "up, and carries probes only", vpn_connection_idle=None)
    site.kept(vpn(3, 1, 50_000), "carries 72 MB a day")
    site.kept(vpn(4, 0.5, 50_000), "one of two tunnels is up, as AWS expects of maintenance")

    site.wasted(attachment(1, 0), "not a byte in 30 days", transit_gateway_attachment_idle=None)
    site.kept(attachment(2, 800), "in use")
    site.kept(attachment(3, "seldom"), "a byte a week")
    site.kept(attachment(4, None), "its bytes are not known, and AWS publishes them always")
    site.kept(attachment(5, 0, days=9), "nine days old")


def distributions(site: Site) -> None:
    """CloudFront and Route 53."""
    items = []
    for number, size, cert, why, checks in (
        (1, 0, "sni-only", "no request in 30 days", {"cloudfront_distribution_idle": None}),
        (2, 900, "sni-only", "in use", {}),
        (3, "seldom", "sni-only", "a request a week", {}),
        (4, 900, "vip", "pays for addresses", {"cloudfront_distribution_dedicated_address": None}),
    ):
        name = f"E{number:013d}"
        items.append(
            {
                "Id": name,
                "ARN": f"arn:aws:cloudfront::{site.account}:distribution/{name}",
                "Status": "Deployed",
                "LastModifiedTime": ago(300),
                "DomainName": f"d{number}.cloudfront.net",
                "Aliases": {"Quantity": 0},
                "Comment": "",
                "PriceClass": "PriceClass_All",
                "Enabled": True,
                "Staging": False,
                "ViewerCertificate": {"SSLSupportMethod": cert, "CloudFrontDefaultCertificate": False},
                "HttpVersion": "http2",
                "WebACLId": "",
            }
        )
        dimensions = {"DistributionId": name, "Region": "Global"}
        site.measured("AWS/CloudFront", dimensions, 400, Requests=size, BytesDownloaded=size)
        site.wasted(name, str(why), **dict(checks))
    listing = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": len(items), "Items": items}
    site.answered("cloudfront:ListDistributions", {}, DistributionList=listing)


def health_checks(site: Site) -> None:
    """Route 53: checks, and the records and alarms that refer to them."""
    checks = []
    for number, disabled in ((1, False), (2, False), (3, True), (4, False)):
        config = {
            "Type": "HTTPS",
            "FullyQualifiedDomainName": "example.com",
            "Disabled": disabled,
            "RequestInterval": 30,
        }
        name = f"0000000{number}-aaaa-4bbb-9ccc-{site.account}"
        checks.append({"Id": name, "CallerReference": name, "HealthCheckConfig": config, "HealthCheckVersion": 1})
        days = 5 if number == 4 else 400
        site.measured("AWS/Route53", {"HealthCheckId": name}, days, HealthCheckStatus=1)
    unused, used, off, young = (str(one["Id"]) for one in checks)
    site.answered("route53:ListHealthChecks", {}, HealthChecks=checks, IsTruncated=False, MaxItems="100", Marker="")
    zone = {"Id": "/hostedzone/Z1", "Name": "example.com.", "CallerReference": "zone"}
    site.answered("route53:ListHostedZones", {}, HostedZones=[zone], IsTruncated=False, MaxItems="100", Marker="")
    record = {"Name": "www.example.com.", "Type": "A", "TTL": 60, "SetIdentifier": "a", "HealthCheckId": used}
    records = {"ResourceRecordSets": [{**record, "ResourceRecords": [{"Value": "192.0.2.1"}]}], "IsTruncated": False}
    site.answered("route53:ListResourceRecordSets", {}, **records, MaxItems="300")
    tags = [{"ResourceType": "healthcheck", "ResourceId": str(one["Id"]), "Tags": []} for one in checks]
    site.answered("route53:ListTagsForResources", {}, ResourceTagSets=tags)
    site.wasted(unused, "no record, check or alarm refers to it", route53_health_check_unused=None)
    site.kept(used, "a record refers to it")
    site.wasted(off, "disabled and billed", route53_health_check_disabled=None)
    site.kept(young, "has been there for five days only")
