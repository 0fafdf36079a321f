"""A card that an earlier version, or another key, left in the store ends as any other does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.sample_requests import resize_request

from finops.crds.action_request import DigestEntry
from finops.k8s.kinds import WatchEvent
from finops.store.connection import Store
from finops.store.outbox import Outbox
from finops.store.sealed import Seals
from finops.store.slack_messages import MessageRef
from finops_sandbox.slack.blocks import check_message
from finops_slackbot.buttons import Buttons
from finops_slackbot.mirror import Mirror, listing_of
from finops_slackbot.outbox.projection import Projection
from finops_slackbot.outbox.reminding import Reminding

UID = "u1"
LEASE = 60_000


class Bot:
    """The parts of a bot that make cards, with a key of its own; an earlier one sealed nothing."""

    def __init__(self, store: Store, seals: Seals) -> None:
        clock = FakeClock(datetime(2026, 3, 2, tzinfo=UTC))
        self.now = int(clock.now().timestamp() * 1000)
        self.outbox = Outbox(store, seals)
        reminding = Reminding(self.outbox.messages, cast("Any", None), clock)
        self.projection = Projection(self.outbox, Buttons(b"k" * 32), clock, reminding, demo=False)
        self.mirror = Mirror(lambda _uid: None)
        self.mirror._problems = {}

    def sees(self, type_: str) -> None:
        self.mirror._saw_request(WatchEvent(type_, resize_request(uid=UID), {}))
        self.projection.project(self.mirror, UID)

    def shows(self) -> None:
        taken = self.outbox.take("w", self.now, LEASE)
        assert taken is not None
        self.outbox.messages.shown(UID, MessageRef(taken.card.channel, "1772409600.000100", taken.card.hash))
        self.outbox.finish(taken, self.now)


@pytest.fixture
def bot(store: Store) -> Bot:
    """A new bot, on the store in which the one before has shown a card."""
    earlier = Bot(store, Seals())
    earlier.sees("ADDED")
    earlier.shows()
    return Bot(store, Seals(b"the bot's key"))


def test_a_card_of_an_earlier_version_is_written_anew_and_not_posted_again(bot: Bot) -> None:
    assert bot.outbox.wanted(UID) is None
    bot.sees("ADDED")
    assert bot.outbox.wanted(UID) is not None
    assert bot.outbox.depth(bot.now) == (0, 0.0)


@pytest.mark.parametrize("is_due", [False, True])
def test_a_card_of_an_earlier_version_whose_request_was_deleted_ends_without_buttons(bot: Bot, is_due: bool) -> None:
    if is_due:
        bot.outbox._client.zadd(bot.outbox._key("due"), {UID: bot.now})
        assert bot.outbox.take("w", bot.now, LEASE) is None, "what cannot be opened is not shown"
    # The earlier bot's delivery, and this one, occupy the channel for a moment.
    bot.outbox._client.delete(bot.outbox._key("pace"))
    assert UID in bot.outbox.known()

    bot.projection.project(bot.mirror, UID)

    taken = bot.outbox.take("w", bot.now, LEASE)
    assert taken is not None
    assert taken.card.removed
    assert taken.card.channel == bot.outbox.messages.of(UID).channel
    assert "No longer in the cluster" in json.dumps(taken.card.blocks)
    assert "actions" not in {block["type"] for block in taken.card.blocks}
    assert check_message(json.loads(json.dumps(taken.card.blocks))) == []

    bot.projection.project(bot.mirror, UID)
    assert UID in bot.outbox.known(), "it is not shown yet"
    bot.outbox.messages.shown(UID, MessageRef(taken.card.channel, "1772409600.000100", taken.card.hash))
    bot.outbox.finish(taken, bot.now)
    bot.projection.project(bot.mirror, UID)
    assert bot.outbox.known() == frozenset()
    assert bot.outbox.messages.of(UID) == MessageRef()


@pytest.mark.parametrize("is_posting", [False, True])
def test_a_card_of_an_earlier_version_that_is_in_no_known_place_is_forgotten(
    bot: Bot, is_posting: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bot.outbox.messages.lost(UID)
    if is_posting:
        bot.outbox.messages.posting(UID, bot.now)

    bot.projection.project(bot.mirror, UID)

    assert bot.outbox.known() == frozenset()
    assert bot.outbox.messages.of(UID) == MessageRef()
    assert ("may stand in Slack with its buttons" in caplog.text) == is_posting


@pytest.mark.parametrize("digest", [None, DigestEntry(id="d", position=1, size=1)])
def test_whoever_owns_the_store_cannot_have_an_open_request_said_to_be_gone(
    store: Store, digest: DigestEntry | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither by garbage about a request that never was, nor by a card of ours of one that is gone."""
    bot = Bot(store, Seals(b"the bot's key"))
    open_ = resize_request(uid=UID, digest=digest)
    bot.mirror._saw_request(WatchEvent("ADDED", open_, {}))
    shown_as, client = (listing_of(open_) if digest else UID), bot.outbox._client
    bot.outbox.messages.shown(shown_as, MessageRef("C0FINOPS01", "1772409600.000100", "h"))
    client.hset(bot.outbox._key("wanted"), "ghost", "garbage")
    for uid in ("ghost", "u2"):
        client.hset(bot.outbox._key("message", uid), mapping={"channel": "C0FINOPS01", "ts": "1772409600.000100"})
    gone = WatchEvent("ADDED", resize_request(uid="u2", name="r2"), {})
    bot.mirror._saw_request(gone)
    bot.projection.project(bot.mirror, "u2")
    bot.mirror._saw_request(WatchEvent("DELETED", gone.object, {}))
    assert bot.outbox.take("w", bot.now, LEASE) is not None

    for uid in ("ghost", "u2"):
        bot.projection.project(bot.mirror, uid)

    client.delete(bot.outbox._key("pace"))
    assert bot.outbox.take("w", bot.now, LEASE) is None
    assert bot.outbox.known() & {"ghost", "u2"} == set()
    assert bot.outbox.messages.of(shown_as).ts == "1772409600.000100"
    assert caplog.text.count("names the message of an open card") == 2


def test_while_the_cluster_is_not_known_whole_no_card_that_cannot_be_opened_is_ended(bot: Bot) -> None:
    bot.mirror._problems = {"actionrequests": "not read yet"}
    bot.projection.project(bot.mirror, UID)
    assert UID in bot.outbox.known()
    assert bot.outbox.depth(bot.now) == (0, 0.0)
