"""Whether what an alarm watches still exists: machines, disks and NAT gateways, by the dimension that names them.

Called by the kind, for alarms without data only: what publishes exists. One question for the alarms of a page, with a
filter, which unlike a list of ids does not fail over one that is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jmespath

from finops_operator.plugins.one_by_one import OneByOne


@dataclass(frozen=True, slots=True)
class _Question:
    """How to ask for the resources that a dimension names; `found` finds the ids of those that exist."""

    operation: str
    filter: str
    found: str


_QUESTIONS: Final[Mapping[tuple[str, str], _Question]] = {
    ("AWS/EC2", "InstanceId"): _Question(
        "ec2:DescribeInstances", "instance-id", "Reservations[].Instances[?State.Name != 'terminated'][].InstanceId"
    ),
    ("AWS/EBS", "VolumeId"): _Question("ec2:DescribeVolumes", "volume-id", "Volumes[].VolumeId"),
    ("AWS/NATGateway", "NatGatewayId"): _Question(
        "ec2:DescribeNatGateways", "nat-gateway-id", "NatGateways[?State != 'deleted'].NatGatewayId"
    ),
}
_ID: Final = re.compile(r"(i|vol|nat)-[0-9a-f]{8,17}")
PERMISSIONS: Final = tuple(question.operation for question in _QUESTIONS.values())


def watched(alarm: Mapping[str, Any]) -> tuple[_Question, str] | None:
    """Return how to ask for the one resource that an alarm watches, and its id; None where there is none."""
    dimensions: Sequence[Mapping[str, Any]] = alarm.get("Dimensions") or ()
    if len(dimensions) != 1:
        return None
    question = _QUESTIONS.get((str(alarm.get("Namespace") or ""), str(dimensions[0].get("Name") or "")))
    identity = str(dimensions[0].get("Value") or "")
    # Whoever makes an alarm writes what they like there.
    return None if question is None or not _ID.fullmatch(identity) else (question, identity)


def existing(asking: OneByOne, alarms: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """Return id → whether it exists, of what the alarms watch; an id is missing where that is not known."""
    wanted: dict[_Question, set[str]] = {}
    for alarm in alarms:
        one = watched(alarm)
        if one is not None:
            wanted.setdefault(one[0], set()).add(one[1])
    answers: dict[str, bool] = {}
    for question, ids in wanted.items():
        there: list[str] = []
        parameters = {"Filters": [{"Name": question.filter, "Values": sorted(ids)}]}

        def take(page: Mapping[str, Any], question: _Question = question, there: list[str] = there) -> None:
            there.extend(jmespath.search(question.found, page) or ())

        if asking.each(question.operation, parameters, take):
            answers.update({identity: identity in there for identity in ids})
    return answers
