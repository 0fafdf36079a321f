"""Many new requests of one scan: one message in the channel, the cards in its thread, each once, the best one last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.integration.slackbot.bot_world import BOB, CHANNEL, World

from finops.crds.action_request import ActionRequest, DigestEntry

SIZE = 4


def propose(world: World, *positions: int, name: str = "20260310t123000z") -> dict[int, ActionRequest]:
    """Requests of one digest, made in the order of `positions`; the saving grows with the position."""
    return {
        position: world.propose(
            resource_name=f"web-{position}",
            saving=f"{position}0.00",
            digest=DigestEntry(id=name, position=position, size=SIZE),
        )
        for position in positions
    }


def posted(world: World, event: str = "finops_request", **where: Any) -> list[dict[str, Any]]:
    return [
        message
        for message in world.control.observed.messages(channel=CHANNEL, **where)
        if (message.get("metadata") or {}).get("event_type") == event
    ]


def listing(world: World) -> dict[str, Any]:
    """The one message that lists the requests, or an empty dictionary."""
    found = [message for message in posted(world) if message["metadata"]["event_payload"]["uid"].startswith("digest:")]
    assert len(found) <= 1, "one digest per scan"
    return found[0] if found else {}


def cards(world: World) -> list[str]:
    """The uids of the cards in the digest's thread, in the order of the thread."""
    found = listing(world)
    if not found:
        return []
    replies = posted(world, thread=found["ts"])
    return [message["metadata"]["event_payload"]["uid"] for message in replies if message["ts"] != found["ts"]]


def uids(requests: dict[int, ActionRequest]) -> list[str]:
    return [requests[position].metadata.uid or "" for position in sorted(requests)]


def test_one_message_lists_them_and_the_cards_follow_in_its_thread_the_best_last(world: World) -> None:
    with world.bot(), world.bot():
        requests = propose(world, 3, 1, 4, 2)
        world.until(lambda: len(cards(world)) == SIZE, 30)
        assert cards(world) == uids(requests)
        found = listing(world)
        assert found["blocks"][0]["text"]["text"] == "4 new requests: save $100.00 a month"
        lines = found["blocks"][1]["text"]["text"].splitlines()
        assert lines[0] == "• $10.00 resize web-1 → t3.small"
        assert lines[-1] == "• $40.00 resize web-4 → t3.small"
        assert "4 of 4 wait for a decision" in str(found["blocks"])
        in_channel = [
            message
            for message in world.control.observed.messages(channel=CHANNEL)
            if message.get("thread_ts") in {None, "", message["ts"]}
        ]
        assert len(in_channel) == 1


def test_a_vote_on_a_card_in_the_thread_counts_and_every_line_says_which_card_it_is_about(world: World) -> None:
    with world.bot():
        requests = propose(world, 1, 2, 3, 4)
        world.until(lambda: len(cards(world)) == SIZE, 30)
        thread = listing(world)["ts"]
        best = next(
            message
            for message in posted(world, thread=thread)
            if message["metadata"]["event_payload"]["uid"] == requests[4].metadata.uid
        )
        world.control.people.click(user=BOB, action="finops_approve", message=best["ts"], confirm=True)

        def lines() -> str:
            return " ".join(message["text"] for message in posted(world, "finops_lines", thread=thread))

        world.until(lambda: f"Approved by <@{BOB}>" in lines())
        assert "*Resize web-4" in lines()
        world.until(lambda: "3 of 4 wait for a decision" in str(listing(world)["blocks"]))
        assert "web-4 → t3.small – approved" in str(listing(world)["blocks"])


def test_a_bot_that_dies_after_the_message_leaves_each_card_to_be_posted_once(world: World) -> None:
    with world.bot():
        requests = propose(world, 1, 2, 3, 4)
        world.until(lambda: listing(world))
    with world.bot():
        world.until(lambda: len(cards(world)) == SIZE, 30)
        assert cards(world) == uids(requests)


def test_a_card_whose_answer_was_lost_is_found_in_the_thread_and_not_repeated(world: World) -> None:
    with world.bot() as bot:
        requests = propose(world, 1, 2, 3)
        # The message that lists them and the first card reach Slack, whose answers are lost.
        world.control.conditions.fault(method="chat.postMessage", n=2, after_commit=True, status=503)
        requests |= propose(world, 4)
        world.until(lambda: all(bot.outbox.message(uid).ts for uid in uids(requests)), 50)
        assert sorted(cards(world)) == sorted(uids(requests))
        assert world.control.observed.calls(method="conversations.replies")


def test_a_digest_that_an_operator_left_incomplete_is_posted_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finops_slackbot.outbox.projection._LAST_OF_A_DIGEST", timedelta(seconds=2))
    with world.bot():
        requests = propose(world, 1, 2)
        world.until(lambda: len(cards(world)) == len(requests), 30)
        assert listing(world)["blocks"][0]["text"]["text"] == "2 new requests: save $30.00 a month"
