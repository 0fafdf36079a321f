"""Casts a vote as the kubeconfig's user and waits for the operator's answer; shared by all commands that vote.

The vote is a plain Approval object: nothing here decides whether it counts. Sending the same vote twice finds the first
one and shows its answer; one that was refused, or taken back since, is asked anew.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.approval import LONGEST_REASON, Approval, ApprovalSpec, RequestReference, Source, Voter
from finops.domain.decision import Choice, VoteResult
from finops.domain.quantity import counted
from finops.errors import InvalidInput, Refused, Unavailable
from finops.k8s.ballots import Ballot
from finops.k8s.kinds import KindApi, action_requests, approvals
from finops_operator.cli.cluster_access import Cluster
from finops_operator.cli.output import note

_POLL_SECONDS: Final = 0.25
_GROUPS: Final = 100
"""As many as an Approval holds; a person in more groups votes by name, or with one of these."""


def checked_reason(reason: str) -> str:
    """Return a reason that an Approval can hold; empty where none is given. The callback of every `--reason`.

    Raises:
        InvalidInput: it is longer than that, or blank.
    """
    if len(reason) > LONGEST_REASON:
        raise InvalidInput(
            f"has {len(reason):,} characters, {LONGEST_REASON:,} at most are kept",
            field="--reason",
            hint="say it shorter, or name a page where the rest stands",
        )
    if reason and not reason.strip():
        raise InvalidInput("is blank", field="--reason", hint="say why in a few words, or leave the option out")
    return reason


def cast(
    cluster: Cluster,
    request: ActionRequest,
    choice: Choice,
    *,
    reason: str = "",
    until: datetime | None = None,
    wait_seconds: float,
) -> Approval:
    """Create the Approval of exactly this plan, wait for its verdict, and return it when it was counted.

    Raises:
        InvalidInput: the reason is not one.
        Refused: the API server or the operator does not count the vote; the message is theirs.
        Unavailable: no verdict within `wait_seconds`; the vote is recorded.
    """
    vote = Approval.of(cluster.namespace, _spec(request, choice, _voter(cluster), reason, until))
    api = approvals(cluster.connection)
    sent = Ballot(api, vote, others=lambda: api.list(cluster.namespace)).cast()
    if sent.earlier:
        note(f"you have sent this vote before: {sent.approval.metadata.name}")
    return _answered(api, cluster.namespace, sent.approval, wait_seconds)


def _voter(cluster: Cluster) -> Voter:
    """Return who the API server says we are; it checks both again when the vote arrives."""
    username, groups = cluster.access.username()
    return Voter(source=Source.KUBERNETES, username=username, groups=tuple(dict.fromkeys(groups))[:_GROUPS])


def _spec(request: ActionRequest, choice: Choice, voter: Voter, reason: str, until: datetime | None) -> ApprovalSpec:
    return ApprovalSpec(
        request=RequestReference(name=request.metadata.name, uid=request.metadata.uid or ""),
        plan_hash=request.spec.plan_hash,
        decision=choice,
        reason=checked_reason(reason) or None,
        until=until,
        approver=voter,
    )


def _answered(api: KindApi[Approval], namespace: str, sent: Approval, wait_seconds: float) -> Approval:
    deadline = time.monotonic() + wait_seconds
    while True:
        found = api.get(namespace, sent.metadata.name)
        if found is not None and found.metadata.uid == sent.metadata.uid and found.status.result is not None:
            return _counted(found)
        if time.monotonic() > deadline:
            raise Unavailable(
                f"the vote {sent.metadata.name} is recorded, but the operator has not answered within "
                f"{wait_seconds:g} seconds",
                code="NoVerdict",
                hint="is the operator running? `kubectl get approvals` shows the answer when it comes",
            )
        time.sleep(_POLL_SECONDS)


def _counted(approval: Approval) -> Approval:
    if approval.status.result is VoteResult.COUNTED:
        return approval
    reason = approval.status.reason or "Refused"
    raise Refused(approval.status.message or f"the operator refused the vote: {reason}", code=reason)


def show_answer(cluster: Cluster, approval: Approval) -> None:
    """Say on stderr what the vote did."""
    request = action_requests(cluster.connection).get(cluster.namespace, approval.spec.request.name)
    note(approval.status.message or "the vote counts")
    if request is not None and request.status.state is not None:
        votes = request.status.votes
        standing = f", {votes.approve} of {counted(votes.required, 'approval')}" if votes is not None else ""
        note(f"{request.metadata.name} is {request.status.state.value}{standing}")
