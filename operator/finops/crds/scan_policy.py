"""ScanPolicy: what to scan, when, which checks, who approves, where to post.

People write it; the operator schedules by it and writes its status; `finops scan -f` parses it from a file. How the
acts are bounded and approved is in policy_actions.py, what the last scan found in policy_status.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from finops.crds.crd import AGE, MESSAGE, READY, REASON, Column, Crd
from finops.crds.custom_check import MOST_CUSTOM_CHECKS, CustomCheck
from finops.crds.part import Kind, Part
from finops.crds.policy_actions import Actions, Approval, Mode
from finops.crds.policy_status import ScanPolicyStatus
from finops.crds.rule import Distinct, Rule, key_rule, unique_rule
from finops.crds.values import (
    CheckId,
    Cron,
    InstanceFamily,
    KindId,
    NumberBetween,
    ObjectName,
    Region,
    SlackChannel,
    Tags,
    TimeZone,
)
from finops.domain.lookback import FINE_DAYS, HOURS_DAYS

Families = Annotated[tuple[InstanceFamily, ...], Field(max_length=100), Distinct()]


class SizingPreset(StrEnum):
    """How much room a smaller instance must leave."""

    MAX_SAVINGS = "MaxSavings"
    BALANCED = "Balanced"
    DEFAULT = "Default"
    MAX_PERFORMANCE = "MaxPerformance"


class AccountReference(Part):
    """An AwsAccount, by name."""

    name: ObjectName = Field(description="Name of the AwsAccount, which must allow this policy's namespace.")


class Selector(Part):
    """Which resources count, by their AWS tags."""

    include_tags: Tags = Field(
        default_factory=dict,
        description="Only resources that carry one of the values for every key here. Default: empty, all resources.",
    )
    exclude_tags: Tags = Field(
        default_factory=lambda: {"finops.dev/ignore": ("true",)},
        description="No resource that carries one of the values for any key here. "
        'Default: {"finops.dev/ignore": ["true"]}.',
    )


class Metrics(Part):
    """How much measurement a verdict needs."""

    lookback_days: int = Field(
        default=14,
        ge=1,
        le=HOURS_DAYS,
        description=f"Days of CloudWatch metrics to read, 1 to {HOURS_DAYS}. With more than {FINE_DAYS}, only days and "
        "hours are read, and what they cannot decide is not judged. Default: 14.",
    )
    minimum_hours: int = Field(
        default=30,
        ge=1,
        le=HOURS_DAYS * 24,
        description="Hours of data below which nothing is judged. Default: 30.",
    )
    minimum_coverage_percent: int = Field(
        default=95,
        ge=1,
        le=100,
        description="Percent of the expected data points below which nothing is judged. Default: 95.",
    )
    lambda_report_lines: bool = Field(
        default=False,
        description="Whether the memory of Lambda functions without Lambda Insights is read from the REPORT lines of "
        "their logs, once a day, where a check needs it. AWS bills each GB that CloudWatch Logs Insights reads. Needs "
        "`logs:StartQuery`, `logs:GetQueryResults`, `logs:StopQuery` and `logs:DescribeLogGroups` in each role. "
        "Default: false.",
    )
    logs_max_gb: int = Field(
        default=10,
        ge=1,
        le=100_000,
        description="GB of logs that a scan may have CloudWatch Logs Insights read for `lambdaReportLines`, in all its "
        "accounts and regions; in Job mode each pod may read an equal share of it. What would read more is left out, "
        "and its memory stays unknown. Default: 10.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.minimumHours <= self.lookbackDays * 24",
            "asks for more hours of data than lookbackDays can hold",
            "lower minimumHours or raise lookbackDays (24 hours each)",
            lambda metrics: metrics.minimum_hours <= metrics.lookback_days * 24,
            ".minimumHours",
        ),
    )


class SizingAllow(Part):
    """Which changes of platform may be carried out; what is not allowed is advice."""

    vendor_change: bool = Field(
        default=False,
        description="Whether a type with a processor of another vendor may be carried out. Default: false.",
    )
    hypervisor_change: bool = Field(
        default=False,
        description="Whether a change from Xen to Nitro may be carried out; NVMe and ENA drivers must be in place. "
        "Default: false.",
    )
    burstable: bool = Field(
        default=False,
        description="Whether an instance with full performance may become a burstable one whose credits carry its "
        "load. Default: false.",
    )


class Sizing(Part):
    """How instances are right-sized."""

    preset: SizingPreset = Field(
        default=SizingPreset.DEFAULT,
        description="CPU percentile and headroom: MaxSavings, Balanced, Default or MaxPerformance. Default: Default.",
    )
    allow_families: Families = Field(
        default=(), description="Only these instance families are proposed. Default: empty, every family."
    )
    deny_families: Families = Field(
        default=(), description="These instance families are never proposed. Default: empty, none."
    )

    minimum_vcpus: int = Field(
        default=2,
        ge=1,
        le=448,
        description="vCPUs below which no type is proposed, 1 to 448; an instance that has fewer keeps its own. "
        "Default: 2.",
    )
    allow: SizingAllow = Field(
        default_factory=SizingAllow,
        description="Which changes of platform may be carried out; the others are advice. "
        "Default: the same vendor and hypervisor, and no burstable type for a full one.",
    )

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!self.allowFamilies.exists(family, family in self.denyFamilies)",
            "denies a family that allowFamilies allows",
            "keep each family in one of the two lists",
            lambda sizing: not set(sizing.allow_families) & set(sizing.deny_families),
            ".denyFamilies",
        ),
    )


class CheckSetting(Part):
    """What differs from a check's defaults."""

    id: CheckId = Field(description="Id of the check.")
    enabled: bool = Field(default=True, description="Whether the check runs. Default: true.")
    parameters: Annotated[
        Mapping[str, Annotated[Decimal, NumberBetween(0, 1_000_000_000)]],
        Field(max_length=20),
        key_rule(
            "[a-z][A-Za-z0-9]{0,62}",
            "has a parameter name that no check can have",
            "write names as the check's page does, such as maximumCpuPercent",
        ),
    ] = Field(
        default_factory=dict,
        description="Thresholds by the names the check declares, each in its own unit. "
        "The operator refuses unknown names and values out of the check's range. Default: empty.",
    )


