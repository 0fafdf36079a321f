"""Which recommendations become requests, and what such a request says; pure.

Called by the proposer after each scan. One open request per resource, whatever the action and whichever policy; never
more open requests than the policy allows; nothing that was answered is asked again before its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from finops.crds.action_request import (
    ActionRequest,
    ActionRequestSpec,
    ApprovalTerms,
    Estimate,
    Evidence,
    PlannedStep,
    ResourceReference,
    fingerprint_texts,
)
from finops.crds.aws_account import AwsAccount
from finops.crds.policy_actions import Mode
from finops.crds.presentation import Presentation
from finops.crds.scan_policy import ScanPolicy
from finops.domain.canonical import Json
from finops.domain.decision import TERMINAL, State, Trigger
from finops.domain.money import to_cents
from finops.domain.plan import Plan
from finops.domain.recommendation import Recommendation, Status
from finops_operator.rules.readiness import SAVES_NOTHING, act_terms, judged

QUIET_AFTER: Final[Mapping[State, timedelta]] = {
    State.DENIED: timedelta(days=30),
    State.ROLLED_BACK: timedelta(days=7),
    State.WITHDRAWN: timedelta(days=1),
    State.EXPIRED: timedelta(days=1),
    State.SUCCEEDED: timedelta(days=1),
}
"""How long the same act on the same resource is not asked for again after it ended so. A Stale or Superseded request
may be followed at once: the plan is another one. A resource that was just resized gets a day to show how it does."""
BETTER_PLAN: Final = "A newer scan recommends a better plan for this resource."
_VALUES: Final = 60
_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Skip:
    """A recommendation that does not become a request, with the reason for logs, listings and `finops explain`.

    Attributes:
        recommendation: with its status as it is now.
        is_news: that status, or what blocks it, is not what the scan stored.
        is_asked: people are asked about its resource now.
    """

    recommendation: Recommendation
    reason: str
    is_news: bool = False
    is_asked: bool = False


@dataclass(frozen=True, slots=True)
class PresentedAct:
    """An act in words, made by the proposer: how it is presented, and its steps (id → title).

    `lasts_days` are the days after which AWS undoes it by itself; 0: it lasts.
    """

    presentation: Presentation
    steps: Mapping[str, str]
    lasts_days: int = 0


def candidates(
    policy: ScanPolicy,
    recommendations: Iterable[Recommendation],
    requests: Iterable[ActionRequest],
    accounts: Mapping[str, AwsAccount],
    now: datetime,
) -> Iterator[Recommendation | Skip]:
    """Yield what may be proposed, best saving first, and for the rest why not. How many are is for the caller: `room`.

    Args:
        policy: mode, allowed actions and minimum saving come from it.
        recommendations: of this policy, best saving first.
        requests: all ActionRequests of the cluster that this operator sees.
        accounts: by account id, only those the policy names.
        now: for the quiet time after an answer.
    """
    actions = policy.spec.actions
    if actions.mode is Mode.RECOMMEND:
        return
    known = tuple(requests)
    busy = {request.spec.resource.arn: request.metadata.name for request in known if _is_open(request)}
    quiet = _quiet(known, now)
    terms = {account: act_terms(policy, found) for account, found in accounts.items()}
    unnamed = act_terms(policy, None)
    for item in recommendations:
        if not item.counted:
            yield Skip(item, "A better recommendation for the same resource exists.")
            continue
        judged_now = judged(item, terms.get(item.resource.account, unnamed))
        if judged_now.status is not Status.ACTIONABLE:
            blocks = judged_now.blocked_by
            reason = blocks[0].message if blocks else "It is advice only."
            yield Skip(judged_now, reason, is_news=judged_now != item)
            continue
        arn = item.resource.arn
        reason = _asked_already(busy.get(arn), quiet.get((arn, item.action, actions.mode is Mode.DRY_RUN)), now)
        if reason:
            yield Skip(judged_now, reason, is_asked=arn in busy)
            continue
        busy[arn] = "made just now"
        yield judged_now


def room(policy: ScanPolicy, requests: Iterable[ActionRequest]) -> int:
    """Return how many more requests the policy may have open; never negative."""
    return max(0, policy.spec.actions.maximum_open_requests - len(open_requests(policy, requests)))


def asked_in(request: str) -> str:
    """Return the sentence that says which request asks for a recommendation."""
    return f"The request {request} for this resource is open."


def _asked_already(request: str | None, answered: ActionRequest | None, now: datetime) -> str:
    """Return why nobody is asked again now, empty when somebody may be; `request` is the one that is open."""
    if request is not None:
        return asked_in(request)
    if answered is None or answered.status.state is None:
        return ""
    again = (_quiet_until(answered) or now) - now
    days = -(-again // timedelta(days=1))
    when = "1 day" if days == 1 else f"{days} days"
    word = "undone" if answered.spec.undoes is not None else answered.status.state.value
    return f"The same act was {word} in {answered.metadata.name}; it is asked again in {when}."


def _is_open(request: ActionRequest) -> bool:
    # One without a state was never taken in: if the ledger does not know it, it must not block anything.
    return request.status.state is not None and request.status.state not in TERMINAL


def _belongs(request: ActionRequest, policy: ScanPolicy) -> bool:
    metadata = request.metadata
    return metadata.namespace == policy.metadata.namespace and request.spec.policy == policy.metadata.name


def _quiet(requests: Iterable[ActionRequest], now: datetime) -> dict[tuple[str, str, bool], ActionRequest]:
    """Return what was answered lately by (resource, action, dry run); a dry run answers nothing about the act."""
    found: dict[tuple[str, str, bool], ActionRequest] = {}
    until: dict[tuple[str, str, bool], datetime] = {}
    for request in requests:
        again, key = _quiet_until(request), (request.spec.resource.arn, request.spec.action, request.spec.dry_run)
        if again is not None and again > max(now, until.get(key, now)):
            found[key], until[key] = request, again
    return found


def _quiet_until(request: ActionRequest) -> datetime | None:
    """Return until when the act of a request that ended is not asked for again, None when it may be at once.

    An act that was undone is one that people do not want, as if they had denied it. An undo that did not come about
    says nothing about the act.
    """
    state, ended = request.status.state, _ended_at(request)
    if request.spec.undoes is not None:
        state = State.DENIED if state is State.SUCCEEDED else None
    pause = QUIET_AFTER.get(state) if state is not None else None
    return None if pause is None or ended is None else ended + pause


def _ended_at(request: ActionRequest) -> datetime | None:
    execution = request.status.execution
    started = execution.started_at if execution is not None else None
    return started or request.status.decided_at or request.metadata.creation_timestamp


def open_requests(policy: ScanPolicy, requests: Iterable[ActionRequest]) -> tuple[ActionRequest, ...]:
    """Return the policy's requests that wait or run."""
    return tuple(request for request in requests if _belongs(request, policy) and _is_open(request))


