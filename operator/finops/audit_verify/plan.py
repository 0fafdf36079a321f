"""Checks that a call is one of the plan that people approved, by the plan's document as the record `started` holds it.

The document counts only when its hash is the approved one. During a rollback an action makes calls that stand in no
plan: they must come after the record that turned the act, concern the plan's resource alone, and be a call of the plan
or its opposite. Where the plan's fingerprint says all of what was there before, the whole call is made anew from it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from finops.audit_verify.form import NotARecord, digest
from finops.audit_verify.new_volume import DELETES, new_volume

_Call: TypeAlias = tuple[str, dict[str, Any]]
_UID = "$(request.uid)"
"""Stands in a plan where the call carries the request's uid, which is born after the plan was approved."""
_NOTHING: Mapping[str, str] = {}
_DESTROYING = ("Delete", "Deregister", "Release", "Terminate")
"""How operations begin after which a resource is gone."""
_OPPOSITE = {
    "ec2:StopInstances": "ec2:StartInstances",
    "ec2:StartInstances": "ec2:StopInstances",
}


def destroys(operation: object) -> bool:
    """Return whether nothing leads an operation back: everything that may forbid an act is asked again before it."""
    if not isinstance(operation, str):
        return False
    return operation.partition(":")[2].startswith(_DESTROYING) and operation not in _BEFORE


def problem_of_plan(plan: object, plan_hash: str) -> str:
    """Return why a document is not the plan with this hash, empty when it is."""
    try:
        same = isinstance(plan, dict) and digest(plan) == plan_hash
    except NotARecord as error:
        return f"the plan cannot be read: {error}"
    if not same:
        return "the plan in the record is not the one whose hash was approved"
    return "" if isinstance(plan, dict) and isinstance(plan.get("steps"), list) else "the plan names no list of steps"


def problem_of_call(plan: Mapping[str, Any], record: Mapping[str, Any], uid: str, *, turned: bool) -> str:
    """Return why the call that an intent announces is none of the plan's, empty when it is.

    Args:
        plan: a document whose hash was checked.
        record: the intent.
        uid: of the request.
        turned: whether the act had turned back before.
    """
    called, detail = f"step {record['step']!r}", record["detail"]
    operation, parameters = detail.get("operation"), detail.get("parameters")
    steps = [step for step in plan.get("steps", ()) if isinstance(step, Mapping) and step.get("operation")]
    if detail.get("back") is True:
        return (
            _problem_of_rollback(plan, steps, operation, parameters, called)
            if turned
            else (f"{called} is a call that leads back, and the act had not turned")
        )
    for step in steps:
        if step.get("id") == record["step"]:
            same = step["operation"] == operation and _with_uid(step.get("parameters"), uid) == parameters
            return "" if same else f"{called} calls something else than the approved plan says"
    return f"{called} is no call of the approved plan"


def _problem_of_rollback(
    plan: Mapping[str, Any], steps: list[Mapping[str, Any]], operation: object, parameters: object, called: str
) -> str:
    planned = {str(step["operation"]) for step in steps}
    resource, fingerprint = plan.get("resource"), plan.get("fingerprint")
    known = planned & _BEFORE.keys()
    if known and isinstance(resource, Mapping) and isinstance(fingerprint, Mapping):
        try:
            wanted = [_BEFORE[one](str(resource["id"]), fingerprint) for one in known]
        except (KeyError, TypeError, ValueError):
            return f"{called} leads back to what the plan does not say"
        # By digest: Python takes true for 1.
        same = digest([operation, parameters]) in {digest([*one]) for one in wanted}
        return "" if same else f"{called} does not restore what the plan found"
    if operation not in planned | {_OPPOSITE[one] for one in planned if one in _OPPOSITE}:
        return f"{called} calls {operation!r}, which leads nothing of the plan back"
    if operation in planned and destroys(operation):
        return f"{called} calls {operation!r}, which destroys and leads nothing back"
    named = set(_identifiers(parameters))
    if not isinstance(resource, Mapping) or named != {resource.get("id")}:
        return f"{called} concerns another resource than the plan's"
    if operation in _SETTING and operation not in _OPPOSITE:
        return _problem_of_setting(plan, str(operation), parameters, called)
    return ""


def _problem_of_setting(plan: Mapping[str, Any], operation: str, parameters: object, called: str) -> str:
    """Return why a call does not set back what the plan found, where a setting is changed; empty when it does."""
    try:
        wanted = _SETTING[operation](str(plan["resource"]["id"]), plan["fingerprint"])
    except (KeyError, TypeError, ValueError):
        return f"{called} leads back to what the plan does not say"
    same = wanted[0] != operation or digest([operation, parameters]) == digest([*wanted])
    return "" if same else f"{called} does not restore what the plan found"


