"""An announcement is read at a glance, holds every limit of Slack, and is taken up once however often it is seen."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from tests.support.fake_clock import FakeClock
from tests.support.hostile_text import HOSTILE
from tests.support.notices import budget_alert

from finops.domain.notice import Notice
from finops.store.connection import Store
from finops.store.notices import StoredNotices, notice_from_text, notice_to_text
from finops.store.outbox import Outbox
from finops.store.slack_messages import MessageRef
from finops.store.slack_notices import SlackNotices
from finops_sandbox.slack.blocks import check_message
from finops_slackbot.metrics import Metrics
from finops_slackbot.outbox.announcing import KEPT, Announcing
from finops_slackbot.views.announcement import announcement
from finops_slackbot.views.card import Card


def shown(notice: Notice) -> Card:
    return announcement(notice, home="https://finops.example.org/", demo=False)


def announcing(store: Store, clock: FakeClock) -> Announcing:
    metrics = Metrics(CollectorRegistry())
    return Announcing(StoredNotices(store), SlackNotices(store), Outbox(store), clock, metrics, shown)


def test_the_message_says_what_how_much_and_where_it_is_seen() -> None:
    found = shown(budget_alert(80))

    assert [block["block_id"] for block in found.blocks] == ["header", "status", "terms"]
    assert found.blocks[0]["text"]["text"] == "Budget orders: 80 % of the month's budget is spent"
    assert found.blocks[1]["text"]["text"] == "*How much:* 80.00 of 100.00 USD, actual cost; threshold 80 %."
    places = found.blocks[2]["elements"][0]["text"]
    assert places == (
        "See: <https://finops.example.org/budgets|Dashboard> · `kubectl -n team-a get budget orders -o yaml`"
    )
    assert announcement(budget_alert(80), home="", demo=True).text.startswith("Demo: Budget orders: 2026-11")


@pytest.mark.parametrize("lines", [1, 12])
def test_hostile_names_stay_text_within_every_limit_of_slack(lines: int) -> None:
    notice = budget_alert(
        80, title=HOSTILE, text=HOSTILE, lines=((HOSTILE, HOSTILE),) * lines, commands=(HOSTILE,), namespace="n" * 63
    )

    found = shown(notice)

    assert check_message(json.loads(json.dumps(found.blocks))) == []
    assert "<!channel" not in json.dumps([found.text, found.blocks])
    assert "<@U" not in json.dumps([found.text, found.blocks])


def test_a_notice_becomes_one_message_for_each_channel_however_often_it_is_taken_up(store: Store) -> None:
    notices, clock, outbox = StoredNotices(store), FakeClock(budget_alert(80).time), Outbox(store)
    notices.announce(budget_alert(80, channels=("C0FINOPS01", "C0ORDERS01")))
    notices.announce(budget_alert(50, channels=()))
    first = announcing(store, clock)
    assert first.step()
    # Killed before its place was noted: another bot takes the same up again.
    SlackNotices(store).taken("")

    assert announcing(store, clock).step()

    assert sorted(outbox.known()) == [
        "notice:C0FINOPS01:budget:0a1b:2026-11:Actual:80",
        "notice:C0ORDERS01:budget:0a1b:2026-11:Actual:80",
    ]
    assert not announcing(store, clock).step()


def test_a_message_is_forgotten_when_it_is_no_news_any_more_and_not_wanted_again(store: Store) -> None:
    clock, outbox = FakeClock(budget_alert(80).time), Outbox(store)
    StoredNotices(store).announce(budget_alert(80))
    bot = announcing(store, clock)
    bot.step()
    bot.tidy()
    assert len(outbox.known()) == 1

    clock.sleep((KEPT + timedelta(days=1)).total_seconds())
    bot.tidy()
    bot.step()

    assert outbox.known() == frozenset()


def test_a_message_that_cannot_be_opened_is_forgotten_by_the_age_of_what_slack_shows(store: Store) -> None:
    clock, outbox = FakeClock(budget_alert(80).time), Outbox(store)
    for percent in (50, 80, 90, 100):
        StoredNotices(store).announce(budget_alert(percent))
    bot = announcing(store, clock)
    bot.step()
    fifty, eighty, ninety, hundred = (f"notice:C0FINOPS01:budget:0a1b:2026-11:Actual:{p}" for p in (50, 80, 90, 100))
    seconds = int(clock.now().timestamp())
    outbox.messages.shown(fifty, MessageRef("C0FINOPS01", f"{seconds}.000100", "0"))
    outbox.messages.posting(eighty, seconds * 1000)
    outbox.messages.shown(ninety, MessageRef("C0FINOPS01", "no instant", "0"))
    for uid in (fifty, eighty, ninety, hundred):
        store.client.hset(store.keys.slack("wanted"), uid, "of an earlier version")

    bot.tidy()
    assert outbox.known() == {fifty, eighty}, "the others were never shown"

    clock.sleep((KEPT + timedelta(days=1)).total_seconds())
    bot.tidy()
    assert outbox.known() == frozenset()
    assert outbox.messages.of(fifty) == MessageRef()


def test_old_news_is_passed_without_a_message_that_slack_would_be_searched_for(store: Store) -> None:
    now = budget_alert(80).time
    StoredNotices(store).announce(budget_alert(50, time=now - timedelta(days=7, seconds=1)))
    StoredNotices(store).announce(budget_alert(80, time=now - timedelta(days=6)))
    bot = announcing(store, FakeClock(now))

    assert bot.step()

    assert Outbox(store).known() == {"notice:C0FINOPS01:budget:0a1b:2026-11:Actual:80"}
    assert not bot.step()


def test_what_a_release_before_announced_is_still_read_and_goes_nowhere(store: Store) -> None:
    old = '{"id":"budget:x","type":"budget.alert","namespace":"team-a","subject":"Budget/x","text":"Budget x.",'
    old += '"time":"2026-11-01T00:00:00+00:00","data":{"percent":80},"channel":""}'
    store.client.xadd(StoredNotices(store)._stream, {"notice": old})
    clock = FakeClock(budget_alert(80).time)

    assert announcing(store, clock).step()

    assert Outbox(store).known() == frozenset()
    ((_, read),) = StoredNotices(store).after("", 10)
    assert read is not None
    assert (read.text, read.channels, read.lines) == ("Budget x.", (), ())


GOOD = json.loads(notice_to_text(budget_alert(80)))


@pytest.mark.parametrize(
    "fields",
    [
        {"notice": "x"},
        {"notice": "{}"},
        {"notice": "[]"},
        {"other": "1"},
        {"notice": json.dumps({**GOOD, "time": "2026-11-01T00:00:00"})},
        {"notice": json.dumps({**GOOD, "channels": ["C0:1"]})},
        {"notice": json.dumps({**GOOD, "lines": [["one"]]})},
        {"notice": json.dumps({**GOOD, "text": None})},
    ],
    ids=lambda fields: str(fields)[:40],
)
def test_an_entry_that_is_no_notice_is_left_out_counted_and_passed(store: Store, fields: dict[str, str]) -> None:
    notices = StoredNotices(store)
    store.client.xadd(notices._stream, fields)  # type: ignore[arg-type]
    notices.announce(budget_alert(80))
    bot = announcing(store, FakeClock(budget_alert(80).time))

    assert bot.step()

    assert Outbox(store).known() == {"notice:C0FINOPS01:budget:0a1b:2026-11:Actual:80"}
    assert bot._metrics.registry.get_sample_value("finops_slackbot_notices_unreadable_total") == 1
    assert not announcing(store, FakeClock(budget_alert(80).time)).step()


def test_a_place_that_is_none_of_the_stream_is_as_good_as_lost(store: Store) -> None:
    StoredNotices(store).announce(budget_alert(80))
    SlackNotices(store).taken("nowhere")
    bot = announcing(store, FakeClock(budget_alert(80).time))

    assert bot.step()
    assert not bot.step()


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_text_of_a_store_breaks_the_reader_of_notices(text: str) -> None:
    assert notice_from_text(text) is None


@given(st.text(st.characters(exclude_categories=["Cs"])), st.lists(st.from_regex("[CG][A-Z0-9]{2,22}", fullmatch=True)))
def test_a_notice_comes_back_as_it_was_announced(text: str, channels: list[str]) -> None:
    notice = budget_alert(80, text=text, channels=tuple(channels), data={"percent": 80, "of": [text]})
    assert notice_from_text(notice_to_text(notice)) == notice
