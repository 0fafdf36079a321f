"""Load balancers that the double holds itself, of both generations, as the deletion meets them.

Source: Elastic Load Balancing API references, DeleteLoadBalancer: version 2 refuses with OperationNotPermitted while
deletion protection is on and with ResourceInUse while an endpoint service leads to it; both generations answer with
success where there is none. Moto knows neither refusal. A deletion takes the listeners with it and leaves the targets.
"""

import hashlib
from datetime import datetime
from typing import Any

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.held import Family, HeldCall, HeldResource, HeldSpec

_KIND = "load-balancer"
_CLASSIC_KIND = "classic-load-balancer"
_NOT_FOUND, _CLASSIC_NOT_FOUND = "LoadBalancerNotFound", "LoadBalancerNotFound"


def identity(name: str, balancer_type: str = "application") -> str:
    """Return the end of a load balancer's ARN, by which CloudWatch knows it."""
    short = {"application": "app", "network": "net", "gateway": "gwy"}[balancer_type]
    return f"{short}/{name}/{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def _arn(account: str, region: str, kind: str, end: str) -> str:
    return f"arn:aws:elasticloadbalancing:{region}:{account}:{kind}/{end}"


def _make(account: str, region: str, spec: HeldSpec, created: datetime) -> HeldResource:
    members = dict(spec.members)
    balancer_type = str(members.get("Type", "application"))
    end = identity(spec.name, balancer_type)
    tags = members.pop("tags", {})
    further: dict[str, Any] = {
        name: members.pop(name) for name in ("targets", "protected", "endpointService") if name in members
    }
    described: dict[str, Any] = {
        "LoadBalancerArn": _arn(account, region, "loadbalancer", end),
        "LoadBalancerName": spec.name,
        "DNSName": f"{spec.name}-1234567890.{region}.elb.amazonaws.com",
        "CanonicalHostedZoneId": "Z35SXDOTRQ7X7K",
        "CreatedTime": created,
        "Scheme": "internal",
        "VpcId": "vpc-0123456789abcdef0",
        "State": {"Code": "active"},
        "Type": balancer_type,
        "AvailabilityZones": [{"ZoneName": f"{region}a", "SubnetId": "subnet-0123456789abcdef0"}],
        "SecurityGroups": ["sg-0123456789abcdef0"],
        "IpAddressType": "ipv4",
        **members,
    }
    return HeldResource(_KIND, spec.name, described, further | {"tags": tags})


def _make_classic(_account: str, region: str, spec: HeldSpec, created: datetime) -> HeldResource:
    members = dict(spec.members)
    tags = members.pop("tags", {})
    described: dict[str, Any] = {
        "LoadBalancerName": spec.name,
        "DNSName": f"{spec.name}-987654321.{region}.elb.amazonaws.com",
        "CreatedTime": created,
        "Scheme": "internal",
        "VPCId": "vpc-0123456789abcdef0",
        "AvailabilityZones": [f"{region}a"],
        "Subnets": ["subnet-0123456789abcdef0"],
        "SecurityGroups": ["sg-0123456789abcdef0"],
        "Instances": [],
        "ListenerDescriptions": [
            {
                "Listener": {
                    "Protocol": "HTTP",
                    "LoadBalancerPort": 80,
                    "InstanceProtocol": "HTTP",
                    "InstancePort": 8080,
                },
                "PolicyNames": [],
            }
        ],
        **members,
    }
    return HeldResource(_CLASSIC_KIND, spec.name, described, {"tags": tags})


# ---------------------------------------------------------------- what is read


def _by_arn(call: HeldCall, arn: str) -> HeldResource:
    for one in call.of(_KIND):
        if one.described["LoadBalancerArn"] == arn:
            return one
    raise AwsError(_NOT_FOUND, f"Load balancers '[{arn}]' not found")


def _of_listener(call: HeldCall) -> HeldResource:
    wanted = str(call.parameters["ListenerArn"])
    for one in call.of(_KIND):
        if _listener_arn(one) == wanted:
            return one
    raise AwsError("ListenerNotFound", f"Listeners '[{wanted}]' not found")