def problem_of_undo(act: Mapping[str, Any], undo: Mapping[str, Any], made: Mapping[str, str] = _NOTHING) -> str:
    """Return why a plan does not undo the act of another one, empty when it does.

    It must be of the same action and resource, and its calls those that lead back, in reverse. An act that changes a
    setting may stop and start the resource around it, whichever of both ran it: so may its undo, and ends as it began.
    What leads a deletion back is one call, whatever was called before it.

    Args:
        act: the plan of the act.
        undo: the plan of its undo.
        made: step of the act → id of what its call made.
    """
    if (act.get("action"), act.get("resource")) != (undo.get("action"), undo.get("resource")):
        return "an undo is of another action or resource than its act"
    try:
        deletes = any(operation == DELETES for operation, _ in _calls_of(act))
        if deletes:
            back = [new_volume(act["fingerprint"], made)]
        else:
            back = [_leads_back(act, call) for call in reversed(_calls_of(act))]
        calls = [_without_revision(undo, call) for call in _calls_of(undo)]
    except (KeyError, TypeError, ValueError):
        return "an undo of an act whose plan does not say what leads back"
    if any(operation not in _OPPOSITE for operation, _ in back):
        around = [call for call in calls if call[0] in _OPPOSITE]
        if around and not (calls[0] == around[0] and calls[-1] == around[-1] and _is_pause(around, act)):
            return "an undo stops or starts more than the change of a setting needs"
        back, calls = ([one for one in some if one[0] not in _OPPOSITE] for some in (back, calls))
    # By digest: Python takes true for 1.
    same = [digest([*_ordered(one)]) for one in back] == [digest([*_ordered(one)]) for one in calls]
    return "" if same else "an undo calls something else than what leads its act back"


def _calls_of(plan: Mapping[str, Any]) -> list[_Call]:
    steps = [step for step in plan.get("steps", ()) if isinstance(step, Mapping) and step.get("operation")]
    return [(str(step["operation"]), dict(step.get("parameters") or {})) for step in steps]


def _leads_back(plan: Mapping[str, Any], call: _Call) -> _Call:
    """Return the call that leads one call of a plan back. Raises KeyError, TypeError, ValueError: it is not known."""
    operation, parameters = call
    if operation in _OPPOSITE:
        return _OPPOSITE[operation], parameters
    return {**_BEFORE, **_SETTING}[operation](str(plan["resource"]["id"]), plan["fingerprint"])


def _ordered(call: _Call) -> _Call:
    """Return a call with lifecycle rules in an order of ours: S3 keeps none, and shows an empty filter in two forms."""
    operation, parameters = call
    found = parameters.get("LifecycleConfiguration")
    if operation != "s3:PutBucketLifecycleConfiguration" or not isinstance(found, Mapping):
        return call
    rules = [{**rule, "Filter": {}} if rule.get("Filter") == {"Prefix": ""} else rule for rule in found["Rules"]]
    return operation, {**parameters, "LifecycleConfiguration": {"Rules": sorted(rules, key=digest)}}


def _without_revision(undo: Mapping[str, Any], call: _Call) -> _Call:
    """Return a call without the revision that it is bound to, as long as that is the one its own plan found.

    The act cannot say it: its own change made that revision.
    """
    operation, parameters = call
    bound = operation == "lambda:UpdateFunctionConfiguration" and "RevisionId" in parameters
    if not bound or parameters["RevisionId"] != undo["fingerprint"]["revisionId"]:
        return call
    return operation, {name: value for name, value in parameters.items() if name != "RevisionId"}


def _is_pause(calls: list[_Call], act: Mapping[str, Any]) -> bool:
    """Return whether these calls stop the plan's resource and start it again."""
    what = {"InstanceIds": [act["resource"]["id"]]}
    return calls == [("ec2:StopInstances", what), ("ec2:StartInstances", what)]


def _instance_type(name: str, before: Mapping[str, Any]) -> _Call:
    return "ec2:ModifyInstanceAttribute", {"InstanceId": name, "InstanceType": {"Value": before["instanceType"]}}


def _volume_type(name: str, before: Mapping[str, Any]) -> _Call:
    if before["volumeType"] != "gp2":
        raise ValueError("only gp2, whose figures AWS sets by the size, is led back to")
    return "ec2:ModifyVolume", {"VolumeId": name, "VolumeType": "gp2"}


def _running_database(name: str, _before: Mapping[str, Any]) -> _Call:
    return "rds:StartDBInstance", {"DBInstanceIdentifier": name}


def _stopped_database(name: str, _before: Mapping[str, Any]) -> _Call:
    return "rds:StopDBInstance", {"DBInstanceIdentifier": name}


def _running_cluster(name: str, _before: Mapping[str, Any]) -> _Call:
    return "rds:StartDBCluster", {"DBClusterIdentifier": name}


def _stopped_cluster(name: str, _before: Mapping[str, Any]) -> _Call:
    return "rds:StopDBCluster", {"DBClusterIdentifier": name}


def _database_class(name: str, before: Mapping[str, Any]) -> _Call:
    # At once: AWS takes back a change that waits for its window in no other way.
    return "rds:ModifyDBInstance", {
        "DBInstanceIdentifier": name,
        "DBInstanceClass": before["class"],
        "ApplyImmediately": True,
    }


