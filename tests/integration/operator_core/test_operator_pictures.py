"""Nothing is decided from half a picture: after a start, after a watch that lists again, by a status that is behind."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.operator_core.test_operator_tallies import TWO, act_of, by_slack, delete, votes_recorded
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import State, Trigger
from finops.domain.execution import Call, StopKind
from finops.errors import ClusterUnavailable, Conflict
from finops.k8s.kinds import aws_accounts
from finops.ports.act import ActRequest
from finops_operator.acts.journal import entry, intent_entry, started_entry
from finops_operator.cluster.objects import Gone
from finops_operator.plugins.action import with_request
from finops_operator.rules.votes import request_reference

LONG_NAMES = {"approvers": [{"kubernetesGroup": f"https://login.example/{'x' * 220}#{n:02d}"} for n in range(50)]}


def restarted(parts: Parts) -> Parts:
    """The next process: the same cluster and ledger, and watches that have shown nothing yet."""
    return Parts(parts.double, parts.store, parts.ledger, parts.ledger_path, parts.clock)


def decisions(parts: Parts) -> list[str]:
    return [record.entry.result for record in parts.ledger.read() if record.entry.kind is RecordKind.DECIDED]


def intent(parts: Parts, request: ActionRequest) -> None:
    """Record that an act started and made its first call, as the executor does."""
    begin(parts, act_of(request))


def begin(parts: Parts, act: ActRequest) -> None:
    """Record the same of an act."""
    first = act.plan.steps[0]
    parts.ledger.append(started_entry(act))
    parts.ledger.append(intent_entry(act, Call(first, 1), with_request(first.parameters, act.uid), {}, back=False))
    parts.ledger.append(entry(act, f"outcome:{first.id}:1", RecordKind.OUTCOME, step=first.id, attempt=1, result="ok"))


def answer(parts: Parts, vote: Approval) -> tuple[str | None, str | None]:
    found = parts.approvals.api.get(NAMESPACE, vote.metadata.name)
    assert found is not None
    return found.status.result and found.status.result.value, found.status.reason


def silent(monkeypatch: pytest.MonkeyPatch, on: Any, method: str) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise ClusterUnavailable("nobody answers")

    monkeypatch.setattr(on, method, fails)


def test_an_approval_outlives_a_start_in_which_the_request_is_shown_before_its_votes(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    after = restarted(parts)
    after.cache.requests.put(approved)

    assert after.decider.advance(approved).status.state is State.APPROVED
    assert decisions(after) == ["Approved"]


def test_a_denial_that_the_watch_shows_last_wins_over_the_approval_it_shows_first(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made, decision="Deny", reason="no")
    later = parts.vote(made, person="bob")
    after = restarted(parts)
    after.cache.approvals.saw(later.to_object(), listed=True)

    assert after.decider.advance(made).status.state is State.DENIED


def test_while_the_votes_cannot_be_read_nothing_is_decided(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    after = restarted(parts)
    silent(monkeypatch, after.approvals.api, "list")

    for attempt in (
        lambda: after.decider.advance(approved),
        lambda: after.decider.judge_votes(approved),
        lambda: after.decider.end(approved, Trigger.WITHDRAWN, "the policy is gone"),
    ):
        with pytest.raises(ClusterUnavailable):
            attempt()
    assert after.decider.see_all() == {None}
    assert decisions(after) == ["Approved"]


def test_an_act_that_ended_without_a_call_is_not_decided_again(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    shown = parts.requests.write_status(approved, lambda now: {**now.status.to_dict(), "state": "Scheduled"})
    parts.ledger.append(
        Entry(
            f"{made.metadata.uid}:ended",
            "operator",
            RecordKind.OUTCOME,
            request=request_reference(made),
            plan_hash=made.spec.plan_hash,
            result="Succeeded",
            detail={"reason": "dry run"},
        )
    )
    late = parts.vote(made, decision="Withdraw", reason="too late")
    parts.clock.sleep(73 * 3600)

    assert parts.decider.advance(shown).status.state is State.SCHEDULED
    parts.decider.end(shown, Trigger.EXPIRED, "Expired before it was carried out.")

    assert answer(parts, late) == ("Refused", "AlreadyDecided")
    assert decisions(parts) == ["Approved"]


def test_an_approval_that_the_watch_has_lost_counts_while_the_api_server_has_it(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    vote = parts.vote(made)
    approved = parts.decider.advance(made)
    parts.cache.approvals.drop((NAMESPACE, vote.metadata.name), vote.metadata.uid)

    assert parts.decider.advance(approved).status.state is State.APPROVED

    delete(parts, vote)
    assert parts.decider.advance(approved).status.state is State.WITHDRAWN


def test_a_watch_that_begins_to_list_while_a_request_is_judged_puts_the_decision_off(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts.propose(1, approval=TWO)
    vote = parts.vote(made)
    fresh = parts.requests.fresh

    def lists_meanwhile(one: ActionRequest) -> ActionRequest:
        parts.cache.approvals.saw(vote.to_object(), listed=True)
        return fresh(one)

    with monkeypatch.context() as patched:
        patched.setattr(parts.requests, "fresh", lists_meanwhile)
        assert parts.decider.advance(made).status.state is State.PENDING
    assert decisions(parts) == []

    assert parts.decider.advance(made).status.state is State.APPROVED


def test_nothing_is_recorded_about_a_request_that_is_gone(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    parts.requests.api.delete(NAMESPACE, made.metadata.name)
    parts.clock.sleep(73 * 3600)

    with pytest.raises(Gone):
        parts.decider.advance(made)

    assert decisions(parts) == []


def test_a_recorded_denial_is_shown_and_not_judged_again(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made, decision="Deny", reason="month end")
    with monkeypatch.context() as patched:
        silent(patched, parts.requests, "write_status")
        with pytest.raises(ClusterUnavailable):
            parts.decider.advance(made)
    decided_at = parts.clock.now().replace(microsecond=0)
    parts.clock.sleep(600)
    after = restarted(parts)
    parts.vote(made, decision="Withdraw", reason="sorry")
    late = parts.vote(made, person="bob")

    ended = after.decider.advance(after.requests.fresh(made))

    assert ended.status.state is State.DENIED
    assert ended.status.decided_at == decided_at
    assert ended.status.votes is not None
    assert (ended.status.votes.approve, ended.status.votes.deny) == (0, 1)
    assert "month end" in ended.status.conditions[0].message
    assert answer(after, late) == ("Refused", "AlreadyDecided")
    assert decisions(after) == ["Denied"]


@pytest.mark.parametrize("next_process", [False, True])
def test_a_recorded_withdrawal_holds_when_its_cause_goes_away(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, *, next_process: bool
) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    with monkeypatch.context() as patched:
        silent(patched, parts.requests, "write_status")
        with pytest.raises(ClusterUnavailable):
            parts.decider.end(approved, Trigger.WITHDRAWN, "The policy no longer allows it.")
    after = restarted(parts) if next_process else parts
    after.policies.create(policy(approval=TWO))
    made_account = aws_accounts(after.connection).create(account())

    stop = after.gate.still_allowed(act_of(approved))
    ended = after.decider.advance(after.requests.fresh(made))

    assert stop is not None
    assert (stop.kind, stop.message) == (StopKind.WITHDRAWN, "The policy no longer allows it.")
    assert ended.status.state is State.WITHDRAWN
    aws_accounts(after.connection).delete("", made_account.metadata.name)


def test_what_begins_in_the_instant_of_its_withdrawal_is_left_to_the_executor(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    with monkeypatch.context() as patched:
        silent(patched, parts.requests, "write_status")
        decide = parts.decider._parts.votes.decide

        def as_the_act_begins(*args: Any, after: int) -> Record:
            intent(parts, approved)
            return decide(*args, after=after)

        patched.setattr(parts.decider._parts.votes, "decide", as_the_act_begins)
        with pytest.raises(Conflict):
            parts.decider.end(approved, Trigger.WITHDRAWN, "The policy no longer allows it.")

    assert parts.decider.advance(approved).status.state is State.APPROVED


@pytest.mark.parametrize("shown", [State.APPROVED, State.EXECUTING])
def test_a_vote_is_taken_back_until_the_first_call_is_recorded_whatever_the_status_shows(
    parts: Parts, shown: State
) -> None:
    made = parts.propose(1, approval={**TWO, "required": 1})
    parts.vote(made)
    approved = parts.decider.advance(made)
    running = parts.requests.write_status(approved, lambda now: {**now.status.to_dict(), "state": shown.value})

    in_time = parts.vote(made, decision="Withdraw", reason="not now")
    assert parts.decider.judge_votes(running)
    assert answer(parts, in_time) == ("Counted", "Withdraw")


@pytest.mark.parametrize("shown", [State.APPROVED, State.EXECUTING])
def test_once_the_first_call_is_recorded_no_vote_is_taken_back(parts: Parts, shown: State) -> None:
    made = parts.propose(1, approval={**TWO, "required": 1})
    parts.vote(made)
    approved = parts.decider.advance(made)
    running = parts.requests.write_status(approved, lambda now: {**now.status.to_dict(), "state": shown.value})

    intent(parts, running)
    late = parts.vote(made, decision="Withdraw", reason="too late")
    assert not parts.decider.judge_votes(running)
    assert answer(parts, late) == ("Refused", "AlreadyDecided")


def test_nobody_reads_that_a_vote_was_taken_back_in_the_instant_in_which_the_act_begins(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    vote = parts.vote(made, decision="Withdraw", reason="not now")
    begun = list[bool]()

    class Judging:
        """Lets the act begin after the decider has looked whether it has."""

        def __getattr__(self, name: str) -> Any:
            return getattr(parts.clock, name)

        def now(self) -> Any:
            if not begun:
                begun.append(True)
                intent(parts, approved)
            return parts.clock.now()

    object.__setattr__(parts.decider._parts.judge, "clock", Judging())

    with pytest.raises(Conflict):
        parts.decider.judge_votes(approved)
    assert answer(parts, vote) == (None, None)

    assert not parts.decider.judge_votes(approved)
    assert answer(parts, vote) == ("Refused", "AlreadyDecided")


def test_an_act_waits_for_a_vote_that_was_cast_and_is_not_judged_yet(parts: Parts) -> None:
    parts.policies.create(policy(approval=TWO))
    made_account = aws_accounts(parts.connection).create(account())
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    parts.vote(made, person="mallory", decision="Withdraw", reason="of no one")
    assert parts.gate.still_allowed(act_of(approved)) is None

    parts.vote(made, decision="Withdraw", reason="not now")
    stop = parts.gate.still_allowed(act_of(approved))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.HOLD, "VoteUnread")

    parts.decider.judge_votes(approved)
    stop = parts.gate.still_allowed(act_of(approved))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "QuorumLost")
    aws_accounts(parts.connection).delete("", made_account.metadata.name)


def test_a_vote_that_has_the_uid_right_and_the_name_wrong_is_refused_and_holds_no_act(parts: Parts) -> None:
    parts.policies.create(policy(approval=TWO))
    made_account = aws_accounts(parts.connection).create(account())
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    mistyped = {"name": "mistyped", "uid": made.metadata.uid}
    vote = parts.vote(made, decision="Withdraw", reason="not now", request=mistyped)
    stop = parts.gate.still_allowed(act_of(approved))
    assert stop is not None
    assert stop.code == "VoteUnread"

    assert not parts.decider.judge_votes(approved)

    assert answer(parts, vote) == ("Refused", "WrongRequest")
    assert parts.gate.still_allowed(act_of(approved)) is None
    aws_accounts(parts.connection).delete("", made_account.metadata.name)


def test_a_refusal_names_as_many_approvers_as_an_answer_holds(parts: Parts) -> None:
    made = parts.propose(1, approval=LONG_NAMES)
    vote = parts.vote(made, person="mallory")

    assert parts.decider.advance(made).status.state is State.PENDING

    assert answer(parts, vote) == ("Refused", "NotEligible")
    parts.clock.sleep(73 * 3600)
    assert parts.decider.advance(parts.requests.fresh(made)).status.state is State.EXPIRED


def test_a_voter_who_cannot_be_answered_keeps_nobody_else_from_a_decision(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts.propose(1, approval=TWO)
    refused = parts.vote(made, person="mallory")
    parts.vote(made)
    with monkeypatch.context() as patched:
        silent(patched, parts.approvals, "write_status")
        assert parts.decider.advance(made).status.state is State.APPROVED
    assert answer(parts, refused) == (None, None)

    parts.decider.advance(parts.requests.fresh(made))
    assert answer(parts, refused) == ("Refused", "NotEligible")
    assert sorted(votes_recorded(parts)) == ["Approve", "NotEligible"]


def test_the_deciders_of_an_act_are_those_whose_approval_stands_in_the_order_of_their_votes(parts: Parts) -> None:
    made = parts.propose(1, destructive=True, approval=TWO)
    parts.vote(made)
    parts.decider.judge_votes(made)
    parts.vote(made, decision="Withdraw", reason="slip")
    by_slack(parts, made, "U0ALICE001")
    parts.vote(made, person="bob")
    assert parts.decider.advance(made).status.state is State.PENDING

    parts.vote(made)
    approved = parts.decider.advance(made)

    assert approved.status.state is State.APPROVED
    standing = [vote.voter.handle for vote in parts.decider.counted_approvals(approved)]
    assert standing == ["k8s.bob", "k8s.alice"]
