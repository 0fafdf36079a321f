"""What a voter is told fits into an answer, and who is named stands in the order of the votes that count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from finops.domain.decision import (
    Approver,
    Choice,
    Electorate,
    RefusalReason,
    RequestFacts,
    State,
    Terms,
    Vote,
    Voter,
    judge,
    tally,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LONGEST = 4096
"""Characters of the status of an Approval."""


def facts(*approvers: Approver, required: int = 1) -> RequestFacts:
    return RequestFacts("r", "plan", State.PENDING, Terms(approvers, required, "Never", NOW + timedelta(hours=1)))


def vote(person: str, choice: Choice = Choice.APPROVE) -> Vote:
    return Vote("v", "v", "r", "plan", choice, "", Voter("kubernetes", person), NOW)


@pytest.mark.parametrize("characters", [1, 20, 256])
@pytest.mark.parametrize("number", [1, 3, 50])
def test_a_refusal_names_approvers_and_counts_those_it_has_no_room_for(characters: int, number: int) -> None:
    groups = [Approver(kubernetes_group=f"{place:02d}".ljust(characters, "x")) for place in range(number)]

    verdict = judge(vote("m" * 256), facts(*groups), (), Electorate({}), NOW)

    assert verdict.reason == RefusalReason.NOT_ELIGIBLE
    assert len(verdict.message) <= LONGEST
    named = sum(f"Kubernetes group {group.kubernetes_group}" in verdict.message for group in groups)
    assert named >= 1
    assert (f" and {number - named} more." in verdict.message) == (named < number)
    if number * (characters + 17) <= 800:
        assert named == number


def test_nobody_is_named_where_nobody_may_vote() -> None:
    assert judge(vote("mallory"), facts(), (), Electorate({}), NOW).message.endswith("Approvers: nobody.")


def test_whoever_approves_again_has_the_last_word() -> None:
    people = [Approver(kubernetes_user=name) for name in ("alice", "bob")]
    votes = [vote("alice"), vote("bob"), vote("alice", Choice.WITHDRAW), vote("alice")]

    standing = tally(votes, facts(*people, required=2), Electorate({}))

    assert [one.voter.username for one in standing.approvals] == ["bob", "alice"]
