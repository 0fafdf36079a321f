"""Managed node groups that the double holds itself, each with the Auto Scaling group behind it.

Source: Amazon EKS API reference, UpdateNodegroupConfig: ResourceInUseException while another update is under way,
InvalidRequestException while the group is not active, InvalidParameterException for bounds that contradict each other
or a maximum below one. Moto knows no update that takes time and takes every size.
"""

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.held import Family, HeldCall, HeldResource, HeldSpec

_KIND = "eks-nodegroup"
_BEHIND = "auto-scaling-group"
_ACTIVE, _UPDATING = "ACTIVE", "UPDATING"


def node_group_arn(account: str, region: str, name: str) -> str:
    """Return the ARN that a node group of the estate gets; its name is `cluster/name`."""
    unique = uuid.UUID(hashlib.sha256(name.encode()).hexdigest()[:32])
    return f"arn:aws:eks:{region}:{account}:nodegroup/{name}/{unique}"


def _make(account: str, region: str, spec: HeldSpec, created: datetime) -> HeldResource:
    cluster, _, name = spec.name.partition("/")
    described: dict[str, Any] = {
        "nodegroupName": name,
        "nodegroupArn": node_group_arn(account, region, spec.name),
        "clusterName": cluster,
        "version": "1.34",
        "createdAt": created,
        "status": _ACTIVE,
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": 1, "desiredSize": 2, "maxSize": 4},
        "instanceTypes": ["m5.large"],
        "health": {"issues": []},
        # The estate holds an Auto Scaling group of this name beside it.
        "resources": {"autoScalingGroups": [{"name": f"eks-{name}"}]},
        "tags": {},
        **spec.members,
    }
    return HeldResource(_KIND, spec.name, described)


def _named(call: HeldCall) -> HeldResource:
    name = f"{call.parameters['clusterName']}/{call.parameters['nodegroupName']}"
    return call.find(_KIND, name, "ResourceNotFoundException", 404)


def _describe(call: HeldCall) -> dict[str, Any]:
    return {"nodegroup": _named(call).described}


def _update(call: HeldCall) -> dict[str, Any]:
    one = _named(call)
    if one.described["status"] == _UPDATING:
        raise AwsError("ResourceInUseException", "Nodegroup has an update in progress", 409)
    if one.described["status"] != _ACTIVE:
        raise AwsError("InvalidRequestException", "Nodegroup cannot be updated as it is not in Active State")
    size = {**one.described["scalingConfig"], **(call.parameters.get("scalingConfig") or {})}
    smallest, wanted, largest = (int(size[key]) for key in ("minSize", "desiredSize", "maxSize"))
    if not 0 <= smallest <= wanted <= largest or largest < 1:
        raise AwsError("InvalidParameterException", "minSize, desiredSize and maxSize contradict each other")
    one.described.update(scalingConfig=size, status=_UPDATING)
    behind = [call.resources[_BEHIND, str(group["name"])] for group in one.described["resources"]["autoScalingGroups"]]
    now = call.clock.now()

    def done(group: HeldResource) -> bool:
        group.described["status"] = _ACTIVE
        return True

    one.due = (now + timedelta(seconds=call.seconds), done)
    for group in behind:
        group.described.update(MinSize=smallest, DesiredCapacity=wanted, MaxSize=largest)
        group.due = (now + timedelta(seconds=call.seconds), group.further["staff"])
    update = {"id": str(uuid.uuid4()), "status": "InProgress", "type": "ConfigUpdate", "createdAt": now}
    return {"update": update}


FAMILY = Family(
    kinds={_KIND: _make},
    handlers={"eks:DescribeNodegroup": _describe, "eks:UpdateNodegroupConfig": _update},
)