def _listener_arn(one: HeldResource) -> str:
    return str(one.described["LoadBalancerArn"]).replace(":loadbalancer/", ":listener/") + "/f2f7dc8efc522ab2"


def _group_arn(one: HeldResource) -> str:
    digest = hashlib.sha256(f"targets of {one.name}".encode()).hexdigest()[:16]
    return str(one.described["LoadBalancerArn"]).partition(":loadbalancer/")[0] + f":targetgroup/{one.name}/{digest}"


def _describe(call: HeldCall) -> dict[str, Any]:
    arns, names = call.parameters.get("LoadBalancerArns"), call.parameters.get("Names")
    if arns:
        return {"LoadBalancers": [_by_arn(call, arn).described for arn in arns]}
    found = call.of(_KIND)
    return {"LoadBalancers": [one.described for one in found if not names or one.name in names]}


def _tags(call: HeldCall) -> dict[str, Any]:
    found = [(arn, _by_arn(call, arn)) for arn in call.parameters["ResourceArns"]]
    return {"TagDescriptions": [{"ResourceArn": arn, "Tags": _pairs(one)} for arn, one in found]}


def _pairs(one: HeldResource) -> list[dict[str, str]]:
    return [{"Key": str(key), "Value": str(value)} for key, value in one.further["tags"].items()]


def _attributes(call: HeldCall) -> dict[str, Any]:
    one = _by_arn(call, str(call.parameters["LoadBalancerArn"]))
    protected = "true" if one.further.get("protected") else "false"
    found = {"deletion_protection.enabled": protected, "idle_timeout.timeout_seconds": "60"}
    return {"Attributes": [{"Key": key, "Value": value} for key, value in found.items()]}


def _listeners(call: HeldCall) -> dict[str, Any]:
    one = _by_arn(call, str(call.parameters["LoadBalancerArn"]))
    listener = {
        "ListenerArn": _listener_arn(one),
        "LoadBalancerArn": one.described["LoadBalancerArn"],
        "Port": 443,
        "Protocol": "HTTPS",
        "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "Certificates": [_certificate(one, "default")],
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": _group_arn(one)}],
    }
    return {"Listeners": [listener]}


def _certificate(one: HeldResource, name: str) -> dict[str, str]:
    _, _, _, region, account, _ = str(one.described["LoadBalancerArn"]).split(":", 5)
    return {"CertificateArn": f"arn:aws:acm:{region}:{account}:certificate/{name}"}


def _certificates(call: HeldCall) -> dict[str, Any]:
    one = _of_listener(call)
    return {
        "Certificates": [
            {**_certificate(one, "default"), "IsDefault": True},
            {**_certificate(one, "further"), "IsDefault": False},
        ]
    }


def _rules(call: HeldCall) -> dict[str, Any]:
    one = _of_listener(call)
    forward = [{"Type": "forward", "TargetGroupArn": _group_arn(one)}]
    arn = _listener_arn(one).replace(":listener/", ":listener-rule/")
    condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}
    return {
        "Rules": [
            {
                "RuleArn": f"{arn}/1",
                "Priority": "10",
                "Conditions": [condition],
                "Actions": forward,
                "IsDefault": False,
            },
            {"RuleArn": f"{arn}/2", "Priority": "default", "Conditions": [], "Actions": forward, "IsDefault": True},
        ]
    }


def _groups(call: HeldCall) -> dict[str, Any]:
    arn = call.parameters.get("LoadBalancerArn")
    found = call.of(_KIND) if not arn else [_by_arn(call, str(arn))]
    return {
        "TargetGroups": [
            {
                "TargetGroupArn": _group_arn(one),
                "TargetGroupName": one.name,
                "LoadBalancerArns": [one.described["LoadBalancerArn"]],
            }
            for one in found
        ]
    }


