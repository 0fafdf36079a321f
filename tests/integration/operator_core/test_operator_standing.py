"""A counted denial is never lost: decider and gate count from the ledger alone, also after an append without answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.operator_core.test_operator_tallies import act_of
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.crds.action_request import ActionRequest
from finops.domain.audit import Entry, Record, RecordKind
from finops.domain.decision import State, Trigger
from finops.domain.execution import Call, StopKind
from finops.errors import Conflict, LedgerDiverged, LedgerUnavailable
from finops.k8s.kinds import KindApi, aws_accounts
from finops.ledger.file_sink import FileSink
from finops_operator.acts.journal import intent_entry, started_entry
from finops_operator.decisions.act_stage import recorded_facts
from finops_operator.decisions.denials import Denials
from finops_operator.decisions.snoozes import Snoozes
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import card_facts
from finops_slackbot.views.card import card

TWO = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}], "requireReason": "Never"}


@pytest.fixture(autouse=True)
def _granted(parts: Parts) -> Iterator[None]:
    parts.policies.create(policy(approval=TWO))
    made = aws_accounts(parts.connection).create(account())
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


def sync_slowly_once(parts: Parts, seconds: float) -> threading.Event:
    """Let one sync of the ledger's file last longer than an append waits, as a network volume does now and then."""
    sink, done = parts.ledger._sinks.kept[0], threading.Event()
    assert isinstance(sink, FileSink)
    real = sink._sync

    def slow(descriptor: int) -> None:
        sink._sync = real
        time.sleep(seconds)
        real(descriptor)
        done.set()

    sink._sync = slow
    return done


def test_a_denial_whose_append_did_not_answer_still_ends_the_request(parts: Parts) -> None:
    """The verdict and the tally come from the same records."""
    made = parts.propose(1, approval=TWO)
    vote = parts.vote(made, decision="Deny", reason="no")
    done = sync_slowly_once(parts, 2.5)
    with pytest.raises(LedgerUnavailable):
        parts.decider.advance(made)
    assert done.wait(10)

    after = parts.decider.advance(parts.requests.fresh(made))

    answer = parts.approvals.api.get(NAMESPACE, vote.metadata.name)
    assert answer is not None
    assert answer.status.result is not None
    assert answer.status.result.value == "Counted"
    assert after.status.state is State.DENIED
    parts.vote(made, person="bob")
    assert parts.decider.advance(parts.requests.fresh(made)).status.state is State.DENIED


def test_a_withdrawal_whose_append_did_not_answer_takes_the_approval_back(parts: Parts) -> None:
    """The same holds for a vote that is taken back: verdict and tally come from the same records."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    assert approved.status.state is State.APPROVED
    parts.vote(made, decision="Withdraw")
    done = sync_slowly_once(parts, 2.5)
    with pytest.raises(LedgerUnavailable):
        parts.decider.advance(approved)
    assert done.wait(10)

    assert parts.decider.advance(parts.requests.fresh(made)).status.state is State.WITHDRAWN


def test_a_vote_that_was_taken_back_does_not_count_again_when_the_store_hides_its_verdict(parts: Parts) -> None:
    """One deleted field would replace a person."""
    both = {**TWO, "required": 2}
    made = parts.propose(1, approval=both)
    first = parts.vote(made)
    made = parts.decider.advance(made)
    parts.vote(made, decision="Withdraw")
    made = parts.decider.advance(made)
    parts.store.client.hdel(parts.store.keys.ledger_operations, f"vote:{first.metadata.uid}")
    parts.decider.start_again()
    parts.vote(made, person="bob")

    with pytest.raises(LedgerDiverged, match="hides operation vote:"):
        parts.decider.advance(parts.requests.fresh(made))

    assert parts.requests.fresh(made).status.state is State.PENDING


def approved_in_spite_of(parts: Parts, **vote: Any) -> ActionRequest:
    """Approve a request as a release did that had lost a vote which the ledger had counted."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made, person="bob", **vote)
    parts.decider.judge_votes(made)
    parts.vote(made)
    parts.decider.judge_votes(made)
    facts, counted = recorded_facts(parts.ledger, made), parts.decider.counted(made)
    last = parts.ledger.of_request(facts.uid)[-1].sequence
    tally = parts.decider._parts.ballots.standing(made)
    parts.decider._parts.decisions.votes.decide(made, facts, Trigger.QUORUM_REACHED, tally, "Approved.", after=last)
    assert len(counted) == 2
    return made


