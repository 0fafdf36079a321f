"""Instance changes with the refusals that AWS has and moto lacks. The server calls these after authorization.

Error codes: EC2 API reference, "Error codes"; rules: EC2 user guide, "Stop and start", "Change the instance type".
"""

from collections.abc import Mapping
from typing import Any

from finops_sandbox.aws.calls import Call, Handler
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.policy_evaluator import AccessRequest
from finops_sandbox.aws.transitions import STATE_CODES, begin


def _chosen(call: Call) -> list[Any]:
    ids = call.parameters.get("InstanceIds") or []
    if not ids:
        raise AwsError("MissingParameter", "The request must contain the parameter InstanceId")
    return [call.estate.instance(call.account, call.region, one) for one in ids]


def _refuse_managed(call: Call, instance: Any) -> None:
    owner = call.estate.instance_facts(instance).managed_by
    if owner:
        message = f"The instance '{instance.id}' is managed by '{owner}' and cannot be modified or terminated directly."
        raise AwsError("OperationNotPermitted", message)


def _wrong_state(instance: Any, verb: str) -> AwsError:
    message = f"The instance '{instance.id}' is not in a state from which it can be {verb}."
    return AwsError("IncorrectInstanceState", message)


def _changes(pairs: list[tuple[Any, str]]) -> list[dict[str, Any]]:
    return [
        {
            "InstanceId": instance.id,
            "CurrentState": {"Code": STATE_CODES[instance.state], "Name": instance.state},
            "PreviousState": {"Code": STATE_CODES[before], "Name": before},
        }
        for instance, before in pairs
    ]


def stop_instances(call: Call) -> Mapping[str, Any]:
    """All or nothing: the first instance that may not be stopped refuses the call."""
    instances = _chosen(call)
    for instance in instances:
        _refuse_managed(call, instance)
        if instance.state not in {"running", "stopping", "stopped"}:
            raise _wrong_state(instance, "stopped")
        if instance.root_device_type != "ebs":
            message = f"The instance '{instance.id}' does not have an 'ebs' root device type and cannot be stopped."
            raise AwsError("UnsupportedOperation", message)
        if instance.disable_api_stop in {True, "true"}:
            message = (
                f"The instance '{instance.id}' may not be stopped. Modify its 'disableApiStop' instance attribute "
                "and try again."
            )
            raise AwsError("OperationNotPermitted", message)
    pairs = [(instance, instance.state) for instance in instances]
    for instance, before in pairs:
        if before == "running":
            begin(call.estate, instance, "stopping", "stopped")
    return {"StoppingInstances": _changes(pairs)}


def start_instances(call: Call) -> Mapping[str, Any]:
    """Refuses for state, zone and capacity; a key without a grant makes the start fail later, as in AWS."""
    instances = _chosen(call)
    for instance in instances:
        _refuse_managed(call, instance)
        if instance.state not in {"stopped", "pending", "running"}:
            raise _wrong_state(instance, "started")
        if instance.state == "stopped":
            _check_offered(call, instance, instance.instance_type)
            _check_capacity(call, instance)
    pairs = [(instance, instance.state) for instance in instances]
    for instance, before in pairs:
        if before == "stopped":
            failure = "" if _keys_usable(call, instance) else "Client.InternalError"
            begin(call.estate, instance, "pending", "stopped" if failure else "running", failure=failure)
    return {"StartingInstances": _changes(pairs)}


def terminate_instances(call: Call) -> Mapping[str, Any]:
    """Refuses protected and managed instances."""
    instances = _chosen(call)
    for instance in instances:
        _refuse_managed(call, instance)
        if instance.disable_api_termination in {True, "true"}:
            message = (
                f"The instance '{instance.id}' may not be terminated. Modify its 'disableApiTermination' instance "
                "attribute and try again."
            )
            raise AwsError("OperationNotPermitted", message)
    pairs = [(instance, instance.state) for instance in instances]
    for instance, before in pairs:
        if before not in {"shutting-down", "terminated"}:
            begin(call.estate, instance, "shutting-down", "terminated")
    return {"TerminatingInstances": _changes(pairs)}


def reboot_instances(call: Call) -> Mapping[str, Any]:
    """Only a running instance can be rebooted."""
    for instance in _chosen(call):
        _refuse_managed(call, instance)
        if instance.state != "running":
            raise _wrong_state(instance, "rebooted")
    return {}


def _check_capacity(call: Call, instance: Any) -> None:
    kind = instance.instance_type
    if call.estate.faults.strike("capacity", call.facts(instance.id), instance_type=kind):
        message = (
            f"We currently do not have sufficient {kind} capacity in the Availability Zone you requested "
            f"({instance.availability_zone}). Our system will be working on provisioning additional capacity."
        )
        # A server-side error in EC2's list of error codes, hence status 500.
        raise AwsError("InsufficientInstanceCapacity", message, 500)


