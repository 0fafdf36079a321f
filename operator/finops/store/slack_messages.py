"""What Slack shows of each request: where its card is, what the card says, which thread lines were posted.

The bot's delivery worker writes it around each call to Slack, so that a restart in the middle knows what to search;
the operator reads it to link to a request's message. Under `slack:`: `message:{uid}` (where the card is) and
`thread:{uid}` (thread lines posted); `lines:{uid}` (thread lines wanted) is the outbox's, and read here.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from finops.store.connection import Store, store_errors
from finops.store.sealed import Seals

logger = logging.getLogger(__name__)
_UNSENT: Final = "?"
_INSTANT: Final = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class MessageRef:
    """Where a request's card is.

    Attributes:
        hash: what it says; empty when that is not known.
        posting_since_ms: a post left for Slack then and its answer never came; 0 when there is none.
    """

    channel: str = ""
    ts: str = ""
    hash: str = ""
    posting_since_ms: int = 0


class SlackMessages:
    """Messages by request uid. Every method raises StoreUnavailable; instants are milliseconds since 1970.

    `seals` are those of the outbox, for whoever reads thread lines.
    """

    def __init__(self, store: Store, seals: Seals | None = None) -> None:
        self._client = store.client
        self._keys = store.keys
        self._seals = seals or Seals()

    def of(self, uid: str) -> MessageRef:
        """Return where the card of a request is; an empty reference when none was posted."""
        with store_errors():
            found: Any = self._client.hgetall(self._keys.slack("message", uid))
        return MessageRef(
            channel=found.get("channel", ""),
            ts=found.get("ts", ""),
            hash=found.get("hash", ""),
            posting_since_ms=_instant(str(found.get("posting", ""))),
        )

    def places(self, uids: Iterable[str]) -> frozenset[tuple[str, str]]:
        """Return channel and `ts` of the cards of these requests, as far as they were posted."""
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for uid in uids:
                pipe.hmget(self._keys.slack("message", uid), "channel", "ts")
            found: Any = pipe.execute()
        return frozenset((str(channel), str(ts)) for channel, ts in found if channel and ts)

    def posting(self, uid: str, now_ms: int) -> None:
        """Note, before the call, that a post is about to leave: a restart then searches for it instead of repeating."""
        with store_errors():
            self._client.hset(self._keys.slack("message", uid), "posting", str(now_ms))

    def not_posted(self, uid: str) -> None:
        """Slack said no, or a search found nothing: the noted post did not happen."""
        with store_errors():
            self._client.hdel(self._keys.slack("message", uid), "posting")

    def shown(self, uid: str, ref: MessageRef) -> None:
        """Record where the card is and what it says now."""
        key = self._keys.slack("message", uid)
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"channel": ref.channel, "ts": ref.ts, "hash": ref.hash})
            pipe.hdel(key, "posting")
            pipe.execute()

    def lost(self, uid: str) -> None:
        """The message is gone from Slack: a fresh one is needed."""
        with store_errors():
            self._client.delete(self._keys.slack("message", uid))

    def lines(self, uid: str) -> tuple[tuple[tuple[str, str], ...], frozenset[str]]:
        """Return the thread lines not known to be posted, in order, and the keys among them that may have been.

        A line that the outbox did not write is taken off; what should stand there is wanted anew.
        """
        with store_errors():
            wanted: Any = self._client.hgetall(self._keys.slack("lines", uid))
            posted: Any = self._client.hgetall(self._keys.slack("thread", uid))
        doubtful = frozenset(key for key, ts in posted.items() if ts == _UNSENT)
        missing = [(text, key) for key, text in wanted.items() if key not in posted or key in doubtful]
        kept = ((key, text.partition("|")[2]) for text, key in sorted(missing))
        found = [(key, self._seals.opened(line_place(uid, key), text)) for key, text in kept]
        if forged := [key for key, text in found if text is None]:
            logger.error("lines of a thread are none of ours, and are taken off", extra={"request": uid})
            with store_errors():
                self._client.hdel(self._keys.slack("lines", uid), *forged)
        return tuple((key, text) for key, text in found if text is not None), doubtful

    def said(self, uid: str) -> frozenset[str]:
        """Return the keys of the thread lines that are settled: posted, or not to be posted any more."""
        with store_errors():
            found: Any = self._client.hgetall(self._keys.slack("thread", uid))
        return frozenset(key for key, ts in found.items() if ts != _UNSENT)

    def mark_lines(self, uid: str, keys: Sequence[str], ts: str = _UNSENT) -> None:
        """Record that lines were said in message `ts`; without it: that they are about to leave."""
        with store_errors():
            self._client.hset(self._keys.slack("thread", uid), mapping=dict.fromkeys(keys, ts))

    def unmark_lines(self, uid: str, keys: Sequence[str]) -> None:
        """Slack said no: the lines were not said."""
        with store_errors():
            self._client.hdel(self._keys.slack("thread", uid), *keys)


def line_place(uid: str, key: str) -> tuple[str, ...]:
    """Return for which place a thread line is sealed."""
    return ("line", uid, key)


def _instant(text: str) -> int:
    """Return milliseconds since 1970; 0 for what nobody of ours wrote: the operator reads here too."""
    return int(text) if _INSTANT.fullmatch(text) else 0
