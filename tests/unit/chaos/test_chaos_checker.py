"""The checker of `make chaos` finds each broken promise: a run that kept all of them is changed in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.chaos.chaos_checker import Broken, Evidence, Expected, check, check_all
from tests.support.ledger_keys import PUBLIC_KEYS
from tests.support.ledger_lines import (
    STORY_OF_TWO_CALLS,
    TWO_CALLS,
    entry,
    intent,
    lines,
    of_plan,
    outcome,
)

from finops.domain.audit import Entry, RecordKind
from finops.domain.plan import PlanStep
from finops_sandbox.aws.record import APPLIED_REPLY_DROPPED, DROPPED_BEFORE, CallRecord

STOP, START = (step for step in TWO_CALLS.steps if step.changes)
EXPECTED = Expected(
    uid="u1",
    name="savings-1",
    plan_hash=TWO_CALLS.hash,
    required=2,
    forward=(STOP, START),
    back=(replace(START, id="start_again"),),
    ends=frozenset({"Succeeded"}),
    running=frozenset({"i-1"}),
)
STORY = STORY_OF_TWO_CALLS


def call(step: PlanStep, **changes: Any) -> CallRecord:
    service, _, action = step.operation.partition(":")
    facts: dict[str, Any] = {
        "sequence": 1,
        "time": datetime(2026, 3, 1, tzinfo=UTC),
        "service": service,
        "action": action,
        "account": "1",
        "region": "us-east-1",
        "access_key": "",
        "principal_arn": "arn",
        "role_arn": "",
        "session_name": "savings-1",
        "source_identity": "",
        "session_tags": {},
        "dry_run": False,
        "parameters": step.parameters,
        "targets": ("i-1",),
        "result": "ok",
        "status": 200,
    }
    return CallRecord(**{**facts, **changes})


def approval(person: str, decision: str = "Approve", at: str = "2026-03-01T12:00:00Z", **spec: Any) -> dict[str, Any]:
    voter = {"source": "kubernetes", "username": person}
    facts = {"request": {"uid": "u1"}, "planHash": TWO_CALLS.hash, "decision": decision, "approver": voter, **spec}
    return {"metadata": {"creationTimestamp": at}, "spec": facts}


def request(state: str = "Succeeded") -> dict[str, Any]:
    return {"metadata": {"uid": "u1", "name": "savings-1"}, "status": {"state": state}}


KEPT = Evidence(
    calls=(call(STOP), call(START)),
    ledger=tuple(lines(STORY)),
    requests=(request(),),
    approvals=(approval("alice"), approval("bob")),
    instances={"i-1": "running"},
)


def broken(evidence: Evidence, expected: Expected = EXPECTED) -> set[Broken]:
    return {one.broken for one in check(expected, evidence, PUBLIC_KEYS)}


def recorded(*entries: Entry) -> Evidence:
    return replace(KEPT, ledger=tuple(lines(entries)))


def test_a_run_that_kept_every_promise_breaks_none() -> None:
    assert check(EXPECTED, KEPT, PUBLIC_KEYS) == ()


def test_an_answer_that_was_lost_and_a_call_that_never_arrived_are_no_second_effect() -> None:
    lost = (intent(), outcome(result="unknown"), outcome(result="absent", name="settled"))
    story = of_plan(TWO_CALLS, *STORY[:6], *lost, intent(attempt=2), outcome(attempt=2), *STORY[8:])
    calls = (call(STOP, result=DROPPED_BEFORE), call(STOP, result=APPLIED_REPLY_DROPPED), call(START))
    assert broken(replace(recorded(*story), calls=calls)) == set()


@pytest.mark.parametrize(
    "approvals",
    [
        (approval("alice"),),
        (approval("alice"), approval("alice")),
        (approval("alice"), approval("bob", "Deny")),
        (approval("alice"), approval("bob"), approval("bob", "Withdraw", "2026-03-01T12:00:01Z")),
        (approval("alice"), approval("bob", planHash="b" * 64)),
        (approval("alice"), approval("bob", request={"uid": "u2"})),
    ],
)
def test_a_call_without_enough_approvals_in_the_cluster_is_an_act_without_approval(
    approvals: tuple[dict[str, Any], ...],
) -> None:
    assert broken(replace(KEPT, approvals=approvals)) == {Broken.UNAPPROVED}


def test_approvals_that_the_ledger_never_counted_are_none() -> None:
    assert Broken.UNAPPROVED in broken(recorded(*STORY[:3], *STORY[4:]))


def test_an_intent_before_the_decision_is_an_act_without_approval() -> None:
    assert Broken.UNAPPROVED in broken(recorded(*STORY[:4], *STORY[5:8], STORY[4], *STORY[8:]))


@pytest.mark.parametrize(
    "changes",
    [
        {"session_name": "somebody"},
        {"action": "TerminateInstances"},
        {"parameters": {"InstanceIds": ["i-2"]}},
    ],
)
def test_a_call_that_people_never_saw_is_an_act_without_approval(changes: dict[str, Any]) -> None:
    assert Broken.UNAPPROVED in broken(replace(KEPT, calls=(*KEPT.calls, call(STOP, **changes))))


def test_a_call_that_took_effect_twice_is_found_although_it_was_announced_twice() -> None:
    story = of_plan(TWO_CALLS, *STORY[:8], intent(attempt=2), outcome(attempt=2), *STORY[8:])
    evidence = replace(recorded(*story), calls=(call(STOP), call(STOP), call(START)))
    assert Broken.TWICE in broken(evidence)


def test_a_second_effect_whose_answer_was_lost_is_found() -> None:
    lost = call(STOP, result=APPLIED_REPLY_DROPPED)
    assert Broken.TWICE in broken(replace(KEPT, calls=(lost, *KEPT.calls)))


def test_a_call_without_an_intent_of_its_own_is_found() -> None:
    assert Broken.UNANNOUNCED in broken(replace(KEPT, calls=(*KEPT.calls, call(STOP, result=DROPPED_BEFORE))))


def test_an_intent_without_an_outcome_is_found() -> None:
    assert Broken.OPEN in broken(recorded(*STORY[:9], *STORY[10:]))


@pytest.mark.parametrize("state", ["stopped", "stopping", "terminated"])
def test_an_instance_that_ran_and_does_not_run_is_found(state: str) -> None:
    assert broken(replace(KEPT, instances={"i-1": state})) == {Broken.STOPPED}


def test_an_instance_that_is_gone_is_found() -> None:
    assert broken(replace(KEPT, instances={})) == {Broken.STOPPED}


def test_only_an_act_that_is_complete_may_leave_its_own_instance_stopped() -> None:
    expected = replace(EXPECTED, may_stop=frozenset({"i-1"}), running=frozenset({"i-1", "i-2"}))
    stopped = replace(KEPT, instances={"i-1": "stopped", "i-2": "running"})
    assert broken(stopped, expected) == set()
    assert broken(replace(stopped, instances={"i-1": "stopped", "i-2": "stopped"}), expected) == {Broken.STOPPED}
    half = replace(stopped, ledger=tuple(lines(STORY[:9])))
    assert Broken.STOPPED in broken(half, expected)


def _changed(evidence: Evidence) -> Evidence:
    first = evidence.ledger[0].replace("proposed", "Proposed", 1)
    return replace(evidence, ledger=(first, *evidence.ledger[1:]))


def _shortened(evidence: Evidence) -> Evidence:
    return replace(evidence, ledger=(*evidence.ledger[:4], *evidence.ledger[5:]))


@pytest.mark.parametrize("edit", [_changed, _shortened])
def test_a_ledger_that_does_not_verify_is_found(edit: Callable[[Evidence], Evidence]) -> None:
    assert Broken.LEDGER in broken(edit(KEPT))


@pytest.mark.parametrize("state", ["Executing", "NeedsHuman", "RolledBack", ""])
def test_an_act_that_did_not_end_as_it_should_is_found(state: str) -> None:
    assert Broken.NOT_ENDED in broken(replace(KEPT, requests=(request(state),)))
    assert Broken.NOT_ENDED in broken(replace(KEPT, requests=()))


def test_a_success_without_one_of_its_calls_is_found() -> None:
    assert broken(replace(KEPT, calls=(call(STOP),))) == {Broken.NOT_ENDED}


def test_two_ends_in_the_ledger_are_found() -> None:
    again = entry("ended", RecordKind.OUTCOME, result="RolledBack")
    assert Broken.NOT_ENDED in broken(recorded(*STORY, again))


def test_a_status_that_says_something_else_than_the_ledger_is_found() -> None:
    assert Broken.DISAGREES in broken(recorded(*STORY[:9]))


def test_a_rollback_may_start_the_instance_once_more_but_not_twice() -> None:
    restore = PlanStep("restore_type", "ec2:ModifyInstanceAttribute", {"InstanceId": "i-1"})
    expected = replace(EXPECTED, back=(restore, *EXPECTED.back), ends=frozenset({"RolledBack"}))
    calls = (call(STOP), call(START), call(restore), call(START))
    assert Broken.TWICE not in broken(replace(KEPT, calls=calls), expected)
    assert Broken.TWICE in broken(replace(KEPT, calls=(*calls, call(START))), expected)


OTHER = replace(
    EXPECTED, uid="u2", name="savings-2", forward=(replace(STOP, parameters={"InstanceIds": ["i-2"]}),), back=()
)


def test_of_several_acts_each_answers_for_the_calls_of_its_own_session() -> None:
    waiting = replace(OTHER, ends=frozenset({"Pending"}), running=frozenset())
    pending = {"metadata": {"uid": "u2", "name": "savings-2"}, "status": {"state": "Pending"}}
    both = replace(KEPT, requests=(request(), pending))
    assert check_all((EXPECTED, waiting), both, PUBLIC_KEYS) == ()
    borrowed = replace(both, calls=(*both.calls, call(OTHER.forward[0], session_name="savings-2")))
    found = check_all((EXPECTED, waiting), borrowed, PUBLIC_KEYS)
    assert {(one.broken, one.request) for one in found} == {
        (Broken.UNAPPROVED, "savings-2"),
        (Broken.UNANNOUNCED, ""),
    }


def test_a_call_by_the_session_of_no_act_is_an_act_without_approval() -> None:
    foreign = replace(KEPT, calls=(*KEPT.calls, call(STOP, session_name="savings-3")))
    assert Broken.UNAPPROVED in {one.broken for one in check_all((EXPECTED,), foreign, PUBLIC_KEYS)}


def test_a_vote_in_slack_is_its_members_whatever_the_handle() -> None:
    one = {"source": "slack", "slackUser": "U1", "username": "same"}
    two = {"source": "slack", "slackUser": "U2", "username": "same"}
    voted = (approval("", approver=one), approval("", approver=two))
    assert broken(replace(KEPT, approvals=voted)) == set()
    again = (approval("", approver=one), approval("", approver={**one, "username": "other"}))
    assert broken(replace(KEPT, approvals=again)) == {Broken.UNAPPROVED}
