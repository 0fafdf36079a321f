"""Clicks, user groups and the bot's status on a real server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.ledger_keys import MEMBERSHIP_KEY

from finops.store.connection import Store
from finops.store.slack_clicks import Clicks, OpenClick, Stage
from finops.store.slack_groups import GroupMembers, SlackGroups
from finops.store.slack_status import SlackProblem, SlackStatus

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)


def click(number: int = 1) -> OpenClick:
    return OpenClick(f"click-{number}", "bot-a", "U1", "C1", "uid-1", "Approve", at_ms=1000 + number)


def test_a_click_is_claimed_once_by_any_of_its_identities(store: Store) -> None:
    clicks = Clicks(store)
    assert clicks.claim(click(1), ["envelope:1", "click:C1:2:3:U1"])
    assert not clicks.claim(click(2), ["envelope:1", "click:other"])
    assert not clicks.claim(click(3), ["envelope:2", "click:C1:2:3:U1"])
    assert clicks.claim(click(4), ["envelope:2", "click:C1:2:4:U1"])
    assert [one.id for one in clicks.open()] == ["click-1", "click-4"]


def test_the_same_claim_sent_again_is_still_ours(store: Store) -> None:
    """The client may resend a script whose answer was lost."""
    clicks = Clicks(store)
    assert clicks.claim(click(1), ["envelope:1"])
    assert clicks.claim(click(1), ["envelope:1"])


def test_of_many_simultaneous_claims_one_wins(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda number: Clicks(store).claim(click(number), ["envelope:1"]), range(40)))
    assert won.count(True) == 1


def test_what_was_seen_is_remembered_for_longer_than_a_day(store: Store) -> None:
    Clicks(store).claim(click(1), ["envelope:1"])
    (key,) = store.client.scan_iter(store.keys.slack("seen", "*"))
    assert 24 * 3600 < int(str(store.client.ttl(key))) <= 25 * 3600


def test_a_click_is_followed_until_it_is_closed(store: Store) -> None:
    clicks = Clicks(store)
    clicks.claim(click(1), ["envelope:1"])
    later = replace(click(1), stage=Stage.RECORDED, namespace="team-a", approval="apv-1", hint="ü <&>")
    clicks.save(later)
    assert clicks.open() == (later,)
    clicks.close("click-1")
    assert clicks.open() == ()


def test_one_instance_words_an_answer(store: Store) -> None:
    clicks = Clicks(store)
    assert clicks.may_answer("click-1", "final", "bot-a")
    assert not clicks.may_answer("click-1", "final", "bot-b")
    assert clicks.may_answer("click-1", "final", "bot-a")
    assert clicks.may_answer("click-1", "wait", "bot-b")


def test_instances_are_alive_while_they_report(store: Store) -> None:
    clicks = Clicks(store)
    clicks.heartbeat("bot-a", 1_000, forget_ms=100_000)
    clicks.heartbeat("bot-b", 10_000, forget_ms=100_000)
    assert clicks.alive(16_500, unresponsive_ms=15_000) == {"bot-b"}
    clicks.heartbeat("bot-b", 200_000, forget_ms=100_000)
    assert clicks.alive(200_000, unresponsive_ms=10**9) == {"bot-b"}
    clicks.leave("bot-b")
    assert clicks.alive(200_000, unresponsive_ms=10**9) == frozenset()


def test_groups_are_fresh_or_not_given_at_all(store: Store) -> None:
    groups = SlackGroups(store, MEMBERSHIP_KEY)
    groups.want(["S2", "S1"])
    assert groups.wanted() == {"S1", "S2"}
    groups.put("S1", ["U2", "U1"], NOW)
    hour = timedelta(hours=1)
    assert groups.fresh(["S1"], NOW + hour, hour) == {"S1": frozenset({"U1", "U2"})}
    assert groups.fresh(["S1"], NOW + hour + timedelta(seconds=1), hour) is None
    assert groups.fresh(["S1", "S2"], NOW, hour) is None
    groups.put_error("S1", "no_such_subteam")
    assert groups.read("S1") == GroupMembers(frozenset({"U1", "U2"}), NOW, "no_such_subteam")
    groups.put("S1", [], NOW)
    assert groups.read("S1") == GroupMembers(frozenset(), NOW, "")
    groups.want([])
    assert groups.wanted() == frozenset()


@pytest.mark.parametrize(
    "written",
    [
        {"members": '["U0LEFT0001"]'},
        {"readAt": (NOW + timedelta(hours=1)).isoformat()},
        {"members": '["U0LEFT0001"]', "signature": ""},
        {"members": "no list", "readAt": "no time", "signature": "0" * 64},
        {"signature": "\u00fc"},
    ],
)
def test_a_list_that_the_owner_of_the_store_wrote_or_changed_has_no_members_and_no_time(
    store: Store, written: dict[Any, Any]
) -> None:
    """Bullet "Whoever can write the store can make the operator act": who is in a group is the bot's word alone."""
    groups = SlackGroups(store, MEMBERSHIP_KEY)
    groups.put("S1", ["U1"], NOW)
    store.client.hset(store.keys.slack("group", "S1"), mapping=written)

    assert groups.read("S1") == GroupMembers(frozenset(), None, "", forged=True)


def test_what_is_no_time_of_ours_asks_for_no_reading(store: Store) -> None:
    groups = SlackGroups(store, MEMBERSHIP_KEY)
    groups.ask("S1", NOW)
    store.client.hset(store.keys.slack("groups", "asked"), mapping={"S2": "soon", "S3": "2026-03-02T01:30:00"})

    assert groups.asked() == {"S1": NOW}


def test_a_list_of_another_group_or_of_another_key_is_none_of_this_one(store: Store) -> None:
    groups = SlackGroups(store, MEMBERSHIP_KEY)
    groups.put("S1", ["U1"], NOW)
    copied: Any = store.client.hgetall(store.keys.slack("group", "S1"))
    store.client.hset(store.keys.slack("group", "S2"), mapping=copied)

    assert groups.read("S2").forged
    assert SlackGroups(store, "a key of another release").read("S1").forged
    assert SlackGroups(store).read("S1").forged


def test_the_status_keeps_errors_of_slack_and_of_channels_apart(store: Store) -> None:
    status = SlackStatus(store)
    status.put({"connected": "true", "team": "T1"})
    status.fail(SlackProblem("token_revoked", NOW, "install again | now"))
    status.fail(SlackProblem("not_in_channel", NOW, "invite the app"), "C1")
    fields, problems = status.read()
    assert fields == {"connected": "true", "team": "T1"}
    assert problems == {
        "": SlackProblem("token_revoked", NOW, "install again | now"),
        "C1": SlackProblem("not_in_channel", NOW, "invite the app"),
    }
    status.clear()
    status.clear("C1")
    assert status.read() == ({"connected": "true", "team": "T1"}, {})


def test_the_first_release_keeps_the_slack_app(store: Store) -> None:
    status = SlackStatus(store)
    assert status.lease("ns/one") == "ns/one"
    assert status.lease("ns/two") == "ns/one"
    assert status.lease("ns/one") == "ns/one"
    assert 0 < int(str(store.client.ttl(store.keys.slack("lease")))) <= 60


def test_what_is_no_click_is_left_out_and_hides_no_other(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    clicks = Clicks(store)
    clicks.claim(click(1), ["envelope:1"])
    store.client.hset(store.keys.slack("clicks"), mapping={"a": "x", "b": "{}"})

    assert [clicks.open() for _ in range(3)] == [(click(1),)] * 3
    assert len([line for line in caplog.messages if "no clicks" in line]) == 1