def outdated(policy: ScanPolicy, request: ActionRequest, *, saves: bool = True) -> tuple[Trigger, str] | None:
    """Return how a request that waits for votes ends because the policy changed since, None when it still fits.

    Args:
        policy: as it is now.
        request: the request.
        saves: whether its act is there to save.
    """
    actions, spec = policy.spec.actions, request.spec
    if actions.mode is Mode.RECOMMEND or spec.action not in actions.allowed:
        return Trigger.WITHDRAWN, f"The policy no longer allows {spec.action}."
    if spec.dry_run is not (actions.mode is Mode.DRY_RUN):
        return Trigger.SUPERSEDED, f"The policy's mode is {actions.mode.value} now."
    if not spec.approval.decide_as(terms_now(policy, request)):
        return Trigger.SUPERSEDED, "The policy's approval terms changed; votes are asked for anew under the new ones."
    if spec.undoes is None and spec.estimate.monthly_savings is None and not actions.propose_unknown_savings:
        return Trigger.WITHDRAWN, "The policy no longer asks people about a saving that nobody can know."
    if spec.undoes is None and spec.slack_channel != card_channel(policy, spec.estimate.monthly_savings, saves=saves):
        return Trigger.SUPERSEDED, "The policy's Slack channel or its minimum changed; votes are asked for anew there."
    return None


def card_channel(policy: ScanPolicy, monthly_savings: Decimal | None, *, saves: bool = True) -> str | None:
    """Return the channel that gets a card for a request that saves so much; None when it gets none.

    A saving that nobody can know (None) is no small one: where the policy lets it be proposed, people get its card.
    Neither is that of an act which is not there to save (`saves`): a policy's own check asked for it.
    """
    slack = policy.spec.notify.slack
    if slack is None:
        return None
    small = monthly_savings is not None and monthly_savings < slack.minimum_monthly_savings
    return None if saves and small else slack.channel


