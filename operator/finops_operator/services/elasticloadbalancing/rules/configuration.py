"""What another load balancer would be made from: read before one is deleted, and kept in the plan that is approved.

Called by the deletion's `observe`. Each part is canonical JSON of what AWS described; certificates stand in it by
their ARNs. Target groups, certificates and security groups are resources of their own and stay, so their ARNs and ids
are enough. What changes by itself (state, health, resolved addresses) is left out: the parts change only when somebody
changed the load balancer. Source: Elastic Load Balancing API references of both generations, the Describe operations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from finops.domain.canonical import Json, canonical_json
from finops.ports.aws_steps import Reader

LISTENERS: Final = "elbv2:DescribeListeners"
CERTIFICATES: Final = "elbv2:DescribeListenerCertificates"
RULES: Final = "elbv2:DescribeRules"
ATTRIBUTES: Final = "elbv2:DescribeLoadBalancerAttributes"
CLASSIC_ATTRIBUTES: Final = "elb:DescribeLoadBalancerAttributes"
CLASSIC_POLICIES: Final = "elb:DescribeLoadBalancerPolicies"
LONGEST: Final = 3000
"""Characters of one part that people can be shown as part of a plan."""
PARTS: Final = ("balancer", "attributes", "listeners", "rules", "tagList")
"""Names of the parts in the fingerprint; those of a classic one that has no such part are empty lists."""
_WITH_RULES: Final = frozenset({"HTTP", "HTTPS"})
_WITH_CERTIFICATES: Final = frozenset({"HTTPS", "TLS"})
_OF_ITSELF: Final = ("State", "DNSName", "CanonicalHostedZoneId", "CanonicalHostedZoneName")
_DESCRIBED_ALONE: Final = ("CanonicalHostedZoneNameID", "SourceSecurityGroup")


def current_parts(reader: Reader, balancer: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Json]:
    """Return the parts of an application, network or gateway load balancer."""
    arn = str(balancer["LoadBalancerArn"])
    listeners = [dict(one) for one in _read(reader, LISTENERS, {"LoadBalancerArn": arn}, "Listeners")]
    rules: list[Mapping[str, Any]] = []
    for listener in listeners:
        named = {"ListenerArn": str(listener["ListenerArn"])}
        protocol = str(listener.get("Protocol") or "")
        if protocol in _WITH_CERTIFICATES:
            # With all its certificates; the listener itself shows the default one alone.
            listener["Certificates"] = _read(reader, CERTIFICATES, named, "Certificates")
        if protocol in _WITH_RULES:
            found = _read(reader, RULES, named, "Rules")
            rules += [{**rule, **named} for rule in found if not rule.get("IsDefault")]
    attributes = _read(reader, ATTRIBUTES, {"LoadBalancerArn": arn}, "Attributes")
    return {
        "balancer": _text(_settings(balancer)),
        "attributes": _text(sorted(attributes, key=lambda one: str(one.get("Key")))),
        "listeners": _text(listeners),
        "rules": _text(rules),
        "tagList": _text(dict(tags)),
        "protection": _value(attributes, "deletion_protection.enabled"),
    }


def classic_parts(reader: Reader, balancer: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Json]:
    """Return the parts of a classic load balancer, its registered instances and policies with them."""
    named = {"LoadBalancerName": str(balancer["LoadBalancerName"])}
    attributes = reader.read(CLASSIC_ATTRIBUTES, named).get("LoadBalancerAttributes") or {}
    return {
        "balancer": _text({key: value for key, value in _settings(balancer).items() if key != "ListenerDescriptions"}),
        "attributes": _text(attributes),
        "listeners": _text(balancer.get("ListenerDescriptions") or []),
        "rules": _text(_read(reader, CLASSIC_POLICIES, named, "PolicyDescriptions")),
        "tagList": _text(dict(tags)),
        # Classic load balancers cannot be protected from deletion.
        "protection": "false",
    }


def _settings(balancer: Mapping[str, Any]) -> dict[str, Any]:
    left_out = {*_OF_ITSELF, *_DESCRIBED_ALONE}
    return {key: value for key, value in balancer.items() if key not in left_out}


def _read(reader: Reader, operation: str, parameters: Mapping[str, Any], key: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = reader.read(operation, parameters).get(key) or ()
    return found


def _value(attributes: Sequence[Mapping[str, Any]], key: str) -> str:
    return next((str(one.get("Value") or "") for one in attributes if one.get("Key") == key), "")


def _text(described: Any) -> str:
    return canonical_json(_plain(described)).decode()


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
