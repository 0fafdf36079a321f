"""How the target groups of an Auto Scaling group find its members. A target group that is gone says nothing.

Source: Elastic Load Balancing API reference, DescribeTargetHealth; user guide, "Health checks for your target groups".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from finops.domain.canonical import Json
from finops.errors import AwsDenied, AwsRejected
from finops.ports.aws_steps import Reader
from finops_operator.services.autoscaling.rules.group_observation import READ

PERMISSION: Final = "elasticloadbalancing:DescribeTargetHealth"
TARGETS: Final = "targets"
DENIED: Final = "targetsDenied"
ILL: Final = frozenset({"unhealthy"})
SERVES: Final = frozenset({"healthy", "unavailable"})
"""States in which a target gets requests; `unavailable` means that health is not checked."""
_HEALTH: Final = "elbv2:DescribeTargetHealth"
_GONE: Final = frozenset({"TargetGroupNotFound", "TargetGroupNotFoundException"})
_MOST: Final = 10
"""Target groups that are asked; AWS attaches up to 50 and nobody has as many."""


def targets_of(reader: Reader, name: str) -> dict[str, Json]:
    """Return the facts `targets` (target group → the worst state of a member) and `targetsDenied`, the missing right.

    Raises:
        AwsError: as the reader, except for a missing right.
    """
    groups = reader.read(READ, {"AutoScalingGroupNames": [name]}).get("AutoScalingGroups") or ()
    group: Mapping[str, Any] = next(iter(groups), {})
    members = {str(one.get("InstanceId")) for one in group.get("Instances") or ()}
    found: dict[str, Json] = {}
    try:
        for arn in [str(one) for one in group.get("TargetGroupARNs") or ()][:_MOST]:
            states = _states(reader, arn, members)
            if states:
                found[arn.split("/")[1] if "/" in arn else arn] = min(states, key=_badness)
    except AwsDenied:
        return {TARGETS: found, DENIED: PERMISSION}
    return {TARGETS: found, DENIED: ""}


def _states(reader: Reader, arn: str, members: set[str]) -> list[str]:
    try:
        answer = reader.read(_HEALTH, {"TargetGroupArn": arn})
    except AwsRejected as error:
        if error.code in _GONE:
            return []
        raise
    return [
        str((one.get("TargetHealth") or {}).get("State"))
        for one in answer.get("TargetHealthDescriptions", ())
        if str((one.get("Target") or {}).get("Id")) in members
    ]


def _badness(state: str) -> int:
    return 0 if state in ILL else 2 if state in SERVES else 1
