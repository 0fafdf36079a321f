"""The outbox on a real server: latest wins, one worker per card, one message a second and channel."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from finops.store.connection import Store
from finops.store.outbox import CHANNEL_HOLD_MS, CHANNEL_INTERVAL_MS, Outbox, Priority, WantedCard
from finops.store.slack_messages import MessageRef

NOW = 1_770_000_000_000
LEASE = 60_000
CREATED = datetime(2026, 3, 2, tzinfo=UTC)


def wanted(uid: str, version: int = 1, **changes: Any) -> WantedCard:
    card = WantedCard(
        uid=uid,
        revision="0123456789ab",
        channel="C1",
        version=version,
        priority=Priority.NEW_CARD,
        text=f"{uid} at {version}",
        blocks=({"type": "divider"},),
        created=CREATED,
    )
    return replace(card, **changes)


def shown(outbox: Outbox, card: WantedCard) -> None:
    outbox.messages.shown(card.uid, MessageRef(card.channel, "1.000001", card.hash))


def test_only_the_latest_version_of_a_card_is_delivered(store: Store) -> None:
    outbox = Outbox(store)
    for version in (1, 3, 2):
        outbox.want(wanted("a", version), NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    assert taken.card == wanted("a", 3)
    assert outbox.take("w", NOW + LEASE - 1, LEASE) is None


def test_an_older_version_is_believed_when_the_newer_one_is_long_ago(store: Store) -> None:
    """A cluster restored from a backup counts from lower numbers."""
    outbox = Outbox(store)
    outbox.want(wanted("a", 900), NOW)
    assert not outbox.want(wanted("a", 5), NOW + 1000)
    assert outbox.want(wanted("a", 5), NOW + 400_000)
    found = outbox.wanted("a")
    assert found is not None
    assert found.version == 5


def test_an_equal_card_is_not_delivered_again(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a"), NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    shown(outbox, taken.card)
    outbox.finish(taken, NOW)
    assert outbox.depth(NOW) == (0, 0.0)
    assert not outbox.want(replace(wanted("a"), version=2), NOW)
    assert outbox.take("w", NOW + LEASE, LEASE) is None


def test_a_card_that_changes_during_delivery_stays_due(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a", 1), NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    outbox.want(wanted("a", 2), NOW)
    assert outbox.take("other", NOW + LEASE - 1, LEASE) is None, "one worker at a time"
    shown(outbox, taken.card)
    outbox.finish(taken, NOW + 10)
    again = outbox.take("w", NOW + 10 + CHANNEL_INTERVAL_MS, LEASE)
    assert again is not None
    assert again.card.version == 2


def test_decisions_go_before_new_cards_and_reminders(store: Store) -> None:
    outbox = Outbox(store)
    for number, priority in enumerate((Priority.REMINDER, Priority.NEW_CARD, Priority.DECISION)):
        outbox.want(wanted(f"u{number}", priority=priority, channel=f"C{number}"), NOW + number)
    order = [taken.card.priority for _ in range(3) if (taken := outbox.take("w", NOW + 100, LEASE))]
    assert order == [Priority.DECISION, Priority.NEW_CARD, Priority.REMINDER]


def test_a_channel_takes_one_card_a_second_from_all_workers_together(store: Store) -> None:
    for number in range(4):
        Outbox(store).want(wanted(f"u{number}"), NOW)
    Outbox(store).want(wanted("elsewhere", channel="C2"), NOW)
    with ThreadPoolExecutor(8) as pool:
        found = [one for one in pool.map(lambda i: Outbox(store).take(f"w{i}", NOW, LEASE), range(8)) if one]
    assert sorted(one.card.channel for one in found) == ["C1", "C2"]
    assert Outbox(store).take("w", NOW + CHANNEL_HOLD_MS - 1, LEASE) is None, "the first one may still be posting"
    for one in found:
        Outbox(store).finish(one, NOW + 500)
    assert Outbox(store).take("w", NOW + 500 + CHANNEL_INTERVAL_MS - 1, LEASE) is None
    assert Outbox(store).take("w", NOW + 500 + CHANNEL_INTERVAL_MS, LEASE) is not None


def test_a_worker_that_died_holds_its_channel_only_for_a_while(store: Store) -> None:
    outbox = Outbox(store)
    for uid in ("a", "b"):
        outbox.want(wanted(uid), NOW)
    assert outbox.take("dead", NOW, LEASE) is not None
    assert outbox.take("alive", NOW + CHANNEL_HOLD_MS, LEASE) is not None


def test_the_card_of_a_worker_that_died_comes_back(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a"), NOW)
    first = outbox.take("dead", NOW, LEASE)
    second = outbox.take("alive", NOW + LEASE, LEASE)
    assert first is not None
    assert second is not None
    outbox.finish(first, NOW + LEASE)
    assert outbox.take("third", NOW + LEASE + 5000, LEASE) is None, "a late worker gives back nothing"
    outbox.later(second, NOW + LEASE, NOW + LEASE + 6000)
    assert outbox.take("third", NOW + LEASE + 6000, LEASE) is not None


def test_an_act_faster_than_its_thread_is_still_followed_in_the_order_in_which_it_happened(store: Store) -> None:
    """Bullet "a thread … out of order on a fast act": nothing was posted before the act had ended."""
    outbox = Outbox(store)
    first = (("vote:a", "Approved."), ("approved", "Enough."), ("scheduled", "Now."), ("step:stop:1", "Step: stop."))
    second = (*first[:3], ("step:start:1", "Step: start."))
    last = (*first[:2], ("vote:b", "Denied, too late."), ("end:Succeeded", "Verified."))
    for version, lines in enumerate((first, second, first, last, second), start=1):
        outbox.want(wanted("a", version, lines=lines), NOW + version)

    keys = [key for key, _ in outbox.messages.lines("a")[0]]

    assert keys == [
        *("vote:a", "approved", "scheduled", "step:stop:1", "step:start:1"),
        *("vote:b", "end:Succeeded"),
    ]


def test_thread_lines_are_kept_in_order_and_said_once(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a", 1, lines=(("vote", "Approved"),)), NOW)
    outbox.want(wanted("a", 2, lines=(("vote", "reworded"), ("step", "Stopping"))), NOW)
    assert outbox.messages.lines("a") == ((("vote", "Approved"), ("step", "Stopping")), frozenset())
    outbox.messages.mark_lines("a", ["vote"])
    assert outbox.messages.lines("a") == ((("vote", "Approved"), ("step", "Stopping")), frozenset({"vote"}))
    outbox.messages.mark_lines("a", ["vote"], "1.000002")
    assert outbox.messages.lines("a") == ((("step", "Stopping"),), frozenset())
    outbox.messages.unmark_lines("a", ["vote"])
    assert len(outbox.messages.lines("a")[0]) == 2


def test_a_card_with_lines_left_stays_due(store: Store) -> None:
    outbox = Outbox(store)
    card = wanted("a", lines=(("vote", "Approved"),))
    outbox.want(card, NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    shown(outbox, taken.card)
    outbox.finish(taken, NOW)
    again = outbox.take("w", NOW + CHANNEL_INTERVAL_MS, LEASE)
    assert again is not None
    outbox.messages.mark_lines("a", ["vote"], "1.000002")
    outbox.finish(again, NOW + CHANNEL_INTERVAL_MS)
    assert outbox.depth(NOW) == (0, 0.0)


def test_a_new_line_makes_an_unchanged_card_due(store: Store) -> None:
    outbox = Outbox(store)
    card = wanted("a")
    outbox.want(card, NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    shown(outbox, card)
    outbox.finish(taken, NOW)
    assert outbox.want(replace(card, version=2, lines=(("end", "Verified"),)), NOW + 1)
    assert outbox.take("w", NOW + CHANNEL_INTERVAL_MS, LEASE) is not None


def test_repair_finds_what_a_crash_left_behind(store: Store) -> None:
    outbox = Outbox(store)
    for uid in ("lost", "fine", "busy"):
        outbox.want(wanted(uid, channel=uid), NOW)
    for _ in range(3):
        taken = outbox.take("w", NOW, LEASE)
        assert taken is not None
        if taken.card.uid == "fine":
            shown(outbox, taken.card)
            outbox.finish(taken, NOW)
    store.client.zrem(store.keys.slack("due"), "lost")
    assert outbox.repair(NOW, LEASE) == 1
    again = outbox.take("w", NOW + CHANNEL_HOLD_MS, LEASE)
    assert again is not None
    assert again.card.uid == "lost"


def test_a_method_has_a_budget_and_respects_retry_after(store: Store) -> None:
    outbox = Outbox(store)
    waits = [outbox.pace.reserve("chat.update", NOW, interval_ms=1000, burst=3) for _ in range(4)]
    assert waits == [0, 0, 0, 1000]
    assert outbox.pace.reserve("chat.update", NOW + 1000, interval_ms=1000, burst=3) == 0
    outbox.pace.block("chat.update", NOW + 30_000)
    assert outbox.pace.reserve("chat.update", NOW + 10_000, interval_ms=1000, burst=3) == 20_000
    assert outbox.pace.reserve("chat.postMessage", NOW + 10_000, interval_ms=1000, burst=3) == 0
    assert outbox.pace.reserve("chat.update", NOW + 30_000, interval_ms=1000, burst=3) == 0


def test_the_place_of_a_card_is_remembered_with_its_doubts(store: Store) -> None:
    outbox = Outbox(store)
    assert outbox.messages.of("a") == MessageRef()
    outbox.messages.posting("a", NOW)
    assert outbox.messages.of("a").posting_since_ms == NOW
    outbox.messages.not_posted("a")
    assert outbox.messages.of("a") == MessageRef()
    outbox.messages.posting("a", NOW)
    outbox.messages.shown("a", MessageRef("C1", "1.000001", "h"))
    assert outbox.messages.of("a") == MessageRef("C1", "1.000001", "h", 0)
    outbox.messages.lost("a")
    assert outbox.messages.of("a") == MessageRef()


def test_forgetting_a_request_leaves_nothing(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a", lines=(("vote", "Approved"),)), NOW)
    taken = outbox.take("w", NOW, LEASE)
    assert taken is not None
    shown(outbox, taken.card)
    outbox.messages.mark_lines("a", ["vote"], "1.000002")
    outbox.forget("a")
    assert outbox.known() == frozenset()
    assert list(store.client.scan_iter(f"{store.keys.prefix}*")) == [store.keys.slack("pace")]
    outbox.finish(taken, NOW)
    assert outbox.take("w", NOW + LEASE, LEASE) is None


def test_many_workers_deliver_every_card_once(store: Store) -> None:
    """Random interleaving: each card is delivered in its last version, and no two workers hold it together."""
    source = random.Random(7)
    outbox = Outbox(store)
    now = NOW
    held: dict[str, str] = {}
    delivered: dict[str, int] = {}
    versions: dict[str, int] = {}
    workers: dict[str, Any] = {}
    for _ in range(600):
        now += source.randint(1, 900)
        uid, worker = f"u{source.randint(0, 5)}", f"w{source.randint(0, 2)}"
        if source.random() < 0.3:
            versions[uid] = versions.get(uid, 0) + 1
            outbox.want(wanted(uid, versions[uid], channel=f"C{uid}"), now)
        elif worker not in workers:
            taken = outbox.take(worker, now, 10 * LEASE)
            if taken is not None:
                assert taken.card.uid not in held
                held[taken.card.uid] = worker
                workers[worker] = taken
        else:
            taken = workers.pop(worker)
            delivered[taken.card.uid] = taken.card.version
            shown(outbox, taken.card)
            outbox.finish(taken, now)
            del held[taken.card.uid]
    for worker, taken in workers.items():
        delivered[taken.card.uid] = taken.card.version
        shown(outbox, taken.card)
        outbox.finish(taken, now)
        assert worker
    while (last := outbox.take("end", now := now + 2000, LEASE)) is not None:
        delivered[last.card.uid] = last.card.version
        shown(outbox, last.card)
        outbox.finish(last, now)
    assert delivered == versions
    assert outbox.depth(now) == (0, 0.0)


DAY, TWO_DAYS = ("waits:1440", "Reminder after a day"), ("waits:2880", "Reminder after two")


def texts(outbox: Outbox) -> list[str]:
    return [text for _, text in outbox.messages.lines("a")[0]]


def test_a_reminder_makes_an_unchanged_card_due_and_is_said_in_its_newest_words(store: Store) -> None:
    outbox = Outbox(store)
    shown(outbox, wanted("a"))
    assert not outbox.want(wanted("a"), NOW)
    assert outbox.want(wanted("a", reminder=DAY), NOW)
    assert outbox.want(wanted("a", reminder=(DAY[0], "one vote less")), NOW + 1)
    assert texts(outbox) == ["one vote less"]
    outbox.messages.mark_lines("a", [DAY[0]], "1.000002")
    assert not outbox.want(wanted("a", reminder=DAY), NOW + 2)
    assert outbox.messages.said("a") == {DAY[0]}


def test_of_reminders_that_were_not_posted_only_the_latest_is_left(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a", reminder=DAY, lines=(("vote", "Approved"),)), NOW)
    outbox.want(wanted("a", 2, reminder=TWO_DAYS), NOW)
    assert texts(outbox) == ["Approved", TWO_DAYS[1]]


def test_a_reminder_that_is_no_longer_wanted_is_not_posted_though_it_may_have_been(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a", 5, reminder=DAY), NOW)
    outbox.messages.mark_lines("a", [DAY[0]])
    assert outbox.messages.said("a") == frozenset()
    outbox.want(wanted("a", 6, lines=(("end", "Denied"),)), NOW)
    assert texts(outbox) == ["Denied"]


def test_a_replica_that_has_not_seen_the_decision_brings_no_reminder_back(store: Store) -> None:
    outbox = Outbox(store)
    outbox.want(wanted("a", 6), NOW)
    outbox.want(wanted("a", 5, reminder=DAY), NOW)
    assert texts(outbox) == []


def test_what_is_no_card_is_taken_off_and_the_others_are_delivered(store: Store) -> None:
    outbox = Outbox(store)
    for uid in ("a", "b", "c"):
        outbox.want(wanted(uid, channel=f"C{uid}"), NOW)
    store.client.hset(store.keys.slack("wanted"), "a", "{}")
    store.client.hset(store.keys.slack("routes"), "b", "x")
    store.client.hset(store.keys.slack("pace"), mapping={"Cc": "x", "method.chat.update": "x"})

    taken = [one for _ in range(3) if (one := outbox.take("token", NOW, LEASE)) is not None]

    assert [one.card.uid for one in taken] == ["c"]
    assert outbox.wanted("a") is None
    assert outbox.pace.reserve("chat.update", NOW, interval_ms=1000, burst=3) == 0
    # Whoever wants them anew has them again.
    assert outbox.want(wanted("a", channel="Ca"), NOW)
    assert outbox.want(wanted("b", channel="Cb"), NOW)
    later = NOW + CHANNEL_HOLD_MS
    again = [one for _ in range(2) if (one := outbox.take("token", later, LEASE)) is not None]
    assert sorted(one.card.uid for one in again) == ["a", "b"]


def test_a_line_without_a_place_is_read_as_an_empty_one(store: Store) -> None:
    outbox = Outbox(store)
    store.client.hset(store.keys.slack("lines", "a"), "key", "no place")
    assert outbox.messages.lines("a")[0] == (("key", ""),)