def approval_terms(policy: ScanPolicy, *, destructive: bool) -> ApprovalTerms:
    """Return who must approve an act under the policy as it is now."""
    terms = policy.spec.approval
    return ApprovalTerms(
        approvers=terms.approvers,
        required=max(terms.required, terms.destructive.required) if destructive else terms.required,
        require_reason=terms.require_reason,
        step_up=destructive and terms.destructive.step_up,
        remind_after=terms.remind_after,
        escalate=terms.escalate,
    )


def terms_now(policy: ScanPolicy, request: ActionRequest) -> ApprovalTerms:
    """Return who must approve a request under the policy as it is now; to undo an act takes no fewer than the act."""
    terms, undoes = approval_terms(policy, destructive=request.spec.destructive), request.spec.undoes
    return terms if undoes is None else undo_terms(policy, undoes.required)


def undo_terms(policy: ScanPolicy, required: int) -> ApprovalTerms:
    """Return who must approve the undo of an act that needed `required` approvals."""
    terms = approval_terms(policy, destructive=False)
    return terms.model_copy(update={"required": max(terms.required, required)})


def request_spec(
    policy: ScanPolicy, account: AwsAccount, item: Recommendation, plan: Plan, words: PresentedAct, now: datetime
) -> ActionRequestSpec:
    """Return the spec that people will vote on.

    Raises:
        InvalidInput (InvalidObject): a value does not fit the kind, e.g. a name that is too long.
    """
    return ActionRequestSpec(
        policy=policy.metadata.name,
        account=account.metadata.name,
        region=item.resource.region,
        resource=ResourceReference(
            kind=item.resource.kind,
            id=item.resource.id,
            arn=item.resource.arn,
            account_id=item.resource.account,
            name=item.resource.name[:256],
        ),
        action=item.action,
        parameters={key: value if isinstance(value, int) else str(value) for key, value in plan.parameters.items()},
        plan=tuple(PlannedStep.of(step, words.steps.get(step.id, "")) for step in plan.steps),
        plan_hash=plan.hash,
        fingerprint=fingerprint_texts(plan.fingerprint),
        estimate=_estimate(item, words.lasts_days),
        evidence=_evidence(item),
        presentation=words.presentation,
        effort=item.effort,
        restart_needed=item.restart_needed,
        rollback_possible=item.rollback_possible,
        destructive=item.destructive,
        dry_run=policy.spec.actions.mode is Mode.DRY_RUN,
        approval=approval_terms(policy, destructive=item.destructive),
        slack_channel=card_channel(policy, item.monthly_savings, saves=not item.attributes.get(SAVES_NOTHING)),
        expires_at=(now + policy.spec.approval.expires_after.delta).replace(microsecond=0),
    )


def _estimate(item: Recommendation, lasts_days: int) -> Estimate:
    """Return the money of a recommendation; what is not known stays so, and is no zero."""
    current, saving = (
        None if one is None else to_cents(one) for one in (item.current_monthly_cost, item.monthly_savings)
    )
    # The three figures on a card must add up after rounding.
    new = None if current is None or saving is None else current - saving
    if new is not None and item.attributes.get(SAVES_NOTHING) and item.new_monthly_cost is not None:
        new = to_cents(item.new_monthly_cost)
    return Estimate(
        current_monthly_cost=current,
        new_monthly_cost=new,
        monthly_savings=saving,
        saving_unknown=item.saving_unknown[:256],
        list_monthly_savings=item.list_monthly_savings,
        net_monthly_savings=item.net_monthly_savings,
        net_note=item.net_note[:256],
        lasts_days=lasts_days or None,
        price_source=item.price_source,
        price_date=item.price_as_of,
    )


def _evidence(item: Recommendation) -> Evidence:
    found = dict(item.evidence)
    window = [_instant(found.pop(key, None)) for key in ("windowStart", "windowEnd")]
    coverage = found.pop("coveragePercent", None)
    values: dict[str, int | str] = {}
    for key, value in sorted(found.items()):
        values[key] = value if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return Evidence(
        check=item.check,
        reason=item.summary[:512],
        window_start=window[0],
        window_end=window[1],
        coverage_percent=Decimal(str(coverage)) if coverage is not None else None,
        values=dict(list(values.items())[:_VALUES]),
    )


def _instant(value: Json) -> datetime | None:
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def _text(value: Json) -> str:
    return ("none" if value is None else str(value))[:_TEXT]
