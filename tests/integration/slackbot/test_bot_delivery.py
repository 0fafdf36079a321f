"""Cards and threads reach Slack once, in time, whatever Slack does in between."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from tests.integration.slackbot.bot_world import ALICE, BOB, CHANNEL, World
from tests.support.hostile_text import HOSTILE

from finops.store.outbox import Outbox
from finops.store.slack_status import SlackStatus


def cards(world: World, channel: str = CHANNEL) -> list[dict[str, Any]]:
    return [
        message
        for message in world.control.observed.messages(channel=channel)
        if (message.get("metadata") or {}).get("event_type") == "finops_request"
    ]


def test_the_card_follows_every_state_and_the_thread_names_each_step(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.click(request, BOB)
        world.shown(request, "Approved")
        for step, said in (
            ("stop", "Stop the instance"),
            ("modify_type", "Change the type"),
            ("start", "Start the instance"),
        ):
            world.set_status(request, state="Executing", execution={"step": step, "attempt": 1})
            world.said(request, f"Step: {said}.")
        world.set_status(request, state="Verifying")
        world.shown(request, "All steps done, verifying")
        outcome = {"before": {"instanceType": "t3.large"}, "after": {"instanceType": "t3.small"}}
        world.set_status(request, state="Succeeded", outcome=outcome)
        world.shown(request, "Done and verified")
        world.until(lambda: "Verified: t3.large → t3.small" in world.thread(request))
        lines = world.thread(request).splitlines()
        assert len(lines) == len(set(lines)), "no line is said twice"
        assert len(cards(world)) == 1


def test_twenty_cards_come_at_one_a_second_and_a_decision_goes_first(world: World) -> None:
    with world.bot(), world.bot():
        first = world.propose()
        world.until(lambda: world.card(first))
        for _ in range(8):
            world.propose()
        started = time.monotonic()
        world.click(first, BOB)
        world.shown(first, "Approved")
        decided_after = time.monotonic() - started
        world.until(lambda: len(cards(world)) == 9, 30)
        assert decided_after < 4, "the decision did not wait behind the new cards"
        rates = world.control.observed.rates()
        assert rates["channels"][CHANNEL]["max_in_1s"] <= 1
        assert rates["calls_inside_retry_after"] == {}


def test_a_429_is_waited_out_and_nothing_is_lost(world: World) -> None:
    world.control.conditions.fault(method="chat.postMessage", retry_after=2, n=1)
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
        posts = world.control.observed.calls(method="chat.postMessage")
        assert [call["http_status"] for call in posts] == [429, 200]
        assert posts[1]["time"] - posts[0]["time"] >= 2
        assert world.control.observed.rates()["calls_inside_retry_after"] == {}


@pytest.mark.parametrize("fault", [{"status": 503}, {"drop": True}, {"error": "internal_error"}])
def test_a_post_whose_answer_was_lost_is_found_and_not_repeated(world: World, fault: dict[str, Any]) -> None:
    world.control.conditions.fault(method="chat.postMessage", n=1, after_commit=True, **fault)
    with world.bot() as bot:
        request = world.propose()
        world.until(lambda: bot.outbox.messages.of(request.metadata.uid or "").ts)
        assert len(world.control.observed.calls(method="chat.postMessage")) == 1
        world.set_status(request, state="Expired")
        world.shown(request, "Expired")
        assert len(cards(world)) == 1


def test_a_post_that_never_arrived_is_repeated_after_a_search(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops_slackbot.outbox.delivery._LATE_COMMIT_MS", 500)
    monkeypatch.setattr("finops_slackbot.outbox.delivery._RETRY_MS", 300)
    world.control.conditions.fault(method="chat.postMessage", n=1, status=503)
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
        assert world.control.observed.calls(method="conversations.history")
        assert len(cards(world)) == 1


def test_without_the_right_to_read_history_a_lost_post_is_posted_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops_slackbot.outbox.delivery._LATE_COMMIT_MS", 500)
    monkeypatch.setattr("finops_slackbot.outbox.delivery._RETRY_MS", 300)
    world.control.workspace.set_scopes(
        token="xoxb-sandbox-finops", scopes=["chat:write", "users:read", "usergroups:read", "channels:read"]
    )
    world.control.conditions.fault(method="chat.postMessage", n=1, status=503)
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))


@pytest.mark.parametrize("error", ["message_not_found", "edit_window_closed"])
def test_a_card_that_can_no_longer_be_changed_is_posted_anew(world: World, error: str) -> None:
    with world.bot():
        request = world.propose()
        old = world.until(lambda: world.card(request))
        world.control.conditions.fault(method="chat.update", n=1, error=error)
        world.set_status(request, state="Expired")
        world.until(lambda: any("Expired" in json.dumps(card["blocks"]) for card in cards(world)))
        fresh = [card for card in cards(world) if card["ts"] != old["ts"]]
        assert len(fresh) == 1


def test_blocks_that_slack_refuses_are_replaced_by_a_plainer_card(world: World) -> None:
    world.control.conditions.fault(method="chat.postMessage", n=1, error="invalid_blocks")
    with world.bot():
        request = world.propose()
        card = world.until(lambda: world.card(request))
        assert "finops_approve" in str(card["blocks"])
        assert len(card["blocks"]) == 3


@pytest.mark.parametrize(
    ("channel", "code"),
    [("C0RANDOM01", "not_in_channel"), ("G0PRIVATE1", "channel_not_found"), ("C0ARCHIV01", "is_archived")],
)
def test_a_channel_that_takes_no_card_is_reported_and_not_hammered(world: World, channel: str, code: str) -> None:
    status = SlackStatus(world.store)
    with world.bot():
        world.propose(channel=channel)
        healthy = world.propose()
        world.until(lambda: status.read()[1].get(channel))
        problem = status.read()[1][channel]
        assert problem.code == code
        assert problem.message
        world.until(lambda: world.card(healthy))
        time.sleep(1.0)
        tried = [
            call
            for call in world.control.observed.calls(method="chat.postMessage")
            if call["args"]["channel"] == channel
        ]
        assert len(tried) == 1


def test_a_channel_that_was_repaired_is_no_longer_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops_slackbot.outbox.delivery._REFUSED_MS", 500)
    status = SlackStatus(world.store)
    with world.bot():
        request = world.propose(channel="C0RANDOM01")
        world.until(lambda: status.read()[1].get("C0RANDOM01"))
        world.control.workspace.change_channel(channel="C0RANDOM01", add=["U0FINOPSB"])
        world.until(lambda: world.card(request, "C0RANDOM01"))
        world.until(lambda: not status.read()[1])


def test_a_revoked_token_stops_the_bot_from_posting_and_is_reported(world: World) -> None:
    status = SlackStatus(world.store)
    with world.bot():
        world.control.workspace.revoke_token(token="xoxb-sandbox-finops")
        world.propose()
        world.until(lambda: status.read()[1].get(""))
        assert status.read()[1][""].code == "token_revoked"
        time.sleep(1.0)
        assert len(world.control.observed.calls(method="chat.postMessage")) == 1


def test_hostile_tags_are_posted_and_updated_as_text(world: World) -> None:
    with world.bot():
        request = world.propose(resource_name=HOSTILE[:256], values={"owner": HOSTILE[:200]})
        world.until(lambda: world.card(request))
        world.set_status(request, state="RolledBack", outcome={"before": {}, "after": {}, "error": HOSTILE * 8})
        card = world.shown(request, "Rolled back")
        said = json.dumps(card, ensure_ascii=False)
        for poison in ("<!channel>", "<@U0ALICE001>", "<https://evil", "\u202e"):
            assert poison not in said


def test_a_bot_that_comes_back_repairs_what_it_missed(world: World) -> None:
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
    world.set_status(request, state="Expired")
    with world.bot():
        world.shown(request, "Expired")
        assert len(cards(world)) == 1


def test_a_store_that_lost_everything_finds_the_cards_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finops_slackbot.outbox.delivery._YOUNG", __import__("datetime").timedelta(0))
    with world.bot():
        request = world.propose()
        world.until(lambda: world.card(request))
    for key in world.store.client.scan_iter(f"{world.store.keys.prefix}*"):
        world.store.client.delete(key)
    with world.bot() as bot:
        world.until(lambda: bot.outbox.messages.of(request.metadata.uid or "").hash)
        assert len(cards(world)) == 1


def test_a_backlog_collapses_into_the_latest_state(world: World) -> None:
    world.control.conditions.fault(method="chat.postMessage", n=1, retry_after=3)
    with world.bot():
        request = world.propose()
        world.until(lambda: world.control.observed.calls(method="chat.postMessage"))
        for state in ("Approved", "Executing", "Verifying", "Succeeded"):
            world.set_status(request, state=state)
        card = world.shown(request, "Done and verified")
        assert card["history"] == [], "only the last state was ever posted"


def test_a_request_without_a_channel_gets_no_card(world: World) -> None:
    with world.bot() as bot:
        silent = world.propose(channel=None)
        loud = world.propose()
        world.until(lambda: world.card(loud))
        assert bot.outbox.wanted(silent.metadata.uid or "") is None


def test_two_bots_post_one_card(world: World) -> None:
    with world.bot(), world.bot():
        requests = [world.propose() for _ in range(3)]
        world.until(lambda: len(cards(world)) == 3)
        world.set_status(requests[0], state="Expired")
        world.shown(requests[0], "Expired")
        assert len(cards(world)) == 3


def test_a_message_that_was_deleted_by_hand_takes_its_thread_along(world: World) -> None:
    with world.bot():
        request = world.propose(required=2)
        world.click(request, ALICE)
        world.until(lambda: "Approved by" in world.thread(request))
        outbox = Outbox(world.store)
        assert outbox.messages.lines(request.metadata.uid or "")[0] == ()


def test_a_thread_line_whose_answer_was_lost_is_found_and_not_repeated(world: World) -> None:
    world.control.conditions.fault(
        method="chat.postMessage", match={"text": "Approved by"}, n=1, after_commit=True, status=503
    )
    with world.bot() as bot:
        request = world.propose(required=2)
        world.click(request, ALICE)
        world.said(request, "Approved by")
        # The bot waits before it reads the thread for the line, and longer each time that it finds none.
        world.until(lambda: bot.outbox.messages.lines(request.metadata.uid or "")[0] == (), seconds=40)
        assert world.thread(request).count("Approved by") == 1


def test_a_thread_line_that_was_throttled_is_said_later(world: World) -> None:
    world.control.conditions.fault(method="chat.postMessage", match={"text": "Approved by"}, n=1, retry_after=1)
    with world.bot():
        request = world.propose(required=2)
        world.click(request, ALICE)
        world.said(request, "Approved by")
        assert world.thread(request).count("Approved by") == 1


def test_a_card_deleted_by_hand_is_posted_anew_at_the_next_word(world: World) -> None:
    world.control.conditions.fault(
        method="chat.postMessage", match={"text": "Approved by"}, n=1, error="thread_not_found"
    )
    with world.bot():
        request = world.propose(required=2)
        world.click(request, ALICE)
        world.until(lambda: len(cards(world)) == 2)
