"""Which target groups and Classic Load Balancers an instance serves, and who else does; for the instance acts.

AWS has no call that lists the groups of a target: those of the instance's network are asked one by one, up to a number,
beyond which people are asked to check. Source: Elastic Load Balancing API reference, DescribeTargetHealth and
DescribeInstanceHealth; user guide, "Health checks for your target groups".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Refusal

_GROUPS: Final = "elbv2:DescribeTargetGroups"
_HEALTH: Final = "elbv2:DescribeTargetHealth"
_CLASSIC: Final = "elb:DescribeLoadBalancers"
CLASSIC_HEALTH_CALL: Final = "elb:DescribeInstanceHealth"
CLASSIC_HEALTH: Final = "elasticloadbalancing:DescribeInstanceHealth"
PERMISSIONS: Final = (
    *(f"elasticloadbalancing:{name}" for name in ("DescribeTargetGroups", "DescribeTargetHealth")),
    "elasticloadbalancing:DescribeLoadBalancers",
    CLASSIC_HEALTH,
)
_MOST_GROUPS: Final = 40
"""Target groups of one network that are asked for their health: AWS lets as many calls through at once."""
_GONE: Final = frozenset({"TargetGroupNotFound", "TargetGroupNotFoundException", "LoadBalancerNotFound"})
_SERVES: Final = frozenset({"healthy", "unavailable", "InService"})
"""States in which a target gets requests; `unavailable` means that health is not checked."""
_NAMED: Final = 3


def read_served(reader: Reader, instance: Mapping[str, Any]) -> dict[str, Json]:
    """Return what the instance serves.

    `places`: a list of `kind`, `name`, `state` of the instance and number of `others` that get requests; `unasked`: how
    many target groups its network has when they are too many to ask; `denied`: the right that is missing, or empty.

    Raises:
        AwsError: as the reader, except for a missing right.
    """
    places: list[Json] = []
    unasked = 0
    try:
        groups = _groups_of(reader, instance)
        if len(groups) > _MOST_GROUPS:
            groups, unasked = [], len(groups)
        for group in groups:
            places.extend(_target_group(reader, group, instance))
        places.extend(_classic(reader, str(instance.get("InstanceId", ""))))
    except AwsDenied as error:
        service_right = f"elasticloadbalancing:{error.operation.rpartition(':')[2]}"
        return {"places": places, "unasked": unasked, "denied": service_right}
    return {"places": places, "unasked": unasked, "denied": ""}


def _groups_of(reader: Reader, instance: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the groups that may name the instance and that a load balancer uses."""
    found = reader.read(_GROUPS, {}).get("TargetGroups", ())
    return [
        group
        for group in found
        if group.get("LoadBalancerArns")
        and group.get("TargetType") in {"instance", "ip"}
        and group.get("VpcId") == instance.get("VpcId")
    ]


def _target_group(reader: Reader, group: Mapping[str, Any], instance: Mapping[str, Any]) -> Iterator[Json]:
    try:
        answer = reader.read(_HEALTH, {"TargetGroupArn": group["TargetGroupArn"]})
    except AwsRejected as error:
        if error.code in _GONE:
            return
        raise
    own = {str(instance.get("InstanceId", "")), *_addresses(instance)}
    states = [
        (str(one.get("Target", {}).get("Id")), str((one.get("TargetHealth") or {}).get("State")))
        for one in answer.get("TargetHealthDescriptions", ())
    ]
    yield from _place("target group", str(group.get("TargetGroupName", "")), states, own)


def _classic(reader: Reader, instance_id: str) -> Iterator[Json]:
    for balancer in reader.read(_CLASSIC, {}).get("LoadBalancerDescriptions", ()):
        if not any(one.get("InstanceId") == instance_id for one in balancer.get("Instances", ())):
            continue
        name = str(balancer.get("LoadBalancerName", ""))
        try:
            answer = reader.read(CLASSIC_HEALTH_CALL, {"LoadBalancerName": name})
        except AwsRejected as error:
            if error.code in _GONE:
                continue
            raise
        states = [(str(one.get("InstanceId")), str(one.get("State"))) for one in answer.get("InstanceStates", ())]
        yield from _place("Classic Load Balancer", name, states, {instance_id})


def _place(kind: str, name: str, states: Sequence[tuple[str, str]], own: set[str]) -> Iterator[Json]:
    mine = [state for target, state in states if target in own]
    if mine:
        state = next((one for one in mine if one in _SERVES), mine[0])
        others = sum(1 for target, one in states if target not in own and one in _SERVES)
        yield {"kind": kind, "name": name, "state": state, "others": others}


def _addresses(instance: Mapping[str, Any]) -> set[str]:
    return {
        str(address["PrivateIpAddress"])
        for interface in instance.get("NetworkInterfaces", ())
        for address in interface.get("PrivateIpAddresses", ())
        if address.get("PrivateIpAddress")
    }


def served_refusals(observation: Observation) -> tuple[Refusal, ...]:
    """Return the places that nobody would serve after a stop, and the right without which that is not known."""
    served = _served(observation)
    found = [
        Refusal("LastHealthyTarget", f"It is the only healthy target of {_title(place)}: nobody would answer there.")
        for place in _places(served)
        if place["state"] in _SERVES and not place["others"]
    ]
    return (*found, *unknown_targets(observation))


def unknown_targets(observation: Observation) -> tuple[Refusal, ...]:
    """Return that it is not known what the instance serves, with the right that is missing."""
    served = _served(observation)
    if served is None:
        return (Refusal("TargetsUnknown", "AWS did not say whether a load balancer sends requests to it."),)
    if not served.get("denied"):
        return ()
    sentence = "It is not known whether a load balancer sends requests to it: allow"
    return (Refusal("TargetsUnknown", f"{sentence} {served['denied']} to the scanner role."),)


def served_warnings(observation: Observation) -> tuple[str, ...]:
    """Return what it serves, for the card: no more than a few places by name."""
    served = _served(observation)
    if served is None:
        return ()
    places = _places(served)
    found = [_sentence(place) for place in places[:_NAMED]]
    if len(places) > _NAMED:
        found.append(f"It serves {len(places) - _NAMED} more target groups or load balancers.")
    if served.get("unasked"):
        found.append(
            f"Its network has {served['unasked']} target groups, too many to ask: check whether it serves one."
        )
    return tuple(found)


def _sentence(place: Mapping[str, Any]) -> str:
    others, state = place["others"], place["state"]
    if state not in _SERVES:
        return f"It is a target of {_title(place)}, where its state is {state}."
    if not others:
        return f"It is the only healthy target of {_title(place)}: nobody answers there meanwhile."
    return f"It is one of {others + 1} healthy targets of {_title(place)}."


def _title(place: Mapping[str, Any]) -> str:
    return f"{place['kind']} {place['name']}"


def _served(observation: Observation) -> Mapping[str, Any] | None:
    served = observation.facts.get("serves")
    return served if isinstance(served, Mapping) else None


def _places(served: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    return [] if served is None else [place for place in served.get("places", ()) if isinstance(place, Mapping)]
