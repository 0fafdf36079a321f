"""Checks that a call is one of the plan that people approved, by the plan's document as the record `started` holds it.

The document counts only when its hash is the approved one. During a rollback an action makes calls that stand in no
plan: they must come after the record that turned the act, concern the plan's resource alone, and be a call of the plan
or its opposite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from finops.audit_verify.form import NotARecord, digest

_UID = "$(request.uid)"
"""Stands in a plan where the call carries the request's uid, which is born after the plan was approved."""
_OPPOSITE = {
    "ec2:StopInstances": "ec2:StartInstances",
    "ec2:StartInstances": "ec2:StopInstances",
    "rds:StopDBInstance": "rds:StartDBInstance",
    "rds:StartDBInstance": "rds:StopDBInstance",
    "logs:PutRetentionPolicy": "logs:DeleteRetentionPolicy",
}
_RESTORED = {
    "logs:PutRetentionPolicy": ("retentionInDays", "retentionDays"),
    "dynamodb:UpdateTable": ("BillingMode", "billingMode"),
}
"""What leads back by the plan's own operation: the parameter, and the fact of the fingerprint that it must restore."""
_NAMES = frozenset({"logGroupName", "TableName"})
"""Parameters that name a resource by what is no id to its service."""


def problem_of_plan(plan: object, plan_hash: str) -> str:
    """Return why a document is not the plan with this hash, empty when it is."""
    try:
        same = isinstance(plan, dict) and digest(plan) == plan_hash
    except NotARecord as error:
        return f"the plan cannot be read: {error}"
    return "" if same else "the plan in the record is not the one whose hash was approved"


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
    if operation not in planned | {_OPPOSITE[one] for one in planned if one in _OPPOSITE}:
        return f"{called} calls {operation!r}, which leads nothing of the plan back"
    resource = plan.get("resource")
    named = set(_identifiers(parameters))
    if not isinstance(resource, Mapping) or named != {resource.get("id")}:
        return f"{called} concerns another resource than the plan's"
    return _problem_of_setting(plan, str(operation), parameters, called)


def _problem_of_setting(plan: Mapping[str, Any], operation: str, parameters: object, called: str) -> str:
    if operation not in _RESTORED:
        return ""
    parameter, fact = _RESTORED[operation]
    fingerprint = plan.get("fingerprint")
    before = fingerprint.get(fact) if isinstance(fingerprint, Mapping) else None
    now = parameters.get(parameter) if isinstance(parameters, Mapping) else None
    return "" if now is not None and str(now) == before else f"{called} does not restore what the plan found"


def _identifiers(value: object) -> Iterator[object]:
    """Yield what the parameters name: every value under a key that ends in Id, Ids or Identifier, or is a name."""
    if not isinstance(value, Mapping):
        return
    for key, inner in value.items():
        if str(key).endswith(("Id", "Ids", "Identifier")) or key in _NAMES:
            yield from inner if isinstance(inner, list) else (inner,)


def _with_uid(value: Any, uid: str) -> Any:
    if isinstance(value, Mapping):
        return {key: _with_uid(inner, uid) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_uid(inner, uid) for inner in value]
    return uid if value == _UID else value
