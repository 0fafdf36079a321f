"""Auto Scaling groups that the double holds itself: members come and go in time, wrong sizes are refused.

Source: Amazon EC2 Auto Scaling API reference, UpdateAutoScalingGroup: a desired capacity outside the bounds, or a
minimum above the maximum, is a ValidationError; so is a group that does not exist. Moto takes both and starts instances
at once. A group that is described with a policy, a schedule or a refresh shows it to the calls that list them.
"""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.held import Family, HeldCall, HeldResource, HeldSpec

_KIND = "auto-scaling-group"
_INVALID = "ValidationError"
_CHANGED = {"AutoScalingGroupName", "MinSize", "MaxSize", "DesiredCapacity"}


def group_arn(account: str, region: str, name: str) -> str:
    """Return the ARN that a group of the estate gets."""
    unique = uuid.UUID(hashlib.sha256(name.encode()).hexdigest()[:32])
    return f"arn:aws:autoscaling:{region}:{account}:autoScalingGroup:{unique}:autoScalingGroupName/{name}"


def _make(account: str, region: str, spec: HeldSpec, created: datetime) -> HeldResource:
    members = dict(spec.members)
    tags = members.pop("tags", {})
    own = ("policies", "scheduled", "refreshes")
    further: dict[str, Any] = {name: members.pop(name) for name in own if name in members}
    described: dict[str, Any] = {
        "AutoScalingGroupName": spec.name,
        "AutoScalingGroupARN": group_arn(account, region, spec.name),
        "MinSize": 1,
        "DesiredCapacity": 2,
        "MaxSize": 4,
        "DefaultCooldown": 300,
        "AvailabilityZones": [f"{region}a"],
        "HealthCheckType": "EC2",
        "HealthCheckGracePeriod": 300,
        "CreatedTime": created,
        "SuspendedProcesses": [],
        "NewInstancesProtectedFromScaleIn": False,
        "Tags": [
            {"Key": key, "Value": value, "ResourceId": spec.name, "ResourceType": "auto-scaling-group"}
            for key, value in tags.items()
        ],
        **members,
    }
    one = HeldResource(_KIND, spec.name, described, further)
    one.further["staff"] = _staff
    _staff(one)
    return one


def _staff(one: HeldResource) -> bool:
    """Have as many members as the group wants; those that stay keep their ids."""
    there = one.described.get("Instances") or []
    wanted = int(one.described["DesiredCapacity"])
    digest = hashlib.sha256(one.name.encode()).hexdigest()[:12]
    started = [_member(f"i-0{digest}{number:04x}") for number in range(len(there), wanted)]
    one.described["Instances"] = [*there[:wanted], *started]
    return True


def _member(identity: str) -> dict[str, Any]:
    return {
        "InstanceId": identity,
        "InstanceType": "m5.large",
        "AvailabilityZone": "us-east-1a",
        "LifecycleState": "InService",
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
    }


def _describe(call: HeldCall) -> dict[str, Any]:
    names = call.parameters.get("AutoScalingGroupNames")
    # Names that do not exist are left out, without a word.
    return {"AutoScalingGroups": [one.described for one in call.of(_KIND) if not names or one.name in names]}


def _of(call: HeldCall) -> HeldResource:
    name = str(call.parameters.get("AutoScalingGroupName"))
    found = call.resources.get((_KIND, name))
    if found is None:
        raise AwsError(_INVALID, f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
    return found


def _policies(call: HeldCall) -> dict[str, Any]:
    one = _of(call)
    of_group = {"AutoScalingGroupName": one.name}
    kinds = one.further.get("policies") or ()
    return {"ScalingPolicies": [{**of_group, "PolicyName": kind, "PolicyType": kind} for kind in kinds]}


def _scheduled(call: HeldCall) -> dict[str, Any]:
    one = _of(call)
    of_group = {"AutoScalingGroupName": one.name}
    found = [{**of_group, "ScheduledActionName": name} for name in one.further.get("scheduled") or ()]
    return {"ScheduledUpdateGroupActions": found}


def _refreshes(call: HeldCall) -> dict[str, Any]:
    one = _of(call)
    of_group = {"AutoScalingGroupName": one.name}
    found = [
        {**of_group, "InstanceRefreshId": f"refresh-{number}", "Status": status}
        for number, status in enumerate(one.further.get("refreshes") or ())
    ]
    return {"InstanceRefreshes": found}


def _update(call: HeldCall) -> dict[str, Any]:
    one = _of(call)
    if set(call.parameters) - _CHANGED:
        raise AwsError(_INVALID, "the AWS double changes nothing of a group but its size")
    if one.described.get("Status"):
        raise AwsError("ScalingActivityInProgress", "You cannot update a group that is pending delete")
    smallest = int(call.parameters.get("MinSize", one.described["MinSize"]))
    largest = int(call.parameters.get("MaxSize", one.described["MaxSize"]))
    wanted = int(call.parameters.get("DesiredCapacity", one.described["DesiredCapacity"]))
    if smallest > largest:
        raise AwsError(_INVALID, f"Max bound, {largest}, must be greater than or equal to min bound, {smallest}")
    if not smallest <= wanted <= largest:
        raise AwsError(_INVALID, f"Desired capacity:{wanted} must be between the specified min size and max size")
    one.described.update(MinSize=smallest, MaxSize=largest, DesiredCapacity=wanted)
    one.due = (call.clock.now() + timedelta(seconds=call.seconds), _staff)
    return {}


FAMILY = Family(
    kinds={_KIND: _make},
    handlers={
        "autoscaling:DescribeAutoScalingGroups": _describe,
        "autoscaling:DescribePolicies": _policies,
        "autoscaling:DescribeScheduledActions": _scheduled,
        "autoscaling:DescribeInstanceRefreshes": _refreshes,
        "autoscaling:UpdateAutoScalingGroup": _update,
    },
)