class Pricing(Part):
    """How prices turn into money per month."""

    hours_per_month: int = Field(
        default=730, ge=672, le=744, description="Hours in a month, 672 to 744. Default: 730, AWS's own figure."
    )
    discount_percent: Annotated[Decimal, NumberBetween(0, 100)] = Field(
        default=Decimal(0),
        description="Percent taken off list prices for the net figures (private pricing, plans). Default: 0.",
    )
    price_list: bool = Field(
        default=False,
        description="Whether AWS's price list is asked for figures of today, before the tables of the release. Needs "
        "`pricing:GetProducts` in the role of one account. Default: false.",
    )
    commitment_coverage: bool = Field(
        default=False,
        description="Whether AWS Cost Explorer is asked once a day and account how much of its use Reserved Instances "
        "and Savings Plans paid for. AWS bills 0.01 US dollars a request, two a day and account. Needs "
        "`ce:GetReservationCoverage` and `ce:GetSavingsPlansCoverage` in each role. Default: false.",
    )


class ExecutionMode(StrEnum):
    """Where a scan does its work."""

    IN_PROCESS = "InProcess"
    JOB = "Job"


class Execution(Part):
    """Where scans of the policy run."""

    mode: ExecutionMode = Field(
        default=ExecutionMode.IN_PROCESS,
        description="InProcess: in the operator. Job: a pod for each account and region, of one Indexed Job; needs "
        "scanJobs.enabled of the chart. Default: InProcess.",
    )
    parallelism: int = Field(
        default=4, ge=1, le=100, description="With mode Job, how many pods run at once, 1 to 100. Default: 4."
    )


class SlackNotification(Part):
    """Where cards go."""

    channel: SlackChannel = Field(description="Id of the channel; the bot must be a member. No default.")
    minimum_monthly_savings: Annotated[Decimal, NumberBetween(0, 1_000_000)] = Field(
        default=Decimal(5),
        description="US dollars a month below which a request is not posted. Default: 5.",
    )
    cards_per_day: int = Field(
        default=5,
        ge=0,
        le=1000,
        description="New requests of a day that get a message of their own in the channel; when a scan brings more, "
        "one message lists them and their cards are in its thread. Default: 5.",
    )


class Notify(Part):
    """Who is notified."""

    slack: SlackNotification | None = Field(default=None, description="Slack. Default: absent, nothing is posted.")


