"""Valid objects of our kinds, the smallest that parse, and the merge that tests change them with."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from finops.crds.part import API_VERSION
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef

Object = dict[str, Any]

PLAN = Plan(
    action="ec2_instance_stop",
    resource=ResourceRef(
        kind="ec2-instance",
        id="i-0123456789abcdef0",
        arn="arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0",
        account="123456789012",
        region="eu-west-1",
        name="web",
    ),
    parameters={},
    steps=(PlanStep(id="stop", operation="ec2:StopInstances", parameters={"InstanceIds": ["i-0123456789abcdef0"]}),),
    fingerprint={"state": "running"},
)

_SPECS: dict[str, Object] = {
    "ScanPolicy": {},
    "AwsAccount": {"accountId": "123456789012"},
    "ActionRequest": {
        "policy": "production",
        "account": "production",
        "region": "eu-west-1",
        "resource": {
            "kind": "ec2-instance",
            "id": PLAN.resource.id,
            "arn": PLAN.resource.arn,
            "accountId": "123456789012",
            "name": "web",
        },
        "action": PLAN.action,
        "plan": [
            {"id": "stop", "operation": "ec2:StopInstances", "parameters": '{"InstanceIds":["i-0123456789abcdef0"]}'}
        ],
        "planHash": PLAN.hash,
        "fingerprint": {"state": '"running"'},
        "estimate": {
            "currentMonthlyCost": "66.82",
            "newMonthlyCost": "6.40",
            "monthlySavings": "60.42",
            "priceSource": "bundled",
            "priceDate": "2026-01-31",
        },
        "evidence": {"check": "ec2_instance_idle", "coveragePercent": 99.5, "values": {"cpuMaximumPercent": "1.2"}},
        "presentation": {
            "verb": "Stop",
            "kind": "EC2 instance",
            "consequence": "It is stopped.",
            "downtime": "Until someone starts it",
            "undo": "Start it.",
        },
        "effort": "Low",
        "restartNeeded": True,
        "rollbackPossible": True,
        "destructive": False,
        "approval": {"approvers": [{"slackUser": "U0123"}], "required": 1},
        "expiresAt": "2030-01-31T09:00:00Z",
    },
    "Approval": {
        "request": {"name": "stop-web", "uid": "6a0c8b0e-6f0b-4c6e-9a53-0d6b5f3f8f11"},
        "planHash": PLAN.hash,
        "decision": "Approve",
        "approver": {"source": "kubernetes", "username": "alice"},
    },
    "Budget": {"amount": "500.00"},
}

SLACK_VOTER: Object = {
    "source": "slack",
    "username": None,
    "slackTeam": "T0123",
    "slackUser": "U0123",
    "attestedAt": "2026-01-31T09:00:00Z",
}
"""Merged over the voter of an Approval, makes it one from Slack."""


def manifest(kind: str, *changes: Mapping[str, Any], name: str = "example") -> Object:
    """A valid object of a kind with changes merged over it in order."""
    made: Object = {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": _SPECS[kind]}
    made = copy.deepcopy(made)
    for change in changes:
        made = merged(made, change)
    return made


def merged(base: Any, change: Any) -> Any:
    """A JSON merge patch: objects merge, None removes, everything else replaces."""
    if not isinstance(change, Mapping):
        return copy.deepcopy(change)
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, value in change.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
