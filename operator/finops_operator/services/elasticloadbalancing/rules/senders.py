"""Who else counts on a load balancer: endpoint services, CloudFront, Global Accelerator, Auto Scaling groups.

Called by the deletion's `observe`. CloudFront and Global Accelerator are services that a role, a partition or an
organization may not have: where they cannot be read, that is said and not guessed. Source: EC2 API reference,
DescribeVpcEndpointServiceConfigurations; CloudFront API reference, ListDistributions; Global Accelerator API
reference, ListEndpointGroups; Auto Scaling API reference, DescribeAutoScalingGroups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from finops.errors import AwsDenied, AwsUnreachable
from finops.ports.aws_steps import Reader

ENDPOINT_SERVICES: Final = "ec2:DescribeVpcEndpointServiceConfigurations"
DISTRIBUTIONS: Final = "cloudfront:ListDistributions"
ACCELERATORS: Final = "globalaccelerator:ListAccelerators"
ACCELERATOR_LISTENERS: Final = "globalaccelerator:ListListeners"
ENDPOINT_GROUPS: Final = "globalaccelerator:ListEndpointGroups"
GROUPS: Final = "autoscaling:DescribeAutoScalingGroups"
NOT_READ: Final = "not read"


def endpoint_services(reader: Reader, arn: str) -> str:
    """Return the endpoint services whose load balancer it is, joined."""
    services = reader.read(ENDPOINT_SERVICES, {}).get("ServiceConfigurations") or ()
    lists = ("NetworkLoadBalancerArns", "GatewayLoadBalancerArns")
    return _joined(one.get("ServiceId") for one in services if any(arn in (one.get(key) or ()) for key in lists))


def distributions(reader: Reader, dns_name: str) -> str:
    """Return the CloudFront distributions that fetch from its name, joined; `not read` where nobody may see them."""
    return _where_readable(lambda: _distributions(reader, dns_name))


def accelerators(reader: Reader, arn: str) -> str:
    """Return the accelerators that send traffic to it, joined; `not read` where nobody may see them."""
    return _where_readable(lambda: _accelerators(reader, arn))


def groups(reader: Reader, name: str, target_groups: Iterable[str]) -> str:
    """Return the Auto Scaling groups that register their instances with it or with its target groups, joined.

    Args:
        reader: of its account and region.
        name: of a classic load balancer; empty for the others.
        target_groups: ARNs.
    """
    wanted = set(target_groups)
    listed = reader.read(GROUPS, {}).get("AutoScalingGroups") or ()
    return _joined(
        one.get("AutoScalingGroupName")
        for one in listed
        if wanted & set(one.get("TargetGroupARNs") or ()) or (name and name in (one.get("LoadBalancerNames") or ()))
    )


def _where_readable(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (AwsDenied, AwsUnreachable):
        return NOT_READ


def _distributions(reader: Reader, dns_name: str) -> str:
    listed = (reader.read(DISTRIBUTIONS, {}).get("DistributionList") or {}).get("Items") or ()
    return _joined(one.get("Id") for one in listed if dns_name.lower() in set(_origins(one)))


def _origins(distribution: Mapping[str, Any]) -> Iterable[str]:
    for origin in (distribution.get("Origins") or {}).get("Items") or ():
        # Names of load balancers work with `dualstack.` before them as well.
        yield str(origin.get("DomainName") or "").lower().removeprefix("dualstack.")


def _accelerators(reader: Reader, arn: str) -> str:
    found: list[str] = []
    for accelerator in reader.read(ACCELERATORS, {}).get("Accelerators") or ():
        of = {"AcceleratorArn": accelerator["AcceleratorArn"]}
        for listener in reader.read(ACCELERATOR_LISTENERS, of).get("Listeners") or ():
            asked = {"ListenerArn": listener["ListenerArn"]}
            for group in reader.read(ENDPOINT_GROUPS, asked).get("EndpointGroups") or ():
                if any(one.get("EndpointId") == arn for one in group.get("EndpointDescriptions") or ()):
                    found.append(str(accelerator["AcceleratorArn"]).rpartition("/")[2])
    return _joined(found)


def _joined(texts: Iterable[Any]) -> str:
    return ", ".join(sorted({str(one) for one in texts if one}))
