"""For what destroys something a policy may ask for one approval from outside Slack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from finops.domain.decision import (
    STEP_UP_MISSING,
    Approver,
    Choice,
    Electorate,
    RefusalReason,
    RequestFacts,
    State,
    Terms,
    Trigger,
    Vote,
    Voter,
    VoteResult,
    judge,
    tally,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("alice", "bob", "carol", "dave")
ALL_NAMED = Electorate({f"slack.U{name.upper()}": name for name in NAMES})
APPROVERS = tuple(Approver(kubernetes_user=name) for name in NAMES) + tuple(
    Approver(slack_user=f"U{name.upper()}") for name in NAMES
)
FACTS = RequestFacts(
    "r",
    "plan",
    State.PENDING,
    Terms(APPROVERS, 2, "Never", AT + timedelta(1), step_up=True),
    destructive=True,
)


def kubectl(name: str, choice: Choice = Choice.APPROVE) -> Vote:
    return Vote(f"k-{name}", "v", "r", "plan", choice, "why", Voter("kubernetes", name), AT)


def slack(name: str, choice: Choice = Choice.APPROVE) -> Vote:
    return Vote(f"s-{name}", "v", "r", "plan", choice, "why", Voter("slack", "", slack_user=f"U{name.upper()}"), AT)


def test_approvals_from_slack_stay_one_short_until_one_comes_from_elsewhere() -> None:
    cast = [slack("alice"), slack("bob"), slack("carol")]

    alone = tally(cast, FACTS, ALL_NAMED)
    joined = tally([*cast, kubectl("dave")], FACTS, ALL_NAMED)

    assert (alone.trigger, len(alone.approvals), alone.note) == (None, 1, STEP_UP_MISSING)
    assert (joined.trigger, len(joined.approvals), joined.note) == (Trigger.QUORUM_REACHED, 4, "")


def test_the_same_person_by_both_channels_is_one_approval() -> None:
    standing = tally([slack("alice"), kubectl("alice")], FACTS, ALL_NAMED)

    assert (standing.trigger, len(standing.approvals)) == (None, 1)


def test_the_approval_from_elsewhere_taken_back_leaves_it_one_short() -> None:
    cast = [slack("alice"), kubectl("bob"), slack("carol"), kubectl("bob", Choice.WITHDRAW)]

    assert tally(cast, FACTS, ALL_NAMED).trigger is None


def test_whoever_votes_in_slack_as_the_last_learns_what_is_missing() -> None:
    assert judge(slack("bob"), FACTS, [slack("alice")], ALL_NAMED, AT).message == f"Approve counted. {STEP_UP_MISSING}"
    assert judge(slack("bob"), FACTS, [kubectl("alice")], ALL_NAMED, AT).message == "Approve counted."


def test_whoever_approved_in_slack_may_give_the_step_up_where_nobody_else_is_left() -> None:
    cast = [slack("alice"), slack("bob")]
    plain = replace(FACTS, terms=replace(FACTS.terms, step_up=False))

    again = judge(kubectl("bob"), FACTS, cast, ALL_NAMED, AT)
    standing = tally([*cast, kubectl("bob")], FACTS, ALL_NAMED)

    assert (again.result, again.message) == (VoteResult.COUNTED, "Approve counted.")
    assert standing.trigger is Trigger.QUORUM_REACHED
    assert [vote.uid for vote in standing.approvals] == ["s-alice", "k-bob"], "one person is one approval"
    for late, earlier, facts in (
        (kubectl("bob"), cast, plain),
        (slack("bob"), [kubectl("bob")], FACTS),
        (kubectl("bob"), [*cast, kubectl("bob")], FACTS),
        (slack("bob"), cast, FACTS),
    ):
        assert judge(late, facts, earlier, ALL_NAMED, AT).reason == RefusalReason.ALREADY_VOTED


def test_a_denial_needs_no_step_up() -> None:
    assert tally([slack("alice", Choice.DENY)], FACTS, ALL_NAMED).trigger is Trigger.DENIED


def test_one_more_approval_from_slack_takes_no_quorum_away() -> None:
    """Whom the mapping does not name counts with Slack alone: that part is larger here, and it lacks the step up."""
    people = Electorate({"slack.UALICE": "alice", "slack.UNOBODY": "carol"})
    quorum = [slack("alice"), kubectl("carol")]

    standing = tally([*quorum, slack("bob"), slack("dave")], FACTS, people)

    assert tally(quorum, FACTS, people).trigger is Trigger.QUORUM_REACHED
    assert standing.trigger is Trigger.QUORUM_REACHED
    assert {vote.uid for vote in standing.approvals} == {"s-alice", "k-carol"}


_CAST = st.lists(st.sampled_from([cast(name) for cast in (kubectl, slack) for name in NAMES]), unique=True)


@given(cast=_CAST, required=st.integers(2, 4))
def test_a_quorum_always_has_an_approval_from_outside_slack_and_is_none_without_the_step_up(
    cast: list[Vote], required: int
) -> None:
    facts = replace(FACTS, terms=replace(FACTS.terms, required=required))
    plain = replace(facts, terms=replace(facts.terms, step_up=False))

    standing, without = tally(cast, facts, ALL_NAMED), tally(cast, plain, ALL_NAMED)

    outside = any(vote.voter.source != "slack" for vote in without.approvals)
    assert (standing.trigger is Trigger.QUORUM_REACHED) == (without.trigger is Trigger.QUORUM_REACHED and outside)
