"""Random walks over votes, time and triggers against a small model of what a decision may depend on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from finops.domain.decision import (
    BEFORE_ACT,
    IN_FLIGHT,
    NO_VOTES,
    TERMINAL,
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
    eligible_by,
    judge,
    tally,
)
from finops.domain.transitions import TRANSITIONS, IllegalTransition, next_state

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPIRY = START + timedelta(hours=1)
SAME = {"slack.UALICE": "alice", "slack.UBOB": "bob"}
APPROVERS = (
    Approver(kubernetes_user="alice"),
    Approver(slack_user="UALICE"),
    Approver(kubernetes_group="sre"),
    Approver(slack_user_group="SONCALL"),
)
VOTERS = {
    "alice by kubectl": Voter("kubernetes", "alice"),
    "alice by Slack": Voter("slack", "", slack_user="UALICE"),
    "bob by kubectl": Voter("kubernetes", "bob", ("sre",)),
    "bob by Slack": Voter("slack", "", ("SONCALL",), slack_user="UBOB"),
    "mallory": Voter("kubernetes", "mallory", ("guests",)),
    "mallory by Slack": Voter("slack", "alice", ("SOTHER",), slack_user="UMALLORY"),
    "web": Voter("web", "alice"),
}
PERSON = {"alice": "k8s.alice", "bob": "k8s.bob"}


def facts(state: State = State.PENDING, *, required: int = 2, reason: str = "Never") -> RequestFacts:
    return RequestFacts("r-1", "plan", state, Terms(APPROVERS, required, reason, EXPIRY))


def vote(voter: Voter, choice: Choice = Choice.APPROVE, **changes: Any) -> Vote:
    made = {"uid": "v", "name": "v", "request_uid": "r-1", "plan_hash": "plan", "reason": "because", "at": START}
    return Vote(**{**made, "choice": choice, "voter": voter, **changes})


class Walk(RuleBasedStateMachine):
    """People vote through any channel while time passes; a model keeps each person's last word."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.state = State.PENDING
        self.counted: list[Vote] = []
        self.words: dict[str, Choice] = {}
        self.number = 0
        self.electorate = Electorate(SAME)

    @rule(minutes=st.integers(1, 25))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(
        who=st.sampled_from(sorted(VOTERS)),
        choice=st.sampled_from(sorted(set(Choice) - NO_VOTES)),
        plan=st.sampled_from(["plan", "other"]),
    )
    def somebody_votes(self, who: str, choice: Choice, plan: str) -> None:
        self.number += 1
        until = self.now + timedelta(days=1) if choice is Choice.SNOOZE else None
        cast = vote(VOTERS[who], choice, uid=f"v{self.number}", plan_hash=plan, at=self.now, until=until)
        verdict = judge(cast, facts(self.state), self.counted, self.electorate, self.now)
        person = PERSON.get(who.split(maxsplit=1)[0], "")
        said = self.words.get(person, Choice.WITHDRAW)
        open_for_it = self.state in (BEFORE_ACT if choice is Choice.WITHDRAW else {State.PENDING})
        # No act of this walk was verified, so there is nothing to undo.
        open_for_it = open_for_it and choice is not Choice.UNDO
        in_time = self.state is not State.PENDING or self.now < EXPIRY
        expected = bool(person) and plan == "plan" and open_for_it and in_time and said is not choice
        assert (verdict.result is VoteResult.COUNTED) is expected, verdict
        assert verdict.message
        if expected:
            self.counted.append(cast)
            self.words[person] = choice

    @precondition(lambda self: self.state in BEFORE_ACT)
    @rule()
    def the_operator_looks(self) -> None:
        standing = tally(self.counted, facts(self.state), self.electorate)
        trigger = standing.trigger
        if self.state is not State.PENDING:
            trigger = Trigger.QUORUM_LOST if len(standing.approvals) < standing.required else None
        if trigger is None and self.now >= EXPIRY:
            trigger = Trigger.EXPIRED
        if trigger is not None:
            self.state = next_state(self.state, trigger)

    @invariant()
    def the_tally_is_the_last_word_of_each_person(self) -> None:
        standing = tally(self.counted, facts(self.state), self.electorate)
        assert len(standing.approvals) == sum(word is Choice.APPROVE for word in self.words.values())
        assert len(standing.denials) == sum(word is Choice.DENY for word in self.words.values())
        assert len(standing.snoozes) == sum(word is Choice.SNOOZE for word in self.words.values())

    @invariant()
    def approved_means_that_two_people_wanted_it_in_time(self) -> None:
        if self.state is State.APPROVED:
            approving = {vote.voter for vote in self.counted if vote.choice is Choice.APPROVE}
            assert len({self.electorate.person(voter) for voter in approving}) == 2


Walk.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestWalk = Walk.TestCase


@given(start=st.sampled_from(sorted(TERMINAL)), trigger=st.sampled_from(Trigger))
def test_terminal_is_terminal(start: State, trigger: Trigger) -> None:
    with pytest.raises(IllegalTransition):
        next_state(start, trigger)


@given(triggers=st.lists(st.sampled_from(Trigger), max_size=30))
def test_no_walk_acts_without_a_quorum_first(triggers: list[Trigger]) -> None:
    state, path = State.PENDING, [State.PENDING]
    for trigger in triggers:
        try:
            state = next_state(state, trigger)
        except IllegalTransition:
            continue
        path.append(state)
    if State.EXECUTING in path:
        assert path[:4] == [State.PENDING, State.APPROVED, State.SCHEDULED, State.EXECUTING]
    ends = [index for index, one in enumerate(path) if one in TERMINAL]
    assert ends in ([], [len(path) - 1])


