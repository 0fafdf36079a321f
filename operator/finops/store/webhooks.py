"""The queue of each webhook endpoint: durable, bounded, and taken from its sources without loss or repetition.

Used by the operator that holds the lease. An endpoint remembers per source (the ledger, the notices) up to where it has
taken events; one script moves that place and adds what was taken, so that a killed process loses none and adds none
twice. An event that was sent and not yet taken off is sent again under the same id. What does not fit, has expired
or is refused finally is counted as a dead letter. Events of one source are due in their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from finops.store.connection import Store, store_errors
from finops.store.keys import AnnouncementKeys
from finops.store.records import Record

_WORDS: Final = ("host", "lastSuccess", "lastError")
_STATUS: Final[Record[dict[str, str | int | dict[str, int]]]] = Record(dict[str, str | int | dict[str, int]])
_NUMBER: Final = re.compile("[0-9]{1,15}")
_TRIED: Final = re.compile(r"([0-9]{1,15}) ([0-9]{1,15}(?:\.[0-9]{1,9})?)")
BOUND: Final = 10_000
"""Events that wait for one endpoint at most."""
_TAKE: Final = """
local place = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if place ~= ARGV[2] then return 0 end
local now = tonumber(ARGV[5])
if tonumber(ARGV[6]) > 0 then redis.call('HINCRBY', KEYS[4], 'Forged', ARGV[6]) end
for at = 7, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[2], ARGV[at]) == 0 then
    if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[4]) then
      redis.call('HINCRBY', KEYS[4], 'QueueFull', 1)
    else
      redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
      redis.call('HSET', KEYS[5], ARGV[at], '0 ' .. ARGV[5])
      redis.call('ZADD', KEYS[3], string.format('%.3f', now + at / 2000), ARGV[at])
    end
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
"""
_REMOVE: Final = """
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
if ARGV[2] ~= '' then redis.call('HINCRBY', KEYS[4], ARGV[2], 1) end
return 1
"""
_AGAIN: Final = """
local known = redis.call('HGET', KEYS[2], ARGV[1])
if not known then return 0 end
local failures, since = string.match(known, '^(%d+) (.+)$')
if not failures then failures, since = '0', '0' end
redis.call('HSET', KEYS[2], ARGV[1], (tonumber(failures) + 1) .. ' ' .. since)
redis.call('ZADD', KEYS[1], 'XX', ARGV[2], ARGV[1])
return 1
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event that is due: its text as it is sent, how often that failed, and when it was taken (Unix seconds)."""

    id: str
    body: str
    failures: int
    since: float


class WebhookQueue:
    """The queue of one endpoint. Every method raises StoreUnavailable when Redis is down."""

    def __init__(self, store: Store, name: str, bound: int = BOUND) -> None:
        self._client: Any = store.client
        self._bound = bound
        keys = AnnouncementKeys(store.keys.prefix)
        self._names = keys.webhooks
        self._name = name
        parts = ("places", "events", "due", "dead", "tries")
        self._places, self._events, self._due, self._dead, self._tries = (keys.webhook(name, part) for part in parts)

    def place(self, source: str) -> str:
        """Return up to where a source was taken, empty when it never was."""
        with store_errors():
            return str(self._client.hget(self._places, source) or "")

    def take(
        self, source: str, before: str, after: str, events: Sequence[tuple[str, str]], now: float, forged: int = 0
    ) -> bool:
        """Add events, each as (id, text), and move the place of their source, in one step.

        What was `forged` in between is counted as given up in the same step.

        Returns False, and changes nothing, when the place is no longer `before`.
        """
        arguments: list[str | float] = [source, before, after, self._bound, now, forged]
        for event in events:
            arguments += event
        keys = (self._places, self._events, self._due, self._dead, self._tries)
        with store_errors():
            return bool(self._client.eval(_TAKE, len(keys), *keys, *arguments))

    def due(self, now: float, count: int) -> tuple[Waiting, ...]:
        """Return events that are due, in the order in which they were taken or put off to."""
        with store_errors():
            ids = self._client.zrangebyscore(self._due, "-inf", now + 1, start=0, num=count)
            if not ids:
                return ()
            texts, tries = self._client.hmget(self._events, ids), self._client.hmget(self._tries, ids)
        found = []
        for event, text, tried in zip(ids, texts, tries, strict=True):
            failures, since = _tried(str(tried or ""))
            found.append(Waiting(str(event), str(text or ""), failures, since))
        return tuple(found)

    def sent(self, event: str) -> None:
        """Take off an event that was delivered."""
        self._remove(event, "")

    def bury(self, event: str, reason: str) -> None:
        """Take off an event that is not sent any more, and count it once under a reason of one word."""
        self._remove(event, reason)

    def again(self, event: str, at: float) -> None:
        """Put an event off after a failure."""
        with store_errors():
            self._client.eval(_AGAIN, 2, self._due, self._tries, event, at)

    def waiting(self) -> int:
        """Return how many events wait."""
        with store_errors():
            return int(self._client.zcard(self._due))

    def dead(self) -> Mapping[str, int]:
        """Return reason → how many events were given up."""
        with store_errors():
            found = self._client.hgetall(self._dead)
        return {str(reason): int(number) for reason, number in found.items() if _NUMBER.fullmatch(number)}

    def show(self, status: Mapping[str, Any]) -> None:
        """Keep what `finops doctor` shows of the endpoint: plain JSON, no secret."""
        with store_errors():
            self._client.hset(self._names, self._name, json.dumps(dict(status), separators=(",", ":")))

    def _remove(self, event: str, reason: str) -> None:
        keys = (self._due, self._events, self._tries, self._dead)
        with store_errors():
            self._client.eval(_REMOVE, len(keys), *keys, event, reason)


def _tried(text: str) -> tuple[int, float]:
    """Return how often an event failed and since when it waits; for what is neither, never and long ago."""
    found = _TRIED.fullmatch(text)
    return (int(found[1]), float(found[2])) if found else (0, 0.0)


def shown(store: Store) -> Mapping[str, Mapping[str, Any]]:
    """Return name → what was last kept of each endpoint, empty for what none of ours wrote. Raises StoreUnavailable."""
    client: Any = store.client
    with store_errors():
        found = client.hgetall(AnnouncementKeys(store.keys.prefix).webhooks)
    return {str(name): _status(str(text)) for name, text in sorted(found.items())}


def _status(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _STATUS.value_or_none(text) or {}
    is_ours = isinstance(found.get("dead"), dict) and isinstance(found.get("waiting"), int)
    return found if is_ours and all(isinstance(found.get(name), str) for name in _WORDS) else {}


def forget_all_but(store: Store, names: Sequence[str]) -> tuple[str, ...]:
    """Drop the queues of endpoints that are no longer listed; return their names. Raises StoreUnavailable."""
    client: Any = store.client
    keys = AnnouncementKeys(store.keys.prefix)
    gone = tuple(name for name in shown(store) if name not in names)
    with store_errors():
        for name in gone:
            parts = ("places", "events", "due", "dead", "tries")
            client.delete(*(keys.webhook(name, part) for part in parts))
            client.hdel(keys.webhooks, name)
    return gone
