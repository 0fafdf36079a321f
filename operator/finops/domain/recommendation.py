"""Findings of checks and the recommendations made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from finops.domain.canonical import Json, sha256_hex
from finops.domain.price import PriceQuery


class ActionType(StrEnum):
    """AWS Cost Optimization Hub's words for what a recommendation does.

    REVIEW is ours: a policy's own check found something and recommends no action.
    """

    RIGHTSIZE = "Rightsize"
    STOP = "Stop"
    UPGRADE = "Upgrade"
    DELETE = "Delete"
    REVIEW = "Review"


class Status(StrEnum):
    """Whether a person can have a recommendation carried out; the same word in status, reports and listings.

    ACTIONABLE: a request exists or would be made. ADVICE: there is no action, or an owner would revert it. BLOCKED:
    there is an action, and something forbids it; `blocked_by` says what.
    """

    ACTIONABLE = "Actionable"
    ADVICE = "Advice"
    BLOCKED = "Blocked"


class BlockCode(StrEnum):
    """Why a recommendation cannot become a request."""

    PROTECTED_TAG = "ProtectedTag"
    NOT_GRANTED = "NotGranted"
    MODE_RECOMMEND = "ModeRecommend"
    NOT_ALLOWED = "NotAllowed"
    NO_EXECUTOR_ROLE = "NoExecutorRole"
    NO_PRICE = "NoPrice"
    UNKNOWN_SAVING = "UnknownSaving"
    BELOW_MINIMUM = "BelowMinimum"
    REFUSED_BY_PREFLIGHT = "RefusedByPreflight"


class Effort(StrEnum):
    """AWS Cost Optimization Hub's implementation effort levels."""

    VERY_LOW = "VeryLow"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    VERY_HIGH = "VeryHigh"


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """One line of the evidence for people: `CPU, highest 5 minutes` → `94 %`; untrusted text never stands in it."""

    label: str
    value: str


class PerformanceRisk(StrEnum):
    """How likely the resource is too small afterwards, in AWS Compute Optimizer's five steps."""

    VERY_LOW = "VeryLow"
    LOW = "Low"
    MEDIUM = "Medium"
    HIGH = "High"
    VERY_HIGH = "VeryHigh"


@dataclass(frozen=True, slots=True)
class Finding:
    """A check's verdict on one resource: what is wrong, what to do, and the numbers that say so.

    Attributes:
        check: check id.
        action: action id, or empty when the finding is advice only.
        parameters: parameters of the action (JSON, no floats), by their names.
        new_monthly_cost: what the resource would still cost after the action, unrounded, residual cost included;
            None when a price is missing.
        own_new_cost: of a group that AWS bills itself what of `new_monthly_cost` is its own; None: not known.
        saving_knowable: of a check that says why no source can know its saving: of this resource one could, so that
            only a price or a figure may be missing.
        saving_needs: the price that it is not known for; where a source could not be asked for it in this scan, a next
            one may know it. None: there is none, or it is not the price that lacks.
        unpriced: why `new_monthly_cost` is not known, where it is not for a price of the resource itself.
        evidence: the numbers, as decimal strings or integers, with thresholds and coverage.
        summary: one sentence for people; no resource names in it (those are hostile text).
        alternatives: other targets that were considered, best first (JSON).
        advice: set when the act would be reverted by an owner: who owns it and what to change instead.
        target: what the resource should become, in AWS's word; empty where there is no such thing. The check is given
            it back at the next scan, so that its advice does not flap.
        facts: the evidence in words and units, the most important first.
        expectation: what to expect after the act, in sentences; empty when nothing is projected.
        performance_risk: None when the act does not make the resource smaller.
    """

    check: str
    action: str
    parameters: Mapping[str, Json]
    new_monthly_cost: Decimal | None
    evidence: Mapping[str, Json]
    summary: str
    alternatives: tuple[Mapping[str, Json], ...] = ()
    advice: str = ""
    target: str = ""
    facts: tuple[EvidenceFact, ...] = ()
    expectation: str = ""
    performance_risk: PerformanceRisk | None = None
    unpriced: str = ""
    own_new_cost: Decimal | None = None
    saving_knowable: bool = False
    saving_needs: PriceQuery | None = None


@dataclass(frozen=True, slots=True)
class NotRecommended:
    """Why a check says nothing about a resource."""

    check: str
    resource_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """Just enough to name a resource anywhere."""

    kind: str
    id: str
    arn: str
    account: str
    region: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that keeps a recommendation from becoming a request.

    Attributes:
        code: a BlockCode; `RefusedByPreflight:RULE` names the rule of the action that refused.
        message: one sentence that says what is in the way and, where a person can change it, how.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A finding with money. Invariant: 0 ≤ net ≤ list ≤ current_monthly_cost where they are known.

    Attributes:
        id: stable across scans for the same (policy, check, resource, action, parameters).
        counted: False for the alternatives of a group whose best member is counted.
        group: resource ARN; one recommendation per group counts towards totals.
        status, blocked_by: whether it can be carried out; decided by `finops_operator.rules.readiness` alone.
        note: what became of an actionable one when requests were made: the request that is open, or what it waits for.
        tags: the resource's tags, untrusted text; listings filter by them.
        monthly_savings: what decides order, totals and minimums: the net saving, or where that is not known the one at
            list price; both less the policy's discount.
        list_monthly_savings: what is saved at list price, without any discount.
        net_monthly_savings: what the bill falls by beside Reserved Instances, Savings Plans and capacity reservations;
            None: not known, `net_note` says why.
        net_note: what commitments change, as the end of a sentence; empty: nothing to say.
        lasts_days: days after which AWS undoes the act by itself, so that `monthly_savings` is saved in the month of
            the act and not again; 0: it is saved every month.
        saving_unknown: why no source can know the saving, as the check says, as the end of a sentence; empty where it
            is known, or where only a price or a figure is missing.
    """

    id: str
    policy: str
    check: str
    action: str
    action_type: ActionType
    destructive: bool
    resource: ResourceRef
    parameters: Mapping[str, Json]
    current_monthly_cost: Decimal | None
    new_monthly_cost: Decimal | None
    monthly_savings: Decimal | None
    price_source: str
    price_as_of: str
    effort: Effort
    restart_needed: bool
    rollback_possible: bool
    evidence: Mapping[str, Json]
    summary: str
    group: str
    counted: bool = True
    alternatives: tuple[Mapping[str, Json], ...] = ()
    advice: str = ""
    currency: str = "USD"
    attributes: Mapping[str, Json] = field(default_factory=dict)
    target: str = ""
    facts: tuple[EvidenceFact, ...] = ()
    expectation: str = ""
    performance_risk: PerformanceRisk | None = None
    status: Status = Status.ACTIONABLE
    blocked_by: tuple[Block, ...] = ()
    note: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    lasts_days: int = 0
    list_monthly_savings: Decimal | None = None
    net_monthly_savings: Decimal | None = None
    net_note: str = ""
    saving_unknown: str = ""


def recommendation_id(policy: str, check: str, arn: str, action: str, parameters: Mapping[str, Json]) -> str:
    """Return 16 hexadecimal characters that stay the same while the advice stays the same."""
    return sha256_hex([policy, check, arn, action, dict(parameters)])[:16]
