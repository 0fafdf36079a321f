"""A thread says things in the order in which they happened, also when an act ends before its first message is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.sample_requests import CREATED, STATUSES, resize_request, vote

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Choice, State
from finops.k8s.kinds import WatchEvent
from finops.store.connection import Store
from finops.store.outbox import Outbox
from finops.store.slack_messages import SlackMessages
from finops_slackbot.buttons import Buttons
from finops_slackbot.mirror import Mirror
from finops_slackbot.outbox import projection as module
from finops_slackbot.outbox.projection import Projection
from finops_slackbot.outbox.reminding import Reminding


def request_in(state: State) -> ActionRequest:
    return resize_request(status=STATUSES[state])


UID = request_in(State.PENDING).metadata.uid or ""


@dataclass
class Bot:
    """Mirror and projection of one replica around a real store; the test plays the watches, and nothing is sent."""

    store: Store
    clock: FakeClock = field(default_factory=lambda: FakeClock(CREATED))

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store)
        nobody = Reminding(cast("Any", None), cast("Any", None), self.clock)
        self.projection = Projection(self.outbox, Buttons(b"k" * 32), self.clock, nobody, demo=False)
        self.mirror = Mirror(lambda _uid: None)

    def sees(self, state: State) -> None:
        self.mirror._saw_request(WatchEvent("MODIFIED", request_in(state), {}))
        self.projection.project(self.mirror, UID)

    def sees_vote(self, name: str = "bob", choice: Choice = Choice.APPROVE) -> None:
        until = CREATED + timedelta(days=30) if choice is Choice.SNOOZE else None
        cast_ = vote(request_in(State.PENDING), name=name, choice=choice, reason="because", until=until)
        self.mirror._saw_approval(WatchEvent("ADDED", cast_, {}))
        self.projection.project(self.mirror, UID)

    def thread(self) -> list[str]:
        """Return the keys of the lines in the order in which they will be said."""
        return [key for key, _ in SlackMessages(self.store).lines(UID)[0]]


@pytest.fixture
def bot(store: Store) -> Bot:
    return Bot(store)


FAST = (State.APPROVED, State.SCHEDULED, State.EXECUTING, State.VERIFYING, State.SUCCEEDED)


@pytest.mark.parametrize("seen", [FAST[first:] for first in range(len(FAST))], ids=lambda seen: seen[0].value)
def test_votes_that_are_seen_after_the_act_has_ended_still_come_first(bot: Bot, seen: tuple[State, ...]) -> None:
    """Requests and votes have a watch each, and either may be late."""
    bot.sees(State.PENDING)
    for state in seen:
        bot.sees(state)
    assert bot.thread() == []
    bot.sees_vote()
    assert bot.thread() == ["vote:bob", "approved", "end:Succeeded"]


def test_votes_that_are_seen_first_hold_nothing_up(bot: Bot) -> None:
    bot.sees(State.PENDING)
    bot.sees_vote()
    for state in FAST:
        bot.sees(state)
    assert [key.partition(":")[0] for key in bot.thread()] == [
        *("vote", "approved", "scheduled", "step", "step", "verifying", "end"),
    ]


def test_a_denial_comes_before_what_follows_from_it(bot: Bot) -> None:
    bot.sees(State.DENIED)
    assert bot.thread() == []
    bot.sees_vote("no", Choice.DENY)
    assert bot.thread()[0] == "vote:no"
    assert "end:Denied" not in bot.thread(), "the vote says it"


def test_a_snooze_comes_before_the_end_that_follows_from_it(bot: Bot) -> None:
    bot.sees(State.SNOOZED)
    assert bot.thread() == []
    bot.sees_vote("later", Choice.SNOOZE)
    assert bot.thread()[0] == "vote:later"


def test_an_approval_beside_a_snooze_that_decided_is_not_enough_to_go_on(bot: Bot) -> None:
    bot.sees(State.SNOOZED)
    bot.sees_vote("bob", Choice.APPROVE)
    assert bot.thread() == []
    bot.clock.sleep(module._VOTES_SECONDS)
    bot.sees(State.SNOOZED)
    assert bot.thread()[0] == "vote:bob", "one that was removed is waited for once"


def test_a_vote_whose_object_was_removed_is_waited_for_once(bot: Bot) -> None:
    bot.sees(State.APPROVED)
    assert bot.thread() == []
    bot.clock.sleep(module._VOTES_SECONDS)
    bot.sees(State.APPROVED)
    assert bot.thread() == ["approved"]
    bot.sees(State.SUCCEEDED)
    assert "end:Succeeded" in bot.thread()


@contextmanager
def running(bot: Bot) -> Iterator[threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=bot.projection.run, args=(bot.mirror, stop))
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)


def test_what_waits_for_its_votes_is_taken_up_again_without_any_event(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()
    slept: Callable[..., set[str]] = bot.projection._changes.take

    def take(stop: threading.Event, _seconds: float) -> set[str]:
        if asked.is_set():
            bot.clock.sleep(module._VOTES_SECONDS)
        asked.set()
        return slept(stop, 0.01)

    # The pause of a pass, made short.
    monkeypatch.setattr(bot.projection._changes, "take", take)
    bot.mirror._saw_request(WatchEvent("ADDED", request_in(State.APPROVED), {}))
    bot.projection.changed(UID)
    with running(bot) as stop:
        for _ in range(200):
            if bot.thread():
                break
            stop.wait(0.02)
    assert bot.thread() == ["approved"]
