"""Requests and votes as the operator would write them, for every test of the bot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.support.operator_words import decision, needs_human, rolled_back, stale, succeeded
from tests.support.scan_samples import recommendation

from finops.crds.action_request import (
    ActionRequest,
    ActionRequestSpec,
    ApprovalTerms,
    DigestEntry,
    Estimate,
    Evidence,
    PlannedStep,
    ResourceReference,
    fingerprint_texts,
)
from finops.crds.approval import Approval, ApprovalSpec, ApprovalStatus, RequestReference, Source, Voter
from finops.crds.approver import Approver
from finops.crds.metadata import Metadata
from finops.crds.presentation import Presentation
from finops.crds.request_status import ActionRequestStatus, Votes
from finops.domain.decision import Choice, State, Trigger
from finops.domain.decision import Voter as DomainVoter
from finops.domain.execution import Observation
from finops.domain.recommendation import EvidenceFact, PerformanceRisk, ResourceRef
from finops_operator.requests.presenting import in_words
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION
from finops_operator.services.ec2.instance import KIND as INSTANCE
from finops_operator.services.ec2.volume import KIND as VOLUME
from finops_operator.services.logs.actions.log_group_set_retention import ACTION as RETENTION
from finops_operator.services.logs.log_group import KIND as LOG_GROUP

CREATED = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
EXPIRES = CREATED + timedelta(hours=72)
UID = "5f8c1d2e-0000-4000-8000-000000000001"
MEASURED: Mapping[str, int | str] = {
    "cpuP99_5Percent": "4.31",
    "memoryMaximumPercent": "28.9",
    "cpuHeadroomPercent": 30,
}
FACTS = (
    EvidenceFact("CPU, 99.5 % of the time below", "4.3 %"),
    EvidenceFact("CPU, highest 5 minutes", "61 % (3 of 4,032)"),
    EvidenceFact("CPU, mean", "1.9 %"),
    EvidenceFact("Memory, highest 5 minutes", "12.1 %"),
    EvidenceFact("Measured", "14 days until 2026-03-02 01:30 UTC: 4,008 of 4,032 values (99.4 %)"),
    EvidenceFact("Expected CPU, 99.5 % of the time below", "4 %"),
    EvidenceFact("Expected memory, highest", "48 %"),
)
TYPES: Mapping[str, Any] = {
    "t3.large": {"VCpuInfo": {"DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 8192}, "Hypervisor": "nitro"},
    "t3.small": {"VCpuInfo": {"DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 2048}, "Hypervisor": "nitro"},
}
RUNNING = Observation(
    exists=True,
    facts={
        "state": "running",
        "tags": {"Owner": "web"},
        "instance": {"PublicIpAddress": "198.51.100.7", "NetworkInterfaces": []},
        "type": TYPES["t3.large"],
        "target": TYPES["t3.small"],
    },
)
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
    remind_after: Sequence[str] = (),
    escalate: Sequence[Mapping[str, Any]] = (),
    channel: str | None = "C0FINOPS01",
    dry_run: bool = False,
    created: datetime | None = CREATED,
    expires: datetime = EXPIRES,
    status: Mapping[str, Any] | None = None,
    values: Mapping[str, int | str] | None = None,
    presentation: Presentation | None = None,
    saving: str = "49.94",
    digest: DigestEntry | None = None,
    resource_version: str = "100",
) -> ActionRequest:
    """An instance that would be halved."""
    arn = f"arn:aws:ec2:eu-west-1:111122223333:instance/{resource_id}"
    plan = ACTION.plan(
        ResourceRef("ec2-instance", resource_id, arn, "111122223333", "eu-west-1", resource_name),
        {"instanceType": "t3.small"},
        {"instanceType": "t3.large", "state": "running", "launchTime": "2026-01-10 08:00:00+00:00"},
    )
    item = recommendation(
        resource=plan.resource,
        facts=FACTS,
        expectation="Expected CPU about 4 %, memory about 48 %.",
        performance_risk=PerformanceRisk.LOW,
        parameters={"instanceType": "t3.small"},
    )
    words = in_words(INSTANCE, ACTION, item, RUNNING, plan)
    spec = ActionRequestSpec(
        policy="production",
        account="production",
        region="eu-west-1",
        resource=ResourceReference(
            kind="ec2-instance",
            id=resource_id,
            arn=arn,
            account_id="111122223333",
            name=resource_name,
        ),
        action="ec2_instance_resize",
        parameters={"instanceType": "t3.small"},
        plan=tuple(PlannedStep.of(step, words.steps.get(step.id, "")) for step in plan.steps),
        plan_hash=plan.hash,
        fingerprint=fingerprint_texts(plan.fingerprint),
        presentation=words.presentation if presentation is None else presentation,
        estimate=Estimate(
            current_monthly_cost="66.58",
            new_monthly_cost=f"{Decimal('66.58') - Decimal(saving)}",
            monthly_savings=saving,
            price_source="AWS price list",
            price_date="2026-02-28",
        ),
        evidence=Evidence(
            check="ec2_instance_overprovisioned",
            reason="99.5 % of the time CPU stayed below 4.3 %; the highest 5 minutes reached 61 % (3 of 4,032).",
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
        approval=ApprovalTerms(
            approvers=tuple(approvers),
            required=required,
            require_reason=require_reason,
            remind_after=tuple(remind_after),
            escalate=tuple(escalate),
        ),
        slack_channel=channel,
        slack_digest=digest,
        expires_at=expires,
    )
    metadata = Metadata(
        name=name, namespace=namespace, uid=uid, creation_timestamp=created, resource_version=resource_version
    )
    return ActionRequest(metadata=metadata, spec=spec, status=_status(status or {}))


def delete_request(**changes: Any) -> ActionRequest:
    """A volume that would go: two people needed."""
    base = resize_request(**{"required": 2, "name": "prod-delete-vol", "resource_name": "old-data", **changes})
    arn, name = "arn:aws:ec2:eu-west-1:111122223333:volume/vol-0abc", base.spec.resource.name
    plan = DELETE.plan(
        ResourceRef("ebs-volume", "vol-0abc", arn, "111122223333", "eu-west-1", name), {}, {"state": "available"}
    )
    facts = (EvidenceFact("Reads and writes", "none from 2026-01-29 to 2026-03-02; unused is 32 days or more"),)
    words = in_words(
        VOLUME,
        DELETE,
        recommendation(resource=plan.resource, facts=facts),
        Observation(exists=True, facts={"state": "available", "tags": {}}),
        plan,
    )
    resource = ResourceReference(kind="ebs-volume", id="vol-0abc", arn=arn, account_id="111122223333", name=name)
    spec = base.spec.model_copy(
        update={
            "resource": resource,
            "action": "ebs_volume_delete",
            "parameters": {},
            "plan": tuple(PlannedStep.of(step, words.steps.get(step.id, "")) for step in plan.steps),
            "presentation": words.presentation,
            "fingerprint": fingerprint_texts(plan.fingerprint),
            "destructive": True,
            "rollback_possible": False,
            "restart_needed": False,
            "evidence": Evidence(
                check="ebs_volume_unattached",
                reason="No running instance has used it since 2026-01-29, for 32 days or more.",
                window_start=CREATED - timedelta(days=32),
                window_end=CREATED,
                values={
                    "noActivitySince": (CREATED - timedelta(days=32)).isoformat(),
                    "windowAnsweredPercent": "100.0",
                },
            ),
        }
    )
    spec = spec.model_copy(update={"plan_hash": spec.to_plan().hash})
    return ActionRequest(metadata=base.metadata, spec=spec, status=base.status)


def retention_request(**changes: Any) -> ActionRequest:
    """A log group whose events would be deleted after 90 days: two people needed."""
    group = "/aws/lambda/pay"
    base = resize_request(**{"required": 2, "name": "prod-retention-pay", "resource_name": group, **changes})
    arn = f"arn:aws:logs:eu-west-1:111122223333:log-group:{group}"
    parameters: dict[str, Any] = {"retentionInDays": 90}
    before = {"retentionDays": "0", "createdAt": "1767225600000"}
    plan = RETENTION.plan(ResourceRef("log-group", group, arn, "111122223333", "eu-west-1", group), parameters, before)
    stored = EvidenceFact("Came in within 90 days, at most", "9 GiB")
    words = in_words(
        LOG_GROUP,
        RETENTION,
        replace(recommendation(resource=plan.resource, facts=(stored,)), parameters=parameters),
        Observation(exists=True, facts={**before, "tags": {"Owner": "pay"}, "storedBytes": 100 * 2**30}),
        plan,
    )
    spec = base.spec.model_copy(
        update={
            "resource": ResourceReference(kind="log-group", id=group, arn=arn, account_id="111122223333", name=group),
            "action": RETENTION.id,
            "parameters": parameters,
            "plan": tuple(PlannedStep.of(step, words.steps.get(step.id, "")) for step in plan.steps),
            "presentation": words.presentation,
            "fingerprint": fingerprint_texts(plan.fingerprint),
            "destructive": True,
            "rollback_possible": False,
            "restart_needed": False,
            "evidence": Evidence(
                check="log_group_no_retention",
                reason="It keeps every event for ever. With a retention of 90 days it stores 9 GiB at most, "
                "instead of 100 GiB.",
                window_start=CREATED - timedelta(days=90),
                window_end=CREATED,
                values={"storedBytes": 100 * 2**30, "incomingBytes": "9663676416", "retentionDays": "90"},
            ),
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
    until: datetime | None = None,
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
            until=until,
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


BOB: Final = DomainVoter("slack", "", slack_team="T0FINOPS1", slack_user="U0BOB00001")
ALICE: Final = DomainVoter("kubernetes", "alice")
NOT_NOW: Final = "Month-end closing runs on it until Friday."
APPROVED_ONCE: Mapping[str, Any] = decision(resize_request(), State.APPROVED, Trigger.QUORUM_REACHED, BOB)
_APPROVED: Final = resize_request(status=APPROVED_ONCE)
STATUSES: Mapping[State, Mapping[str, Any]] = {
    State.PENDING: {"state": "Pending", "votes": votes(0)},
    State.APPROVED: APPROVED_ONCE,
    State.SCHEDULED: {**APPROVED_ONCE, "state": "Scheduled", "scheduledFor": CREATED + timedelta(hours=20)},
    State.EXECUTING: {
        **APPROVED_ONCE,
        "state": "Executing",
        "execution": {"step": "modify_type", "attempt": 2, "started_at": CREATED + timedelta(minutes=6)},
    },
    State.VERIFYING: {
        **APPROVED_ONCE,
        "state": "Verifying",
        "execution": {"step": "wait_healthy", "attempt": 1, "started_at": CREATED + timedelta(minutes=6)},
    },
    State.SUCCEEDED: succeeded(_APPROVED),
    State.ROLLED_BACK: rolled_back(_APPROVED),
    State.NEEDS_HUMAN: needs_human(_APPROVED),
    State.STALE: stale(_APPROVED),
    State.DENIED: decision(resize_request(), State.DENIED, Trigger.DENIED, BOB, reason=NOT_NOW),
    State.EXPIRED: decision(resize_request(), State.EXPIRED, Trigger.EXPIRED),
    State.WITHDRAWN: decision(resize_request(status=APPROVED_ONCE), State.WITHDRAWN, Trigger.QUORUM_LOST, ALICE),
    State.SUPERSEDED: decision(resize_request(), State.SUPERSEDED, Trigger.SUPERSEDED),
    State.SNOOZED: decision(resize_request(), State.SNOOZED, Trigger.SNOOZED, BOB, reason=NOT_NOW),
}
"""A status per state, in the operator's words."""


def in_state(state: State, **changes: Any) -> tuple[ActionRequest, tuple[Approval, ...]]:
    """A request in a state, with the votes that lead there."""
    request = resize_request(status=STATUSES[state], **changes)
    if state is State.DENIED:
        return request, (vote(request, choice=Choice.DENY, reason=NOT_NOW),)
    if state is State.SNOOZED:
        return request, (vote(request, choice=Choice.SNOOZE, reason=NOT_NOW, until=CREATED + timedelta(days=30)),)
    if state in {State.PENDING, State.EXPIRED, State.SUPERSEDED}:
        return request, ()
    if state is State.WITHDRAWN:
        taken_back = vote(request, choice=Choice.WITHDRAW, username="alice", at=CREATED + timedelta(minutes=9))
        return request, (vote(request, username="alice"), taken_back)
    return request, (vote(request),)
