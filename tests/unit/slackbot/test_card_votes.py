"""What card, thread and answer say about votes and waiting: the operator's figures and sentences, never other ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.support.sample_requests import (
    APPROVED_ONCE,
    CREATED,
    STATUSES,
    delete_request,
    ended,
    resize_request,
    vote,
    votes,
)

from finops.crds.action_request import ActionRequest
from finops.crds.approval import Approval
from finops.domain.decision import Choice, State
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import CardFacts, card_facts
from finops_slackbot.views import answers
from finops_slackbot.views.card import card
from finops_slackbot.views.status import status
from finops_slackbot.views.thread import thread_lines

BUTTONS = Buttons(b"a key for tests")
NOTE = (
    "Of 2 approvals 1 count: kubectl and Slack votes on a destructive act count together only for people named in "
    "the identities ConfigMap."
)
LATER = CREATED + timedelta(minutes=9)


def deletion(approve: int, **status: Any) -> ActionRequest:
    return delete_request(status={"state": "Pending", "votes": votes(approve, required=2), **status})


def facts_of(request: ActionRequest, *cast: Approval) -> CardFacts:
    return card_facts(request, cast, demo=False)


def everything(facts: CardFacts) -> str:
    shown = card(facts, BUTTONS)
    return json.dumps([shown.text, shown.blocks, thread_lines(facts)], ensure_ascii=False)


def test_votes_of_two_channels_are_counted_as_the_operator_counts_them() -> None:
    request = deletion(1)
    by_click = vote(request, message=f"Approve counted. {NOTE}", at=LATER)
    facts = facts_of(request, vote(request, username="alice", message="Approve counted."), by_click)

    assert status(facts).startswith("*Waiting for 1 more approval*. Votes to approve by `alice`")
    assert f"<@U0BOB00001>. {NOTE}" in status(facts)
    said = everything(facts)
    assert "1 of 2 approvals" in said
    assert "Needs 1 approval by" in said
    assert f"Approved by <@U0BOB00001>. {NOTE}" in said
    assert "2 of 2" not in said
    assert " 0 more" not in said
    told = answers.verdict(by_click, facts, settled=False)
    assert "1 of 2 so far" in told
    assert NOTE in told
    assert "It goes ahead" not in told


def test_a_vote_taken_back_is_no_approval_any_more_and_stays_in_the_thread() -> None:
    request = deletion(1)
    alice = vote(request, username="alice")
    taken_back = vote(request, username="alice", choice=Choice.WITHDRAW, at=LATER)
    bob = vote(request, at=LATER + timedelta(minutes=1))
    facts = facts_of(request, alice, taken_back, bob)

    assert "Approved so far by <@U0BOB00001>." in status(facts)
    assert "alice" not in status(facts)
    assert "1 of 2 approvals: <@U0BOB00001>" in json.dumps(card(facts, BUTTONS).blocks)
    assert [text for key, text in thread_lines(facts) if key.startswith("vote:")] == [
        "Approved by `alice` (kubectl).",
        "Vote withdrawn by `alice` (kubectl).",
        "Approved by <@U0BOB00001>.",
    ]
    assert answers.verdict(bob, facts) == (
        "Your approval on `vol-0abc` `old-data` counts: 1 of 2. Others must approve before it starts."
    )


def test_who_approves_again_after_taking_it_back_counts_once() -> None:
    request = deletion(1)
    first = vote(request, username="alice")
    taken_back = vote(request, username="alice", choice=Choice.WITHDRAW, at=LATER)
    again = vote(request, username="alice", name=f"{first.metadata.name}-2", at=LATER + timedelta(minutes=1))
    facts = facts_of(request, first, taken_back, again)

    assert [one.name for one in facts.deciders] == [again.metadata.name]
    assert "1 of 2 approvals: `alice` (kubectl)" in json.dumps(card(facts, BUTTONS).blocks)
    assert len({key for key, _ in thread_lines(facts)}) == 3


def test_where_the_votes_do_not_show_who_decided_the_operator_does() -> None:
    # One human: approved by click, taken back by kubectl, which the operator knows and the bot cannot.
    decision = {**APPROVED_ONCE["conditions"][0], "message": "Approved by k8s.bob (1 of 1)."}
    request = resize_request(status={**STATUSES[State.EXECUTING], "conditions": [decision]})
    facts = facts_of(
        request,
        vote(request),
        vote(request, username="alice", choice=Choice.WITHDRAW, at=LATER),
        vote(request, username="bob", at=LATER),
    )

    assert status(facts).endswith("Approved by k8s.bob (1 of 1).")
    assert "U0BOB00001" not in status(facts)


def test_enough_approvals_in_a_request_that_still_waits_are_never_zero_more() -> None:
    request = deletion(2)
    said = everything(facts_of(request, vote(request, username="alice"), vote(request)))
    assert "the operator is deciding" in said
    assert " 0 more" not in said
    assert "Needs 0" not in said


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"state": "Pending", "votes": votes(1, required=2)}, "counts: 1 of 2. Others must approve before it starts."),
        ({"state": "Approved", "votes": votes(2, required=2)}, "counts: 2 of 2. It is approved; follow the card."),
        (
            {"state": "Scheduled", "votes": votes(2, required=2), "outcome": ended("All acts are frozen: incident 7.")},
            "counts: 2 of 2. It is approved and waits: All acts are frozen: incident 7.",
        ),
        ({"state": "Executing", "votes": votes(2, required=2)}, "2 of 2. It is being carried out; follow the card."),
        ({"state": "Withdrawn", "votes": votes(0, required=2)}, "The request is withdrawn by now"),
    ],
    ids=lambda value: str(value.get("state", "")) if isinstance(value, dict) else "",
)
def test_the_answer_to_an_approval_is_what_the_request_shows(fields: dict[str, Any], told: str) -> None:
    request = delete_request(status=fields)
    one = vote(request, message="Approve counted.")
    assert told in answers.verdict(one, facts_of(request, one))


def test_a_vote_that_the_request_does_not_show_yet_changes_nothing_on_the_card() -> None:
    request = deletion(0)
    before, after = facts_of(request), facts_of(request, vote(request, message="Approve counted."))
    assert card(after, BUTTONS) == card(before, BUTTONS)


def test_figures_that_lag_behind_the_verdict_are_not_shown() -> None:
    request = deletion(0)
    one = vote(request, message="Approve counted.")
    assert answers.verdict(one, facts_of(request, one), settled=False).endswith(
        "counts. The card shows how many more are needed."
    )


def test_who_has_voted_already_learns_that_the_vote_counts() -> None:
    request = deletion(1)
    again = vote(request, result="Refused", answer_reason="AlreadyVoted", message="slack.U0BOB00001 has already voted.")
    assert answers.verdict(again, facts_of(request, vote(request))) == (
        "You have voted already on `vol-0abc` `old-data`; your approval counts once. 1 of 2 approvals so far."
    )


FROZEN = "All acts are frozen: incident 4711."


@pytest.mark.parametrize("state", [State.APPROVED, State.SCHEDULED, State.EXECUTING, State.EXPIRED])
@pytest.mark.parametrize("make", [resize_request, delete_request], ids=["resize", "delete"])
def test_the_card_says_why_an_act_waits_or_was_never_begun(make: Any, state: State) -> None:
    request = make(status={**STATUSES[state], **APPROVED_ONCE, "outcome": ended(FROZEN)})
    assert FROZEN in status(facts_of(request, vote(request)))


def test_an_act_that_waits_is_not_said_to_start_or_to_run() -> None:
    for state in (State.APPROVED, State.SCHEDULED, State.EXECUTING):
        request = resize_request(status={**STATUSES[state], "outcome": ended(f"Waiting: {FROZEN}")})
        said = status(facts_of(request, vote(request)))
        for promise in ("starts as soon", "about to start", "*Running*"):
            assert promise not in said, state


def test_a_request_that_expired_with_too_few_approvals_was_never_approved() -> None:
    fields = {**STATUSES[State.EXPIRED], "votes": votes(1, required=2)}
    request = delete_request(status=fields)
    assert status(facts_of(request, vote(request))).startswith("*Without a decision by")
    approved = delete_request(status={**fields, "conditions": APPROVED_ONCE["conditions"]})
    assert status(facts_of(approved, vote(approved))).startswith("*Approved, but not started by")


@pytest.mark.parametrize(
    ("state", "why", "never"),
    [
        (
            State.ROLLED_BACK,
            "delete_volume was not carried out. The volume does not exist any more; snapshot snap-1 (completed) stays.",
            "as it was before",
        ),
        (State.STALE, "The resource changed since it was proposed: state was A, is B. Nothing was changed.", "called"),
    ],
    ids=str,
)
def test_what_became_of_the_resource_is_the_operators_word(state: State, why: str, never: str) -> None:
    request = delete_request(status={**STATUSES[state], "outcome": ended(why)})
    said = status(facts_of(request, vote(request)))
    assert why in said
    assert never not in said


def test_a_dry_run_that_aws_refuses_is_not_said_to_have_worked() -> None:
    why = "Dry run, nothing was changed: ec2:StopInstances is refused (UnauthorizedOperation)."
    request = resize_request(dry_run=True, status={**STATUSES[State.ROLLED_BACK], "outcome": ended(why)})
    assert status(facts_of(request, vote(request))) == f"*It would not work.* {why}"


@pytest.mark.parametrize("cast", [[], ["bob"], ["alice", "bob"]], ids=len)
def test_no_state_names_more_deciders_than_the_operator_counts(cast: Sequence[str]) -> None:
    for state, fields in STATUSES.items():
        request = resize_request(status=fields)
        facts = facts_of(request, *(vote(request, username=name) for name in cast))
        assert len(facts.deciders) in {0, facts.counted}, state


def test_a_word_that_resumes_other_acts_stands_in_the_thread_and_changes_no_vote() -> None:
    request = deletion(1)
    approval = vote(request, username="alice", message="Approve counted.")
    word = vote(request, username="alice", choice=Choice.RESUME, message="Resumed.", reason="quota raised")
    facts = facts_of(request, approval, word)
    assert [one.choice for one in facts.approvals] == [Choice.APPROVE]
    assert "Acts of this kind were resumed by `alice` (kubectl). Reason: quota raised" in everything(facts)
    assert answers.verdict(word, facts) == "Acts of this kind are resumed: those that wait begin within a minute."
