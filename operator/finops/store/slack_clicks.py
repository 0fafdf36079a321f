"""Which clicks were seen, which of them still wait for an answer, and which bots are alive.

Called by the bot's click path and by its follower of verdicts. A click is claimed once, whatever Slack delivers twice;
it stays open here until its voter has an answer, so that a bot killed in between leaves nobody without one.

Under `slack:`: `seen:{id}` (25 hours), `clicks` (click id → JSON), `answering:{id}` (who words the answer now), `bots`
(instance → heartbeat).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from finops.store.connection import Store, store_errors
from finops.store.records import Record

logger = logging.getLogger(__name__)
SEEN_SECONDS: Final = 25 * 3600
"""Longer than Slack's slowest redelivery (hourly for a day)."""
_OPEN_SECONDS: Final = 25 * 3600
_ANSWER_SECONDS: Final = 30

# Keyed by the click's own token: the client may resend the script when an answer was lost.
_CLAIM: Final = """
for index = 2, #KEYS do
  local owner = redis.call('GET', KEYS[index])
  if owner and owner ~= ARGV[1] then return 0 end
end
for index = 2, #KEYS do redis.call('SET', KEYS[index], ARGV[1], 'EX', ARGV[2]) end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


class Stage(StrEnum):
    """How far a click has come."""

    RECEIVED = "Received"
    RECORDED = "Recorded"
    ASKED_TO_WAIT = "AskedToWait"


@dataclass(frozen=True, slots=True)
class OpenClick:
    """A vote by click whose voter has no final answer yet.

    Attributes:
        id: random, made when the click arrived.
        owner: the bot instance that took it.
        user, channel: Slack ids: who is to be answered, and where.
        request_uid, decision: what the vote is about and says.
        at_ms: when it arrived.
        namespace, approval: the Approval that was or will be created; empty before that is known.
        hint: what the voter reads besides, while the operator has not answered.
    """

    id: str
    owner: str
    user: str
    channel: str
    request_uid: str
    decision: str
    at_ms: int
    stage: Stage = Stage.RECEIVED
    namespace: str = ""
    approval: str = ""
    hint: str = ""


_CLICKS: Final[Record[OpenClick]] = Record(OpenClick)


class Clicks:
    """Clicks on one store. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._keys = store.keys
        self._claim = self._client.register_script(_CLAIM)
        self._unreadable: frozenset[str] = frozenset()

    def claim(self, click: OpenClick, identities: Sequence[str]) -> bool:
        """Take a click for oneself. False when any of its `identities` (envelope, place and time) was seen before."""
        seen = [self._keys.slack("seen", _digest(identity)) for identity in identities]
        with store_errors():
            answer = self._claim(
                keys=[self._keys.slack("clicks"), *seen],
                args=[click.id, SEEN_SECONDS, _CLICKS.text(click), _OPEN_SECONDS],
            )
        return bool(answer)

    def save(self, click: OpenClick) -> None:
        """Record how far the click has come."""
        with store_errors():
            self._client.hset(self._keys.slack("clicks"), click.id, _CLICKS.text(click))

    def close(self, click_id: str) -> None:
        """The voter has the final answer."""
        with store_errors():
            self._client.hdel(self._keys.slack("clicks"), click_id)

    def open(self) -> tuple[OpenClick, ...]:
        """Return all clicks without a final answer, oldest first; what is no click is left out, and logged once."""
        with store_errors():
            found: Any = self._client.hgetall(self._keys.slack("clicks"))
        read = {id_: _CLICKS.value_or_none(text) for id_, text in found.items()}
        unreadable = frozenset(id_ for id_, click in read.items() if click is None)
        if unreadable - self._unreadable:
            logger.error("entries of the open clicks are no clicks, and are left out", extra={"count": len(unreadable)})
        self._unreadable = unreadable
        clicks = (click for click in read.values() if click is not None)
        return tuple(sorted(clicks, key=lambda click: (click.at_ms, click.id)))

    def may_answer(self, click_id: str, stage: str, owner: str) -> bool:
        """Return whether this instance is the one to send the answer; others hold back for half a minute."""
        key = self._keys.slack("answering", click_id, stage)
        with store_errors():
            return bool(self._client.set(key, owner, nx=True, ex=_ANSWER_SECONDS)) or self._client.get(key) == owner

    def heartbeat(self, instance: str, now_ms: int, forget_ms: int) -> None:
        """Say that this instance is alive; instances unresponsive for `forget_ms` are dropped."""
        key = self._keys.slack("bots")
        with store_errors():
            self._client.zadd(key, {instance: now_ms})
            self._client.zremrangebyscore(key, "-inf", now_ms - forget_ms)

    def leave(self, instance: str) -> None:
        """This instance ends in order."""
        with store_errors():
            self._client.zrem(self._keys.slack("bots"), instance)

    def alive(self, now_ms: int, unresponsive_ms: int) -> frozenset[str]:
        """Return the instances that said so within the last `unresponsive_ms`."""
        with store_errors():
            found: Any = self._client.zrangebyscore(self._keys.slack("bots"), now_ms - unresponsive_ms, "+inf")
        return frozenset(found)


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode("utf-8", errors="surrogatepass")).hexdigest()[:40]
