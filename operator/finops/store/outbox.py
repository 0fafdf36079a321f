"""What every Slack card should say, and who delivers it next: shared by all replicas of the bot.

The bot's projection calls `want` whenever a request changes, its delivery worker calls `take` … `finish`. A card is a
projection of state: only the latest wanted version is kept, so a backlog collapses by itself. Each step is one script,
because two replicas and a restart in the middle must not lose or repeat anything. What Slack shows already is kept by
`slack_messages`, how often its methods may be called by `slack_pace`.

Under `slack:`: `wanted` (request uid → card), `routes` (uid → `priority:channel:version:hash:milliseconds`), `due` (uid
by the instant it may be tried), `claims` (uid → token of the worker that has it), `pace` (next instant per channel) and
`lines:{uid}` (thread lines wanted).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Any, Final

from finops.domain.canonical import Json, sha256_hex
from finops.store.connection import Store, store_errors
from finops.store.records import Record
from finops.store.sealed import Seals
from finops.store.slack_messages import SlackMessages, line_place
from finops.store.slack_pace import SlackPace

logger = logging.getLogger(__name__)
CHANNEL_INTERVAL_MS: Final = 1100
"""Slack allows one message a second and channel; counted from the end of one delivery to the start of the next."""
CHANNEL_HOLD_MS: Final = 10_000
"""For how long a channel waits for a worker that took a card for it and is not seen again."""
_TRUST_VERSION_MS: Final = 300_000

# An older version is ignored, unless the newer one is so old that the cluster was probably restored from a backup.
_WANT: Final = """
local old = redis.call('HGET', KEYS[2], ARGV[1])
-- Where there is no card, or one that cannot be opened, nothing of it counts, however new: it is written.
local kept = redis.call('HGET', KEYS[1], ARGV[1])
if not kept or kept == ARGV[11] then old = false end
-- A line keeps the place at which it was first wanted: what is wanted later happened later, whatever stands before it.
local place = redis.call('HLEN', KEYS[4])
for index = 12, #ARGV, 2 do
  local text = string.format('%04d|%s', place, ARGV[index + 1])
  if redis.call('HSETNX', KEYS[4], ARGV[index], text) == 1 then place = place + 1 end
end
-- Of the reminders only the newest is said, and none that is no longer wanted: '-' stands for never.
local function settle_reminders()
  for _, key in ipairs(redis.call('HKEYS', KEYS[4])) do
    if key ~= ARGV[8] and string.sub(key, 1, #ARGV[10]) == ARGV[10] then
      local said = redis.call('HGET', KEYS[6], key)
      if not said or said == '?' then redis.call('HSET', KEYS[6], key, '-') end
    end
  end
  if ARGV[8] == '' then return end
  local before = redis.call('HGET', KEYS[4], ARGV[8])
  local where = before and string.sub(before, 1, 5) or string.format('%04d|', place)
  redis.call('HSET', KEYS[4], ARGV[8], where .. ARGV[9])
end
local news = #ARGV > 11 or ARGV[8] ~= ''
if old then
  local version, at = string.match(old, '^%d+:[^:]*:(%d+):%x*:(%d+)$')
  local is_older = version and tonumber(ARGV[2]) < tonumber(version)
  if is_older and tonumber(ARGV[6]) - tonumber(at) < tonumber(ARGV[7]) then return 0 end
end
settle_reminders()
if old then
  local hash = string.match(old, '^%d+:[^:]*:%d+:(%x*):')
  if hash == ARGV[3] and not news then
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[5]); return 0
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[5])
local posted = redis.call('HGET', KEYS[5], 'hash')
local pending = redis.call('HLEN', KEYS[4]) > redis.call('HLEN', KEYS[6])
if posted == ARGV[3] and not pending then return 0 end
-- Whoever has the card right now finishes first; `finish` sees the newer hash and keeps the card due.
if redis.call('HEXISTS', KEYS[7], ARGV[1]) == 0 then redis.call('ZADD', KEYS[3], ARGV[6], ARGV[1]) end
return 1
"""

_TAKE: Final = """
local now = tonumber(ARGV[1])
local best, rank, channel
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)
for _, uid in ipairs(found) do
  local route = redis.call('HGET', KEYS[2], uid)
  if not route then
    redis.call('ZREM', KEYS[1], uid)
  else
    local priority, place = string.match(route, '^(%d+):([^:]*):%d+:%x*:%d+$')
    if not priority then
      redis.call('ZREM', KEYS[1], uid)
      redis.call('HDEL', KEYS[2], uid)
    elseif (not rank or tonumber(priority) < rank)
       and (tonumber(redis.call('HGET', KEYS[4], place) or '0') or 0) <= now then
      best, rank, channel = uid, tonumber(priority), place
    end
  end
