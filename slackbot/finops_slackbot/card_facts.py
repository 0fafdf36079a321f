"""The one place that knows the fields of an ActionRequest and its Approvals; everything shown is made of `CardFacts`.

Called by the projection (cards, thread) and by the click path (modals, answers).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from finops.crds.action_request import ActionRequest, ActionRequestSpec, DigestEntry
from finops.crds.approval import Approval, Source
from finops.crds.approver import Approver
from finops.crds.conditions import ACTS_PAUSED, ConditionStatus, find_condition
from finops.crds.presentation import Presentation
from finops.crds.reminders import Escalation
from finops.crds.request_status import APPROVED, UndoStatus, WatchStatus
from finops.domain.decision import NO_VOTES, Choice, State, VoteResult
from finops_slackbot.buttons import revision_of

_ORDER: Final = {
    Choice.APPROVE: 0,
    Choice.DENY: 1,
    Choice.WITHDRAW: 2,
    Choice.SNOOZE: 3,
    Choice.RESUME: 4,
    Choice.WAKE: 5,
    Choice.UNDO: 6,
}
_NO_UNDO: Final = UndoStatus()


@dataclass(frozen=True, slots=True)
class VoteFact:
    """A vote the operator counted when it was cast.

    Attributes:
        slack_user: set for votes by click, `username` for votes by kubectl.
        note: what the operator answered the voter besides.
        until: the date of a snooze.
    """

    name: str
    choice: Choice
    slack_user: str
    username: str
    reason: str
    at: datetime | None
    note: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class StepFact:
    """One step of the plan; `operation` is empty for a step that waits and reads, `title` is it in words."""

    id: str
    operation: str
    parameters: str
    title: str


@dataclass(frozen=True, slots=True)
class CardFacts:
    """All a card, a thread or a modal can show about one request. Texts are as found: hostile until a view cleans them.

    Attributes:
        words: the act as the operator presents it.
        lasts_days: days after which AWS undoes the act by itself, so that its saving comes once; 0: every month.
        digest: set when the card is in the thread of a message that lists several requests.
        steps, rollback: what is carried out, and the titles of the steps that would undo it.
        votes: every vote that was counted when it was cast, in order.
        approvals, denials: the last word of each handle among them; who they are to the operator is not known here.
        counted: approvals that count now, by the operator's tally.
        approved: enough people approved, whatever came later; `decision` is the operator's sentence about it.
        error: what went wrong or what it waits for, from the operator.
        ending: how it ended, what is there now and what a person can do next, from the operator.
        paused: an act of this kind and policy failed, and this one, or those behind it, wait until a person resumes
            them; the operator's sentence, empty when none waits.
        snoozed_until: of a snoozed request the date, None for others.
        ledger_sequence, ledger_hash: the record that ended the act, 0 and empty before.
        checkpoint_size, checkpoint_root: how far the ledger had come by then, 0 and empty where that is not known.
        demo: the request lives in the sandbox.
        undoes: uid of the request whose act this one undoes, empty when it undoes none.
        first_of_kind: others of its action and policy wait until it is verified.
        outside_windows: an undo that no window of the policy holds back.
        remind_after, escalate: when a request that waits for votes is spoken of again, and who is mentioned then.
        undo: how the act can be undone, and what became of it when somebody asked.
        watch: what is found in the hours after the act.
    """

    uid: str
    revision: str
    plan_hash: str
    namespace: str
    name: str
    created: datetime
    policy: str
    check: str
    summary: str
    action: str
    resource_kind: str
    resource_id: str
    resource_arn: str
    resource_name: str
    account: str
    account_id: str
    region: str
    words: Presentation
    steps: tuple[StepFact, ...]
    current_monthly_cost: Decimal | None
    new_monthly_cost: Decimal | None
    monthly_savings: Decimal | None
    saving_unknown: str
    list_monthly_savings: Decimal | None
    net_monthly_savings: Decimal | None
    net_note: str
    lasts_days: int
    currency: str
    price_source: str
    price_date: str
    effort: str
    destructive: bool
    dry_run: bool
    demo: bool
    approvers: tuple[Approver, ...]
    required: int
    step_up: bool
    require_reason: str
    digest: DigestEntry | None
    expires_at: datetime
    state: State
    votes: tuple[VoteFact, ...]
    approvals: tuple[VoteFact, ...]
    denials: tuple[VoteFact, ...]
    counted: int
    approved: bool
    decision: str
    decided_at: datetime | None
    scheduled_for: datetime | None
    step: str
    attempt: int
    realized_monthly_savings: Decimal | None
    error: str
    ending: str
    paused: str = ""
    snoozed_until: datetime | None = None
    ledger_sequence: int = 0
    ledger_hash: str = ""
    checkpoint_size: int = 0
    checkpoint_root: str = ""
    undoes: str = ""
    first_of_kind: bool = False
    outside_windows: bool = False
    undo: UndoStatus = _NO_UNDO
    watch: WatchStatus | None = None
    remind_after: tuple[timedelta, ...] = ()
    escalate: tuple[Escalation, ...] = ()

    @property
    def can_be_undone(self) -> bool:
        """Whether approvers can ask for the undo; until when is in `undo`."""
        undo = self.undo
        return self.state is State.SUCCEEDED and undo.until is not None and not undo.is_open and not undo.is_done

    @property
    def extra_monthly_cost(self) -> Decimal | None:
        """What an undo costs a month, None where nobody knows what its act saves."""
        if self.new_monthly_cost is None or self.current_monthly_cost is None:
            return None
        return max(self.new_monthly_cost - self.current_monthly_cost, Decimal(0))

    @property
    def missing(self) -> int:
        """How many more people have to approve."""
        return max(self.required - self.counted, 0)

    @property
    def deciders(self) -> tuple[VoteFact, ...]:
        """Who approves; empty unless the operator counts exactly as many, for only then it is surely these."""
        return self.approvals if len(self.approvals) == self.counted else ()

    @property
    def is_snoozed(self) -> bool:
        """Whether a snooze began here and nobody has ended it; its date may have come."""
        return self.state is State.SNOOZED and all(vote.choice is not Choice.WAKE for vote in self.votes)

    @property
    def note(self) -> str:
        """Why an approval is left out, as the operator answered the last who approved; empty when all count."""
        return "" if self.deciders or not self.approvals else self.approvals[-1].note


def card_facts(request: ActionRequest, votes: Iterable[Approval], *, demo: bool) -> CardFacts:
    """Return what can be shown about a request.

    Args:
        request: the request as the watch shows it.
        votes: Approvals of this request; only those the operator counted are used.
        demo: the sandbox runs.
    """
    counted = [_vote(vote) for vote in votes if vote.status.result is VoteResult.COUNTED]
    # Stamps have whole seconds; within one the operator judges a withdrawal last.
    counted.sort(key=lambda vote: (vote.at is None, vote.at, _ORDER[vote.choice], vote.name))
    return CardFacts(**_identity(request), **_proposal(request), **_story(request, counted), demo=demo)


def _identity(request: ActionRequest) -> dict[str, Any]:
    spec, metadata = request.spec, request.metadata
    created = metadata.creation_timestamp
    assert created is not None, "an object that was read from the API server has a creation time"
    return {
        "uid": metadata.uid or "",
        "revision": revision_of(spec.plan_hash),
        "plan_hash": spec.plan_hash,
        "namespace": metadata.namespace or "",
        "name": metadata.name,
        "created": created,
        "policy": spec.policy,
        "action": str(spec.action),
        "resource_kind": str(spec.resource.kind),
        "resource_id": spec.resource.id,
        "resource_arn": spec.resource.arn,
        # Where a service knows its resources by name alone, the name is the id: it is shown once.
        "resource_name": "" if spec.resource.name == spec.resource.id else spec.resource.name,
        "account": spec.account,
        "account_id": spec.resource.account_id,
        "region": spec.region,
    }


def _proposal(request: ActionRequest) -> dict[str, Any]:
    spec, evidence = request.spec, request.spec.evidence
    return {
        "check": str(evidence.check),
        "summary": evidence.reason,
        "words": spec.presentation or _unworded(spec),
        "steps": tuple(StepFact(step.id, step.operation, step.parameters, step.title) for step in spec.plan),
        "current_monthly_cost": spec.estimate.current_monthly_cost,
        "new_monthly_cost": spec.estimate.new_monthly_cost,
        "monthly_savings": spec.estimate.monthly_savings,
        "saving_unknown": spec.estimate.saving_unknown,
        "list_monthly_savings": spec.estimate.list_monthly_savings,
        "net_monthly_savings": spec.estimate.net_monthly_savings,
        "net_note": spec.estimate.net_note,
        "lasts_days": spec.estimate.lasts_days or 0,
        "currency": spec.estimate.currency,
        "price_source": spec.estimate.price_source,
        "price_date": spec.estimate.price_date,
        "effort": str(spec.effort),
        "destructive": spec.destructive,
        "dry_run": spec.dry_run,
        "approvers": spec.approval.approvers,
        "required": spec.approval.required,
        "step_up": spec.approval.step_up,
        "require_reason": str(spec.approval.require_reason),
        "remind_after": tuple(one.delta for one in spec.approval.remind_after),
        "escalate": spec.approval.escalate,
        "digest": spec.slack_digest,
        "undoes": spec.undoes.uid if spec.undoes else "",
        "outside_windows": spec.undoes is not None and spec.undoes.outside_windows,
        "expires_at": spec.expires_at,
    }


def _story(request: ActionRequest, counted: Sequence[VoteFact]) -> dict[str, Any]:
    status = request.status
    execution, outcome = status.execution, status.outcome
    approved, paused = find_condition(status.conditions, APPROVED), find_condition(status.conditions, ACTS_PAUSED)
    # A later vote of the same handle takes the place of the earlier one.
    on_it = (vote for vote in counted if vote.choice not in {*NO_VOTES, Choice.UNDO})
    standing = tuple({vote.slack_user or f"k8s.{vote.username}": vote for vote in on_it}.values())
    return {
        "state": status.state or State.PENDING,
        "votes": tuple(counted),
        "approvals": tuple(vote for vote in standing if vote.choice is Choice.APPROVE),
        "denials": tuple(vote for vote in standing if vote.choice is Choice.DENY),
        "counted": status.votes.approve if status.votes else 0,
        "approved": approved is not None,
        "decision": approved.message if approved else "",
        "decided_at": status.decided_at,
        "scheduled_for": status.scheduled_for,
        "first_of_kind": status.first_of_kind is True,
        "step": execution.step if execution else "",
        "attempt": execution.attempt if execution else 0,
        "realized_monthly_savings": outcome.monthly_savings if outcome else None,
        "error": (outcome.error or "") if outcome else "",
        # An operator of an older release gave no ending.
        "ending": (outcome.message or outcome.error or "") if outcome else "",
        "paused": paused.message if paused is not None and paused.status is ConditionStatus.TRUE else "",
        "snoozed_until": max((vote.until for vote in standing if vote.until is not None), default=None),
        "ledger_sequence": (execution.ledger_sequence or 0) if execution else 0,
        "ledger_hash": (execution.ledger_hash or "") if execution else "",
        "checkpoint_size": (execution.checkpoint_size or 0) if execution else 0,
        "checkpoint_root": (execution.checkpoint_root or "") if execution else "",
        "undo": status.undo or _NO_UNDO,
        "watch": status.watch,
    }


def _vote(vote: Approval) -> VoteFact:
    approver = vote.spec.approver
    by_click = approver.source is Source.SLACK
    return VoteFact(
        name=vote.metadata.name,
        choice=vote.spec.decision,
        slack_user=(approver.slack_user or "") if by_click else "",
        username=approver.username or "",
        reason=vote.spec.reason or "",
        at=vote.metadata.creation_timestamp,
        note=remark(vote),
        until=vote.spec.until,
    )


def remark(vote: Approval) -> str:
    """Return what the operator says about a counted vote besides that it counts."""
    return (vote.status.message or "").removeprefix(f"{vote.spec.decision.value} counted.").strip()


def _unworded(spec: ActionRequestSpec) -> Presentation:
    """How an act is shown that nobody put into words: by its ids, and by what the request says of it."""
    verb = spec.action.rpartition("_")[2].capitalize()
    becomes = ", ".join(f"{key} {value}" for key, value in sorted(spec.parameters.items()))
    return Presentation(
        verb=verb[:32] or spec.action[:32],
        kind=spec.resource.kind[:48],
        change=becomes[:300],
        consequence="It is changed as the plan in Details says.",
        downtime="It restarts" if spec.restart_needed else "None expected",
        undo="By hand, from the plan in Details." if spec.rollback_possible else "This cannot be undone.",
    )