def _health(call: HeldCall) -> dict[str, Any]:
    wanted = str(call.parameters["TargetGroupArn"])
    for one in call.of(_KIND):
        if _group_arn(one) == wanted:
            states = one.further.get("targets") or ()
            found = [
                {"Target": {"Id": f"i-{number:017x}"}, "TargetHealth": {"State": state}}
                for number, state in enumerate(states)
            ]
            return {"TargetHealthDescriptions": found}
    raise AwsError("TargetGroupNotFound", f"Target groups '{wanted}' not found")


# ---------------------------------------------------------------- of classic ones


def _describe_classic(call: HeldCall) -> dict[str, Any]:
    names = call.parameters.get("LoadBalancerNames")
    found = (
        [call.find(_CLASSIC_KIND, str(name), _CLASSIC_NOT_FOUND) for name in names] if names else call.of(_CLASSIC_KIND)
    )
    return {"LoadBalancerDescriptions": [one.described for one in found]}


def _classic(call: HeldCall) -> HeldResource:
    return call.find(_CLASSIC_KIND, str(call.parameters["LoadBalancerName"]), _CLASSIC_NOT_FOUND)


def _tags_classic(call: HeldCall) -> dict[str, Any]:
    found = [call.find(_CLASSIC_KIND, str(name), _CLASSIC_NOT_FOUND) for name in call.parameters["LoadBalancerNames"]]
    return {"TagDescriptions": [{"LoadBalancerName": one.name, "Tags": _pairs(one)} for one in found]}


def _attributes_classic(call: HeldCall) -> dict[str, Any]:
    _classic(call)
    return {"LoadBalancerAttributes": {"CrossZoneLoadBalancing": {"Enabled": True}}}


def _health_classic(call: HeldCall) -> dict[str, Any]:
    states = _classic(call).further.get("targets") or ()
    return {"InstanceStates": [{"InstanceId": f"i-{number}", "State": state} for number, state in enumerate(states)]}


def _policies_classic(call: HeldCall) -> dict[str, Any]:
    _classic(call)
    return {"PolicyDescriptions": []}


# ---------------------------------------------------------------- what is changed


def _delete(call: HeldCall) -> dict[str, Any]:
    try:
        one = _by_arn(call, str(call.parameters["LoadBalancerArn"]))
    except AwsError:
        return {}
    if one.further.get("protected"):
        message = (
            f"Load balancer '{one.described['LoadBalancerArn']}' cannot be deleted: deletion protection is enabled"
        )
        raise AwsError("OperationNotPermitted", message)
    if one.further.get("endpointService"):
        message = f"Load balancer '{one.described['LoadBalancerArn']}' is in use by a VPC endpoint service"
        raise AwsError("ResourceInUse", message)
    del call.resources[_KIND, one.name]
    return {}


def _delete_classic(call: HeldCall) -> dict[str, Any]:
    call.resources.pop((_CLASSIC_KIND, str(call.parameters["LoadBalancerName"])), None)
    return {}


FAMILY = Family(
    kinds={_KIND: _make, _CLASSIC_KIND: _make_classic},
    handlers={
        "elbv2:DescribeLoadBalancers": _describe,
        "elbv2:DescribeTags": _tags,
        "elbv2:DescribeLoadBalancerAttributes": _attributes,
        "elbv2:DescribeListeners": _listeners,
        "elbv2:DescribeListenerCertificates": _certificates,
        "elbv2:DescribeRules": _rules,
        "elbv2:DescribeTargetGroups": _groups,
        "elbv2:DescribeTargetHealth": _health,
        "elbv2:DeleteLoadBalancer": _delete,
        "elb:DescribeLoadBalancers": _describe_classic,
        "elb:DescribeTags": _tags_classic,
        "elb:DescribeLoadBalancerAttributes": _attributes_classic,
        "elb:DescribeInstanceHealth": _health_classic,
        "elb:DescribeLoadBalancerPolicies": _policies_classic,
        "elb:DeleteLoadBalancer": _delete_classic,
    },
)