def _retention(name: str, before: Mapping[str, Any]) -> _Call:
    days = int(before["retentionDays"])
    if days == 0:
        return "logs:DeleteRetentionPolicy", {"logGroupName": name}
    return "logs:PutRetentionPolicy", {"logGroupName": name, "retentionInDays": days}


def _capacity(name: str, before: Mapping[str, Any]) -> _Call:
    if before["billingMode"] == "PAY_PER_REQUEST":
        return "dynamodb:UpdateTable", {"TableName": name, "BillingMode": "PAY_PER_REQUEST"}
    listed = [one.split("=") for one in str(before["indexes"]).split(",") if one]
    indexes = [{"Update": {"IndexName": index, "ProvisionedThroughput": _units(of)}} for index, of in listed]
    call = {
        "TableName": name,
        "BillingMode": before["billingMode"],
        "ProvisionedThroughput": _units(str(before["capacity"])),
    }
    return "dynamodb:UpdateTable", {**call, **({"GlobalSecondaryIndexUpdates": indexes} if indexes else {})}


def _tasks(name: str, before: Mapping[str, Any]) -> _Call:
    cluster, service = name.split("/")
    return "ecs:UpdateService", {"cluster": cluster, "service": service, "desiredCount": int(before["desiredCount"])}


def _memory(name: str, before: Mapping[str, Any]) -> _Call:
    return "lambda:UpdateFunctionConfiguration", {"FunctionName": name, "MemorySize": int(before["memoryMb"])}


def _group_size(name: str, before: Mapping[str, Any]) -> _Call:
    fewest, wanted, most = (int(one) for one in str(before["size"]).split("/"))
    size = {"MinSize": fewest, "DesiredCapacity": wanted, "MaxSize": most}
    return "autoscaling:UpdateAutoScalingGroup", {"AutoScalingGroupName": name, **size}


def _node_group_size(name: str, before: Mapping[str, Any]) -> _Call:
    cluster, group = name.split("/")[:2]
    fewest, wanted, most = (int(one) for one in str(before["size"]).split("/"))
    size = {"minSize": fewest, "desiredSize": wanted, "maxSize": most}
    named = {"clusterName": cluster, "nodegroupName": group}
    return "eks:UpdateNodegroupConfig", {**named, "scalingConfig": size}


def _attachment(name: str, before: Mapping[str, Any]) -> _Call:
    return "ec2:AttachVolume", {"VolumeId": name, "InstanceId": before["instanceId"], "Device": before["device"]}


def _lifecycle(name: str, before: Mapping[str, Any]) -> _Call:
    bucket = {"Bucket": name, "ExpectedBucketOwner": before["owner"]}
    rules, size = json.loads(before["lifecycle"]), before["minimumSize"]
    if not rules:
        return "s3:DeleteBucketLifecycle", bucket
    sized = {"TransitionDefaultMinimumObjectSize": size} if size else {}
    call = {**bucket, **sized, "LifecycleConfiguration": {"Rules": rules}}
    return "s3:PutBucketLifecycleConfiguration", call


def _units(text: str) -> dict[str, int]:
    read, write = text.split("/")
    return {"ReadCapacityUnits": int(read), "WriteCapacityUnits": int(write)}


_BEFORE: Mapping[str, Callable[[str, Mapping[str, Any]], _Call]] = {
    "rds:StopDBInstance": _running_database,
    "rds:ModifyDBInstance": _database_class,
    "rds:StopDBCluster": _running_cluster,
    "logs:PutRetentionPolicy": _retention,
    "logs:DeleteRetentionPolicy": _retention,
    "dynamodb:UpdateTable": _capacity,
    "ecs:UpdateService": _tasks,
    "s3:PutBucketLifecycleConfiguration": _lifecycle,
    "s3:DeleteBucketLifecycle": _lifecycle,
    "lambda:UpdateFunctionConfiguration": _memory,
    "autoscaling:UpdateAutoScalingGroup": _group_size,
    "ec2:DetachVolume": _attachment,
    "eks:UpdateNodegroupConfig": _node_group_size,
}
"""Operation of a plan → the one call that leads it back, from the resource's id and the fingerprint."""


_SETTING: Mapping[str, Callable[[str, Mapping[str, Any]], _Call]] = {
    "ec2:ModifyInstanceAttribute": _instance_type,
    "ec2:ModifyVolume": _volume_type,
    "rds:StartDBInstance": _stopped_database,
    "rds:StartDBCluster": _stopped_cluster,
}
"""Operation → the call of an undo that sets back what was there before. A rollback makes the opposite calls instead, or
none."""


def _identifiers(value: object) -> Iterator[object]:
    """Yield what the parameters name: every value under a key that ends in Id or Ids."""
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if str(key).endswith(("Id", "Ids")):
            yield from inner if isinstance(inner, list) else (inner,)


def _with_uid(value: Any, uid: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_uid(inner, uid) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_uid(inner, uid) for inner in value]
    return uid if value == _UID else value
