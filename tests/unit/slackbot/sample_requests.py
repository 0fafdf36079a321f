"""Requests and votes as the operator would write them, for every test of the bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from finops.domain.decision import Choice, State
from finops.domain.plan import PlanStep
from finops.kinds.action_request import (
    ActionRequest,
    ActionRequestSpec,
    ApprovalTerms,
    Estimate,
    Evidence,
    PlannedStep,
    ResourceReference,
    fingerprint_texts,
)
from finops.kinds.approval import Approval, ApprovalSpec, ApprovalStatus, RequestReference, Source, Voter
from finops.kinds.approver import Approver
from finops.kinds.metadata import Metadata
from finops.kinds.request_status import ActionRequestStatus, Votes

CREATED = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
EXPIRES = CREATED + timedelta(hours=72)
UID = "5f8c1d2e-0000-4000-8000-000000000001"
MEASURED: Mapping[str, int | str] = {
    "cpuP99_5Percent": "4.31",
    "memoryP99_5Percent": "28.9",
    "cpuTargetMaximumPercent": 60,
    "owner": "web",
}
SRE = Approver(slack_user_group="S0SRE00001")


def resize_request(
    *,
    uid: str = UID,
    name: str = "prod-resize-web-1",
    namespace: str = "team-a",
    resource_name: str = "web-1",
    resource_id: str = "i-0abc1234def567890",
    approvers: Sequence[Approver] = (SRE, Approver(kubernetes_group="sre")),
    required: int = 1,
    require_reason: str = "Deny",
    channel: str | None = "C0FINOPS01",
    dry_run: bool = False,
    created: datetime | None = CREATED,
    expires: datetime = EXPIRES,
    status: Mapping[str, Any] | None = None,
    values: Mapping[str, int | str] | None = None,
    resource_version: str = "100",
) -> ActionRequest:
    """An instance that would be halved."""
    steps = (
        PlanStep("stop", "ec2:StopInstances", {"InstanceIds": [resource_id]}, "start"),
        PlanStep("wait_stopped"),
        PlanStep("modify_type", "ec2:ModifyInstanceAttribute", {"InstanceId": resource_id, "InstanceType": "t3.small"}),
        PlanStep("start", "ec2:StartInstances", {"InstanceIds": [resource_id]}),
        PlanStep("wait_healthy"),
    )
    spec = ActionRequestSpec(
        policy="production",
        account="production",
        region="eu-west-1",
        resource=ResourceReference(
            kind="ec2-instance",
            id=resource_id,
            arn=f"arn:aws:ec2:eu-west-1:111122223333:instance/{resource_id}",
            account_id="111122223333",
            name=resource_name,
        ),
        action="ec2_instance_resize",
        parameters={"instanceType": "t3.small"},
        plan=tuple(PlannedStep.of(step) for step in steps),
        plan_hash="0" * 64,
        fingerprint=fingerprint_texts({"instanceType": "t3.large", "state": "running"}),
        estimate=Estimate(
            current_monthly_cost="66.58",
            new_monthly_cost="16.64",
            monthly_savings="49.94",
            price_source="AWS price list",
            price_date="2026-02-28",
        ),
        evidence=Evidence(
            check="ec2_instance_overprovisioned",
            reason="CPU stayed below 5 % and memory below 30 % for 14 days; half the size keeps both below 60 %.",
            window_start=CREATED - timedelta(days=14),
            window_end=CREATED,
            coverage_percent=99.4,
            values=MEASURED if values is None else values,
        ),
        effort="Medium",
        restart_needed=True,
        rollback_possible=True,
        destructive=False,
        dry_run=dry_run,
        approval=ApprovalTerms(approvers=tuple(approvers), required=required, require_reason=require_reason),
        slack_channel=channel,
        expires_at=expires,
    )
    spec = spec.model_copy(update={"plan_hash": spec.to_plan().hash})
    metadata = Metadata(
        name=name, namespace=namespace, uid=uid, creation_timestamp=created, resource_version=resource_version
    )
    return ActionRequest(metadata=metadata, spec=spec, status=_status(status or {}))


def delete_request(**changes: Any) -> ActionRequest:
    """A volume that would go: two people needed."""
    base = resize_request(**{"required": 2, "name": "prod-delete-vol", "resource_name": "old-data", **changes})
    steps = (
        PlanStep("create_snapshot", "ec2:CreateSnapshot", {"VolumeId": "vol-0abc"}),
        PlanStep("wait_snapshot"),
        PlanStep("delete_volume", "ec2:DeleteVolume", {"VolumeId": "vol-0abc"}),
    )
    resource = ResourceReference(
        kind="ebs-volume",
        id="vol-0abc",
        arn="arn:aws:ec2:eu-west-1:111122223333:volume/vol-0abc",
        account_id="111122223333",
        name=base.spec.resource.name,
    )
    spec = base.spec.model_copy(
        update={
            "resource": resource,
            "action": "ebs_volume_delete",
            "parameters": {},
            "plan": tuple(PlannedStep.of(step) for step in steps),
            "destructive": True,
            "rollback_possible": False,
            "restart_needed": False,
            "evidence": Evidence(check="ebs_volume_unattached", reason="Not attached for 30 days.", values={}),
        }
    )
    spec = spec.model_copy(update={"plan_hash": spec.to_plan().hash})
    return ActionRequest(metadata=base.metadata, spec=spec, status=base.status)


def vote(
    request: ActionRequest,
    *,
    choice: Choice = Choice.APPROVE,
    slack_user: str = "U0BOB00001",
    username: str = "",
    reason: str | None = None,
    result: str | None = "Counted",
    answer_reason: str | None = None,
    message: str | None = None,
    name: str | None = None,
    at: datetime = CREATED + timedelta(minutes=5),
) -> Approval:
    """A vote with the operator's answer; by click unless `username` is given."""
    voter = (
        Voter(source=Source.KUBERNETES, username=username)
        if username
        else Voter(source=Source.SLACK, slack_team="T0FINOPS1", slack_user=slack_user, attested_at=at)
    )
    made = Approval.of(
        request.metadata.namespace or "",
        ApprovalSpec(
            request=RequestReference(name=request.metadata.name, uid=request.metadata.uid or ""),
            plan_hash=request.spec.plan_hash,
            decision=choice,
            reason=reason,
            approver=voter,
        ),
    )
    metadata = made.metadata.model_copy(
        update={
            "name": name or made.metadata.name,
            "creation_timestamp": at,
            "uid": f"vote-{name or made.metadata.name}",
            "resource_version": "101",
        }
    )
    status = ApprovalStatus(result=result, reason=answer_reason, message=message)
    return made.model_copy(update={"metadata": metadata, "status": status})


