"""An approver says "not now": the request ends, and nobody is asked about the resource before the date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import account, policy

from finops.crds.action_request import ActionRequest
from finops.domain.audit import RecordKind
from finops.domain.decision import State
from finops.errors import LedgerUnavailable
from finops.k8s.kinds import aws_accounts
from finops.ledger.stories import story_of
from finops_operator.decisions.decision_writer import DecisionWriter
from finops_operator.decisions.snoozes import Snooze, Snoozes
from finops_operator.rules.votes import request_reference

TERMS = {"approvers": [{"kubernetesUser": "alice"}, {"kubernetesUser": "bob"}], "required": 2}


@pytest.fixture(autouse=True)
def _granted(parts: Parts) -> Iterator[None]:
    parts.policies.create(policy(approval=TERMS))
    made = aws_accounts(parts.connection).create(account())
    yield
    aws_accounts(parts.connection).delete("", made.metadata.name)


def day(parts: Parts, days: float) -> datetime:
    return (parts.clock.now() + timedelta(days=days)).replace(microsecond=0)


def snoozed(parts: Parts, arn: str, now: datetime, namespace: str = NAMESPACE) -> tuple[Snooze, ...]:
    return Snoozes(parts.ledger, parts.policies.api.get).in_force(namespace, arn, now)


def cast(parts: Parts, on: ActionRequest, person: str, decision: str, **changes: Any) -> tuple[str, str]:
    """Vote, let the operator judge it, and return result and reason of its answer."""
    vote = parts.vote(on, person, decision=decision, **changes)
    parts.decider.advance(parts.requests.fresh(on))
    answer = parts.approvals.api.get(NAMESPACE, vote.metadata.name)
    assert answer is not None
    assert answer.status.result is not None
    return answer.status.result.value, answer.status.reason or ""


def test_a_snooze_ends_the_request_and_holds_for_its_resource_until_the_date(parts: Parts) -> None:
    made, until = parts.propose(1, approval=TERMS), day(parts, 14)
    arn = made.spec.resource.arn
    assert cast(parts, made, "bob", "Snooze", until=until, reason="month-end closing") == ("Counted", "Snooze")

    ended = parts.requests.fresh(made)
    assert ended.status.state is State.SNOOZED
    assert ended.status.outcome is not None
    assert (ended.status.outcome.message or "").startswith(
        f"Snoozed until {until:%Y-%m-%d %H:%M} UTC by k8s.bob. month-end closing. Nothing was changed."
    )
    (snooze,) = snoozed(parts, arn, parts.clock.now())
    assert snooze.until == until
    assert snooze.sentence == (
        f"Snoozed until {until:%Y-%m-%d %H:%M} UTC by k8s.bob ({NAMESPACE}/{made.metadata.name}). month-end closing "
        f"To end it before: finops wake {made.metadata.name} -n {NAMESPACE} --reason WHY"
    )
    assert snoozed(parts, arn, until - timedelta(seconds=1))
    assert not snoozed(parts, arn, until)
    assert not snoozed(parts, parts.propose(2, approval=TERMS).spec.resource.arn, parts.clock.now())


def test_a_snooze_outweighs_approvals_and_a_denial_outweighs_a_snooze(parts: Parts) -> None:
    first, second = parts.propose(1, approval=TERMS), parts.propose(2, approval=TERMS)
    for made in (first, second):
        parts.vote(made, "alice")
        parts.vote(made, "bob", decision="Snooze", until=day(parts, 3), reason="closing")
    parts.vote(second, "alice", decision="Deny", reason="never")
    assert parts.decider.advance(first).status.state is State.SNOOZED
    assert parts.decider.advance(second).status.state is State.DENIED


@pytest.mark.parametrize("days", [-1, 367])
def test_a_date_that_has_passed_or_is_too_far_snoozes_nothing(parts: Parts, days: int) -> None:
    made = parts.propose(1, approval=TERMS)
    assert cast(parts, made, "bob", "Snooze", until=day(parts, days)) == ("Refused", "UnusableDate")
    assert parts.requests.fresh(made).status.state is State.PENDING


def test_whoever_is_no_approver_snoozes_nothing(parts: Parts) -> None:
    made = parts.propose(1, approval=TERMS)
    assert cast(parts, made, "mallory", "Snooze", until=day(parts, 3)) == ("Refused", "NotEligible")
    assert not snoozed(parts, made.spec.resource.arn, parts.clock.now())


def test_an_approver_ends_a_snooze_and_the_ledger_says_who(parts: Parts) -> None:
    made = parts.propose(1, approval=TERMS)
    cast(parts, made, "bob", "Snooze", until=day(parts, 30), reason="closing")
    assert cast(parts, made, "mallory", "Wake", reason="now") == ("Refused", "NotEligible")
    assert cast(parts, made, "alice", "Wake", reason="closing is done") == ("Counted", "Wake")

    assert not snoozed(parts, made.spec.resource.arn, parts.clock.now())
    woken = next(one for one in parts.ledger.read() if one.entry.kind is RecordKind.WOKEN)
    assert (woken.entry.actor, woken.entry.detail["reason"]) == ("k8s.alice", "closing is done")
    assert cast(parts, made, "bob", "Wake", reason="again") == ("Refused", "NotSnoozed")
    assert parts.requests.fresh(made).status.state is State.SNOOZED, "terminal is terminal: a new request is made"
    story = story_of(parts.ledger._stream, request_reference(made))
    assert story is not None
    said = [event.sentence.whole for event in story.events]
    assert any(text.startswith("k8s.bob snoozed the resource until ") for text in said)
    assert "k8s.alice ended the snooze" in said
    assert story.end == "Snoozed"


def test_a_crash_before_the_decision_leaves_the_snooze_and_is_made_up_for(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = parts.propose(1, approval=TERMS)
    parts.vote(made, "bob", decision="Snooze", until=day(parts, 30), reason="closing")

    def broken(*_: object) -> None:
        raise LedgerUnavailable("the store does not answer")

    with monkeypatch.context() as patched:
        patched.setattr(DecisionWriter, "record", broken)
        with pytest.raises(LedgerUnavailable):
            parts.decider.advance(made)
    assert snoozed(parts, made.spec.resource.arn, parts.clock.now())

    parts.decider.start_again()
    assert parts.decider.advance(parts.requests.fresh(made)).status.state is State.SNOOZED
    begun = [one for one in parts.ledger.read() if one.entry.kind is RecordKind.SNOOZED]
    assert len(begun) == 1


def test_the_request_is_kept_as_long_as_its_snooze_lasts(parts: Parts) -> None:
    made = parts.propose(1, approval=TERMS)
    cast(parts, made, "bob", "Snooze", until=day(parts, 90), reason="closing")
    parts.clock.sleep(timedelta(days=60).total_seconds())
    parts.housekeeping.run_duties()
    assert parts.requests.api.get(NAMESPACE, made.metadata.name) is not None
    parts.clock.sleep(timedelta(days=60).total_seconds())
    parts.housekeeping.run_duties()
    assert parts.requests.api.get(NAMESPACE, made.metadata.name) is None


@pytest.mark.parametrize(
    ("require", "answer"),
    [
        ("Never", ("Counted", "Snooze")),
        ("Deny", ("Refused", "ReasonMissing")),
        ("Always", ("Refused", "ReasonMissing")),
    ],
)
def test_a_snooze_needs_a_reason_wherever_a_denial_needs_one(
    parts: Parts, require: str, answer: tuple[str, str]
) -> None:
    made = parts.propose(1, approval={**TERMS, "requireReason": require})
    assert cast(parts, made, "bob", "Snooze", until=day(parts, 3)) == answer


def test_a_snooze_is_of_its_namespace_and_not_of_another_tenants(parts: Parts) -> None:
    made = parts.propose(1, approval=TERMS)
    cast(parts, made, "bob", "Snooze", until=day(parts, 30), reason="closing")
    arn, now = made.spec.resource.arn, parts.clock.now()
    policies = {(space, "p"): parts.policies.api.get(NAMESPACE, "p") for space in (NAMESPACE, "team-b")}
    snoozes = Snoozes(parts.ledger, lambda *key: policies.get(key))
    assert snoozes.in_force(NAMESPACE, arn, now)
    assert not snoozes.in_force("team-b", arn, now)


def test_a_snooze_goes_with_its_policy_also_when_another_one_gets_the_name(parts: Parts) -> None:
    made = parts.propose(1, approval=TERMS)
    cast(parts, made, "bob", "Snooze", until=day(parts, 30), reason="closing")
    arn = made.spec.resource.arn
    parts.policies.api.delete(NAMESPACE, "p")
    assert not snoozed(parts, arn, parts.clock.now()), "nobody could end it any more"
    parts.policies.create(policy(approval=TERMS))
    assert not snoozed(parts, arn, parts.clock.now()), "the new policy never snoozed anything"
    # The request that was snoozed is not kept for the sake of a snooze that holds no more.
    parts.clock.sleep(timedelta(days=40).total_seconds())
    parts.housekeeping.run_duties()
    assert parts.requests.api.get(NAMESPACE, made.metadata.name) is None


def test_a_snooze_is_ended_by_approvers_of_the_policy_that_snoozed_and_no_others(parts: Parts) -> None:
    made = parts.propose(1, approval=TERMS)
    cast(parts, made, "bob", "Snooze", until=day(parts, 30), reason="closing")
    # Another policy has asked about the same resource before, and other people are its approvers.
    carols = {"approvers": [{"kubernetesUser": "carol"}]}
    parts.policies.create(policy(name="q", approval=carols))
    second = parts.propose(2, approval=carols, name="q", resource=1)

    assert cast(parts, second, "carol", "Wake", reason="we need it now") == ("Refused", "NotEligible")
    assert snoozed(parts, made.spec.resource.arn, parts.clock.now())
    assert cast(parts, second, "alice", "Wake", reason="closing is done") == ("Counted", "Wake")
    assert not snoozed(parts, made.spec.resource.arn, parts.clock.now())
