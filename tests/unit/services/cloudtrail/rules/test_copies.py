"""Which of two trails can go, and what an account cannot know."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_operator.services.cloudtrail.rules.copies import Copy, Trail, copy_of
from finops_operator.services.cloudtrail.rules.selected import ALL, Delivered

EARLIER, LATER = datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
ONE = Trail("arn:b", "one", False, False, False, True, True, LATER, ALL)
WIDE = replace(ONE, arn="arn:c", name="wide", all_regions=True, since=EARLIER)
READS = Delivered(reads=frozenset())
LOG_GROUP, TOPIC = "arn:aws:logs:us-east-1:111122223333:log-group:trail:*", "arn:aws:sns:us-east-1:111122223333:people"


def test_a_trail_of_one_region_goes_before_one_of_all_regions() -> None:
    assert copy_of(ONE, [ONE, WIDE]) == Copy("wide", LATER)
    assert copy_of(WIDE, [ONE, WIDE]) == Copy("")


def test_of_two_that_are_the_same_the_later_name_goes_and_the_other_stays() -> None:
    two = replace(ONE, arn="arn:a", name="two")
    assert copy_of(ONE, [ONE, two]) == Copy("two", LATER)
    assert copy_of(two, [ONE, two]) == Copy("")


def test_a_trail_of_the_organization_stays_where_the_account_keeps_it() -> None:
    organization = replace(WIDE, arn="arn:z", name="everybody", organization=True)
    assert copy_of(WIDE, [WIDE, organization]) == Copy("everybody", EARLIER)
    assert copy_of(organization, [WIDE, organization]) == Copy("")


@pytest.mark.parametrize(
    "other",
    [
        replace(WIDE, logging=False),
        replace(WIDE, events=READS),
        replace(WIDE, events=Delivered()),
        replace(WIDE, global_events=False),
        replace(WIDE, events=replace(ALL, writes=frozenset({"kms.amazonaws.com"}))),
    ],
)
def test_one_that_does_not_deliver_everything_is_no_copy(other: Trail) -> None:
    assert copy_of(ONE, [ONE, other]) == Copy("")


@pytest.mark.parametrize("feeds", [{LOG_GROUP}, {TOPIC}, {LOG_GROUP, TOPIC}])
def test_a_trail_that_feeds_alarms_is_replaced_only_by_one_that_feeds_the_same(feeds: set[str]) -> None:
    feeding = replace(ONE, events=replace(ALL, feeds=frozenset(feeds)))
    assert copy_of(feeding, [feeding, WIDE]) == Copy("")
    elsewhere = replace(WIDE, events=replace(ALL, feeds=frozenset({f"{LOG_GROUP}-2"})))
    assert copy_of(feeding, [feeding, elsewhere]) == Copy("")
    both = replace(WIDE, events=replace(ALL, feeds=frozenset({LOG_GROUP, TOPIC})))
    assert copy_of(feeding, [feeding, both]) == Copy("wide", LATER)
    assert copy_of(ONE, [ONE, feeding, both]) == Copy("wide", LATER)


def test_of_two_trails_that_are_the_same_the_one_that_feeds_more_stays() -> None:
    feeding = replace(ONE, arn="arn:z", name="feeding", events=replace(ALL, feeds=frozenset({TOPIC})))
    assert copy_of(ONE, [ONE, feeding]) == Copy("feeding", LATER)
    assert copy_of(feeding, [ONE, feeding]) == Copy("")


@pytest.mark.parametrize(
    "other",
    [replace(WIDE, foreign=True, logging=None, events=None), replace(WIDE, logging=None), replace(WIDE, events=None)],
)
def test_another_trail_of_which_too_little_is_known_leaves_it_open(other: Trail) -> None:
    assert copy_of(ONE, [ONE, other]) is None
    assert copy_of(ONE, [ONE, other, replace(WIDE, name="known", arn="arn:d")]) == Copy("known", LATER)


def test_a_trail_whose_bucket_refuses_what_it_delivers_replaces_no_other_one() -> None:
    failing = replace(WIDE, failing=True)
    assert copy_of(ONE, [ONE, failing]) is None
    assert copy_of(ONE, [ONE, failing, replace(WIDE, name="sound", arn="arn:d")]) == Copy("sound", LATER)
    assert copy_of(replace(ONE, failing=True), [ONE, WIDE]) == Copy("wide", LATER)


def test_what_an_unknown_trail_delivers_and_since_when_is_not_guessed() -> None:
    assert copy_of(replace(ONE, events=None), [ONE, WIDE]) is None
    assert copy_of(ONE, [ONE, replace(WIDE, since=None)]) == Copy("wide", None)
    assert copy_of(replace(ONE, events=Delivered(other_events=True)), [ONE, replace(WIDE, events=None)]) == Copy("")


FLAGS = st.booleans()
EXCLUDED = st.none() | st.frozensets(st.sampled_from(["kms.amazonaws.com", "rdsdata.amazonaws.com"]))
FEEDS = st.frozensets(st.sampled_from([LOG_GROUP, TOPIC]))
EVENTS = st.none() | st.builds(Delivered, EXCLUDED, EXCLUDED, FLAGS, FLAGS, FEEDS)
ANY = st.builds(
    Trail,
    st.text("abc", min_size=1),
    st.just("x"),
    FLAGS,
    FLAGS,
    FLAGS,
    FLAGS,
    st.none() | FLAGS,
    st.just(LATER),
    EVENTS,
    FLAGS,
)


@given(st.lists(ANY, max_size=5, unique_by=lambda one: one.arn))
def test_whoever_follows_all_advice_at_once_still_has_every_event(trails: list[Trail]) -> None:
    trails = [replace(one, name=one.arn) for one in trails]
    logging = [one for one in trails if one.logging and not one.foreign]
    stay = [one for one in logging if not (copy_of(one, trails) or Copy("")).name]
    for one in logging:
        if one.events is not None and one.events.management != "none" and one not in stay:
            arrives = [other.events for other in stay if not other.failing]
            assert any(events is not None and events.holds(one.events) for events in arrives)
