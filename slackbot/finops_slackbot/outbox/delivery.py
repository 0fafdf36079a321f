"""Brings the outbox to Slack: one message a second and channel, decisions first, nothing posted twice.

One thread per replica. A card is taken, posted or updated, and given back; what cannot be done now is given back with
the instant at which it is worth another try. A post whose answer was lost is searched for in the channel's history by
its metadata before anything is posted again.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from finops.errors import StoreUnavailable
from finops.ports.clock import Clock
from finops.store.outbox import REMINDER, ClaimedCard, Outbox, WantedCard
from finops.store.slack_messages import MessageRef
from finops.store.slack_status import SlackProblem, SlackStatus
from finops_slackbot.killpoint import KillPoint
from finops_slackbot.metrics import Metrics
from finops_slackbot.outbox.projection import now_ms
from finops_slackbot.outbox.reduced import reduced
from finops_slackbot.slack_calls import SlackCalls
from finops_slackbot.slack_errors import (
    AUTHENTICATION,
    CHANNEL,
    CONTENT,
    MESSAGE_GONE,
    SlackRateLimited,
    SlackRefused,
    SlackUnavailable,
)
from finops_slackbot.views.thread import thread_blocks

LEASE_MS: Final = 60_000
"""Longer than the longest delivery: three calls of ten seconds."""
_BUDGETS: Final[Mapping[str, tuple[int, int]]] = {
    # method → (interval in ms, burst): half of Slack's tier at once, then its pace.
    "chat.postMessage": (250, 20),
    "chat.update": (1250, 20),
    "conversations.history": (1250, 20),
    "conversations.replies": (1250, 20),
}
_RETRY_MS: Final = 3_000
_REFUSED_MS: Final = 60_000
_LATE_COMMIT_MS: Final = 10_000
"""A post whose answer was lost can still appear for so long; only then is "not found" an answer."""
_YOUNG: Final = timedelta(minutes=2)
OLD_NEWS: Final = timedelta(days=7)
"""What is final and older is not posted any more."""
_IDLE_SECONDS: Final = 0.1
_STORE_SECONDS: Final = 2.0
_REPAIR_SECONDS: Final = 60.0
_LINES_CHARACTERS: Final = 3000
_LOG: Final = logging.getLogger(__name__)


class _TryLaterError(Exception):
    """The budget of a method is used up until `at_ms`."""

    def __init__(self, at_ms: int) -> None:
        super().__init__(str(at_ms))
        self.at_ms = at_ms


class Delivery:
    """The worker."""

    def __init__(
        self,
        outbox: Outbox,
        calls: SlackCalls,
        status: SlackStatus,
        clock: Clock,
        metrics: Metrics,
        killpoint: KillPoint,
        current: threading.Event,
    ) -> None:
        self._outbox = outbox
        self._calls = calls
        self._status = status
        self._clock = clock
        self._metrics = metrics
        self._killpoint = killpoint
        # Set once the outbox holds no reminder of a request that was decided before the start.
        self._current = current
        # Channels whose error was cleared or never seen by this process: spares a write per message.
        self._healthy: set[str] = set()

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop`; repair at start and every minute."""
        next_repair = 0.0
        while not stop.is_set():
            try:
                if self._clock.monotonic() >= next_repair:
                    next_repair = self._clock.monotonic() + _REPAIR_SECONDS
                    self._metrics.cards_out_of_sync.inc(self._outbox.repair(now_ms(self._clock), LEASE_MS))
                if not self.step():
                    depth, age = self._outbox.depth(now_ms(self._clock))
                    self._metrics.outbox_depth.set(depth)
                    self._metrics.outbox_age.set(age)
                    stop.wait(_IDLE_SECONDS)
            except StoreUnavailable as error:
                _LOG.warning("cards not delivered", extra={"error": str(error)})
                stop.wait(_STORE_SECONDS)

    def step(self) -> bool:
        """Deliver one card, or find that there is nothing to do now (False).

        Raises:
            StoreUnavailable: the card comes back by itself when its lease ends.
        """
        taken = self._outbox.take(secrets.token_hex(8), now_ms(self._clock), LEASE_MS)
        if taken is None:
            return False
        try:
            self._deliver(taken)
        except _TryLaterError as error:
            self._outbox.later(taken, now_ms(self._clock), error.at_ms)
        except SlackRateLimited as error:
            now = now_ms(self._clock)
            until = now + error.seconds * 1000
            self._outbox.pace.block(error.method, until)
            self._outbox.later(taken, now, until)
        except SlackUnavailable as error:
            _LOG.warning("Slack did not answer", extra={"request": taken.card.uid, "error": str(error)})
            now = now_ms(self._clock)
            self._outbox.later(taken, now, now + _RETRY_MS)
        except SlackRefused as error:
            self._refused(taken, error)
        return True

    def _deliver(self, taken: ClaimedCard) -> None:
        card = taken.card
        ref = self._outbox.messages.of(card.uid)
        if not ref.ts:
            ref = self._located(card, ref)
        if ref.ts and ref.hash == card.hash:
            self._say_lines(card, ref)
        elif ref.ts:
            self._update(card, ref)
        elif not card.removed and not (card.final and self._clock.now() - card.created > OLD_NEWS):
            self._post(card)
        else:
            # Nobody ever saw it, and there is nothing left to decide.
            self._outbox.messages.shown(card.uid, MessageRef(card.channel, "", card.hash))
            if keys := [key for key, _ in self._outbox.messages.lines(card.uid)[0]]:
                self._outbox.messages.mark_lines(card.uid, keys, "-")
        self._outbox.finish(taken, now_ms(self._clock))
        self._well(card.channel)

    def _located(self, card: WantedCard, ref: MessageRef) -> MessageRef:
        """Find a card that may be in the channel already: a post without answer, or a store that forgot.

        Returns the reference as it is when there is none, so that posting is right.
        """
        now = now_ms(self._clock)
        if not ref.posting_since_ms and self._clock.now() - card.created < _YOUNG:
            return ref
        try:
            found = self._found(card)
        except SlackRefused as error:
            if error.code != "missing_scope":
                raise
            # Without the right to read history a second card is possible. Both carry the same request and both work.
            _LOG.warning("cannot search for an earlier card", extra={"request": card.uid, "error": str(error)})
            found = ""
        if found:
            located = MessageRef(card.channel, found, "")
            self._outbox.messages.shown(card.uid, located)
            return located
        if ref.posting_since_ms and now - ref.posting_since_ms < _LATE_COMMIT_MS:
            raise _TryLaterError(now + _RETRY_MS)
        self._outbox.messages.not_posted(card.uid)
        return MessageRef()

    def _found(self, card: WantedCard) -> str:
        """Return the ts of the card in its thread or in the channel, or an empty text."""
        if card.thread:
            self._spend("conversations.replies")
            return self._calls.history.find_card_in_thread(card.channel, card.thread, card.uid)
        self._spend("conversations.history")
        return self._calls.history.find_card(card.channel, card.uid, card.created.timestamp() - 60)

    def _post(self, card: WantedCard) -> None:
        self._spend("chat.postMessage")
        self._outbox.messages.posting(card.uid, now_ms(self._clock))
        payload = {"uid": card.uid, "revision": card.revision}
        try:
            try:
                ts = self._calls.post_card(card.channel, card.text, card.blocks, payload, card.thread)
            except SlackRefused as error:
                if error.code not in CONTENT:
                    raise
                _LOG.warning("card reduced", extra={"request": card.uid, "error": str(error)})
                text, blocks = reduced(card)
                ts = self._calls.post_card(card.channel, text, blocks, payload, card.thread)
        except (SlackRefused, SlackRateLimited):
            # A clear no: nothing was posted. Without an answer the mark stays.
            self._outbox.messages.not_posted(card.uid)
            raise
        self._killpoint("bot.card.posted")
        self._outbox.messages.shown(card.uid, MessageRef(card.channel, ts, card.hash))

    def _update(self, card: WantedCard, ref: MessageRef) -> None:
        self._spend("chat.update")
        try:
            try:
                self._calls.update_card(ref.channel, ref.ts, card.text, card.blocks)
            except SlackRefused as error:
                if error.code not in CONTENT:
                    raise
                _LOG.warning("card reduced", extra={"request": card.uid, "error": str(error)})
                self._calls.update_card(ref.channel, ref.ts, *reduced(card))
        except SlackRefused as error:
            if error.code not in MESSAGE_GONE:
                raise
            # Somebody deleted the message, or it is too old to be edited: it is posted anew.
            _LOG.info("card can no longer be changed", extra={"request": card.uid, "error": error.code})
            self._outbox.messages.lost(card.uid)
            if not card.removed:
                self._post(card)
            return
        self._outbox.messages.shown(card.uid, MessageRef(ref.channel, ref.ts, card.hash))

    def _say_lines(self, card: WantedCard, ref: MessageRef) -> None:
        """Post all missing lines in one message, once it is known which doubtful ones were posted."""
        thread = card.thread or ref.ts
        lines, doubtful = self._outbox.messages.lines(card.uid)
        if doubtful:
            self._spend("conversations.replies")
            try:
                said = self._calls.history.find_lines(ref.channel, thread, card.uid)
            except SlackRefused as error:
                if error.code not in {"missing_scope", "thread_not_found"}:
                    raise
                # A line too few is better than the same line for ever.
                said = dict.fromkeys(doubtful, ref.ts)
            for key in doubtful & said.keys():
                self._outbox.messages.mark_lines(card.uid, [key], said[key])
            lines = tuple(line for line in lines if line[0] not in said)
        if not self._current.is_set() and any(key.startswith(REMINDER) for key, _ in lines):
            lines = tuple(line for line in lines if not line[0].startswith(REMINDER))
            if not lines:
                raise _TryLaterError(now_ms(self._clock) + _RETRY_MS)
        chunk: list[tuple[str, str]] = []
        for line in lines:
            if chunk and sum(len(text) for _, text in (*chunk, line)) > _LINES_CHARACTERS:
                break
            chunk.append(line)
        if not chunk:
            return
        keys = [key for key, _ in chunk]
        self._spend("chat.postMessage")
        self._outbox.messages.mark_lines(card.uid, keys)
        payload = {"uid": card.uid, "keys": keys}
        try:
            text = "\n".join(text for _, text in chunk)
            ts = self._calls.post_lines(ref.channel, thread, text, thread_blocks(tuple(chunk)), payload)
        except SlackRefused as error:
            self._outbox.messages.unmark_lines(card.uid, keys)
            if error.code in MESSAGE_GONE:
                # The card was deleted by hand; the next update posts a fresh one.
                self._outbox.messages.lost(card.uid)
            raise
        except SlackRateLimited:
            self._outbox.messages.unmark_lines(card.uid, keys)
            raise
        self._outbox.messages.mark_lines(card.uid, keys, ts)

    def _spend(self, method: str) -> None:
        interval, burst = _BUDGETS[method]
        now = now_ms(self._clock)
        wait = self._outbox.pace.reserve(method, now, interval_ms=interval, burst=burst)
        if wait:
            raise _TryLaterError(now + wait)

    def _refused(self, taken: ClaimedCard, error: SlackRefused) -> None:
        now = now_ms(self._clock)
        channel = taken.card.channel
        problem = SlackProblem(error.code, self._clock.now(), str(error))
        details: dict[str, Any] = {"request": taken.card.uid, "channel": channel, "error": str(error)}
        _LOG.warning("Slack refused a card", extra=details)
        if error.code in AUTHENTICATION:
            self._status.fail(problem)
            for method in _BUDGETS:
                self._outbox.pace.block(method, now + _REFUSED_MS)
        elif error.code in CHANNEL or error.code in CONTENT or error.code not in MESSAGE_GONE:
            self._status.fail(problem, channel)
            self._healthy.discard(channel)
        self._outbox.later(taken, now, now + (_RETRY_MS if error.code in MESSAGE_GONE else _REFUSED_MS))

    def _well(self, channel: str) -> None:
        if channel not in self._healthy:
            self._status.clear(channel)
            self._healthy.add(channel)
