"""ActionRequest: one proposed act, immutable; its status is the story of the act.

The operator makes it and writes its status, people and the bot read it. The spec is what people approve: the plan with
its hash, the state of the resource it assumes, the money and the terms. The status is in request_status.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from finops.crds.approver import Approvers, RequireReason
from finops.crds.crd import AGE, Column, Crd
from finops.crds.naming import REQUEST_NAME_CHARACTERS, json_text
from finops.crds.part import Kind, Part
from finops.crds.presentation import Presentation
from finops.crds.reminders import Escalations, RemindAfter
from finops.crds.request_status import STATUS_RULES, ActionRequestStatus
from finops.crds.rule import Rule, key_rule, pattern_rule
from finops.crds.values import (
    AccountId,
    ActionId,
    CheckId,
    KindId,
    Money,
    NumberBetween,
    ObjectName,
    Region,
    Sha256,
    SlackChannel,
    Time,
    Word,
)
from finops.domain.canonical import Json
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, ResourceRef

_KEY = key_rule(
    "[A-Za-z][A-Za-z0-9_.]{0,63}", "has a key with unexpected characters", "use letters, digits, _ and . only"
)
_PARAMETER = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}], "maxLength": 256}


class ResourceReference(Part):
    """The AWS resource an act is about."""

    kind: KindId = Field(description="Its kind, such as ec2-instance.")
    # A log group's id is its name, of up to 512 characters.
    id: Annotated[str, Field(min_length=1, max_length=512)] = Field(description="Its id, such as i-0123456789abcdef0.")
    arn: str = Field(max_length=2048, description="Its ARN.")
    account_id: AccountId = Field(description="The 12 digits of the account it is in.")
    name: str = Field(default="", max_length=256, description="Its Name tag. Default: empty, it has none.")


class PlannedStep(Part):
    """One step of the plan, with the exact call it makes."""

    id: Annotated[str, Field(min_length=1, max_length=63)] = Field(description="Name of the step within the action.")
    operation: Annotated[str, Field(max_length=127)] = Field(
        default="", description="The call, such as ec2:StopInstances. Default: empty, the step waits and reads."
    )
    parameters: Annotated[
        str,
        Field(max_length=4096),
        pattern_rule("[{][ -~]*[}]", "is not JSON of an object", "write one line of ASCII JSON"),
    ] = Field(default="{}", description="The call's parameters as one line of JSON. Default: {}.")
    inverse: Annotated[str, Field(max_length=63)] = Field(
        default="", description="Id of the step that compensates this one. Default: empty, none does."
    )
    title: Annotated[str, Field(max_length=80)] = Field(
        default="", description="The step in words, such as Stop the instance. Default: empty, its id is shown."
    )

    @classmethod
    def of(cls, step: PlanStep, title: str = "") -> PlannedStep:
        """The step as it stands in an object."""
        text = json_text(dict(step.parameters))
        return cls(id=step.id, operation=step.operation, parameters=text, inverse=step.inverse, title=title)

    def to_step(self) -> PlanStep:
        """The step as the domain knows it."""
        parameters: dict[str, Json] = json.loads(self.parameters)
        return PlanStep(id=self.id, operation=self.operation, parameters=parameters, inverse=self.inverse)


class Estimate(Part):
    """What the act would change in money, decimal strings a month."""

    current_monthly_cost: Money | None = Field(
        default=None, description="What the resource costs a month now. Default: absent, not known."
    )
    new_monthly_cost: Money | None = Field(
        default=None, description="What remains to be paid a month afterwards. Default: absent, not known."
    )
    monthly_savings: Money | None = Field(
        default=None, description="The difference a month. Default: absent, not known; savingUnknown says why."
    )
    saving_unknown: Annotated[str, Field(max_length=256)] = Field(
        default="",
        description="Why no source can know the saving, as the end of a sentence. Default: empty, it is known.",
    )
    list_monthly_savings: Money | None = Field(
        default=None, description="The difference a month at list price. Default: absent, not known."
    )
    net_monthly_savings: Money | None = Field(
        default=None,
        description="What the bill falls by a month beside Reserved Instances, Savings Plans and capacity "
        "reservations. Default: absent, not known; monthlySavings is then at list price, less the policy's discount.",
    )
    net_note: Annotated[str, Field(max_length=256)] = Field(
        default="", description="What commitments change, as the end of a sentence. Default: empty, nothing."
    )
    lasts_days: int | None = Field(
        default=None,
        ge=1,
        le=365,
        description="Days after which AWS undoes the act by itself: monthlySavings is then saved once, in the month of "
        "the act. 1 to 365. Default: absent, it is saved every month.",
    )
    currency: Literal["USD"] = Field(default="USD", description="Currency of all three. Default: USD.")
    price_source: Word = Field(description="Where the prices come from.")
    price_date: Annotated[str, Field(max_length=64)] = Field(description="The day the prices were read, as 2026-01-31.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.monthlySavings) ? has(self.currentMonthlyCost) && has(self.newMonthlyCost) : "
            "has(self.savingUnknown) && self.savingUnknown != ''",
            "is missing, or what it is the difference of",
            "write all three figures, or say in savingUnknown why nobody can know the saving",
            lambda estimate: bool(estimate.saving_unknown if estimate.monthly_savings is None else estimate.is_known),
            ".monthlySavings",
        ),
        Rule(
            "!has(self.monthlySavings) || !has(self.currentMonthlyCost) || "
            "double(self.monthlySavings) <= double(self.currentMonthlyCost)",
            "is more than currentMonthlyCost",
            "nothing can save more than it costs",
            lambda estimate: not estimate.is_known or estimate.monthly_savings <= estimate.current_monthly_cost,
            ".monthlySavings",
        ),
    )

    @property
    def is_known(self) -> bool:
        """Whether all three figures are there."""
        return None not in (self.current_monthly_cost, self.new_monthly_cost, self.monthly_savings)


class Evidence(Part):
    """What the recommendation rests on."""

    check: CheckId = Field(description="Id of the check that found it.")
    reason: str = Field(default="", max_length=512, description="The finding in one sentence. Default: empty.")
    window_start: Time | None = Field(default=None, description="Start of the metrics that were read.")
    window_end: Time | None = Field(default=None, description="End of the metrics that were read.")
    coverage_percent: Annotated[Decimal, NumberBetween(0, 100)] | None = Field(
        default=None, description="Percent of the expected data points there were. Default: absent, no metrics needed."
    )
    values: Annotated[
        Mapping[str, Annotated[int | str, WithJsonSchema(_PARAMETER)]],
        Field(max_length=60),
        _KEY,
    ] = Field(
        default_factory=dict,
        description="What was measured and the thresholds, the unit in each name, decimals as text. Default: empty.",
    )


class ApprovalTerms(Part):
    """Who decides, as the policy said when the act was proposed."""

    approvers: Approvers = Field(description="Who may vote.")
    required: int = Field(ge=1, le=10, description="Different people who must approve, 1 to 10. No default.")
    require_reason: RequireReason = Field(
        default=RequireReason.DENY, description="Which votes must say why: Never, Deny or Always. Default: Deny."
    )
    step_up: bool = Field(
        default=False, description="Whether one of the approvals must be given outside Slack. Default: false."
    )
    remind_after: RemindAfter = Field(
        default=(),
        description="How long the request has waited for votes when a reminder comes into its Slack thread. "
        "Default: empty, none comes.",
    )
    escalate: Escalations = Field(
        default=(),
        description="Whom a message in the Slack thread mentions while the request still waits for votes. "
        "Default: empty, nobody.",
    )

    def decide_as(self, other: ApprovalTerms) -> bool:
        """Return whether votes count the same under both: reminders are no reason to ask people anew."""
        return self == other.model_copy(update={"remind_after": self.remind_after, "escalate": self.escalate})


class DigestEntry(Part):
    """Where a request stands among those that one scan brought together."""

    id: Annotated[
        str,
        Field(max_length=63),
        pattern_rule(
            "[a-z0-9]([a-z0-9-]*[a-z0-9])?", "is not the id of a digest", "write lower-case letters and digits"
        ),
    ] = Field(description="The same for all requests of the digest.")
    position: int = Field(ge=1, le=1000, description="Order of the cards in the thread; the best saving comes last.")
    size: int = Field(ge=1, le=1000, description="How many requests the digest brings.")


class UndoneAct(Part):
    """The act that a request undoes."""

    name: ObjectName = Field(description="Name of its request, in the same namespace.")
    uid: Annotated[str, Field(min_length=1, max_length=64)] = Field(description="metadata.uid of its request.")
    required: int = Field(ge=1, le=10, description="Approvals that the act needed: its undo needs no fewer.")
    outside_windows: bool = Field(
        default=False,
        description="Whether it starts as soon as it is approved, also outside the policy's windows. Default: false.",
    )


class ActionRequestSpec(Part):
    """One proposed act."""

    policy: ObjectName = Field(description="Name of the ScanPolicy, in the same namespace.")
    account: ObjectName = Field(description="Name of the AwsAccount.")
    region: Region = Field(description="Region of the resource.")
    resource: ResourceReference = Field(description="The resource to act on.")
    action: ActionId = Field(description="Id of the action.")
    parameters: Annotated[
        Mapping[str, Annotated[int | str, WithJsonSchema(_PARAMETER)]], Field(max_length=20), _KEY
    ] = Field(default_factory=dict, description="The action's parameters, such as instanceType.")
    plan: Annotated[tuple[PlannedStep, ...], Field(min_length=1, max_length=16)] = Field(
        description="The steps of the act, each with the exact call it makes."
    )
    plan_hash: Sha256 = Field(description="SHA-256 of the canonical plan: what people approve.")
    fingerprint: Annotated[
        Mapping[str, Annotated[str, Field(max_length=8192)]], Field(min_length=1, max_length=16), _KEY
    ] = Field(description="The state of the resource that the plan assumes, each value as one line of JSON.")
    estimate: Estimate = Field(description="What the act would change in money.")
    evidence: Evidence = Field(description="What the recommendation rests on.")
    presentation: Presentation | None = Field(
        default=None,
        description="The act in words, as cards and lists show it; the plan alone is executed. "
        "Default: absent, the ids are shown.",
    )
    effort: Effort = Field(description="Work for people: VeryLow, Low, Medium, High or VeryHigh.")
    restart_needed: bool = Field(description="Whether the resource is down for a while.")
    rollback_possible: bool = Field(description="Whether the act can be undone.")
    destructive: bool = Field(description="Whether the act destroys something.")
    dry_run: bool = Field(default=False, description="Whether the changing calls are left out. Default: false.")
    approval: ApprovalTerms = Field(description="Who decides, as the policy said when the act was proposed.")
    slack_channel: SlackChannel | None = Field(
        default=None, description="Channel of the card. Default: absent, no card is posted."
    )
    slack_digest: DigestEntry | None = Field(
        default=None,
        description="With which other new requests it is announced: one message lists them and their cards are in its "
        "thread. Default: absent, its card is a message of its own.",
    )
    expires_at: Time = Field(description="When the request stops waiting for votes.")
    undoes: UndoneAct | None = Field(
        default=None,
        description="The act that this request undoes, because a person asked for it. Default: absent, it undoes none.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule("self == oldSelf", "cannot be changed", "a request is what people vote on: wait for a new one"),
        Rule(
            "!self.destructive || self.approval.required >= 2",
            "is 1 for an act that destroys something",
            "such an act needs at least 2 people",
            lambda spec: not spec.destructive or spec.approval.required >= 2,
            ".approval.required",
        ),
        Rule(
            "!has(self.undoes) || self.approval.required >= self.undoes.required",
            "is lower than undoes.required",
            "to undo an act takes as many people as the act",
            lambda spec: spec.undoes is None or spec.approval.required >= spec.undoes.required,
            ".approval.required",
        ),
    )

    @property
    def titles(self) -> Mapping[str, str]:
        """The steps in words, by their ids: of the plan and of the rollback; without those that have none."""
        back = self.presentation.rollback if self.presentation is not None else ()
        titles = {one.id: one.title for one in back} | {one.id: one.title for one in self.plan}
        return {step: title for step, title in titles.items() if title}

    def to_plan(self) -> Plan:
        """The plan as the domain knows it; its hash must be plan_hash.

        Raises:
            ValueError: a step's parameters or a value of the fingerprint are not JSON.
        """
        return Plan(
            action=self.action,
            resource=ResourceRef(
                kind=self.resource.kind,
                id=self.resource.id,
                arn=self.resource.arn,
                account=self.resource.account_id,
                region=self.region,
                name=self.resource.name,
            ),
            parameters=self.parameters,
            steps=tuple(step.to_step() for step in self.plan),
            fingerprint={key: json.loads(value) for key, value in self.fingerprint.items()},
        )

    @property
    def plan_is_intact(self) -> bool:
        """Whether plan_hash is the hash of what the rest of the spec says."""
        return self.to_plan().hash == self.plan_hash


def fingerprint_texts(fingerprint: Mapping[str, Json]) -> dict[str, str]:
    """A fingerprint as it stands in an object; `to_plan` reads it back."""
    return {key: json_text(value) for key, value in fingerprint.items()}


class ActionRequest(Kind):
    """A proposed act and its story."""

    spec: ActionRequestSpec = Field(description="One proposed act, immutable.")
    status: ActionRequestStatus = Field(default_factory=ActionRequestStatus, description="The story of the act.")

    crd: ClassVar[Crd] = Crd(
        kind="ActionRequest",
        plural="actionrequests",
        short="ar",
        scope="Namespaced",
        description="One proposed act in AWS, put up for decision; its status is the story of the act.",
        columns=(
            Column("State", ".status.state", "Where the act stands."),
            Column("Action", ".spec.action", "What would be done."),
            Column("Resource", ".spec.resource.id", "To which resource."),
            Column("Savings", ".spec.estimate.monthlySavings", "What it would save a month, in US dollars."),
            Column("Votes", ".status.votes.summary", "Approving votes of those required."),
            Column("Expires", ".spec.expiresAt", "When it stops waiting for votes."),
            AGE,
            Column("Policy", ".spec.policy", "The ScanPolicy it comes from.", wide=True),
            Column("Account", ".spec.account", "The AwsAccount it acts in.", wide=True),
            Column("Region", ".spec.region", "The region it acts in.", wide=True),
            Column("Resource Name", ".spec.resource.name", "The resource's Name tag.", wide=True),
            Column("Step", ".status.execution.step", "The step that runs or ran last.", wide=True),
        ),
        selectable=(".spec.policy", ".spec.account", ".spec.action", ".status.state"),
        rules=(
            Rule(
                f"self.metadata.name.size() <= {REQUEST_NAME_CHARACTERS}",
                "has a name that is too long",
                f"keep it to {REQUEST_NAME_CHARACTERS} characters: it becomes the name of the STS session",
                lambda request: len(request.metadata.name) <= REQUEST_NAME_CHARACTERS,
            ),
            *STATUS_RULES,
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = crd.rules
