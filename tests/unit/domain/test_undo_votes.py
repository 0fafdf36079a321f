"""Who may ask for the undo of an act, of which act, and until when; an ask is never a vote on anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.domain.test_decision_walks import START, VOTERS, facts, vote

from finops.domain.decision import Choice, Electorate, RefusalReason, RequestFacts, State, VoteResult, judge, tally

_NOBODY = Electorate({})
_UNTIL = START + timedelta(days=30)


def done(state: State = State.SUCCEEDED) -> RequestFacts:
    """Return a request whose act was verified."""
    known = facts(state)
    return RequestFacts(known.uid, known.plan_hash, state, known.terms, known.destructive, _UNTIL)


def test_an_approver_may_ask_and_ask_again() -> None:
    ask = vote(VOTERS["alice by kubectl"], Choice.UNDO)

    first = judge(ask, done(), [vote(VOTERS["alice by kubectl"])], _NOBODY, START)
    second = judge(ask, done(), [ask], _NOBODY, START)

    assert first.result is VoteResult.COUNTED
    assert first.message.startswith("Undo counted.")
    assert second.result is VoteResult.COUNTED


@pytest.mark.parametrize("state", sorted(State))
def test_what_the_ledger_does_not_know_as_verified_is_not_undone(state: State) -> None:
    verdict = judge(vote(VOTERS["alice by kubectl"], Choice.UNDO), facts(state), [], _NOBODY, START)

    assert verdict.reason == RefusalReason.NOTHING_TO_UNDO


def test_an_act_is_undone_only_before_its_last_instant() -> None:
    ask = vote(VOTERS["alice by kubectl"], Choice.UNDO)

    assert judge(ask, done(), [], _NOBODY, _UNTIL - timedelta(seconds=1)).result is VoteResult.COUNTED
    assert judge(ask, done(), [], _NOBODY, _UNTIL).reason == RefusalReason.EXPIRED


def test_a_stranger_another_plan_and_an_unknown_source_are_refused() -> None:
    stranger = judge(vote(VOTERS["mallory"], Choice.UNDO), done(), [], _NOBODY, START)
    other = judge(vote(VOTERS["alice by kubectl"], Choice.UNDO, plan_hash="other"), done(), [], _NOBODY, START)
    foreign = judge(vote(VOTERS["alice by kubectl"], Choice.UNDO, request_uid="r-2"), done(), [], _NOBODY, START)

    assert [stranger.reason, other.reason, foreign.reason] == [
        RefusalReason.NOT_ELIGIBLE,
        RefusalReason.WRONG_PLAN,
        RefusalReason.WRONG_REQUEST,
    ]


def test_who_asked_for_an_undo_has_neither_approved_nor_withdrawn_anything() -> None:
    alice = VOTERS["alice by kubectl"]

    asked = tally([vote(alice, Choice.UNDO)], facts(required=1), _NOBODY)
    approved = tally([vote(alice), vote(alice, Choice.UNDO)], facts(required=1), _NOBODY)

    assert asked.trigger is None
    assert len(approved.approvals) == 1
