"""One human with two channels must not be two people where it matters most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from finops.domain.decision import (
    Approver,
    Choice,
    Electorate,
    RequestFacts,
    State,
    Terms,
    Trigger,
    Vote,
    Voter,
    judge,
    tally,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = ("alice", "bob", "carol")
APPROVERS = tuple(Approver(kubernetes_user=name) for name in NAMES) + tuple(
    Approver(slack_user=f"U{name.upper()}") for name in NAMES
)
Mapping = dict[str, str]


def kubectl(name: str, choice: Choice = Choice.APPROVE) -> Vote:
    return Vote(f"k-{name}", "v", "r", "plan", choice, "why", Voter("kubernetes", name), AT)


def slack(name: str, choice: Choice = Choice.APPROVE) -> Vote:
    voter = Voter("slack", "", slack_user=f"U{name.upper()}")
    return Vote(f"s-{name}", "v", "r", "plan", choice, "why", voter, AT)


def facts(*, destructive: bool = True, required: int = 2) -> RequestFacts:
    return RequestFacts("r", "plan", State.PENDING, Terms(APPROVERS, required, "Never", AT + timedelta(1)), destructive)


votes = st.lists(st.sampled_from([cast(name) for cast in (kubectl, slack) for name in NAMES]), unique=True)
mappings = st.dictionaries(st.sampled_from([f"slack.U{name.upper()}" for name in NAMES]), st.sampled_from(NAMES))


def test_one_human_with_two_channels_and_no_mapping_is_no_quorum() -> None:
    standing = tally([kubectl("alice"), slack("alice")], facts(), Electorate({}, mapping="ConfigMap r-identities"))

    assert standing.trigger is None
    assert len(standing.approvals) == 1
    assert standing.note.startswith("Of 2 approvals 1 count:")
    assert standing.note.endswith("people named in ConfigMap r-identities.")


def test_two_named_people_are_a_quorum_whatever_their_channels() -> None:
    named = Electorate({"slack.UALICE": "alice", "slack.UBOB": "bob"})

    standing = tally([kubectl("alice"), slack("bob")], facts(), named)

    assert standing.trigger is Trigger.QUORUM_REACHED
    assert standing.note == ""


def test_one_named_side_is_not_enough() -> None:
    for mapping in ({"slack.UALICE": "alice"}, {"slack.UBOB": "bob"}, {"slack.UBOB": "Alice"}):
        assert tally([kubectl("alice"), slack("bob")], facts(), Electorate(mapping)).trigger is None


def test_somebody_with_one_channel_is_named_by_an_entry_to_oneself() -> None:
    named = Electorate({"k8s.alice": "alice", "slack.UBOB": "slack.UBOB"})

    assert tally([kubectl("alice"), slack("bob")], facts(), named).trigger is Trigger.QUORUM_REACHED


def test_the_voter_whose_vote_does_not_add_up_learns_why() -> None:
    verdict = judge(slack("bob"), facts(), [kubectl("alice")], Electorate({}), AT)

    assert verdict.message.startswith("Approve counted. Of 2 approvals 1 count: kubectl and Slack votes")
    assert judge(kubectl("bob"), facts(), [kubectl("alice")], Electorate({}), AT).message == "Approve counted."


def test_a_denial_counts_from_any_channel() -> None:
    cast = [kubectl("alice"), kubectl("bob"), slack("carol", Choice.DENY)]

    assert tally(cast, facts(), Electorate({})).trigger is Trigger.DENIED


@given(cast=votes, mapping=mappings)
def test_what_destroys_nothing_counts_every_person(cast: list[Vote], mapping: Mapping) -> None:
    electorate = Electorate(mapping)

    standing = tally(cast, facts(destructive=False), electorate)

    assert len(standing.approvals) == len({electorate.person(vote.voter) for vote in cast})
    assert standing.note == ""


@given(cast=votes, mapping=mappings, source=st.sampled_from(["kubernetes", "slack"]))
def test_votes_of_one_channel_are_not_affected(cast: list[Vote], mapping: Mapping, source: str) -> None:
    mine = [vote for vote in cast if vote.voter.source == source]

    assert tally(mine, facts(), Electorate(mapping)) == tally(mine, facts(destructive=False), Electorate(mapping))


@given(cast=votes, mapping=mappings)
def test_two_that_count_share_a_channel_or_are_both_named(cast: list[Vote], mapping: Mapping) -> None:
    electorate = Electorate(mapping)
    named = {electorate.person(slack(name).voter) for name in NAMES if f"slack.U{name.upper()}" in mapping}

    standing = tally(cast, facts(), electorate)

    for one, other in combinations(standing.approvals, 2):
        assert electorate.person(one.voter) != electorate.person(other.voter)
        both = {electorate.person(one.voter), electorate.person(other.voter)} <= named
        assert one.voter.source == other.voter.source or both
    assert bool(standing.approvals) is bool(cast)
