"""Policies, scan summaries and recommendations for the tests of scheduling, proposing and status."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.crds.action_request import ActionRequest
from finops.crds.aws_account import AwsAccount
from finops.crds.metadata import Metadata
from finops.crds.part import API_VERSION
from finops.crds.presentation import Presentation
from finops.crds.request_status import ActionRequestStatus
from finops.crds.scan_policy import ScanPolicy
from finops.domain.decision import State
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ActionType, Effort, Recommendation, ResourceRef
from finops.domain.report import Savings, ScanSummary, StatusSum
from finops.domain.resource import Gap
from finops_operator.rules.candidates import PresentedAct, request_spec

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
ACCOUNT = "111122223333"
WORDS = PresentedAct(
    Presentation(
        verb="Stop",
        kind="EC2 instance",
        consequence="It is stopped.",
        downtime="Until someone starts it",
        undo="Start it.",
        warnings=("Data in memory is lost.",),
        owner="web",
    ),
    {"stop": "Stop the instance"},
)
APPROVE = {"mode": "Approve", "allowed": ["ec2_instance_stop", "ebs_volume_delete"], "minimumMonthlySavings": 1}


def policy(
    *,
    annotations: Mapping[str, str] | None = None,
    generation: int = 1,
    status: Mapping[str, Any] | None = None,
    name: str = "p",
    **spec: Any,
) -> ScanPolicy:
    """A policy as the API server gives it."""
    return ScanPolicy.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "ScanPolicy",
            "metadata": {
                "name": name,
                "namespace": "team-a",
                "uid": f"uid-of-{name}",
                "generation": generation,
                "annotations": dict(annotations or {}),
            },
            "spec": {
                "accounts": [{"name": "production"}],
                "approval": {"approvers": [{"kubernetesUser": "alice"}]},
                "actions": APPROVE,
                **spec,
            },
            "status": dict(status or {}),
        }
    )


def scanned_status(start: datetime, *, generation: int = 1, **changes: Any) -> dict[str, Any]:
    """The status a scan leaves that started at `start`."""
    last = {"startTime": start.isoformat(), "completionTime": (start + timedelta(seconds=30)).isoformat()}
    return {"observedGeneration": generation, "lastScan": last, "monthlyCost": "10.00", **changes}


def summary(*gaps: Gap, **changes: Any) -> ScanSummary:
    """A scan that saw ten resources."""
    facts: dict[str, Any] = {
        "policy": "team-a/p",
        "start_time": NOW,
        "completion_time": NOW + timedelta(seconds=12, microseconds=5),
        "resources": 10,
        "monthly_cost": Decimal("123.45"),
        "unpriced_resources": 0,
        "unknown_resources": 0,
        "savings": Savings(
            StatusSum(Decimal("20.10"), 2), StatusSum(Decimal("7.00"), 1), StatusSum(Decimal("3.50"), 1)
        ),
        "gaps": gaps,
        "api_calls": {"ec2:DescribeInstances": 3, "sts:AssumeRole": 1},
        "estimated_api_cost": Decimal("0.01"),
    }
    return ScanSummary(**{**facts, **changes})


def gap(code: str, service: str = "ec2", operation: str = "DescribeInstances", **changes: str) -> Gap:
    """Something a scan could not see."""
    facts = {"account": ACCOUNT, "region": "us-east-1", "message": f"{code} was answered", **changes}
    return Gap(facts["account"], facts["region"], service, operation, code, facts["message"])


def account(name: str = "production", **spec: Any) -> AwsAccount:
    """An account that grants the namespace two actions."""
    return AwsAccount.from_object(
        {
            "apiVersion": API_VERSION,
            "kind": "AwsAccount",
            "metadata": {"name": name},
            "spec": {
                "accountId": ACCOUNT,
                "executorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/x",
                "allow": [{"namespaces": ["team-a"], "actions": ["ec2_instance_stop", "ebs_volume_delete"]}],
                **spec,
            },
        }
    )


def recommendation(number: int = 1, **changes: Any) -> Recommendation:
    """An instance that could be stopped; `number` makes it another one."""
    facts: dict[str, Any] = {
        "id": f"rec{number}",
        "policy": "team-a/p",
        "check": "ec2_instance_idle",
        "action": "ec2_instance_stop",
        "action_type": ActionType.STOP,
        "destructive": False,
        "resource": reference(number),
        "parameters": {},
        "current_monthly_cost": Decimal("66.816"),
        "new_monthly_cost": Decimal("1.605"),
        "monthly_savings": Decimal("65.211"),
        "price_source": "bundled",
        "price_as_of": "2026-01-01",
        "effort": Effort.LOW,
        "restart_needed": True,
        "rollback_possible": True,
        "evidence": {"maximumCpuPercent": "1.2", "days": 14, "odd": None, "flag": True},
        "summary": "It does no work.",
        "group": reference(number).arn,
    }
    return Recommendation(**{**facts, **changes})


def reference(number: int = 1) -> ResourceRef:
    name = f"i-{number:017x}"
    arn = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/{name}"
    return ResourceRef("ec2-instance", name, arn, ACCOUNT, "us-east-1", "web")


def plan_of(item: Recommendation) -> Plan:
    steps = (PlanStep("stop", "ec2:StopInstances", {"InstanceIds": [item.resource.id]}),)
    return Plan(item.action, item.resource, item.parameters, steps, {"state": "running"})


def request(
    item: Recommendation,
    state: State | None,
    *,
    by: ScanPolicy | None = None,
    ended: datetime | None = None,
    namespace: str = "team-a",
) -> ActionRequest:
    """A request as it was made for `item`, in `state`."""
    spec = request_spec(by or policy(), account(), item, plan_of(item), WORDS, NOW)
    metadata = Metadata(name=f"r-{item.id}", namespace=namespace, uid=f"uid-{item.id}", creation_timestamp=NOW)
    return ActionRequest(metadata=metadata, spec=spec, status=ActionRequestStatus(state=state, decided_at=ended))
