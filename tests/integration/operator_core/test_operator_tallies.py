"""What counts is what the ledger counted: no deleted object, second channel or flood of votes brings a permission."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.domain.audit import RecordKind
from finops.domain.decision import State
from finops.domain.execution import StopKind
from finops.errors import ClusterUnavailable, Refused
from finops.k8s.events import Events
from finops.k8s.kinds import aws_accounts
from finops.ports.act import ActProgress, ActRequest, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops_operator.acts.report import StatusReporter
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.verdicts import VOTES_A_PERSON
from finops_operator.rules.access import access_of
from finops_operator.telemetry import Telemetry

TWO = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}, {"slackUser": "U0ALICE001"}]}


def act_of(request: ActionRequest) -> ActRequest:
    access: AccountAccess = access_of(account())
    return ActRequest(
        uid=request.metadata.uid or "",
        name=request.metadata.name,
        tenant=Tenant(namespace=NAMESPACE, policy=request.spec.policy),
        access=access,
        plan=request.spec.to_plan(),
        plan_hash=request.spec.plan_hash,
        deciders=(),
        limits=Limits(per_hour=1, per_day=1, percent_of_fleet=1, fleet=1),
    )


def by_slack(parts: Parts, on: ActionRequest, user: str, **changes: Any) -> Approval:
    stamp = datetime.now(UTC).replace(microsecond=0)
    voter = {"source": "slack", "slack_team": "T0FINOPS01", "slack_user": user, "attested_at": stamp}
    return parts.vote(on, approver=voter, **changes)


def delete(parts: Parts, vote: Approval) -> None:
    """Remove a vote as somebody with the right to delete does, and let the watch show it."""
    parts.approvals.api.delete(NAMESPACE, vote.metadata.name)
    parts.cache.approvals.drop((NAMESPACE, vote.metadata.name), vote.metadata.uid)


def votes_recorded(parts: Parts) -> list[str]:
    found = [one.entry for one in parts.ledger.read() if one.entry.kind is RecordKind.VOTED]
    return [str(entry.detail["verdict"]) for entry in found]


@pytest.fixture
def granted(parts: Parts) -> Any:
    """A cluster in which nothing but votes can stand in the way."""
    by = parts.policies.create(policy(approval=TWO))
    made = aws_accounts(parts.connection).create(account())
    yield by
    aws_accounts(parts.connection).delete("", made.metadata.name)


@pytest.mark.usefixtures("granted")
@pytest.mark.parametrize("restarted", [False, True])
def test_a_withdrawal_counts_also_when_its_object_is_deleted(parts: Parts, *, restarted: bool) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    assert approved.status.state is State.APPROVED
    assert parts.gate.still_allowed(act_of(approved)) is None
    back = parts.vote(made, decision="Withdraw", reason="oh no")
    parts.decider.judge_votes(approved)
    delete(parts, back)
    if restarted:
        parts.decider.start_again()

    stop = parts.gate.still_allowed(act_of(approved))
    ended = parts.decider.advance(approved)

    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "QuorumLost")
    assert ended.status.state is State.WITHDRAWN


def test_a_denial_counts_also_when_its_object_is_deleted(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    delete_me = parts.vote(made, decision="Deny", reason="no")
    parts.decider.judge_votes(made)
    delete(parts, delete_me)
    parts.vote(made, person="bob")

    assert parts.decider.advance(made).status.state is State.DENIED


@pytest.mark.usefixtures("granted")
def test_an_approval_whose_object_is_deleted_no_longer_counts(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    vote = parts.vote(made)
    approved = parts.decider.advance(made)
    delete(parts, vote)

    assert parts.gate.still_allowed(act_of(approved)) is not None
    assert parts.decider.advance(approved).status.state is State.WITHDRAWN


@pytest.mark.usefixtures("granted")
def test_a_destructive_act_is_not_approved_by_one_human_with_two_channels(parts: Parts) -> None:
    made = parts.propose(1, destructive=True, approval=TWO)
    assert (made.spec.destructive, made.spec.approval.required) == (True, 2)
    parts.vote(made)
    by_slack(parts, made, "U0ALICE001")

    waiting = parts.decider.advance(made)

    assert waiting.status.state is State.PENDING
    assert waiting.status.votes is not None
    assert waiting.status.votes.summary == "1/2"
    answers = [one.status.message or "" for one in parts.approvals.api.list(NAMESPACE)]
    assert any(answer.endswith("people named in ConfigMap r-identities.") for answer in answers)

    parts.vote(made, person="bob")
    approved = parts.decider.advance(made)
    assert approved.status.state is State.APPROVED
    assert parts.gate.still_allowed(act_of(approved)) is None


@pytest.mark.usefixtures("granted")
def test_two_channels_count_together_as_long_as_the_administrator_names_both_people(parts: Parts) -> None:
    made = parts.propose(1, destructive=True, approval=TWO)
    parts.maps.write("r-identities", {"slack.U0ALICE001": "alice", "k8s.bob": "bob"})
    by_slack(parts, made, "U0ALICE001")
    parts.vote(made, person="bob")
    approved = parts.decider.advance(made)
    assert approved.status.state is State.APPROVED
    assert parts.gate.still_allowed(act_of(approved)) is None

    parts.maps.write("r-identities", {"k8s.bob": ""})

    stop = parts.gate.still_allowed(act_of(approved))
    assert stop is not None
    assert "count together only for people named in ConfigMap r-identities" in stop.message


def test_whoever_approved_cannot_fill_the_ledger_with_votes_that_take_nothing_back(parts: Parts) -> None:
    made = parts.propose(1, approval={**TWO, "required": 2})
    parts.vote(made)
    for _ in range(VOTES_A_PERSON + 20):
        parts.vote(made, decision="Resume", reason="go on")
    parts.decider.advance(made)
    assert len(votes_recorded(parts)) == VOTES_A_PERSON + 1
    assert votes_recorded(parts)[-1] == "TooManyVotes"


def test_a_flood_of_votes_leaves_few_records_and_can_still_be_taken_back(parts: Parts) -> None:
    made = parts.propose(1, approval={**TWO, "required": 2})
    for _ in range(VOTES_A_PERSON + 20):
        parts.vote(made)
    parts.decider.advance(made)
    assert votes_recorded(parts) == ["Approve", *["AlreadyVoted"] * (VOTES_A_PERSON - 1), "TooManyVotes"]
    answers = {one.status.reason for one in parts.approvals.api.list(NAMESPACE)}
    assert answers == {"Approve", "AlreadyVoted", "TooManyVotes"}

    parts.decider.start_again()
    parts.vote(made)
    parts.decider.advance(made)
    assert len(votes_recorded(parts)) == VOTES_A_PERSON + 1

    parts.vote(made, decision="Withdraw", reason="slip")
    assert parts.decider.advance(made).status.votes is not None
    assert votes_recorded(parts)[-1] == "Withdraw"
    for choice in ("Deny", "Withdraw", "Approve"):
        parts.vote(made, decision=choice, reason="again")
    parts.vote(made, person="bob")
    parts.decider.advance(made)
    assert votes_recorded(parts)[VOTES_A_PERSON + 1 :] == ["Withdraw", "Approve"]


def test_a_status_that_may_not_be_written_for_a_moment_is_no_reason_to_stop_an_act(parts: Parts) -> None:
    made = parts.propose(1)

    class Forbidding(Objects[ActionRequest]):
        def write_status(self, *_: Any) -> ActionRequest:
            raise Refused("not yet", code="Forbidden")

    refusing = Forbidding(parts.requests.api, parts.cache.requests, parts.canary)
    reporter = StatusReporter(
        refusing,
        parts.cache.requests.get,
        Events(parts.connection, component="operator", instance="operator-0"),
        Telemetry(),
        lambda: 1,
        lambda _act: None,
    )

    with pytest.raises(ClusterUnavailable, match="not yet"):
        reporter.report(act_of(made), ActProgress(state=State.EXECUTING))
