"""Right before an act the members of a user group are at most a minute old, and the bot is asked for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from tests.support.fake_clock import FakeClock

from finops.store.slack_groups import GroupMembers, SlackGroups
from finops_operator.decisions.identities import Identities

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
GROUP = "S0SRE00001"


class Groups:
    """One group, and when the bot was asked for it."""

    def __init__(self, read_at: datetime | None, *, forged: bool = False) -> None:
        self.read_at, self.forged = read_at, forged
        self.asked: list[tuple[str, datetime]] = []

    def read(self, _group: str) -> GroupMembers:
        if self.forged:
            return GroupMembers(frozenset(), None, forged=True)
        return GroupMembers(frozenset({"U0BOB00001"}), self.read_at)

    def ask(self, group: str, at: datetime) -> None:
        self.asked.append((group, at))


class Switches:
    """The identities that the test names, none as a rule."""

    def __init__(self, identities: dict[str, str] | None = None) -> None:
        self.identities = identities

    def read(self, _name: str) -> dict[str, str] | None:
        return self.identities


def people(groups: Groups, identities: dict[str, str] | None = None) -> Identities:
    return Identities(
        switches=Switches(identities), identities="r", groups=cast("SlackGroups", groups), clock=FakeClock(NOW)
    )


@pytest.mark.parametrize("age", [timedelta(), timedelta(seconds=60), timedelta(seconds=-5)])
def test_a_list_of_the_last_minute_is_good(age: timedelta) -> None:
    groups = Groups(NOW - age)
    electorate, waiting = people(groups).at_act({GROUP})
    assert (waiting, groups.asked) == ("", [])
    assert electorate.slack_group_members == {GROUP: frozenset({"U0BOB00001"})}


@pytest.mark.parametrize(
    ("read_at", "why"),
    [
        (None, "never read"),
        (NOW - timedelta(seconds=61), "last read 61 seconds ago"),
        (NOW - timedelta(minutes=4), "last read 240 seconds ago"),
        (NOW + timedelta(hours=1), "in the future"),
    ],
)
def test_an_older_list_counts_for_nothing_and_the_bot_is_asked(read_at: datetime | None, why: str) -> None:
    """Groups that are checked again before the act are at most 60 seconds old, and never read in the future."""
    groups = Groups(read_at)
    electorate, waiting = people(groups).at_act({GROUP})
    assert why in waiting
    assert groups.asked == [(GROUP, NOW)]
    assert electorate.slack_group_members == {}


def test_a_list_that_is_not_the_bots_counts_for_nothing_and_the_bot_is_asked() -> None:
    """Bullet "Whoever can write the store can make the operator act": the list is signed by the bot."""
    groups = Groups(NOW, forged=True)
    electorate, waiting = people(groups).at_act({GROUP})
    assert "do not have the bot's signature" in waiting
    assert groups.asked == [(GROUP, NOW)]
    assert electorate.slack_group_members == {}


def test_a_persons_name_is_kept_short_for_the_ledger() -> None:
    """Bullet "Growth", bounds on every string."""
    named = people(Groups(NOW), {"k8s.alice": "a" * 100_000, "k8s.bob": "  "}).at_vote()
    assert named.same_person == {"k8s.alice": "a" * 256}
