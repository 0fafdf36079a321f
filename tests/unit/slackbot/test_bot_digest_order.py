"""The cards of a digest come in their order, also when another replica of the bot has posted the digest first."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

from tests.support.fake_clock import FakeClock
from tests.support.sample_requests import CREATED, resize_request

from finops.crds.action_request import ActionRequest, DigestEntry
from finops.store.outbox import Outbox, WantedCard
from finops.store.slack_messages import MessageRef
from finops_slackbot.buttons import Buttons
from finops_slackbot.mirror import DIGEST, Mirror, listing_of
from finops_slackbot.outbox.projection import Projection, in_turn
from finops_slackbot.outbox.reminding import Reminding

SIZE = 3


class Known:
    """What this replica has read of the cluster so far."""

    def __init__(self, *requests: ActionRequest) -> None:
        self._requests = {one.metadata.uid or "": one for one in requests}

    def request(self, uid: str) -> ActionRequest | None:
        return self._requests.get(uid)

    def uids(self) -> tuple[str, ...]:
        return tuple(self._requests)

    def listed_in(self, name: str) -> tuple[ActionRequest, ...]:
        return tuple(one for one in self._requests.values() if listing_of(one) == name)

    def votes(self, uid: str) -> tuple[()]:
        return ()

    def version(self, uid: str) -> int:
        return 1

    def problem(self) -> str:
        return ""


class Posted:
    """An outbox in which another replica has posted the digest already."""

    def __init__(self) -> None:
        self.wanted: list[str] = []

    @property
    def messages(self) -> Posted:
        return self

    def of(self, uid: str) -> MessageRef:
        return MessageRef("C0FINOPS01", "1790.01" if uid.startswith(DIGEST) else "")

    def want(self, card: WantedCard, now_ms: int) -> bool:
        if not card.uid.startswith(DIGEST):
            self.wanted.append(card.uid)
        return True


def member(position: int, *, seconds: int = 0) -> ActionRequest:
    """A request of the digest, made so many seconds after its first one."""
    entry = DigestEntry(id="20260310t123000z", position=position, size=SIZE)
    created = CREATED + timedelta(seconds=seconds)
    return resize_request(name=f"resize-{position}", uid=f"uid-{position}", digest=entry, created=created)


def projected(known: Known, clock: FakeClock) -> list[str]:
    posted = Posted()
    # The requests here have no reminders, so that no store is read for them.
    reminding = Reminding(cast("Any", None), cast("Any", None), clock)
    projection = Projection(cast("Outbox", posted), Buttons(b"k" * 32), clock, reminding, demo=False)
    for uid in known.uids():
        projection.project(cast("Mirror", cast("Any", known)), uid)
    return posted.wanted


def test_a_replica_that_knows_only_some_of_them_lets_none_through_before_those_it_has_not_read() -> None:
    clock = FakeClock(CREATED + timedelta(seconds=1))

    assert projected(Known(member(1), member(3)), clock) == []
    assert projected(Known(member(1), member(2), member(3)), clock) == ["uid-1", "uid-2", "uid-3"]


def test_after_half_a_minute_those_that_never_came_are_waited_for_no_longer() -> None:
    clock = FakeClock(CREATED + timedelta(seconds=31))

    assert projected(Known(member(1), member(3)), clock) == ["uid-1", "uid-3"]


def test_requests_made_over_two_seconds_keep_their_place_in_the_digest_whichever_was_made_first() -> None:
    known = cast("Mirror", cast("Any", Known(member(3), member(1, seconds=1), member(2, seconds=1))))

    assert in_turn(known, {"uid-1", "uid-2", "uid-3"}) == ["uid-1", "uid-2", "uid-3"]
