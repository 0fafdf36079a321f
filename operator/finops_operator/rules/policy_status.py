"""The status of a ScanPolicy before, during and after a scan, as pure functions.

Conditions follow kstatus, so that `kubectl wait`, Flux and Argo CD read them: `Ready`, `Reconciling`, `Stalled`; and
`CredentialsValid`, `MetricsAvailable`, `PricingCurrent`, `StoreReachable` show which part fails. `ActsProposed` says
how many recommendations nobody is asked about, and why; `ScanPodsPossible` whether pods may be made for its scans. A
policy with gaps is Ready with reason CompletedWithGaps and the count in its message; it is not Ready when nothing could
be scanned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from finops.crds.conditions import (
    ACTS_PAUSED,
    PAUSE_REASONS,
    SCAN_PODS_FIX,
    SCAN_PODS_POSSIBLE,
    SCAN_PODS_UNBOUNDED,
    Condition,
    Conditions,
    ConditionStatus,
    find_condition,
    with_condition,
)
from finops.crds.policy_status import GAP_ROWS, GapDetail, LastScan, SavingsByStatus, ScanPolicyStatus
from finops.crds.scan_policy import ScanPolicy
from finops.domain.lookback import out_of_reach
from finops.domain.money import to_cents
from finops.domain.quantity import counted
from finops.domain.realised import Realised
from finops.domain.report import Savings, ScanSummary
from finops.domain.resource import Gap
from finops_operator.rules.unproposed import Unproposed

CREDENTIAL_CODES: Final = frozenset({"CredentialsInvalid", "AccountMismatch", "AwsCredentialsInvalid"})
INVALID_SPEC: Final = "InvalidSpec"
"""Reason of `Ready=False` for a spec that asks for something impossible; its message names field and fix."""
ACCOUNT_CODES: Final = frozenset({"AccountNotFound", "AccountNotGranted", "AccountTwice"})
LOOKBACK_OUT_OF_REACH: Final = "LookbackOutOfReach"
"""Reason of `MetricsAvailable` where a picture reaches less far back than the policy's lookback."""
ACTS_POSSIBLE: Final = "ActsPossible"
ACTS_PROPOSED: Final = "ActsProposed"
LONGEST: Final = 900
_MESSAGE: Final = LONGEST
_NOTHING: Final = Decimal("0.00")
_WORD: Final = 240
_REASON: Final = re.compile("[A-Za-z][A-Za-z0-9_]{0,127}")
_NO_CARDS: Final = " No card reaches Slack: "
_SCANNED: Final = frozenset({"Completed", "CompletedWithGaps"})
"""Reasons of `Ready` beside which the state of the policy's Slack channel is shown."""


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """Figures about a policy that do not come from its scan.

    Attributes:
        realized: what its acts save a month.
        owed: its requests could not be brought in line with the scan yet.
        savings: those of the scan, as preflights corrected them; None when nothing was corrected.
        unproposed: what nobody is asked about; None when that is as it was.
    """

    open_requests: int
    realized: Realised
    owed: bool = False
    savings: Savings | None = None
    unproposed: Unproposed | None = None


def refused(policy: ScanPolicy, *, message: str, now: datetime) -> dict[str, Any]:
    """The spec asks for something impossible (unknown parameter, schedule that never comes): waiting is no help."""
    said = plain(message)
    conditions = _set(
        policy,
        policy.status.conditions,
        now,
        {
            "Ready": (False, INVALID_SPEC, said),
            "Reconciling": (False, INVALID_SPEC, "No scan runs."),
            "Stalled": (True, INVALID_SPEC, said),
        },
    )
    update = {"conditions": conditions, "observed_generation": policy.metadata.generation}
    return policy.status.model_copy(update=update).to_dict()


def suspended(policy: ScanPolicy, *, now: datetime) -> dict[str, Any]:
    """The policy rests; what its last scan found stays."""
    # A last scan that saw nothing leaves no figures, and a policy that never saw anything is not ready.
    found = policy.status.last_scan is not None and policy.status.monthly_cost is not None
    figures = "figures are those of the last scan" if found else "no scan has seen anything yet"
    conditions = _set(
        policy,
        policy.status.conditions,
        now,
        {
            "Ready": (found, "Suspended", f"Suspended by spec.suspend; {figures}."),
            "Reconciling": (False, "Suspended", "No scan runs."),
            "Stalled": (False, "Suspended", "Nothing is wrong."),
        },
    )
    update = {
        "conditions": conditions,
        "observed_generation": policy.metadata.generation,
        "next_scan_time": None,
    }
    return policy.status.model_copy(update=update).to_dict()


