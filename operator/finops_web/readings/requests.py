"""ActionRequests as the API server shows them to the visitor, and the vote of the visitor on one of them.

A word that is no vote on the request (Resume, Wake) is sent as the same object, as Slack and the command line do it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Final

from pydantic import ValidationError

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.crds.invalid import ROOT, invalid_fields
from finops.domain.channels import still_needed
from finops.domain.decision import TERMINAL, Choice, RefusalReason, State, VoteResult
from finops.domain.resource import Gap
from finops.errors import ClusterUnavailable, FinopsError, InvalidInput, Refused
from finops.k8s.ballots import Ballot, SentVote
from finops.k8s.kinds import action_requests, approvals
from finops_web.people.visitors import Visitor
from finops_web.readings.by_namespace import by_namespace, place_of

WAITING: Final = frozenset({State.PENDING, None})
_POLL_SECONDS: Final = 0.2
_GROUPS: Final = 100
"""As many as an Approval holds."""
_CORRECTABLE: Final[Mapping[str, str]] = {RefusalReason.REASON_MISSING: "reason", RefusalReason.UNUSABLE_DATE: "until"}
"""Why a vote does not count that its sender can correct → the field."""
_NEXT: Final[Mapping[str, str]] = {
    RefusalReason.REASON_MISSING: "say why in a few words and send it again",
    RefusalReason.UNUSABLE_DATE: "choose a time in the coming 366 days and send it again",
    RefusalReason.NOT_ELIGIBLE: "ask one of the approvers whom the request names in spec.approval",
    RefusalReason.ALREADY_VOTED: "nothing more is needed of you; Withdraw takes your vote back",
    RefusalReason.NOTHING_TO_WITHDRAW: "only a vote of your own that counts can be taken back",
    RefusalReason.EXPIRED: "wait for the next scan: it proposes again what still is waste",
    RefusalReason.ALREADY_DECIDED: "the state of the request says what became of it",
    RefusalReason.TOO_MANY_VOTES: "your earlier votes stand as they are; ask another approver",
    RefusalReason.NOT_PROPOSED: "vote on a request that the operator made",
    RefusalReason.NOTHING_TO_UNDO: "status.undo of the request says until when an act can be undone",
    RefusalReason.NOT_PAUSED: "nothing waits to be resumed; the state of the request says how it stands",
    RefusalReason.NOT_SNOOZED: "the request is not snoozed; vote on it as it stands",
}
"""Why a vote does not count → what to do."""


@dataclass(frozen=True, slots=True)
class ReadRequests:
    """What a visitor may read of the requests.

    Attributes:
        found: those that wait for votes first, then what runs, then what has ended.
        gaps: one per namespace whose requests the visitor may not read.
    """

    found: tuple[ActionRequest, ...] = ()
    gaps: tuple[Gap, ...] = ()

    def gap_of(self, namespace: str) -> Gap | None:
        """Return the gap of a namespace that is closed to the visitor: nothing is known of its requests."""
        return next((gap for gap in self.gaps if gap.account == place_of(namespace)), None)

    def elsewhere(self) -> str:
        """Return what to do about a request that was not found and may be in a closed namespace; empty without any."""
        places = ", ".join(gap.account for gap in self.gaps)
        role = "ask an administrator for a role with get and list on actionrequests there"
        return f"it may be in {places}: {role}" if places else ""


def requests_of(visitor: Visitor, namespaces: Iterable[str]) -> ReadRequests:
    """Return the requests of the namespaces, and a gap for each namespace that is closed to the visitor.

    Raises:
        ClusterUnavailable: the API server does not answer.
    """
    read = action_requests(visitor.connection, newer=True).list
    found, gaps = by_namespace(namespaces, read, "actionrequests", "requests")
    return ReadRequests(tuple(sorted(found, key=_order)), gaps)


def requests_or_problem(visitor: Visitor, namespaces: Iterable[str]) -> tuple[ReadRequests, str]:
    """Return the requests; none of them, and the reason, when the API server does not answer."""
    try:
        return requests_of(visitor, namespaces), ""
    except ClusterUnavailable as error:
        return ReadRequests(), error.message


def request_of(visitor: Visitor, namespace: str, name: str) -> ActionRequest | None:
    """Return one request, None when there is none. Raises Refused, ClusterUnavailable."""
    return action_requests(visitor.connection, newer=True).get(namespace, name)


def vote(
    visitor: Visitor,
    request: ActionRequest,
    choice: Choice,
    reason: str,
    *,
    until: datetime | None = None,
    wait_seconds: float,
) -> SentVote:
    """Send the visitor's own vote with their own token, and wait for the operator's answer; `until` is a snooze's date.

    Returns the Approval, and whether the visitor had said the same before; its status has no result when the operator
    has not answered in time: the vote is recorded.

    Raises:
        InvalidInput: the vote is not one that an Approval can hold.
        Refused: the API server does not let the visitor vote, or the operator does not count the vote.
        ClusterUnavailable: the API server does not answer.
    """
    namespace = request.metadata.namespace or ""
    spec = _ballot(visitor, request, choice, reason, until)
    api = approvals(visitor.connection)
    cast = Ballot(api, Approval.of(namespace, spec), others=lambda: api.list(namespace)).cast()
    sent = cast.approval
    deadline = time.monotonic() + wait_seconds
    while sent.status.result is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        sent = api.get(namespace, sent.metadata.name) or sent
    if sent.status.result is VoteResult.REFUSED:
        raise _refusal(sent)
    return SentVote(sent, cast.earlier)


def answer_in_words(sent: SentVote) -> str:
    """Return what the operator answered to a vote, or that it has not yet, or that the same vote stood before."""
    status = sent.approval.status
    if sent.earlier and status.result is VoteResult.COUNTED:
        return "You had voted so before, and that vote stands: nothing was counted anew."
    return status.message or "The vote is recorded; the operator has not answered yet."


def _refusal(sent: Approval) -> FinopsError:
    """Return the error of a vote that does not count; one that its sender can correct names the field."""
    message, reason = sent.status.message or "the operator refused the vote", sent.status.reason or "Refused"
    hint = _NEXT.get(reason, "open the request again, and vote on it as it stands")
    field = _CORRECTABLE.get(reason)
    if field is not None:
        return InvalidInput(message, field=field, code=reason, hint=hint)
    return Refused(message, code=reason, hint=hint)


def _ballot(
    visitor: Visitor, request: ActionRequest, choice: Choice, reason: str, until: datetime | None
) -> ApprovalSpec:
    try:
        return ApprovalSpec(
            request=RequestReference(name=request.metadata.name, uid=request.metadata.uid or ""),
            plan_hash=request.spec.plan_hash,
            decision=choice,
            reason=reason or None,
            until=until,
            approver=Voter(
                source=Source.KUBERNETES, username=visitor.name, groups=tuple(dict.fromkeys(visitor.groups))[:_GROUPS]
            ),
        )
    except ValidationError as error:
        first = next(iter(invalid_fields(error, ApprovalSpec)))
        # The one rule about the vote as a whole is that a date and a snooze belong together.
        field = "until" if first.path == ROOT else first.path
        raise InvalidInput(first.rule, field=field, hint=first.hint) from error


def votes_on(visitor: Visitor, request: ActionRequest) -> tuple[Approval, ...]:
    """Return the votes on a request in the order in which they were made. Raises Refused, ClusterUnavailable."""
    found = approvals(visitor.connection, newer=True).list(request.metadata.namespace or "")
    own = (one for one in found if one.spec.request.uid == request.metadata.uid)
    return tuple(sorted(own, key=lambda one: (str(one.metadata.creation_timestamp or ""), one.metadata.name)))


def can_be_undone(request: ActionRequest, now: datetime) -> bool:
    """Return whether approvers can ask for the undo of the act, and nobody's undo waits or runs."""
    undo = request.status.undo
    open_until = None if undo is None or undo.is_open or undo.is_done else undo.until
    return request.status.state is State.SUCCEEDED and open_until is not None and now < open_until


