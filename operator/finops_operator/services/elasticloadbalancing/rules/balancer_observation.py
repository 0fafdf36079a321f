"""What a deletion must know of a load balancer of either generation, read anew right before the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.domain.execution import Observation
from finops.errors import AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Target
from finops_operator.plugins.described import tags_of
from finops_operator.plugins.recent_use import Measured, recent_use
from finops_operator.services.elasticloadbalancing.rules import senders
from finops_operator.services.elasticloadbalancing.rules.configuration import PARTS, classic_parts, current_parts
from finops_operator.services.elasticloadbalancing.rules.traffic import CLASSIC, METRICS, TRAFFIC

READ: Final = "elbv2:DescribeLoadBalancers"
TAGS: Final = "elbv2:DescribeTags"
TARGET_GROUPS: Final = "elbv2:DescribeTargetGroups"
HEALTH: Final = "elbv2:DescribeTargetHealth"
CLASSIC_READ: Final = "elb:DescribeLoadBalancers"
CLASSIC_TAGS: Final = "elb:DescribeTags"
CLASSIC_HEALTH: Final = "elb:DescribeInstanceHealth"
NOT_FOUND: Final = frozenset({"LoadBalancerNotFound", "LoadBalancerNotFoundException"})
_SERVED_BY_ENDPOINT: Final = frozenset({"network", "gateway"})
_ALIVE: Final = frozenset({"healthy", "initial", "draining", "InService"})


def is_classic(identity: str) -> bool:
    """Return whether an id is a classic load balancer's, which is its name alone."""
    return "/" not in identity


def observe_balancer(reader: Reader, target: Target) -> Observation:
    """Read a load balancer with its configuration, and with `target.full` who counts on it.

    Facts: `type`, `state`, `createdAt`, `dnsName`, `protection` (`true`, `false`, else unknown), the parts of
    `rules.configuration`, `tags`; with `target.full` also `targetsAlive` (a number), `endpointServices`,
    `distributions`, `accelerators`, `groups` (names, joined), and `use` (`none`, `some` or `unknown`).
    """
    read = _read_classic if is_classic(target.resource.id) else _read_current
    try:
        facts = read(reader, target)
    except AwsRejected as error:
        if error.code in NOT_FOUND:
            return Observation(exists=False)
        raise
    if not facts:
        return Observation(exists=False)
    named = ("type", "createdAt", "dnsName", *PARTS)
    fingerprint = {name: str(facts[name]) for name in named}
    return Observation(True, {**fingerprint, "tags": sha256_hex(facts["tags"])[:16]}, facts)


def _read_current(reader: Reader, target: Target) -> dict[str, Json]:
    arn = target.resource.arn
    found: Sequence[Mapping[str, Any]] = reader.read(READ, {"LoadBalancerArns": [arn]}).get("LoadBalancers") or ()
    if not found:
        return {}
    balancer = found[0]
    tags = _tags(reader.read(TAGS, {"ResourceArns": [arn]}))
    facts = _facts(balancer, str(balancer.get("Type") or ""), balancer.get("CreatedTime"), tags)
    facts |= {"state": str((balancer.get("State") or {}).get("Code") or "")}
    facts |= current_parts(reader, balancer, tags)
    if target.full:
        listed = reader.read(TARGET_GROUPS, {"LoadBalancerArn": arn}).get("TargetGroups") or ()
        behind = [str(one["TargetGroupArn"]) for one in listed]
        alive = [one for group in behind for one in _health(reader, group) if one in _ALIVE]
        served = str(facts["type"]) in _SERVED_BY_ENDPOINT
        facts |= {
            "targetsAlive": len(alive),
            "endpointServices": senders.endpoint_services(reader, arn) if served else "",
            "accelerators": senders.accelerators(reader, arn),
            "groups": senders.groups(reader, "", behind),
        }
        facts |= _traffic(reader, target, str(facts["type"]), str(facts["dnsName"]))
    return facts


def _read_classic(reader: Reader, target: Target) -> dict[str, Json]:
    name = target.resource.id
    named = {"LoadBalancerNames": [name]}
    found: Sequence[Mapping[str, Any]] = reader.read(CLASSIC_READ, named).get("LoadBalancerDescriptions") or ()
    if not found:
        return {}
    balancer = found[0]
    tags = _tags(reader.read(CLASSIC_TAGS, named))
    facts = _facts(balancer, CLASSIC, balancer.get("CreatedTime"), tags) | {"state": "active"}
    facts |= classic_parts(reader, balancer, tags)
    if target.full:
        states = reader.read(CLASSIC_HEALTH, {"LoadBalancerName": name}).get("InstanceStates") or ()
        facts |= {
            "targetsAlive": sum(1 for one in states if one.get("State") in _ALIVE),
            "endpointServices": "",
            "accelerators": "",
            "groups": senders.groups(reader, name, ()),
        }
        facts |= _traffic(reader, target, CLASSIC, str(facts["dnsName"]))
    return facts


def _facts(balancer: Mapping[str, Any], kind: str, created: Any, tags: Mapping[str, str]) -> dict[str, Json]:
    return {
        "type": kind,
        "createdAt": created.isoformat() if isinstance(created, datetime) else str(created or ""),
        "dnsName": str(balancer.get("DNSName") or ""),
        "tags": dict(tags),
    }


def _tags(answer: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for one in answer.get("TagDescriptions") or () for key, value in tags_of(one).items()}


def _health(reader: Reader, group: str) -> list[str]:
    answer = reader.read(HEALTH, {"TargetGroupArn": group})
    return [str((one.get("TargetHealth") or {}).get("State")) for one in answer.get("TargetHealthDescriptions") or ()]


def _traffic(reader: Reader, target: Target, kind: str, dns_name: str) -> dict[str, Json]:
    return {
        "distributions": senders.distributions(reader, dns_name),
        "use": recent_use(reader, _measured(kind, target.resource.id), target.now),
    }


def _measured(kind: str, identity: str) -> list[Measured]:
    """Return every metric that counts what clients send; a type that is not known has none, so its use is unknown."""
    traffic = TRAFFIC.get(kind)
    names = (*traffic.requests, traffic.amount) if traffic is not None else ()
    return [
        Measured(spec.namespace, spec.metric, ((spec.dimension, identity),), "Sum", spec.missing_means_zero)
        for spec in METRICS
        if spec.name in names
    ]