def scanning(policy: ScanPolicy, *, reason: str, now: datetime) -> dict[str, Any]:
    """A scan has begun. `Ready` keeps what the last scan said; a policy never scanned is not ready yet."""
    wanted: dict[str, tuple[bool | ConditionStatus, str, str]] = {
        "Reconciling": (True, reason, "A scan runs."),
        "Stalled": (False, "Scanning", "Nothing is wrong so far."),
    }
    beyond = out_of_reach(policy.spec.metrics.lookback_days)
    known = find_condition(policy.status.conditions, "MetricsAvailable")
    if beyond and (known is None or known.status is not ConditionStatus.FALSE):
        wanted["MetricsAvailable"] = (known.status if known else ConditionStatus.UNKNOWN, LOOKBACK_OUT_OF_REACH, beyond)
    if policy.status.last_scan is None:
        wanted["Ready"] = (False, "Scanning", "The first scan runs.")
    conditions = _set(policy, policy.status.conditions, now, wanted)
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


def store_lost(policy: ScanPolicy, *, message: str, now: datetime) -> dict[str, Any]:
    """Redis does not answer: scans pause and say so."""
    said = plain(message)
    conditions = _set(
        policy,
        policy.status.conditions,
        now,
        {
            "Ready": (False, "StoreUnreachable", said),
            "Reconciling": (False, "StoreUnreachable", "No scan runs."),
            "StoreReachable": (False, "StoreUnreachable", said),
        },
    )
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


def failed(policy: ScanPolicy, *, reason: str, message: str, now: datetime) -> dict[str, Any]:
    """A scan broke off; the figures of the one before stay, and are marked as not current by `Ready`."""
    conditions = _set(
        policy,
        policy.status.conditions,
        now,
        {
            "Ready": (False, reason if _REASON.fullmatch(reason) else "ScanFailed", plain(message)),
            "Reconciling": (False, "ScanFailed", "No scan runs; it is tried again soon."),
        },
    )
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


def scanned(
    policy: ScanPolicy,
    summary: ScanSummary,
    *,
    next_time: datetime | None,
    requested_at: str,
    generation: int | None,
    standing: PolicyFigures,
    now: datetime,
) -> dict[str, Any]:
    """A scan of `generation` ended; `summary` is what it found.

    While one process replaces another, both may scan the policy: the scan that began last stays in the status.
    """
    shown, found = policy.status.last_scan, last_scan_of(summary)
    if shown is not None and found.start_time < shown.start_time <= now:
        return policy.status.to_dict()
    ready = _with_note(_readiness(summary), slack_note(policy) or "")
    conditions = _set(
        policy,
        policy.status.conditions,
        now,
        {
            "Ready": ready,
            "Reconciling": (False, ready[1], "No scan runs."),
            "Stalled": (False, ready[1], "Nothing is wrong with the policy itself."),
            "CredentialsValid": _credentials(summary.gaps),
            "MetricsAvailable": _with_reach(_metrics(summary), policy),
            "PricingCurrent": _prices(summary),
            "StoreReachable": (True, "Reachable", "The store answers."),
            **_proposed(standing),
        },
        generation=generation,
    )
    nothing = bool(summary.complete_failure)
    status = ScanPolicyStatus(
        observed_generation=generation,
        conditions=conditions,
        last_scan=found,
        next_scan_time=next_time,
        # After a scan that saw nothing there is no figure: the old one would be a lie and zero a worse one.
        monthly_cost=None if nothing else to_cents(summary.monthly_cost),
        potential_monthly_savings=None if nothing else to_cents(summary.potential_monthly_savings),
        savings=None if nothing else savings_of(summary.savings),
        **_realized(standing.realized),
        recommendations=None if nothing else summary.recommendations,
        open_requests=standing.open_requests,
        last_handled_requested_at=requested_at or policy.status.last_handled_requested_at,
    )
    return status.to_dict()


def savings_of(savings: Savings) -> SavingsByStatus:
    """Return what the status says of savings."""
    return SavingsByStatus(
        actionable=to_cents(savings.actionable.monthly_savings),
        advice=to_cents(savings.advice.monthly_savings),
        blocked=to_cents(savings.blocked.monthly_savings),
    )


def _realized(found: Realised) -> dict[str, Any]:
    """Return the fields of the status about what acts save, which is never negative there, and None where not known."""
    known = found.figure
    return {
        "realized_monthly_savings": None if known is None else to_cents(max(known, _NOTHING)),
        "realized_monthly_rises": to_cents(found.rises),
    }