def _status(fields: Mapping[str, Any]) -> ActionRequestStatus:
    return ActionRequestStatus.model_validate(dict(fields))


def votes(approve: int, deny: int = 0, required: int = 1) -> dict[str, Any]:
    """What the operator counts."""
    return Votes.of(approve=approve, deny=deny, required=required).to_dict()


def ended(why: str) -> dict[str, Any]:
    """How the operator says why something ended, or waits."""
    return {"before": {}, "after": {}, "error": why}


APPROVED_ONCE: Mapping[str, Any] = {
    "votes": votes(1),
    "conditions": [
        {
            "type": "Approved",
            "status": "True",
            "reason": "QuorumReached",
            "message": "Approved by slack.U0BOB00001 (1 of 1).",
            "last_transition_time": CREATED + timedelta(minutes=5),
        }
    ],
}
STATUSES: Mapping[State, Mapping[str, Any]] = {
    State.PENDING: {"state": "Pending", "votes": votes(0)},
    State.APPROVED: {"state": "Approved", **APPROVED_ONCE, "decided_at": CREATED + timedelta(minutes=5)},
    State.SCHEDULED: {
        "state": "Scheduled",
        **APPROVED_ONCE,
        "decided_at": CREATED + timedelta(minutes=5),
        "scheduled_for": CREATED + timedelta(hours=20),
    },
    State.EXECUTING: {
        "state": "Executing",
        **APPROVED_ONCE,
        "decided_at": CREATED + timedelta(minutes=5),
        "execution": {"step": "modify_type", "attempt": 2, "started_at": CREATED + timedelta(minutes=6)},
    },
    State.VERIFYING: {
        "state": "Verifying",
        **APPROVED_ONCE,
        "decided_at": CREATED + timedelta(minutes=5),
        "execution": {"step": "wait_healthy", "attempt": 1, "started_at": CREATED + timedelta(minutes=6)},
    },
    State.SUCCEEDED: {
        "state": "Succeeded",
        **APPROVED_ONCE,
        "decided_at": CREATED + timedelta(minutes=5),
        "outcome": {
            "before": {"instanceType": "t3.large"},
            "after": {"instanceType": "t3.small"},
            "monthly_savings": "49.94",
        },
    },
    State.ROLLED_BACK: {
        "state": "RolledBack",
        **APPROVED_ONCE,
        "decided_at": CREATED + timedelta(minutes=5),
        "outcome": {
            "before": {"instanceType": "t3.large"},
            "after": {"instanceType": "t3.large"},
            "error": "InsufficientInstanceCapacity: no t3.small in eu-west-1a. It runs again as t3.large; try later.",
        },
    },
    State.NEEDS_HUMAN: {
        "state": "NeedsHuman",
        **APPROVED_ONCE,
        "decided_at": CREATED + timedelta(minutes=5),
        "execution": {"step": "start", "attempt": 3},
        "outcome": {
            "before": {"instanceType": "t3.large"},
            "after": {"instanceType": "t3.small"},
            "error": "The instance does not start: IncorrectInstanceState.",
        },
    },
    State.STALE: {
        "state": "Stale",
        **APPROVED_ONCE,
        "decided_at": CREATED + timedelta(minutes=5),
        "outcome": ended(
            'The resource changed since it was proposed: state was "running", is "stopped". Nothing was called.'
        ),
    },
    State.DENIED: {"state": "Denied", "votes": votes(0, deny=1), "decided_at": CREATED + timedelta(minutes=5)},
    State.EXPIRED: {
        "state": "Expired",
        "votes": votes(0),
        "decided_at": EXPIRES,
        "outcome": ended("Expired before it was carried out; nothing was changed."),
    },
    State.WITHDRAWN: {
        "state": "Withdrawn",
        "votes": votes(0),
        "conditions": APPROVED_ONCE["conditions"],
        "decided_at": CREATED + timedelta(minutes=5),
        "outcome": ended("No longer approved: k8s.alice took the vote back; 0 of 1."),
    },
    State.SUPERSEDED: {"state": "Superseded", "votes": votes(0)},
}
"""A status per state."""


def in_state(state: State, **changes: Any) -> tuple[ActionRequest, tuple[Approval, ...]]:
    """A request in a state, with the votes that lead there."""
    request = resize_request(status=STATUSES[state], **changes)
    if state is State.DENIED:
        return request, (vote(request, choice=Choice.DENY, reason="Month-end closing runs on it until Friday."),)
    if state in {State.PENDING, State.EXPIRED, State.SUPERSEDED}:
        return request, ()
    if state is State.WITHDRAWN:
        taken_back = vote(request, choice=Choice.WITHDRAW, username="alice", at=CREATED + timedelta(minutes=9))
        return request, (vote(request, username="alice"), taken_back)
    return request, (vote(request),)