class ScanPolicySpec(Part):
    """What people ask for."""

    suspend: bool = Field(default=False, description="Whether scans and new requests rest. Default: false.")
    schedule: Cron = Field(
        default="0 * * * *", description='When to scan, five cron fields in timeZone. Default: "0 * * * *", hourly.'
    )
    time_zone: TimeZone = Field(default="UTC", description="IANA time zone of the schedule. Default: UTC.")
    accounts: Annotated[
        tuple[AccountReference, ...], Field(min_length=1, max_length=100), unique_rule("name", "name")
    ] = Field(
        default=(AccountReference(name="default"),),
        description='The accounts to scan, 1 to 100. Default: the AwsAccount named "default".',
    )
    regions: Annotated[tuple[Region, ...], Field(max_length=50), Distinct()] = Field(
        default=(), description="The regions to scan. Default: empty, every region an account allows."
    )
    resources: Annotated[tuple[KindId, ...], Field(max_length=200), Distinct()] = Field(
        default=(), description="The kinds of resources to scan. Default: empty, every kind."
    )
    selector: Selector = Field(default_factory=Selector, description="Which resources count, by AWS tags.")
    metrics: Metrics = Field(default_factory=Metrics, description="How much measurement a verdict needs.")
    sizing: Sizing = Field(default_factory=Sizing, description="How instances are right-sized.")
    checks: Annotated[tuple[CheckSetting, ...], Field(max_length=200), unique_rule("id", "id")] = Field(
        default=(),
        description="What differs from the checks' defaults, one entry per check. "
        "Default: empty, every check runs with its defaults.",
    )
    custom_checks: Annotated[tuple[CustomCheck, ...], Field(max_length=MOST_CUSTOM_CHECKS), unique_rule("id", "id")] = (
        Field(default=(), description="Checks of the policy's own, written in CEL, up to 50. Default: empty, none.")
    )
    pricing: Pricing = Field(default_factory=Pricing, description="How prices turn into money per month.")
    execution: Execution = Field(default_factory=Execution, description="Where scans run.")
    notify: Notify = Field(default_factory=Notify, description="Who is notified.")
    actions: Actions = Field(default_factory=Actions, description="What may be done, how much and when.")
    approval: Approval = Field(default_factory=Approval, description="Who decides and how.")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.actions.mode != 'Approve' || self.approval.approvers.size() > 0",
            "is empty while actions.mode is Approve",
            "name at least one approver, or set actions.mode to Recommend",
            lambda spec: spec.actions.mode is not Mode.APPROVE or len(spec.approval.approvers) > 0,
            ".approval.approvers",
        ),
        Rule(
            "self.actions.mode != 'Approve' || self.actions.allowed.size() > 0",
            "is empty while actions.mode is Approve",
            "name at least one action, or set actions.mode to Recommend",
            lambda spec: spec.actions.mode is not Mode.APPROVE or len(spec.actions.allowed) > 0,
            ".actions.allowed",
        ),
        Rule(
            "self.customChecks.all(one, !has(one.action) || one.action in self.actions.allowed)",
            "recommends an action that actions.allowed does not list",
            "add the action to actions.allowed, or remove it from the check",
            lambda spec: {one.action for one in spec.custom_checks if one.action} <= set(spec.actions.allowed),
            ".customChecks",
        ),
    )


class ScanPolicy(Kind):
    """A policy: what to scan and what to do about it."""

    spec: ScanPolicySpec = Field(default_factory=ScanPolicySpec, description="What people ask for.")
    status: ScanPolicyStatus = Field(default_factory=ScanPolicyStatus, description="What the operator found.")

    crd: ClassVar[Crd] = Crd(
        kind="ScanPolicy",
        plural="scanpolicies",
        short="sp",
        scope="Namespaced",
        description="What to scan in AWS, when, which checks to run, who approves, where to post.",
        columns=(
            READY,
            REASON,
            Column("Suspended", ".spec.suspend", "Whether the policy rests.", "boolean"),
            Column("Schedule", ".spec.schedule", "When it scans."),
            Column("Last Scan", ".status.lastScan.completionTime", "Time since the last scan ended.", "date"),
            Column("Resources", ".status.lastScan.resources", "Resources the last scan saw.", "integer"),
            Column("Monthly Cost", ".status.monthlyCost", "What they cost a month, in US dollars."),
            Column("Savings", ".status.potentialMonthlySavings", "What could be saved a month, in US dollars."),
            AGE,
            Column("Accounts", ".spec.accounts", "The AwsAccounts it scans.", wide=True),
            Column("Regions", ".spec.regions", "The regions it scans; empty is all.", wide=True),
            Column("Next Scan", ".status.nextScanTime", "When it scans next.", wide=True),
            MESSAGE,
        ),
        selectable=(".spec.suspend", ".spec.actions.mode"),
    )