def _proposed(standing: PolicyFigures) -> dict[str, tuple[bool | ConditionStatus, str, str]]:
    waiting = standing.unproposed
    if waiting is None:
        return {}
    return {ACTS_PROPOSED: (waiting.reason == "AllProposed", waiting.reason, plain(waiting.message))}


def followed_up(policy: ScanPolicy, standing: PolicyFigures, *, now: datetime) -> dict[str, Any]:
    """The requests were brought in line with a scan that had ended before."""
    update: dict[str, Any] = {
        "conditions": _set(policy, policy.status.conditions, now, _proposed(standing)),
        **_realized(standing.realized),
        "open_requests": standing.open_requests,
    }
    if standing.savings is not None:
        update["savings"] = savings_of(standing.savings)
        update["potential_monthly_savings"] = update["savings"].actionable
    return policy.status.model_copy(update=update).to_dict()


def acts(policy: ScanPolicy, reason: str, message: str, *, now: datetime) -> dict[str, Any]:
    """Whether approved acts may begin at all; `reason` is that of the condition, equal to its type when they may."""
    possible = reason == ACTS_POSSIBLE
    conditions = with_condition(
        policy.status.conditions, ACTS_POSSIBLE, possible, reason, plain(message)[:LONGEST], now=now
    )
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


def pods(problem: str) -> tuple[bool, str, str]:
    """Return status, reason and message of `ScanPodsPossible`; `problem` is why no pod may be made, else empty."""
    if problem:
        return False, SCAN_PODS_UNBOUNDED, plain(f"{problem}. {SCAN_PODS_FIX}.")
    return True, SCAN_PODS_POSSIBLE, "The admission policy that bounds the pods of scans is in force."


def with_pods(policy: ScanPolicy, wanted: tuple[bool, str, str], *, now: datetime) -> dict[str, Any]:
    """Whether pods may be made for the policy's scans; `wanted` as from `pods`."""
    conditions = _set(policy, policy.status.conditions, now, {SCAN_PODS_POSSIBLE: wanted})
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


def without_pods(policy: ScanPolicy) -> dict[str, Any]:
    """The policy's scans ask for no pods any more."""
    conditions = tuple(one for one in policy.status.conditions if one.type != SCAN_PODS_POSSIBLE)
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


@dataclass(frozen=True, slots=True)
class PausedActs:
    """Whether acts of some kind wait because one failed; `message` says which and why, or why none does."""

    is_paused: bool
    message: str


def paused(policy: ScanPolicy, acts_of_it: PausedActs, *, now: datetime) -> dict[str, Any]:
    """Show which acts are paused."""
    reason = PAUSE_REASONS[acts_of_it.is_paused]
    wanted = {ACTS_PAUSED: (acts_of_it.is_paused, reason, acts_of_it.message)}
    conditions = _set(policy, policy.status.conditions, now, wanted)
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


def slack_note(policy: ScanPolicy) -> str | None:
    """Return what the status says about the policy's Slack channel, empty for nothing, None where it has no room."""
    ready = find_condition(policy.status.conditions, "Ready")
    return None if ready is None or ready.reason not in _SCANNED else ready.message.partition(_NO_CARDS)[2]


def noted(policy: ScanPolicy, problem: str) -> dict[str, Any]:
    """Why no card reaches the policy's channel is shown beside the outcome of its scan; empty takes that back."""
    conditions = tuple(_noted(one, problem) for one in policy.status.conditions)
    return policy.status.model_copy(update={"conditions": conditions}).to_dict()


def _noted(condition: Condition, problem: str) -> Condition:
    if condition.type != "Ready" or condition.reason not in _SCANNED:
        return condition
    message = condition.message.partition(_NO_CARDS)[0]
    return condition.model_copy(update={"message": f"{message}{_NO_CARDS}{problem}" if problem else message})


def _with_note(ready: tuple[bool, str, str], note: str) -> tuple[bool, str, str]:
    """Keep what was noted about Slack: a scan says nothing about it."""
    status, reason, message = ready
    return (status, reason, f"{message}{_NO_CARDS}{note}") if note and reason in _SCANNED else ready


def last_scan_of(summary: ScanSummary) -> LastScan:
    """Return what the status says about the scan itself."""
    return LastScan(
        start_time=summary.start_time.replace(microsecond=0),
        completion_time=summary.completion_time.replace(microsecond=0),
        resources=summary.resources,
        unpriced_resources=summary.unpriced_resources,
        unknown_resources=summary.unknown_resources,
        gaps=len(summary.gaps),
        gap_details=tuple(_gap(gap) for gap in summary.gaps[:GAP_ROWS]),
        api_calls=sum(summary.api_calls.values()),
        estimated_api_cost=summary.estimated_api_cost,
    )