def test_only_votes_approve_never_errors_time_or_changes() -> None:
    assert {key for key, state in TRANSITIONS.items() if state is State.APPROVED} == {
        (State.PENDING, Trigger.QUORUM_REACHED)
    }


def test_every_state_is_either_before_in_or_after_an_act() -> None:
    assert set(State) == BEFORE_ACT | IN_FLIGHT | TERMINAL
    assert not BEFORE_ACT & IN_FLIGHT
    assert not IN_FLIGHT & TERMINAL


@pytest.mark.parametrize(
    ("at", "now", "counted"),
    [
        (EXPIRY - timedelta(microseconds=1), EXPIRY - timedelta(microseconds=1), True),
        (EXPIRY, EXPIRY - timedelta(seconds=1), False),
        (EXPIRY - timedelta(seconds=1), EXPIRY, False),
    ],
)
def test_a_request_expires_exactly_at_its_instant(at: datetime, now: datetime, *, counted: bool) -> None:
    verdict = judge(vote(VOTERS["alice by kubectl"], at=at), facts(), [], Electorate({}), now)

    assert (verdict.result is VoteResult.COUNTED) is counted
    assert counted or verdict.reason == RefusalReason.EXPIRED


@pytest.mark.parametrize("state", sorted(IN_FLIGHT | TERMINAL))
@pytest.mark.parametrize("choice", [Choice.APPROVE, Choice.DENY, Choice.WITHDRAW])
def test_once_an_act_has_begun_or_ended_no_vote_counts(state: State, choice: Choice) -> None:
    earlier = [vote(VOTERS["alice by kubectl"])]
    verdict = judge(vote(VOTERS["alice by Slack"], choice), facts(state), earlier, Electorate(SAME), START)

    assert verdict.reason == RefusalReason.ALREADY_DECIDED
    assert state.value in verdict.message


@pytest.mark.parametrize(
    ("rule_", "choice", "refused"),
    [
        ("Never", Choice.DENY, False),
        ("Deny", Choice.APPROVE, False),
        ("Deny", Choice.DENY, True),
        ("Always", Choice.APPROVE, True),
    ],
)
def test_a_reason_is_asked_for_as_the_terms_say(rule_: str, choice: Choice, *, refused: bool) -> None:
    cast = vote(VOTERS["alice by kubectl"], choice, reason="  ")
    verdict = judge(cast, facts(reason=rule_), [], Electorate({}), START)

    assert (verdict.reason == RefusalReason.REASON_MISSING) is refused


def test_one_denial_outweighs_any_number_of_approvals() -> None:
    votes = [vote(VOTERS["alice by kubectl"]), vote(VOTERS["bob by kubectl"], Choice.DENY)]

    assert tally(votes, facts(required=1), Electorate({})).trigger is Trigger.DENIED


def test_who_left_the_group_since_no_longer_counts() -> None:
    votes = [vote(VOTERS["bob by Slack"])]
    gone = Electorate({}, {"SONCALL": frozenset({"UALICE"})})

    assert tally(votes, facts(required=1), Electorate({})).trigger is Trigger.QUORUM_REACHED
    assert tally(votes, facts(required=1), gone).trigger is None
    assert eligible_by(VOTERS["bob by Slack"], APPROVERS, Electorate({}, {})) is None


def test_who_left_the_group_may_still_take_the_own_vote_back() -> None:
    left = Voter("kubernetes", "bob")
    earlier = [vote(VOTERS["bob by kubectl"])]
    back = vote(left, Choice.WITHDRAW)

    assert judge(back, facts(), earlier, Electorate({}), START).result is VoteResult.COUNTED
    assert tally([*earlier, back], facts(required=1), Electorate({})).approvals == ()


def test_a_stranger_has_nothing_to_take_back() -> None:
    verdict = judge(vote(VOTERS["mallory"], Choice.WITHDRAW), facts(), [], Electorate({}), START)

    assert verdict.reason == RefusalReason.NOTHING_TO_WITHDRAW


def test_votes_about_another_request_or_plan_are_left_out_of_the_count() -> None:
    alice = VOTERS["alice by kubectl"]
    votes = [vote(alice, request_uid="r-2"), vote(alice, plan_hash="other")]

    assert tally(votes, facts(required=1), Electorate({})).approvals == ()
    assert judge(votes[0], facts(), [], Electorate({}), START).reason == RefusalReason.WRONG_REQUEST


@pytest.mark.parametrize(
    "mapping",
    [
        {"slack.UALICE": "alice"},
        {"slack.UALICE": "k8s.alice"},
        {"k8s.alice": "slack.UALICE"},
        {"k8s.alice": "X", "slack.UALICE": "X"},
        {"slack.UALICE": "alice", "k8s.alice": "slack.UALICE"},
    ],
)
def test_a_mapping_makes_one_person_of_two_channels(mapping: dict[str, str]) -> None:
    electorate = Electorate(mapping)

    assert electorate.person(VOTERS["alice by Slack"]) == electorate.person(VOTERS["alice by kubectl"])


def test_without_a_mapping_channels_are_different_people() -> None:
    assert Electorate({}).person(VOTERS["alice by Slack"]) == "slack.UALICE"
    assert Electorate({}).person(VOTERS["alice by kubectl"]) == "k8s.alice"


def test_nobody_is_an_approver_where_no_one_is_named() -> None:
    nobody = RequestFacts("r-1", "plan", State.PENDING, Terms((), 1, "Never", EXPIRY))
    verdict = judge(vote(VOTERS["alice by kubectl"]), nobody, [], Electorate({}), START)

    assert "Approvers: nobody." in verdict.message
    assert [str(one) for one in (*APPROVERS, Approver())] == [
        "Kubernetes user alice",
        "Slack user UALICE",
        "Kubernetes group sre",
        "Slack user group SONCALL",
        "nobody",
    ]
