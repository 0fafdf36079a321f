"""What the projection writes when many requests of one digest change together."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from tests.support.sample_requests import resize_request

from finops.crds.action_request import DigestEntry
from finops.k8s.kinds import WatchEvent
from finops.ports.clock import SystemClock
from finops.store.outbox import WantedCard
from finops.store.slack_messages import MessageRef
from finops_slackbot.buttons import Buttons
from finops_slackbot.mirror import DIGEST, Mirror
from finops_slackbot.outbox.projection import Projection
from finops_slackbot.outbox.reminding import Reminding

SIZE = 40
NOBODY_REMINDED = Reminding(cast("Any", None), cast("Any", None), SystemClock())
"""The requests here have no reminders, so that no store is read for them."""


@dataclass
class CountingOutbox:
    """Keeps how often each card was wanted; ends the projection once `last` cards were."""

    last: int
    stop: threading.Event = field(default_factory=threading.Event)
    written: Counter[str] = field(default_factory=Counter)

    @property
    def messages(self) -> CountingOutbox:
        return self

    def of(self, _uid: str) -> MessageRef:
        return MessageRef("C0FINOPS01", "1700.5", "h")

    def want(self, card: WantedCard, _now_ms: int) -> bool:
        self.written[card.uid] += 1
        if len(self.written) == self.last:
            self.stop.set()
        return True


def event(type_: str, number: int, digest: str = "d") -> WatchEvent[Any]:
    entry = DigestEntry(id=digest, position=number + 1, size=SIZE)
    return WatchEvent(type_, resize_request(uid=f"u{number}", name=f"n{number}", digest=entry), {})


def test_the_message_of_a_digest_is_written_once_in_a_pass_however_many_of_its_cards_changed() -> None:
    outbox = CountingOutbox(last=SIZE + 1)
    projection = Projection(cast("Any", outbox), Buttons(b"k" * 32), SystemClock(), NOBODY_REMINDED, demo=False)
    mirror = Mirror(projection.changed)
    for number in range(SIZE):
        mirror._saw_request(event("ADDED", number))

    projection.run(mirror, outbox.stop)

    (listing,) = (uid for uid in outbox.written if uid.startswith(DIGEST))
    assert outbox.written[listing] == 1
    assert outbox.written == Counter([listing, *(f"u{number}" for number in range(SIZE))])


def test_the_mirror_lists_the_requests_of_a_digest_as_they_come_move_and_go() -> None:
    mirror = Mirror(lambda _uid: None)
    for number in (1, 2, 3):
        mirror._saw_request(event("ADDED", number))
    mirror._saw_request(event("DELETED", 1))
    mirror._saw_request(event("MODIFIED", 2, digest="another"))

    def listed(digest: str) -> list[str | None]:
        policy = resize_request().spec.policy
        return [one.metadata.uid for one in mirror.listed_in(f"{DIGEST}team-a/{policy}/{digest}")]

    assert (listed("d"), listed("another"), listed("unknown")) == (["u3"], ["u2"], [])
    mirror._saw_request(event("DELETED", 2, digest="another"))
    mirror._saw_request(event("DELETED", 3))
    assert mirror._digests._listed == {}


def test_a_card_that_the_mirror_knows_and_no_pass_has_taken_up_holds_those_behind_it() -> None:
    """The watch shows a request to the mirror an instant before the projection is called for it."""
    outbox = CountingOutbox(last=SIZE + 1)
    projection = Projection(cast("Any", outbox), Buttons(b"k" * 32), SystemClock(), NOBODY_REMINDED, demo=False)
    late, order = threading.Event(), list[str]()
    mirror = Mirror(lambda uid: None if uid == "u1" else projection.changed(uid))
    for number in range(SIZE):
        mirror._saw_request(event("ADDED", number))

    def want(card: WantedCard, now_ms: int) -> bool:
        order.append(card.uid)
        assert late.is_set() or card.uid.startswith(DIGEST), "the second card was not taken up yet"
        return CountingOutbox.want(outbox, card, now_ms)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(outbox, "want", want)
        thread = threading.Thread(target=projection.run, args=(mirror, outbox.stop))
        thread.start()
        try:
            time.sleep(0.3)
            late.set()
            projection.changed("u1")
            assert outbox.stop.wait(10)
        finally:
            outbox.stop.set()
            thread.join(10)

    assert [uid for uid in order if not uid.startswith(DIGEST)] == [f"u{number}" for number in range(SIZE)]