def test_a_denial_in_the_ledger_stops_the_gate_and_withdraws_what_was_approved_in_spite_of_it(parts: Parts) -> None:
    """Any standing denial stops the gate, whatever was decided."""
    made = approved_in_spite_of(parts, decision="Deny", reason="not this one")

    stop = parts.gate.still_allowed(act_of(made))
    shown = parts.decider.advance(parts.requests.fresh(made))

    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "Denied")
    assert "k8s.bob" in stop.message
    assert shown.status.state is State.WITHDRAWN
    arn, action = made.spec.resource.arn, made.spec.action
    assert "k8s.bob denied" in Denials(parts.ledger).why(arn, action, parts.clock.now(), dry_run=False)


@pytest.mark.parametrize("met_by", ["decider", "gate"])
def test_a_snooze_in_the_ledger_stops_the_gate_and_withdraws_what_was_approved_in_spite_of_it(
    parts: Parts, met_by: str
) -> None:
    """A snooze is a denial for a while: it stops an act like one, and its date holds for the resource."""
    until = (parts.clock.now() + timedelta(days=7)).replace(microsecond=0)
    made = approved_in_spite_of(parts, decision="Snooze", until=until, reason="month-end closing")

    stop = parts.gate.still_allowed(act_of(made))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "Snoozed")
    assert stop.message == f"Snoozed until {until:%Y-%m-%d %H:%M} UTC by k8s.bob. month-end closing"
    if met_by == "gate":
        parts.decider.end(parts.requests.fresh(made), Trigger.WITHDRAWN, stop.message)
    else:
        parts.decider.advance(parts.requests.fresh(made))

    ended = parts.requests.fresh(made)
    assert ended.status.state is State.WITHDRAWN
    assert ended.status.outcome is not None
    assert "k8s.bob" in (ended.status.outcome.message or "")
    held = Snoozes(parts.ledger, parts.policies.api.get).in_force(
        NAMESPACE, made.spec.resource.arn, parts.clock.now() + timedelta(days=6)
    )
    assert [one.until for one in held] == [until]


def test_a_snooze_that_comes_after_the_decision_is_refused_and_says_so(parts: Parts) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    late = parts.vote(
        made, person="bob", decision="Snooze", until=(parts.clock.now() + timedelta(days=7)).replace(microsecond=0)
    )

    after = parts.decider.advance(approved)

    answer = parts.approvals.api.get(NAMESPACE, late.metadata.name)
    assert answer is not None
    assert (answer.status.reason, answer.status.message) == (
        "AlreadyDecided",
        "The request is already Approved; the vote changes nothing.",
    )
    assert after.status.state is State.APPROVED