def _keys_usable(call: Call, instance: Any) -> bool:
    """EBS encryption: starting needs kms:CreateGrant for the service on every customer key in use."""
    for _, block in instance.get_block_device_mapping:
        facts = call.estate.volumes.get(block.volume_id)
        if facts is None or not facts.customer_key:
            continue
        context = {
            "kms:grantisforawsresource": ("true",),
            "kms:viaservice": (f"ec2.{call.region}.amazonaws.com",),
        }
        if not call.caller.decide(AccessRequest("kms:CreateGrant", facts.customer_key, context)).allowed:
            return False
    return True


def instance_type(name: str) -> Mapping[str, Any] | None:
    """AWS's description of an instance type, or nothing."""
    from moto.ec2.models.instance_types import INSTANCE_TYPES  # noqa: PLC0415 - moto loads slowly

    found: Mapping[str, Any] | None = INSTANCE_TYPES.get(name)
    return found


def _check_offered(call: Call, instance: Any, kind: str) -> None:
    filters = {"location": [instance.availability_zone], "instance-type": [kind]}
    if not call.backend.describe_instance_type_offerings("availability-zone", filters):
        message = (
            f"Your requested instance type ({kind}) is not supported in your requested Availability Zone "
            f"({instance.availability_zone})."
        )
        raise AwsError("Unsupported", message)


def modify_instance_attribute(call: Call) -> Mapping[str, Any]:
    """InstanceType with AWS's checks, DisableApiStop and DisableApiTermination; nothing else is offered."""
    instance = call.estate.instance(call.account, call.region, str(call.parameters.get("InstanceId", "")))
    _refuse_managed(call, instance)
    values = _attribute_values(call.parameters)
    if len(values) != 1:
        raise AwsError("InvalidParameterCombination", "Fields for multiple attribute types specified")
    name, value = next(iter(values.items()))
    if name == "InstanceType":
        _check_type_change(call, instance, str(value))
        instance.instance_type = str(value)
    elif name == "DisableApiStop":
        instance.disable_api_stop = bool(value)
    elif name == "DisableApiTermination":
        instance.disable_api_termination = bool(value)
    elif name == "EbsOptimized":
        if instance.state != "stopped":
            raise _wrong_attribute_state(instance, "ebsOptimized")
        instance.ebs_optimized = bool(value)
    else:
        raise AwsError("InvalidParameterValue", f"the AWS double cannot change the attribute {name}")
    return {}


def attribute_names(parameters: Mapping[str, Any]) -> list[str]:
    """The attributes that a ModifyInstanceAttribute call names, as the condition key ec2:Attribute has them."""
    return list(_attribute_values(parameters))


def _attribute_values(parameters: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in parameters.items():
        if name not in {"InstanceId", "DryRun", "Attribute", "Value"}:
            found[name] = value.get("Value") if isinstance(value, Mapping) else value
    attribute = str(parameters.get("Attribute") or "")
    if attribute:
        text = parameters.get("Value")
        name = attribute[0].upper() + attribute[1:]
        found[name] = text == "true" if text in {"true", "false"} else text
    return found


def _wrong_attribute_state(instance: Any, attribute: str) -> AwsError:
    message = (
        f"The instance '{instance.id}' is not in the 'stopped' state: its '{attribute}' attribute cannot be modified."
    )
    return AwsError("IncorrectInstanceState", message)


def _check_type_change(call: Call, instance: Any, kind: str) -> None:
    if instance.state != "stopped":
        raise _wrong_attribute_state(instance, "instanceType")
    target = instance_type(kind)
    if target is None:
        raise AwsError("InvalidInstanceAttributeValue", f"Invalid value '{kind}' for InstanceType.")
    if instance.lifecycle == "spot":
        raise AwsError("UnsupportedOperation", f"The Spot instance '{instance.id}' cannot change its type.")
    if instance.architecture not in target["ProcessorInfo"]["SupportedArchitectures"]:
        message = (
            f"The architecture '{instance.architecture}' of the instance does not match the architectures of the "
            f"instance type '{kind}'."
        )
        raise AwsError("InvalidInstanceAttributeValue", message)
    if instance.virtualization_type not in target["SupportedVirtualizationTypes"]:
        message = f"The virtualization type '{instance.virtualization_type}' is not supported by '{kind}'."
        raise AwsError("InvalidInstanceAttributeValue", message)
    needs_ena = target["NetworkInfo"].get("EnaSupport") == "required"
    if needs_ena and not call.estate.instance_facts(instance).platform.ena_support:
        message = (
            "Enhanced networking with the Elastic Network Adapter (ENA) is required for the "
            f"'{kind}' instance type. Ensure that your instance is enabled for ENA."
        )
        raise AwsError("InvalidParameterCombination", message)
    _check_offered(call, instance, kind)


HANDLERS: dict[str, Handler] = {
    "StopInstances": stop_instances,
    "StartInstances": start_instances,
    "TerminateInstances": terminate_instances,
    "RebootInstances": reboot_instances,
    "ModifyInstanceAttribute": modify_instance_attribute,
}
