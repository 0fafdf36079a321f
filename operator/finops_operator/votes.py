"""From Kubernetes objects to the values that decisions are made of, and back to a status. Pure.

Used by the decider, by the gate before an act, and by the command line when it shows who has voted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from finops.domain.canonical import Json
from finops.domain.decision import Approver, Choice, RequestFacts, State, Terms, Vote, Voter
from finops.kinds.action_request import ActionRequest
from finops.kinds.approval import Approval
from finops.kinds.approver import Approver as ApproverEntry

_ORDER: Final = {Choice.APPROVE: 0, Choice.DENY: 1, Choice.WITHDRAW: 2}
_NEVER_STAMPED: Final = datetime.max.replace(tzinfo=UTC)


def request_facts(request: ActionRequest) -> RequestFacts:
    """Return what votes on `request` are judged against; a request without a state counts as pending."""
    spec = request.spec
    terms = Terms(
        domain_approvers(spec.approval.approvers),
        spec.approval.required,
        spec.approval.require_reason.value,
        spec.expires_at,
    )
    return RequestFacts(request.metadata.uid or "", spec.plan_hash, state_of(request), terms)


def domain_approvers(approvers: Iterable[ApproverEntry]) -> tuple[Approver, ...]:
    """Return the terms' entries as the domain knows them."""
    return tuple(
        Approver(
            slack_user=one.slack_user or "",
            slack_user_group=one.slack_user_group or "",
            kubernetes_user=one.kubernetes_user or "",
            kubernetes_group=one.kubernetes_group or "",
        )
        for one in approvers
    )


def state_of(request: ActionRequest) -> State:
    """Return the state in the domain's words."""
    return request.status.state or State.PENDING


def vote_of(approval: Approval) -> Vote:
    """Return the vote an Approval object casts; its instant is the API server's stamp, never the voter's."""
    spec = approval.spec
    who = spec.approver
    return Vote(
        uid=approval.metadata.uid or "",
        name=approval.metadata.name,
        request_uid=spec.request.uid,
        plan_hash=spec.plan_hash,
        choice=spec.decision,
        reason=spec.reason or "",
        voter=Voter(
            source=who.source.value,
            username=who.username or "",
            groups=tuple(who.groups),
            slack_team=who.slack_team or "",
            slack_user=who.slack_user or "",
        ),
        # Every object of an API server has a stamp; one without comes too late for everything.
        at=approval.metadata.creation_timestamp or _NEVER_STAMPED,
    )


def votes_of(approvals: Iterable[Approval]) -> tuple[Vote, ...]:
    """Return the votes of several Approvals in the order in which they are judged: as the API server stamped them.

    Stamps have whole seconds. Within one, what takes a permission away comes last, so that it has the last word.
    """
    return tuple(sorted(map(vote_of, approvals), key=lambda vote: (vote.at, _ORDER[vote.choice], vote.uid)))


def voter_detail(voter: Voter) -> dict[str, Json]:
    """Return the whole voter for the ledger, where the short handle is not enough."""
    detail: dict[str, Json] = {"source": voter.source, "handle": voter.handle, "groups": list(voter.groups)}
    if voter.source == "slack":
        detail |= {"slackTeam": voter.slack_team, "slackUser": voter.slack_user}
    else:
        detail["username"] = voter.username
    return detail


def request_reference(request: ActionRequest) -> str:
    """Return `namespace/name/uid`, the ledger's name of a request."""
    metadata = request.metadata
    return f"{metadata.namespace}/{metadata.name}/{metadata.uid}"
