"""Statuses as the operator writes them: its engine is led to each end, and its own functions say the words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Choice, State, Tally, Trigger, Vote, Voter
from finops.domain.execution import Compensate, Finish, Journal, JournalEntry, Move, Observation, Result, Verified
from finops.domain.next_move import Situation, next_move
from finops.ports.act import ActProgress, ActRequest, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops_operator.acts.progress import verified_detail, with_outcome
from finops_operator.acts.report import with_progress
from finops_operator.decisions.verdicts import sentence
from finops_operator.rules.candidates import BETTER_PLAN
from finops_operator.rules.request_status import decided
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION

_STOPPED_BY_CALL = "Client.UserInitiatedShutdown"
_FORWARD = ("stop", "modify_type")
_NO_ROOM = "InsufficientInstanceCapacity"
_LATER = "2026-03-02 01:40:00+00:00"


def decision(
    request: ActionRequest, state: State, trigger: Trigger, *people: Voter, reason: str = ""
) -> dict[str, Any]:
    """The status after people decided, or did not in time; for QuorumLost the people are those who took a vote back."""
    choice = {Trigger.DENIED: Choice.DENY, Trigger.QUORUM_LOST: Choice.WITHDRAW}.get(trigger, Choice.APPROVE)
    at = _at(request)
    votes = tuple(Vote("", "", "", request.spec.plan_hash, choice, reason, voter, at) for voter in people)
    standing = Tally(
        votes if choice is Choice.APPROVE else (),
        votes if choice is Choice.DENY else (),
        request.spec.approval.required,
    )
    message = BETTER_PLAN if trigger is Trigger.SUPERSEDED else sentence(trigger, standing, votes)
    return decided(request.status, state, reason=trigger.value, message=message, tally=standing, now=at, fence=1)


def succeeded(request: ActionRequest) -> dict[str, Any]:
    """The instance runs at its new type."""
    entries = _entries(request, *_FORWARD, "start")
    launched = _instance("running", "t3.small", launched=_LATER)
    situation = _situation(request, Journal(entries), launched)
    assert next_move(situation) == Verified()
    detail = verified_detail(situation, _act(request), ACTION.undo_by_hand)
    progress = ActProgress(state=State.SUCCEEDED, message=str(detail["reason"]), started_at=_at(request))
    return with_progress(request, with_outcome(progress, detail), 1)


def rolled_back(request: ActionRequest) -> dict[str, Any]:
    """AWS had no room for the new type; the instance runs at its old one."""
    journal, turned = _turned(request)
    entries = (*journal.entries, *_entries(request, "restore_type", "start_again"))
    now = _instance("running", "t3.large", launched=_LATER)
    move = _move(request, Journal(entries, turned=turned, turned_at=_at(request)), now)
    assert isinstance(move, Finish)
    return _shown(request, move.state, move.message, "start_again")


def needs_human(request: ActionRequest) -> dict[str, Any]:
    """AWS has no room for the old type either."""
    journal, turned = _turned(request)
    refused = tuple(
        JournalEntry("start_again", attempt, _at(request), Result.REJECTED, _NO_ROOM) for attempt in (1, 2, 3)
    )
    entries = (*journal.entries, *_entries(request, "restore_type"), *refused)
    now = _instance("stopped", "t3.large")
    move = _move(request, Journal(entries, turned=turned, turned_at=_at(request)), now)
    alarm = getattr(move, "alarm", "")
    assert alarm
    return _shown(request, State.NEEDS_HUMAN, alarm, "start_again", 3)


def stale(request: ActionRequest) -> dict[str, Any]:
    """Somebody stopped the instance before the act began."""
    move = _move(request, Journal(), _instance("stopped", "t3.large"))
    assert isinstance(move, Finish)
    return _shown(request, move.state, move.message)


def _turned(request: ActionRequest) -> tuple[Journal, str]:
    refused = JournalEntry("start", 1, _at(request), Result.REJECTED, _NO_ROOM)
    journal = Journal((*_entries(request, *_FORWARD), refused))
    move = _move(request, journal, _instance("stopped", "t3.small"))
    assert isinstance(move, Compensate)
    return journal, move.reason


def _shown(request: ActionRequest, state: State, message: str, step: str = "", attempt: int = 0) -> dict[str, Any]:
    progress = ActProgress(state=state, step=step, attempt=attempt, message=message, started_at=_at(request))
    return with_progress(request, progress, 1)


def _move(request: ActionRequest, journal: Journal, now: Observation) -> Move:
    return next_move(_situation(request, journal, now))


def _situation(request: ActionRequest, journal: Journal, now: Observation) -> Situation:
    at = _at(request) + timedelta(seconds=40)
    return Situation(request.spec.to_plan(), ACTION.procedure, journal, now, at, request.spec.titles)


def _entries(request: ActionRequest, *steps: str) -> tuple[JournalEntry, ...]:
    return tuple(JournalEntry(step, 1, _at(request), Result.OK) for step in steps)


def _instance(state: str, kind: str, launched: str = "2026-01-10 08:00:00+00:00") -> Observation:
    fingerprint = {"state": state, "instanceType": kind, "launchTime": launched}
    return Observation(
        True, fingerprint, {**fingerprint, "zone": "eu-west-1a", "checks": "ok", "stateReason": _STOPPED_BY_CALL}
    )


def _act(request: ActionRequest) -> ActRequest:
    return ActRequest(
        uid=request.metadata.uid or "",
        name=request.metadata.name,
        tenant=Tenant(namespace=request.metadata.namespace or "", policy=request.spec.policy),
        access=AccountAccess(name=request.spec.account, account_id=request.spec.resource.account_id),
        plan=request.spec.to_plan(),
        plan_hash=request.spec.plan_hash,
        deciders=(),
        estimate={"monthlySavings": str(request.spec.estimate.monthly_savings)},
        limits=Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=1),
    )


def _at(request: ActionRequest) -> datetime:
    created = request.metadata.creation_timestamp
    assert created is not None
    return created + timedelta(minutes=5)