def _gap(gap: Gap) -> GapDetail:
    return GapDetail(
        account=_word(gap.account),
        region=_word(gap.region),
        service=_word(gap.service),
        operation=_word(gap.operation),
        code=_word(gap.code),
        message=plain(gap.message),
    )


def _readiness(summary: ScanSummary) -> tuple[bool, str, str]:
    if summary.complete_failure:
        return False, reason_of(summary.gaps), plain(summary.complete_failure)
    seen = counted(summary.resources, "resource")
    if summary.gaps:
        first = summary.gaps[0]
        where = f"{first.account} {first.region}".strip()
        return (
            True,
            "CompletedWithGaps",
            plain(
                f"Scanned {seen} with {counted(len(summary.gaps), 'gap')}; the first: {where} "
                f"{first.service}:{first.operation} {first.code}."
            ),
        )
    return True, "Completed", f"Scanned {seen} without gaps."


def reason_of(gaps: Iterable[Gap]) -> str:
    """Return the one reason that all gaps share, as a Kubernetes reason; `NothingScanned` when there are several."""
    codes = {gap.code for gap in gaps}
    if len(codes) == 1:
        code = codes.pop()
        if _REASON.fullmatch(code):
            return code
    return "NothingScanned"


def _credentials(gaps: Iterable[Gap]) -> tuple[bool | ConditionStatus, str, str]:
    bad = [gap for gap in gaps if gap.service == "sts" or gap.code in CREDENTIAL_CODES]
    if bad:
        return False, reason_of(bad), plain("; ".join(dict.fromkeys(f"{gap.account}: {gap.message}" for gap in bad)))
    unasked = [gap for gap in gaps if gap.code in ACCOUNT_CODES]
    if unasked:
        return (
            ConditionStatus.UNKNOWN,
            unasked[0].code,
            plain("; ".join(dict.fromkeys(f"{gap.account}: {gap.message}" for gap in unasked))),
        )
    return True, "Valid", "Every account answered with the identity it should have."


def _metrics(summary: ScanSummary) -> tuple[bool | ConditionStatus, str, str]:
    missing = [gap for gap in summary.gaps if gap.service == "cloudwatch"]
    if missing:
        return False, reason_of(missing), plain(missing[0].message)
    if summary.complete_failure:
        return ConditionStatus.UNKNOWN, "NothingScanned", "No resource was seen, so no metric was asked for."
    if summary.unknown_resources:
        return (
            True,
            "SomeUnknown",
            f"With too little data to be judged: {counted(summary.unknown_resources, 'resource')}.",
        )
    return True, "Available", "CloudWatch answered for every resource."


def _with_reach(
    metrics: tuple[bool | ConditionStatus, str, str], policy: ScanPolicy
) -> tuple[bool | ConditionStatus, str, str]:
    """Say with what became of the metrics for which pictures the policy's lookback is too long."""
    beyond = out_of_reach(policy.spec.metrics.lookback_days)
    status, reason, message = metrics
    if not beyond:
        return metrics
    return status, LOOKBACK_OUT_OF_REACH if status is True else reason, plain(f"{message} {beyond}")


def _prices(summary: ScanSummary) -> tuple[bool | ConditionStatus, str, str]:
    if summary.complete_failure:
        return ConditionStatus.UNKNOWN, "NothingScanned", "No resource was seen, so no price was asked for."
    if summary.unpriced_resources:
        return (
            False,
            "SomeUnpriced",
            f"Totals are at least what they say: {counted(summary.unpriced_resources, 'resource')} not fully priced.",
        )
    return True, "Current", "Every resource has a price."


def _set(
    policy: ScanPolicy,
    conditions: Conditions,
    now: datetime,
    wanted: Mapping[str, tuple[bool | ConditionStatus, str, str]],
    generation: int | None = None,
) -> Conditions:
    for type_, (status, reason, message) in wanted.items():
        conditions = with_condition(
            conditions,
            type_,
            status,
            reason,
            message,
            now=now,
            observed_generation=policy.metadata.generation if generation is None else generation,
        )
    return conditions


def plain(text: str) -> str:
    """Printable and short: messages hold AWS's own words, which may quote tags."""
    return "".join(sign if sign.isprintable() else " " for sign in text)[:_MESSAGE]


def _word(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())[:_WORD]
