"""Which actions on which ARNs a call needs, with the condition keys AWS offers for them.

Source: service authorization reference, "Actions, resources, and condition keys for Amazon EC2". The server asks
:func:`check` before any handler runs, so that a DryRun answers exactly this question.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from finops_sandbox.aws import permissions
from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import denied
from finops_sandbox.aws.policy_evaluator import AccessRequest
from finops_sandbox.aws.strict_ec2 import attribute_names

Context = dict[str, tuple[str, ...]]

# Id prefix → ARN resource type.
_ARN_TYPES = {
    "i": "instance",
    "vol": "volume",
    "snap": "snapshot",
    "eipalloc": "elastic-ip",
    "sg": "security-group",
    "subnet": "subnet",
    "vpc": "vpc",
    "eni": "network-interface",
    "nat": "natgateway",
    "ami": "image",
    "igw": "internet-gateway",
}
# Calls whose rights are judged on the resources they name: action → parameters that hold ids.
_ID_PARAMETERS = {
    "StopInstances": ("InstanceIds",),
    "StartInstances": ("InstanceIds",),
    "TerminateInstances": ("InstanceIds",),
    "RebootInstances": ("InstanceIds",),
    "ModifyInstanceAttribute": ("InstanceId",),
    "ModifyVolume": ("VolumeId",),
    "DeleteVolume": ("VolumeId",),
    "AttachVolume": ("VolumeId", "InstanceId"),
    "DetachVolume": ("VolumeId", "InstanceId"),
    "CreateSnapshot": ("VolumeId",),
    "CreateVolume": ("SnapshotId",),
    "DeleteSnapshot": ("SnapshotId",),
    "DeregisterImage": ("ImageId",),
    "ReleaseAddress": ("AllocationId",),
    "DeleteNatGateway": ("NatGatewayId",),
    "DeleteInternetGateway": ("InternetGatewayId",),
    "CreateTags": ("Resources",),
    "DeleteTags": ("Resources",),
}
# Actions that create something: action → ARN resource type of what is created.
_CREATES = {"CreateSnapshot": "snapshot", "CreateVolume": "volume"}


def targets(parameters: Mapping[str, Any], action: str) -> tuple[str, ...]:
    """The ids that a changing call names, for authorization and for the record."""
    found: list[str] = []
    for name in _ID_PARAMETERS.get(action, ()):
        value = parameters.get(name)
        if isinstance(value, list):
            found.extend(str(item) for item in value)
        elif value:
            found.append(str(value))
    return tuple(found)


def arn_of(account: str, region: str, resource_id: str) -> str:
    """The ARN of an EC2 resource; snapshots and images have no account in theirs."""
    kind = _ARN_TYPES.get(resource_id.split("-", 1)[0], "unknown")
    owner = "" if kind in ("snapshot", "image") else account
    return f"arn:aws:ec2:{region}:{owner}:{kind}/{resource_id}"


def required(call: Call) -> list[AccessRequest]:
    """Every (action, ARN) that must be allowed for the call, most specific first."""
    prefix = {"monitoring": "cloudwatch"}.get(call.service, call.service)
    action = f"{prefix}:{call.action}"
    base = _base_context(call)
    if not call.strict:
        rights = permissions.needed(call.service, call.action, call.account, call.region, call.parameters)
        return [AccessRequest(right, arn, base) for right, arn in rights]
    ids = targets(call.parameters, call.action)
    if call.service != "ec2" or (call.action not in _ID_PARAMETERS and call.action not in _CREATES):
        return [AccessRequest(action, "*", base)]
    requests = []
    tagging = call.action in {"CreateTags", "DeleteTags"}
    for resource_id in ids:
        context = {**base, **_resource_context(call, resource_id)}
        if tagging:
            context.update(_tag_context(call.parameters.get("Tags") or []))
        if call.action == "ModifyInstanceAttribute":
            context.update(_attribute_context(call))
        requests.append(AccessRequest(action, arn_of(call.account, call.region, resource_id), context))
    if call.action in _CREATES:
        requests.extend(_creation(call, action, base))
    return requests


def _creation(call: Call, action: str, base: Context) -> Iterable[AccessRequest]:
    kind = _CREATES[call.action]
    owner = "" if kind == "snapshot" else call.account
    arn = f"arn:aws:ec2:{call.region}:{owner}:{kind}/*"
    tags = [
        tag
        for specification in call.parameters.get("TagSpecifications") or []
        if specification.get("ResourceType") == kind
        for tag in specification.get("Tags") or []
    ]
    context = {**base, **_tag_context(tags)}
    yield AccessRequest(action, arn, context)
    if tags:
        # Tagging at creation needs ec2:CreateTags with ec2:CreateAction naming the creating call.
        yield AccessRequest("ec2:CreateTags", arn, {**context, "ec2:createaction": (call.action,)})


def _base_context(call: Call) -> Context:
    now = call.estate.clock.now()
    context: Context = {
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "aws:requestedregion": (call.region,),
        "ec2:region": (call.region,),
        "aws:principalarn": (call.caller.role_arn or call.caller.arn,),
        "aws:principalaccount": (call.caller.account,),
        "aws:username": (call.caller.arn.rsplit("/", 1)[-1],),
    }
    if call.caller.source_identity:
        context["aws:sourceidentity"] = (call.caller.source_identity,)
    for key, value in call.caller.session_tags.items():
        context[f"aws:principaltag/{key.lower()}"] = (value,)
    return context


def _resource_context(call: Call, resource_id: str) -> Context:
    context: Context = {}
    for key, value in call.estate.tags(call.account, call.region, resource_id).items():
        context[f"aws:resourcetag/{key.lower()}"] = (value,)
        context[f"ec2:resourcetag/{key.lower()}"] = (value,)
    return context


def _tag_context(tags: list[Mapping[str, Any]]) -> Context:
    if not tags:
        return {}
    context: Context = {f"aws:requesttag/{str(tag['Key']).lower()}": (str(tag.get("Value", "")),) for tag in tags}
    context["aws:tagkeys"] = tuple(str(tag["Key"]) for tag in tags)
    return context


def _attribute_context(call: Call) -> Context:
    names = attribute_names(call.parameters)
    context: Context = {"ec2:attribute": tuple(names)}
    for name in names:
        value = call.parameters.get(name)
        text = value.get("Value") if isinstance(value, Mapping) else call.parameters.get("Value")
        if text is not None:
            context[f"ec2:attribute/{name.lower()}"] = (str(text),)
    return context


def check(call: Call) -> None:
    """Refuse the call unless its caller may do all of it.

    Raises:
        AwsError: UnauthorizedOperation (EC2) or AccessDenied, naming action, ARN and reason.
    """
    if call.service == "sts":
        # GetCallerIdentity needs no right; AssumeRole is judged by the role's trust policy.
        return
    for request in required(call):
        decision = call.caller.decide(request)
        if not decision.allowed:
            resource = "" if request.resource == "*" else f" on resource: {request.resource}"
            lead = "You are not authorized to perform this operation. " if call.service == "ec2" else ""
            message = (
                f"{lead}User: {call.caller.arn} is not authorized to perform: {request.action}{resource} "
                f"{decision.reason}"
            )
            raise denied(call.service, message)
