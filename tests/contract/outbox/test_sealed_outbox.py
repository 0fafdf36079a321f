"""What the owner of the store writes into it is shown in Slack by nobody: no card, no line of a thread, no alert."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.contract.outbox.test_outbox_contract import LEASE, NOW, shown, wanted
from tests.support.notices import budget_alert

from finops.store.connection import Store
from finops.store.notices import StoredNotices
from finops.store.outbox import REMINDER, Outbox
from finops.store.sealed import Seals

OURS, THEIRS = Seals(b"the bot's key"), Seals(b"the key of somebody else")


def outbox_of(store: Store) -> Outbox:
    return Outbox(store, OURS)


def kept(store: Store, uid: str) -> str:
    return str(store.client.hget(store.keys.slack("wanted"), uid))


def put(store: Store, uid: str, text: str) -> None:
    store.client.hset(store.keys.slack("wanted"), uid, text)


def test_a_seal_opens_its_text_at_its_place_alone() -> None:
    kept = OURS.sealed(("card", "u1"), "5 a text | with anything")
    assert OURS.opened(("card", "u1"), kept) == "5 a text | with anything"
    assert OURS.opened(("card", "u2"), kept) is None
    assert OURS.opened(("card", "u1"), kept + "!") is None
    assert OURS.opened(("card", "u1"), "é 5 a text | with anything") is None
    assert THEIRS.opened(("card", "u1"), kept) is None
    assert OURS.opened(("line", "u1", "a"), OURS.sealed(("line", "u1a", ""), "x")) is None


FORGERIES: dict[str, Callable[[Store], None]] = {
    "another text": lambda store: put(store, "a", kept(store, "a").replace("a at 1", "b is fine")),
    "a card of another request": lambda store: put(store, "a", kept(store, "b")),
    "without a seal": lambda store: put(store, "a", kept(store, "a").partition(" ")[2]),
    "of another key": lambda store: put(store, "a", THEIRS.sealed(("card", "a"), kept(store, "a").partition(" ")[2])),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_card_that_the_bot_did_not_write_is_taken_off_and_wanted_anew(
    store: Store, forgery: str, caplog: pytest.LogCaptureFixture
) -> None:
    outbox = outbox_of(store)
    outbox.want(wanted("b", channel="C2"), NOW + 10 * LEASE)
    outbox.want(wanted("a"), NOW)
    FORGERIES[forgery](store)

    assert outbox.wanted("a") is None
    assert outbox.take("w", NOW, LEASE) is None
    assert "is no card, and is taken off" in caplog.text

    assert "a" in outbox.known(), "whoever projects the request, or finds it deleted, has to come by here"
    outbox.want(wanted("a"), NOW)
    taken = outbox.take("w", NOW + LEASE, LEASE)
    assert taken is not None
    assert taken.card == wanted("a")


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_shown_card_that_cannot_be_opened_is_written_anew_and_not_delivered_again(store: Store, forgery: str) -> None:
    outbox = outbox_of(store)
    outbox.want(wanted("b", channel="C2"), NOW)
    outbox.want(wanted("a"), NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    shown(outbox, wanted("a"))
    outbox.finish(taken, NOW)
    FORGERIES[forgery](store)

    assert not outbox.want(wanted("a"), NOW + LEASE)

    assert outbox.wanted("a") == wanted("a")
    assert outbox.repair(NOW + LEASE, 0) == 1, "the other one was never shown"


def test_a_newer_version_that_cannot_be_opened_does_not_keep_an_older_one_away(store: Store) -> None:
    Outbox(store).want(wanted("a", 9), NOW)
    outbox = outbox_of(store)
    assert outbox.want(wanted("a", 5), NOW)
    assert outbox.wanted("a") == wanted("a", 5)
    assert not outbox.want(wanted("a", 4), NOW), "a version that can be opened does"


def test_lines_of_a_thread_that_the_bot_did_not_write_are_taken_off_and_wanted_anew(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    outbox, key = outbox_of(store), store.keys.slack("lines", "a")
    lines = (("one", "first"), ("two", "second"))
    outbox.want(wanted("a", lines=lines, reminder=(f"{REMINDER}1", "still waiting")), NOW)
    store.client.hset(key, "two", "0001|approved by everybody")
    store.client.hset(key, "three", str(store.client.hget(key, "one")))

    assert outbox.messages.lines("a")[0] == (("one", "first"), (f"{REMINDER}1", "still waiting"))
    assert "are none of ours, and are taken off" in caplog.text

    outbox.want(wanted("a", 2, lines=lines), NOW)
    assert dict(outbox.messages.lines("a")[0]) == dict(lines)


def test_cards_and_lines_are_delivered_once_as_without_seals(store: Store) -> None:
    outbox = outbox_of(store)
    outbox.want(wanted("a", lines=(("one", "first"),)), NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    shown(outbox, taken.card)
    outbox.messages.mark_lines("a", ["one"], "1.000002")
    outbox.finish(taken, NOW)
    assert not outbox.want(wanted("a", lines=(("one", "first"),)), NOW + LEASE)
    assert outbox.repair(NOW + LEASE, 0) == 0


def test_an_alert_that_the_operator_did_not_announce_is_shown_by_nobody(store: Store) -> None:
    alert = budget_alert(80)
    StoredNotices(store, shared=OURS).announce(alert)
    StoredNotices(store).announce(budget_alert(90, id="without a code"))
    StoredNotices(store, shared=THEIRS).announce(budget_alert(100, id="of another key"))

    found = [notice for _, notice in StoredNotices(store, shared=OURS).after("", 10)]

    assert [None if one is None else one.id for one in found] == [alert.id, None, None]