def lacking(visitor: Visitor, requests: Iterable[ActionRequest]) -> Mapping[str, str]:
    """Return uid of a request that waits for votes → which approvals it still lacks, in words.

    Votes are read only where it matters which channel they came by; where the visitor may not read them, that is said.

    Raises:
        ClusterUnavailable: the API server does not answer.
    """
    found: dict[str, str] = {}
    for one in requests:
        if may_be_voted_on(one):
            counted, terms = one.status.votes.approve if one.status.votes else 0, one.spec.approval
            outside = _any_outside_slack(visitor, one) if terms.step_up and counted else False
            missing = terms.required - counted
            found[one.metadata.uid or ""] = still_needed(missing, step_up=terms.step_up, outside=outside)
    return found


def _any_outside_slack(visitor: Visitor, request: ActionRequest) -> bool | None:
    """Return whether somebody approves otherwise than in Slack by their last vote; None where that is not known."""
    try:
        votes = list(approvals(visitor.connection, newer=True).list(request.metadata.namespace or ""))
    except Refused:
        return None
    last: dict[str, Choice] = {}
    for one in sorted(votes, key=lambda vote: str(vote.metadata.creation_timestamp or "")):
        is_about = one.spec.request.uid == request.metadata.uid and one.status.result is VoteResult.COUNTED
        if is_about and one.spec.approver.source is not Source.SLACK:
            last[one.spec.approver.person] = one.spec.decision
    return Choice.APPROVE in last.values()


def may_be_voted_on(request: ActionRequest) -> bool:
    """Return whether a vote can still change what becomes of the request."""
    return request.status.state in WAITING


def _order(one: ActionRequest) -> tuple[int, float, str]:
    state = one.status.state
    stage = 0 if state in WAITING else 2 if state in TERMINAL else 1
    known = one.spec.estimate.monthly_savings
    saving = inf if known is None else -float(known)
    created = one.metadata.creation_timestamp
    age = -(created.timestamp() if created is not None else 0.0)
    return (stage, age if stage == 2 else saving, one.metadata.name)


def error_of(error: FinopsError) -> str:
    """Return what went wrong as one sentence for a page."""
    return str(error)