def test_a_request_whose_act_begins_in_the_instant_of_its_end_is_not_ended(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bullet "A counted denial is lost": a decision rests on the last record of its request, as a verdict does."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    act, real = act_of(approved), parts.decider._parts.decisions.votes.decide
    call = Call(approved.spec.to_plan().steps[0], 1)

    def begun_meanwhile(*what: Any, **how: Any) -> Record:
        parts.ledger.append(started_entry(act))
        parts.ledger.append(intent_entry(act, call, call.step.parameters, {}, back=False))
        return real(*what, **how)

    monkeypatch.setattr(parts.decider._parts.decisions.votes, "decide", begun_meanwhile)

    with pytest.raises(Conflict):
        parts.decider.end(approved, Trigger.WITHDRAWN, "The policy no longer allows it.")

    assert ("decided", "Withdrawn") not in parts.kinds_of_records()
    assert parts.requests.fresh(made).status.state is State.APPROVED


def test_a_harmless_record_in_the_instant_of_a_decision_does_not_refuse_it(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    real, notes = parts.decider._parts.votes.decide, iter([True])

    def noted_meanwhile(*what: Any, **how: Any) -> Record:
        if next(notes, False):
            parts.ledger.append(
                Entry("posted:x", "slackbot", RecordKind.POSTED, request=act_of(approved).ledger_name, result="posted")
            )
        return real(*what, **how)

    monkeypatch.setattr(parts.decider._parts.votes, "decide", noted_meanwhile)
    parts.decider.end(approved, Trigger.WITHDRAWN, "The policy no longer allows it.")

    assert ("decided", "Withdrawn") in parts.kinds_of_records()
    assert parts.requests.fresh(made).status.state is State.WITHDRAWN


def test_a_denial_stands_when_its_author_is_no_approver_of_the_policy_any_more(parts: Parts) -> None:
    """Taking somebody off the list of approvers lifts no denial of theirs."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made, person="bob", decision="Deny", reason="no")
    parts.decider.judge_votes(made)
    parts.vote(made)
    parts.decider.judge_votes(made)
    parts.policies.api.delete(NAMESPACE, policy().metadata.name)
    parts.policies.create(policy(approval={**TWO, "approvers": [{"kubernetesUser": "alice"}]}))

    stop = parts.gate.still_allowed(act_of(made))

    assert stop is not None
    assert stop.code == "Denied"


def test_a_request_that_is_withdrawn_before_its_first_call_gives_its_place_back(parts: Parts) -> None:
    """A process that died between admission and start leaves no place of a cap taken."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    assert parts.given_back == []
    parts.vote(made, decision="Withdraw")

    assert parts.decider.advance(approved).status.state is State.WITHDRAWN
    assert [one.metadata.uid for one in parts.given_back] == [made.metadata.uid]


@pytest.mark.parametrize("about", [True, False])
def test_an_approval_that_does_not_parse_holds_its_act_and_no_other(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, *, about: bool
) -> None:
    """An Approval that does not parse holds the act and says so, and never withdraws it for good."""
    made = parts.propose(1, approval=TWO)
    mine = parts.vote(made)
    approved = parts.decider.advance(made)
    other = parts.vote(parts.propose(2, approval=TWO))
    name = (mine if about else other).metadata.name
    real = KindApi._list_raw

    def newer(api: KindApi[Any], namespace: str | None, label_selector: str = "") -> Iterator[Mapping[str, Any]]:
        for raw in real(api, namespace, label_selector):
            if raw["metadata"]["name"] == name:
                yield {**raw, "spec": {**raw["spec"], "channel": "of a newer schema"}}
            else:
                yield raw

    monkeypatch.setattr(KindApi, "_list_raw", newer)

    stop = parts.gate.still_allowed(act_of(approved))

    if about:
        assert stop is not None
        assert (stop.kind, stop.code) == (StopKind.HOLD, "Invalid")
        assert name in stop.message
    else:
        assert stop is None


def test_an_approval_that_does_not_parse_holds_the_decision_and_counts_once_it_can_be_read(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a denial: the request stays Pending, status and card say so, and the denial is not too late."""
    made = parts.propose(1, approval=TWO)
    denial = parts.vote(made, "bob", decision="Deny", reason="no")
    raw = denial.to_object()
    newer = {**raw, "spec": {**raw["spec"], "channel": "of a newer schema"}}
    real = KindApi._list_raw

    def listed(api: KindApi[Any], namespace: str | None, label_selector: str = "") -> Iterator[Mapping[str, Any]]:
        for one in real(api, namespace, label_selector):
            yield newer if one["metadata"]["name"] == denial.metadata.name else one

    with monkeypatch.context() as patch:
        patch.setattr(KindApi, "_list_raw", listed)
        parts.cache.approvals.drop((NAMESPACE, denial.metadata.name), denial.metadata.uid)
        before_votes = parts.decider.advance(made)
        assert before_votes.status.outcome is None, "nobody has seen it yet, and nothing is to be decided"
        parts.vote(made, "alice")
        held = parts.decider.advance(made)
        parts.cache.approvals.saw(newer)
        assert parts.decider.advance(held) == held, "nothing is written anew at each pass"

    assert held.status.state is State.PENDING
    assert held.status.outcome is not None
    assert denial.metadata.name in (held.status.outcome.error or "")
    shown = str(card(card_facts(held, (), demo=False), Buttons(b"a key for tests only")).blocks)
    assert "*Nothing is decided now:* a vote cannot be read and may be a denial" in shown

    parts.cache.approvals.saw(raw)
    assert parts.decider.advance(held).status.state is State.DENIED


@pytest.mark.parametrize("shown", [True, False])
def test_a_request_that_a_vote_without_form_holds_expires_when_its_time_is_over(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, *, shown: bool
) -> None:
    """Quorum was reached in time, and nothing could be decided: it is not approved once the vote can be read."""
    made = parts.propose(1, approval=TWO)
    raw = parts.vote(made, "bob", decision="Deny", reason="no").to_object()
    newer = {**raw, "spec": {**raw["spec"], "channel": "of a newer schema"}}
    parts.cache.approvals.drop((NAMESPACE, raw["metadata"]["name"]), raw["metadata"]["uid"])
    if shown:
        parts.cache.approvals.saw(newer)
    parts.vote(made, "alice")
    with monkeypatch.context() as patch:
        patch.setattr(KindApi, "_list_raw", lambda *_arguments: iter([newer]))
        held = parts.decider.advance(made)
        parts.clock.at = made.spec.expires_at - timedelta(seconds=1)
        assert parts.decider.advance(held).status.state is State.PENDING
        parts.clock.at = made.spec.expires_at
        expired = parts.decider.advance(held)

    assert held.status.state is State.PENDING
    assert expired.status.state is State.EXPIRED
    assert expired.status.outcome is not None
    assert "Expired" in (expired.status.outcome.error or "")
    parts.approvals.api.delete(NAMESPACE, raw["metadata"]["name"])
    assert parts.decider.advance(expired).status.state is State.EXPIRED


def test_an_approval_that_the_watch_shows_and_nobody_can_read_is_said_before_anything_is_decided(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And forgotten once it is gone, also when the watch did not show that."""
    made = parts.propose(1, approval=TWO)
    raw = parts.vote(made, "bob", decision="Deny", reason="no").to_object()
    newer = {**raw, "spec": {**raw["spec"], "channel": "of a newer schema"}}
    parts.cache.approvals.saw(newer)

    with monkeypatch.context() as patch:
        patch.setattr(KindApi, "_list_raw", lambda *_arguments: iter([newer]))
        held = parts.decider.advance(made)
    assert held.status.outcome is not None
    assert "cannot be read" in (held.status.outcome.error or "")

    parts.approvals.api.delete(NAMESPACE, raw["metadata"]["name"])
    parts.vote(made, "alice")
    approved = parts.decider.advance(held)
    assert (approved.status.state, approved.status.outcome) == (State.APPROVED, None)


def test_a_policy_that_no_longer_names_the_account_withdraws_what_was_approved(parts: Parts) -> None:
    """What a policy does not name is not acted on."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    assert parts.gate.still_allowed(act_of(approved)) is None
    parts.policies.api.delete(NAMESPACE, policy().metadata.name)
    parts.policies.create(policy(approval=TWO, accounts=[{"name": "elsewhere"}]))

    stop = parts.gate.still_allowed(act_of(approved))

    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, "AccountNotNamed")


def test_nothing_begins_so_late_that_its_call_could_come_after_the_expiry(parts: Parts) -> None:
    """The last half minute begins nothing."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    left = (made.spec.expires_at - parts.clock.now()).total_seconds()
    parts.clock.sleep(left - 32)
    assert parts.gate.still_allowed(act_of(approved)) is None
    parts.clock.sleep(3)

    stop = parts.gate.still_allowed(act_of(approved))

    assert stop is not None
    assert stop.kind is StopKind.EXPIRED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"allow": [{"namespaces": [NAMESPACE], "actions": ["ebs_volume_delete"]}]}, "NotGranted"),
        ({"allow": [{"namespaces": ["elsewhere"], "actions": ["ec2_instance_stop"]}]}, "NotGranted"),
        ({"executorRoleArn": None}, "NotGranted"),
        ({"accountId": "999999999999", "executorRoleArn": None}, "AccountGone"),
    ],
)
def test_an_account_that_no_longer_grants_the_act_withdraws_it_however_many_approved(
    parts: Parts, change: dict[str, Any], code: str
) -> None:
    """Invariant I10: what a namespace may do in an account is the administrator's word of now."""
    made = parts.propose(1, approval=TWO)
    parts.vote(made)
    approved = parts.decider.advance(made)
    assert parts.gate.still_allowed(act_of(approved)) is None
    api = aws_accounts(parts.connection)
    api.delete("", account().metadata.name)
    api.create(account(**change))

    stop = parts.gate.still_allowed(act_of(approved))

    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.WITHDRAWN, code)


def test_a_clock_that_was_put_back_makes_no_expired_approval_good_again(parts: Parts) -> None:
    """What the offline verifier judges by the records alone: a call is no earlier than what stands before it."""
    made = parts.propose(1, approval=TWO)
    parts.clock.at = made.spec.expires_at - timedelta(seconds=40)
    parts.vote(made)
    made = parts.decider.advance(made)
    assert made.status.state is State.APPROVED
    assert parts.gate.still_allowed(act_of(made)) is None
    parts.clock.at -= timedelta(minutes=3)
    assert parts.gate.still_allowed(act_of(made)) is None
    parts.clock.at -= timedelta(minutes=2)
    stop = parts.gate.still_allowed(act_of(made))
    assert stop is not None
    assert (stop.kind, stop.code) == (StopKind.HOLD, "ClockBehind")