end
if not best then return false end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), best)
redis.call('HSET', KEYS[3], best, ARGV[2])
redis.call('HSET', KEYS[4], channel, now + tonumber(ARGV[4]))
return {best, redis.call('HGET', KEYS[5], best)}
"""

_FINISH: Final = """
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('HSET', KEYS[6], ARGV[6], tonumber(ARGV[5]) + tonumber(ARGV[7]))
local route = redis.call('HGET', KEYS[2], ARGV[1])
if not route then redis.call('ZREM', KEYS[1], ARGV[1]); return 1 end
local hash = string.match(route, '^%d+:[^:]*:%d+:(%x*):')
local pending = redis.call('HLEN', KEYS[4]) > redis.call('HLEN', KEYS[5])
if ARGV[3] ~= '' and hash == ARGV[3] and not pending then
  redis.call('ZREM', KEYS[1], ARGV[1])
else
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
end
return 1
"""


REMINDER: Final = "waits:"
"""Begins the keys of reminders: lines that are said only as long as they are wanted."""


NOTICE: Final = "notice:"
"""Begins the uid of an announcement's message, where cards have their request's."""


class Priority(IntEnum):
    """What goes first when Slack lets only some of it through."""

    DECISION = 0
    NEW_CARD = 1
    REMINDER = 2


@dataclass(frozen=True, slots=True)
class WantedCard:
    """What one request's card should say.

    Attributes:
        uid: the ActionRequest's uid.
        revision: which plan the card shows.
        channel: Slack channel id.
        version: grows with every change in the cluster; 0 when the cluster's versions are no numbers.
        text, blocks: the message.
        created: when the request was made: no message about it can be older.
        final: nothing more will happen; old news of that kind is not posted anew when no earlier card is found.
        removed: the request is gone from the cluster; such a card is only ever an update.
        lines: thread lines (key, text) that should have been posted by now, in order; each key is posted once.
        thread: ts of the digest message in whose thread the card is; empty for a card of its own.
        reminder: the line (key, text) that reminds people, if one is due; an earlier one not posted never is.
        order: among cards that become due together, the lower one is posted first.
    """

    uid: str
    revision: str
    channel: str
    version: int
    priority: Priority
    text: str
    blocks: tuple[Mapping[str, Json], ...]
    created: datetime
    final: bool = False
    removed: bool = False
    lines: tuple[tuple[str, str], ...] = ()
    thread: str = ""
    order: int = 0
    reminder: tuple[str, str] | None = None

    @property
    def hash(self) -> str:
        """32 hexadecimal characters over what people see and where."""
        return sha256_hex([self.channel, self.text, self.blocks])[:32]


_CARDS: Final[Record[WantedCard]] = Record(WantedCard)
"""Written without `lines` and `reminder`, which have a key of their own."""


@dataclass(frozen=True, slots=True)
class ClaimedCard:
    """A card this worker has for a while; `token` proves it."""

    card: WantedCard
    token: str


class Outbox:
    """The outbox on one store. Every method raises StoreUnavailable; instants are milliseconds since 1970.

    What was not written with the same `seals` is no card and no line: it is not delivered, and wanted anew. Until then
    its uid stays known, because Slack may show a card of it.

    Attributes:
        messages: what Slack shows of each request; `repair` compares with it.
        pace: the budget of each Slack method.
    """

    def __init__(self, store: Store, seals: Seals | None = None) -> None:
        self._client = store.client
        self._keys = store.keys
        self._seals = seals or Seals()
        self.messages = SlackMessages(store, self._seals)
        self.pace = SlackPace(store)
        self._want = self._client.register_script(_WANT)
        self._take = self._client.register_script(_TAKE)
        self._finish = self._client.register_script(_FINISH)

    def _key(self, *parts: str) -> str:
        return self._keys.slack(*parts)

    def want(self, card: WantedCard, now_ms: int) -> bool:
        """Keep `card` as what should be shown. Returns whether there is something to deliver; repeating is harmless."""
        with store_errors():
            kept: Any = self._client.hget(self._key("wanted"), card.uid)
            unopened = kept if kept and self._card(card.uid, kept) is None else ""
            known = set(self._client.hkeys(self._key("lines", card.uid))) if card.lines else set()
            new = ((key, text) for key, text in card.lines if key not in known)
            lines = [part for key, text in new for part in (key, self._line(card.uid, key, text))]
            reminder, text = card.reminder or ("", "")
            answer = self._want(
                keys=[
                    *(self._key(name) for name in ("wanted", "routes", "due")),
                    *(self._key(name, card.uid) for name in ("lines", "message", "thread")),
                    self._key("claims"),
                ],
                args=[
                    card.uid,
                    card.version,
                    card.hash,
                    self._seals.sealed(("card", card.uid), _CARDS.text(replace(card, lines=(), reminder=None))),
                    f"{int(card.priority)}:{card.channel}:{card.version}:{card.hash}:{now_ms}",
                    # A millisecond each keeps the order of cards that become due together.
                    now_ms + card.order,
                    _TRUST_VERSION_MS,
                    *(reminder, self._line(card.uid, reminder, text) if reminder else ""),
                    REMINDER,
                    unopened,
                    *lines,
                ],
            )
        return bool(answer)

    def take(self, token: str, now_ms: int, lease_ms: int) -> ClaimedCard | None:
        """Return the most urgent card whose channel may be written to, and occupy both for a while."""
        with store_errors():
            answer: Any = self._take(
                keys=[self._key(name) for name in ("due", "routes", "claims", "pace", "wanted")],
                args=[now_ms, token, lease_ms, CHANNEL_HOLD_MS],
            )
        if not answer or not answer[1]:
            return None
        card = self._card(str(answer[0]), answer[1])
        if card is None:
            self._drop(str(answer[0]))
            return None
        return ClaimedCard(card, token)

    def finish(self, taken: ClaimedCard, now_ms: int) -> None:
        """Give the card back as delivered; it stays due if it changed meanwhile or thread lines are left."""
        self._give_back(taken, taken.card.hash, now_ms, now_ms)

    def later(self, taken: ClaimedCard, now_ms: int, at_ms: int) -> None:
        """Give the card back undelivered, to be tried again at `at_ms`."""
        self._give_back(taken, "", now_ms, at_ms)

    def _drop(self, uid: str) -> None:
        """Take off what is no card. It stays known, for whoever wants the card anew or finds its request deleted."""
        logger.error("an entry of the outbox is no card, and is taken off", extra={"request": uid})
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            for name in ("routes", "claims"):
                pipe.hdel(self._key(name), uid)
            pipe.zrem(self._key("due"), uid)
            pipe.execute()

    def _give_back(self, taken: ClaimedCard, delivered: str, now_ms: int, at_ms: int) -> None:
        uid = taken.card.uid
        with store_errors():
            self._finish(
                keys=[
                    *(self._key(name) for name in ("due", "routes", "claims")),
                    *(self._key(name, uid) for name in ("lines", "thread")),
                    self._key("pace"),
                ],
                args=[uid, taken.token, delivered, at_ms, now_ms, taken.card.channel, CHANNEL_INTERVAL_MS],
            )

    def known(self) -> frozenset[str]:
        """Return the uids of all requests with a wanted card, also of one that `wanted` cannot open."""
        with store_errors():
            found: Any = self._client.hkeys(self._key("wanted"))
        return frozenset(found)

    def wanted(self, uid: str) -> WantedCard | None:
        """Return the latest wanted card of a request; None where there is none, or something that is no card."""
        with store_errors():
            found: Any = self._client.hget(self._key("wanted"), uid)
        return None if found is None else self._card(uid, found)

    def _card(self, uid: str, kept: str) -> WantedCard | None:
        """Return the card that was wanted for a request; None for what nobody of ours wrote, or for another request."""
        text = self._seals.opened(("card", uid), kept)
        return None if text is None else _CARDS.value_or_none(text)

    def _line(self, uid: str, key: str, text: str) -> str:
        return self._seals.sealed(line_place(uid, key), text)

    def repair(self, now_ms: int, dead_ms: int) -> int:
        """Make every card due that differs from what is shown and is not due. Returns how many.

        Called at start and every minute: repairs what a crash between two steps left behind. Claims whose time ran out
        `dead_ms` ago are dropped.
        """
        repaired = 0
        for uid in sorted(self.known()):
            card, ref = self.wanted(uid), self.messages.of(uid)
            if card is None or (card.hash == ref.hash and not self.messages.lines(uid)[0]):
                continue
            with store_errors():
                due: Any = self._client.zscore(self._key("due"), uid)
                if due is not None and float(due) > now_ms - dead_ms:
                    continue
                self._client.hdel(self._key("claims"), uid)
                self._client.zadd(self._key("due"), {uid: now_ms})
            repaired += 1
        return repaired

    def depth(self, now_ms: int) -> tuple[int, float]:
        """Return how many cards wait for delivery and for how many seconds the first one has been due."""
        with store_errors():
            count: Any = self._client.zcard(self._key("due"))
            first: Any = self._client.zrange(self._key("due"), 0, 0, withscores=True)
        age = max(0.0, (now_ms - float(first[0][1])) / 1000) if first else 0.0
        return int(count), age

    def forget(self, uid: str) -> None:
        """Drop everything about a request that no longer exists."""
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            for name in ("wanted", "routes", "claims"):
                pipe.hdel(self._key(name), uid)
            pipe.zrem(self._key("due"), uid)
            pipe.delete(*(self._key(name, uid) for name in ("message", "lines", "thread")))
            pipe.execute()
