"""The part of a ScanPolicy that bounds acts: which, how many, when, and who decides.

Read by the stages that propose, decide and act.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from finops.crds.approver import Approvers, RequireReason
from finops.crds.durations import Duration, duration_rule
from finops.crds.part import Part
from finops.crds.reminders import Escalations, RemindAfter
from finops.crds.rule import Distinct, Rule
from finops.crds.values import ActionId, Cron, NumberBetween, Tags, TimeZone


class Mode(StrEnum):
    """How far the operator goes."""

    RECOMMEND = "Recommend"
    DRY_RUN = "DryRun"
    APPROVE = "Approve"


class Limits(Part):
    """How much may happen under one policy."""

    per_hour: int = Field(default=5, ge=1, le=1000, description="Acts started in any 60 minutes. Default: 5.")
    per_day: int = Field(default=20, ge=1, le=10_000, description="Acts started in any 24 hours. Default: 20.")
    percent_of_fleet: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Percent of the resources of one kind acted on in any 24 hours; one act is always allowed. "
        "Default: 10.",
    )


class Window(Part):
    """A time in which acts may start."""

    schedule: Cron = Field(description="When the window opens, five cron fields in timeZone. No default.")
    duration: Annotated[Duration, duration_rule("168h")] = Field(
        description="How long it stays open, hours and minutes up to 168h. No default."
    )
    time_zone: TimeZone = Field(default="UTC", description="IANA time zone of the schedule. Default: UTC.")


class Watch(Part):
    """What is read after an act that has succeeded."""

    hours: int = Field(
        default=24,
        ge=0,
        le=168,
        description="Hours after an act in which a worse state is said in its request, and how to undo it. 0: not "
        "watched. Default: 24.",
    )
    alarm: Annotated[str, Field(max_length=255)] = Field(
        default="",
        description="Name of a CloudWatch alarm in the account and region of the act that counts too. Default: empty, "
        "none.",
    )
    propose_undo: bool = Field(
        default=True,
        description="Whether a worse state also puts the undo of the act to the vote. Nothing is undone without as "
        "many approvals as the act needed. Default: true.",
    )


class Actions(Part):
    """What may be done, how much and when."""

    mode: Mode = Field(
        default=Mode.RECOMMEND,
        description="Recommend: show only. DryRun: ask and do everything but the changing calls. "
        "Approve: ask and act. Default: Recommend.",
    )
    allowed: Annotated[tuple[ActionId, ...], Field(max_length=200), Distinct()] = Field(
        default=(), description="Ids of the actions that may be proposed. Default: empty, none."
    )
    minimum_monthly_savings: Annotated[Decimal, NumberBetween(0, 1_000_000)] = Field(
        default=Decimal(5),
        description="US dollars a month below which no request is made. Default: 5.",
    )
    propose_unknown_savings: bool = Field(
        default=False,
        description="Whether an act is proposed whose saving no source can know, such as the removal of unfinished "
        "uploads. Its card says why; a saving that is unknown because a price is missing never is proposed. "
        "Default: false.",
    )
    maximum_open_requests: int = Field(
        default=50, ge=1, le=1000, description="Requests waiting or running at a time. Default: 50."
    )
    limits: Limits = Field(default_factory=Limits, description="How much may happen under this policy.")
    windows: Annotated[tuple[Window, ...], Field(max_length=20)] = Field(
        default=(), description="When acts may start. Default: empty, at any time."
    )
    protect_tags: Tags = Field(
        default_factory=lambda: {"finops.dev/protected": ("true",)},
        description="Resources that carry one of the values for any key here are never acted on. "
        'Default: {"finops.dev/protected": ["true"]}.',
    )
    canary: bool = Field(
        default=False,
        description="Whether of several acts of one action the first goes alone, and the others wait until it is "
        "verified. Default: false.",
    )
    watch: Watch = Field(default_factory=Watch, description="What is read after an act that has succeeded.")


class DestructiveApproval(Part):
    """What acts need that cannot be undone."""

    required: int = Field(
        default=2,
        ge=2,
        le=10,
        description="Different people who must approve an act that destroys something, 2 to 10. Default: 2.",
    )
    step_up: bool = Field(
        default=False,
        description="Whether one of these approvals must be given outside Slack: by kubectl, the command or in the "
        "dashboard. Default: false.",
    )


class Approval(Part):
    """Who decides and how."""

    approvers: Approvers = Field(default=(), description="Who may vote. Default: empty, nobody.")
    required: int = Field(
        default=1, ge=1, le=10, description="Different people who must approve an act, 1 to 10. Default: 1."
    )
    destructive: DestructiveApproval = Field(
        default_factory=DestructiveApproval, description="What acts need that cannot be undone."
    )
    expires_after: Annotated[Duration, duration_rule("720h")] = Field(
        default=Duration("72h"),
        description="How long a request waits for votes, hours and minutes up to 720h. Default: 72h.",
    )
    remind_after: RemindAfter = Field(
        default=(),
        description="How long a request has waited for votes when a reminder comes into its Slack thread, hours and "
        "minutes, less than expiresAfter. Default: empty, none comes.",
    )
    escalate: Escalations = Field(
        default=(),
        description="Whom a message in the Slack thread mentions while a request still waits for votes. "
        "Default: empty, nobody.",
    )
    require_reason: RequireReason = Field(
        default=RequireReason.DENY, description="Which votes must say why: Never, Deny or Always. Default: Deny."
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.destructive.required >= self.required",
            "is lower than approval.required",
            "raise it to approval.required at least: what cannot be undone never needs fewer people",
            lambda approval: approval.destructive.required >= approval.required,
            ".destructive.required",
        ),
        Rule(
            "self.approvers.size() == 0 || self.required <= self.approvers.size() || "
            "self.approvers.exists(one, has(one.slackUserGroup) || has(one.kubernetesGroup))",
            "is more than the people that approvers names",
            "name more people or a group, or lower it",
            lambda approval: (
                not approval.approvers
                or approval.required <= len(approval.approvers)
                or any(approver.is_group for approver in approval.approvers)
            ),
            ".required",
        ),
        Rule(
            "!self.destructive.stepUp || self.approvers.size() == 0 || "
            "self.approvers.exists(one, has(one.kubernetesUser) || has(one.kubernetesGroup))",
            "asks for an approval outside Slack that nobody in approvers can give",
            "name a kubernetesUser or a kubernetesGroup among approval.approvers",
            lambda approval: (
                not approval.destructive.step_up
                or not approval.approvers
                or any(one.kubernetes_user or one.kubernetes_group for one in approval.approvers)
            ),
            ".destructive.stepUp",
        ),
        Rule(
            "self.remindAfter.all(one, duration(one) < duration(self.expiresAfter))",
            "has a reminder that comes when the request has expired",
            "name waits shorter than approval.expiresAfter",
            lambda approval: all(one.delta < approval.expires_after.delta for one in approval.remind_after),
            ".remindAfter",
        ),
        Rule(
            "self.escalate.all(one, duration(one.after) < duration(self.expiresAfter))",
            "mentions somebody when the request has expired",
            "name waits shorter than approval.expiresAfter",
            lambda approval: all(one.after.delta < approval.expires_after.delta for one in approval.escalate),
            ".escalate",
        ),
    )
