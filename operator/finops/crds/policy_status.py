"""The status of a ScanPolicy: what the last scan saw, what it costs, what could be saved.

Written by the operator after each scan; money is a decimal string in US dollars.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from finops.crds.conditions import Conditions
from finops.crds.part import Part
from finops.crds.values import Count, Money, Time, Word

Generation = Annotated[int, Field(ge=0, le=2**53)]
GAP_ROWS = 20


class GapDetail(Part):
    """One thing a scan could not see."""

    account: Word = Field(description="Name of the AwsAccount.")
    region: Word = Field(default="", description="Code of the region. Default: empty, the whole account.")
    service: Word = Field(default="", description="The AWS service, such as ec2. Default: empty, all.")
    operation: Word = Field(default="", description="The call that failed, such as DescribeInstances.")
    code: Word = Field(description="The error code, such as AccessDenied.")
    message: str = Field(default="", max_length=1024, description="The error and what to do about it.")


class LastScan(Part):
    """What the last scan did."""

    start_time: Time = Field(description="When it started.")
    completion_time: Time | None = Field(default=None, description="When it ended. Default: absent while it runs.")
    resources: Count = Field(default=0, description="Resources seen. Default: 0.")
    unpriced_resources: Count = Field(
        default=0, description="Resources of which at least one part has no known price. Default: 0."
    )
    unknown_resources: Count = Field(default=0, description="Resources with too little data to be judged. Default: 0.")
    gaps: Count = Field(default=0, description="Things it could not see. Default: 0.")
    gap_details: Annotated[tuple[GapDetail, ...], Field(max_length=GAP_ROWS)] = Field(
        default=(), description="The first 20 gaps. Default: empty."
    )
    api_calls: Count = Field(default=0, description="Calls made to AWS. Default: 0.")
    estimated_api_cost: Money | None = Field(default=None, description="What those calls cost, in US dollars.")


class SavingsByStatus(Part):
    """What recommendations would save, by what can be done about them; the three are never added."""

    actionable: Money = Field(description="With a request that is open or would be made, in US dollars a month.")
    advice: Money = Field(description="For people to carry out elsewhere, in US dollars a month.")
    blocked: Money = Field(description="Kept from becoming requests; blockedBy says by what. In US dollars a month.")


class ScanPolicyStatus(Part):
    """What the operator found."""

    observed_generation: Generation | None = Field(
        default=None, description="The generation of the spec this status is about."
    )
    conditions: Conditions = Field(
        default=(),
        description="Ready, Reconciling, Stalled, CredentialsValid, MetricsAvailable, PricingCurrent, StoreReachable, "
        "ActsProposed.",
    )
    last_scan: LastScan | None = Field(default=None, description="The last scan. Default: absent before the first.")
    next_scan_time: Time | None = Field(default=None, description="When the next scan starts.")
    monthly_cost: Money | None = Field(default=None, description="What the resources cost a month, in US dollars.")
    potential_monthly_savings: Money | None = Field(
        default=None,
        description="What the recommendations that can be approved would save a month, in US dollars; the same as "
        "savings.actionable.",
    )
    savings: SavingsByStatus | None = Field(
        default=None, description="What the recommendations would save, by what can be done about them."
    )
    realized_monthly_savings: Money | None = Field(
        default=None,
        description="What the acts carried out save a month, in US dollars, net of what others of them cost more; 0.00 "
        "where they cost more than they save.",
    )
    realized_monthly_rises: Money | None = Field(
        default=None,
        description="What the acts carried out that raise the cost, such as starts, cost more a month, in US dollars; "
        "already taken from realizedMonthlySavings.",
    )
    recommendations: Count | None = Field(default=None, description="Open recommendations.")
    open_requests: Count | None = Field(default=None, description="ActionRequests that wait or run.")
    last_handled_requested_at: Word | None = Field(
        default=None, description="The value of the annotation finops.dev/requestedAt that was last acted on."
    )
