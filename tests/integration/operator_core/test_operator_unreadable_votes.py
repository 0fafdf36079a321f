"""An approval that counted and that this version cannot read any more: its request waits, and ends in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.operator_core.test_operator_standing import approved_in_spite_of
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.crds.approval import Approval
from finops.crds.invalid import InvalidObject
from finops.domain.decision import Choice, State
from finops.domain.execution import Call
from finops.k8s.kinds import KindApi, aws_accounts
from finops_operator.acts.journal import intent_entry, started_entry
from finops_operator.rules import request_status

TWO = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}], "requireReason": "Never"}


@pytest.fixture(autouse=True)
def _granted(parts: Parts) -> Iterator[None]:
    parts.policies.create(policy(approval=TWO))
    made = aws_accounts(parts.connection).create(account())
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


def lose_form(parts: Parts, patch: pytest.MonkeyPatch, vote: Approval) -> None:
    """Let a vote be one of a newer schema, in the watch and in every answer of the API server."""
    raw = vote.to_object()
    newer = {**raw, "spec": {**raw["spec"], "channel": "of a newer schema"}}
    parts.cache.approvals.drop((NAMESPACE, raw["metadata"]["name"]), raw["metadata"]["uid"])
    parts.cache.approvals.saw(newer)
    patch.setattr(KindApi, "_list_raw", lambda *_arguments: iter([newer]))
    real = KindApi._call

    def call(api: KindApi[Any], verb: str, namespace: str | None, part: str = "", **options: Any) -> Any:
        mine = verb == "get" and options.get("name") == vote.metadata.name
        return newer if mine else real(api, verb, namespace, part, **options)

    patch.setattr(KindApi, "_call", call)


@pytest.mark.parametrize("scheduled", [False, True])
def test_an_approved_request_whose_counted_approval_lost_its_form_waits_and_expires_when_its_time_is_over(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, *, scheduled: bool
) -> None:
    """The quorum may still stand, so it is not withdrawn; and an act that nobody can begin any more does not stay."""
    made = parts.propose(1, approval=TWO)
    vote = parts.vote(made)
    approved = parts.decider.advance(made)
    if scheduled:
        approved = parts.requests.write_status(
            approved, lambda now: request_status.moved(now.status, State.SCHEDULED, fence=parts.fence)
        )
    with monkeypatch.context() as patch:
        lose_form(parts, patch, vote)
        parts.clock.at = made.spec.expires_at - timedelta(seconds=1)
        with pytest.raises(InvalidObject):
            parts.decider.advance(approved)
        assert parts.requests.fresh(made).status.state is approved.status.state
        parts.clock.at = made.spec.expires_at
        assert parts.decider.advance(approved).status.state is State.EXPIRED

    assert parts.decider.advance(parts.requests.fresh(made)).status.state is State.EXPIRED


def test_a_denial_withdraws_what_was_approved_though_the_approval_lost_its_form(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the approval says, a denial that counts stands against it."""
    made = approved_in_spite_of(parts, decision="Deny", reason="no")
    (name,) = (vote.name for vote in parts.decider.counted(made) if vote.choice is Choice.APPROVE)
    vote = parts.approvals.api.get(NAMESPACE, name)
    assert vote is not None

    with monkeypatch.context() as patch:
        lose_form(parts, patch, vote)
        ended = parts.decider.advance(parts.requests.fresh(made))

    assert ended.status.state is State.WITHDRAWN
    assert "k8s.bob denied it" in str(parts.ledger.of_request(made.metadata.uid or "")[-1].entry.detail["message"])


def test_an_act_that_began_does_not_expire_when_a_counted_approval_lost_its_form(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its status lags behind: from the first call on only the executor ends it."""
    made = parts.propose(1, approval=TWO)
    vote = parts.vote(made)
    approved = parts.decider.advance(made)
    act = act_of(approved)
    parts.ledger.append(started_entry(act))
    call = Call(approved.spec.to_plan().steps[0], 1)
    parts.ledger.append(intent_entry(act, call, call.step.parameters, {}, back=False))

    with monkeypatch.context() as patch:
        lose_form(parts, patch, vote)
        parts.clock.at = made.spec.expires_at
        assert parts.decider.advance(approved).status.state is State.APPROVED
