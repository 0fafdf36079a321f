"""What a voter reads when the bot that took the click is gone and the next one has not read everything yet."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.played_watches import SYNCED, Played, shown
from tests.support.sample_requests import CREATED, resize_request, vote

from finops.store.connection import Store, open_store
from finops.store.slack_clicks import Clicks, OpenClick
from finops_slackbot.click_answers import ClickAnswers
from finops_slackbot.mirror import Mirror
from finops_slackbot.verdicts import VerdictFollower

REQUEST = resize_request()
VOTE = vote(REQUEST)


def wait_until(probe: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not probe():
        assert time.monotonic() < deadline
        time.sleep(0.01)


class Heard(ClickAnswers):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def send(self, **message: Any) -> bool:
        self.texts.append(message["text"])
        return True

    def forget(self, click_id: str) -> None:
        del click_id


@pytest.fixture
def store(valkey_url: str) -> Store:
    return open_store(valkey_url, prefix=f"v-{uuid.uuid4().hex[:12]}:")


class NextBot:
    """A bot that has read votes, and requests only when the test says so."""

    def __init__(self, store: Store) -> None:
        self.requests, self.approvals, self.stop = Played(), Played(), threading.Event()
        self.mirror = Mirror(lambda uid: None)
        self.threads = self.mirror.start(self.requests, self.approvals, self.stop, ())
        self.clicks, self.heard, self.clock = Clicks(store), Heard(), FakeClock(CREATED + timedelta(minutes=10))
        self.follower = VerdictFollower(
            instance="second",
            clicks=self.clicks,
            mirror=self.mirror,
            answering=self.heard,
            clock=self.clock,
            demo=False,
        )
        at_ms = int(CREATED.timestamp() * 1000)
        namespace = REQUEST.metadata.namespace or ""
        click = OpenClick("click", "first", "U0BOB00001", "C1", "uid", "Approve", at_ms, namespace=namespace)
        self.clicks.claim(click, ["envelope:1"])
        self.clicks.save(replace(click, approval=VOTE.metadata.name))
        self.approvals.give(None, shown("ADDED", VOTE), SYNCED)
        wait_until(lambda: self.mirror.approval(namespace, VOTE.metadata.name) is not None)


@pytest.fixture
def bot(store: Store) -> Iterator[NextBot]:
    made = NextBot(store)
    yield made
    made.stop.set()
    for thread in made.threads:
        thread.join(5)


def test_a_verdict_waits_until_the_request_is_read_and_then_names_it(bot: NextBot) -> None:
    bot.follower.refresh()
    bot.clock.sleep(10)
    bot.follower.refresh()
    assert bot.heard.texts == []

    bot.requests.give(None, shown("ADDED", REQUEST), SYNCED)
    wait_until(lambda: not bot.mirror.problem())
    bot.clock.sleep(10)
    bot.follower.refresh()

    assert len(bot.heard.texts) == 1
    assert bot.heard.texts[0].startswith("Your approval on")
    assert bot.clicks.open() == ()


def test_a_verdict_whose_request_cannot_be_read_is_posted_after_half_a_minute_all_the_same(bot: NextBot) -> None:
    bot.follower.refresh()
    bot.clock.sleep(31)
    bot.follower.refresh()

    assert bot.heard.texts == ["Your approval counts."]


def test_a_request_that_is_gone_keeps_nobody_waiting(bot: NextBot) -> None:
    bot.requests.give(None, SYNCED)
    wait_until(lambda: not bot.mirror.problem())

    bot.follower.refresh()

    assert bot.heard.texts == ["Your approval counts."]
