"""Turns what the cluster says into wanted cards: the only writer of cards into the outbox.

Runs in one thread: the mirror names changed requests, each is projected anew. Two replicas project the same cards; the
outbox keeps the newest. Every few minutes everything is projected again, so that nothing depends on having seen every
event.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import TERMINAL, Choice, State
from finops.errors import StoreUnavailable
from finops.ports.clock import Clock
from finops.store.outbox import NOTICE, Outbox, Priority, WantedCard
from finops.store.slack_messages import MessageRef
from finops_slackbot.buttons import Buttons
from finops_slackbot.card_facts import CardFacts, card_facts
from finops_slackbot.mirror import DIGEST, Mirror, listing_of
from finops_slackbot.outbox.changes import Changes
from finops_slackbot.outbox.reminding import Reminding
from finops_slackbot.views.card import card, gone
from finops_slackbot.views.digest import digest
from finops_slackbot.views.thread import thread_lines

_EVERYTHING: Final = ""
_EVERYTHING_SECONDS: Final = 300.0
_RETRY_SECONDS: Final = 2.0
_LAST_OF_A_DIGEST: Final = timedelta(seconds=30)
"""After the newest request of a digest, so long is waited for those that are missing: an operator may have died."""
_VOTES_SECONDS: Final = 5.0
"""So long a decided request waits for the votes that decided it. They come by a watch of their own, and a line of the
thread keeps the place at which it was first wanted: of a fast act the end would stand before its approvals."""
_LOG: Final = logging.getLogger(__name__)


def now_ms(clock: Clock) -> int:
    """Return the instant in milliseconds, as the outbox counts them."""
    return int(clock.now().timestamp() * 1000)


def in_turn(mirror: Mirror, uids: Collection[str]) -> list[str]:
    """Return requests that change together in the order of their cards: older ones first, a digest's by their place.

    The requests of one digest may be made over more than one second; all of them count as made with their first.
    """
    return sorted(uids, key=partial(_turn, mirror))


def _turn(mirror: Mirror, uid: str) -> tuple[str, int, int, str]:
    request = mirror.request(uid)
    if request is None:
        return ("", 0, 0, uid)
    entry = request.spec.slack_digest
    together = mirror.listed_in(listing_of(request)) if entry else ()
    made = min(str(one.metadata.creation_timestamp) for one in (request, *together))
    return (made, entry.position if entry else 0, mirror.version(uid), uid)


@dataclass(frozen=True, slots=True)
class _Pass:
    """What one pass over the requests that changed leaves for the next one, or needs once.

    Attributes:
        unripe: digests whose requests are not all known yet, cards whose digest is not posted yet, and those that wait
            for their votes.
        held: digests of which a card had to wait.
        listed: digests whose message was projected, which is enough for all of its cards → whether requests are missing
            that may still come.
    """

    unripe: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    listed: dict[str, bool] = field(default_factory=dict)


class Projection:
    """Projects requests into the outbox."""

    def __init__(self, outbox: Outbox, buttons: Buttons, clock: Clock, reminding: Reminding, *, demo: bool) -> None:
        self._outbox = outbox
        self._buttons = buttons
        self._clock = clock
        self._reminding = reminding
        self._demo = demo
        self._changes = Changes()
        self._pass = _Pass()
        self._votes_until: dict[str, float] = {}
        """Requests whose votes are not all known → until when that is waited for."""
        self._announced: set[str] | None = None
        """What `changed` has named and a pass has taken up; None while nobody runs the passes."""

    def changed(self, uid: str) -> None:
        """Note that a request or one of its votes changed; an empty uid means: everything may have."""
        self._changes.note([uid])

    def run(self, mirror: Mirror, stop: threading.Event) -> None:
        """Project what changed, until `stop`."""
        next_everything = self._clock.monotonic() + _EVERYTHING_SECONDS
        announced = self._announced = set()
        while not stop.is_set():
            todo = self._changes.take(stop, 1.0) | self._pass.unripe
            self._pass = _Pass()
            if self._clock.monotonic() >= next_everything:
                todo.add(_EVERYTHING)
            everything = _EVERYTHING in todo and not mirror.problem()
            try:
                if everything:
                    next_everything = self._clock.monotonic() + _EVERYTHING_SECONDS
                    # Announcements follow no request: whoever wants them has said all there is.
                    known = {uid for uid in self._outbox.known() if not uid.startswith(NOTICE)}
                    todo |= mirror.uids() | known
                announced |= todo
                for uid in in_turn(mirror, todo - {_EVERYTHING}):
                    self.project(mirror, uid)
                    todo.discard(uid)
                if everything:
                    self._reminding.current.set()
            except StoreUnavailable as error:
                _LOG.warning("cards not projected", extra={"error": str(error)})
                self._changes.note(todo)
                stop.wait(_RETRY_SECONDS)

    def project(self, mirror: Mirror, uid: str) -> None:
        """Write the card of one request as it should be now.

        Raises:
            StoreUnavailable: nothing was written, or the same may be written again.
        """
        if uid.startswith(DIGEST):
            self._digest_awaits_more(mirror, uid)
            return
        request = mirror.request(uid)
        if request is None:
            # Before both watches are complete, absence means nothing.
            if not mirror.problem():
                self._project_gone(mirror, uid)
            self._votes_until.pop(uid, None)
            if self._announced is not None:
                self._announced.discard(uid)
            return
        if request.spec.slack_channel is None or request.metadata.creation_timestamp is None:
            return
        facts = card_facts(request, mirror.votes(uid), demo=self._demo)
        if self._awaits_votes(request, facts):
            self._pass.unripe.add(uid)
            if facts.digest is not None:
                self._pass.held.add(listing_of(request))
            return
        thread = ""
        if facts.digest is not None:
            listing = listing_of(request)
            # Once one card had to wait in this pass, those behind it wait too: they would come out of order. So they do
            # while this replica does not know them all, though another one may have posted the digest already.
            waits = self._digest_awaits_more(mirror, listing) or listing in self._pass.held
            thread = "" if waits else self._outbox.messages.of(listing).ts
            if not thread:
                self._pass.held.add(listing)
                self._pass.unripe.add(uid)
                return
        if facts.undoes:
            thread = self._thread_of(mirror, facts.undoes)
        wanted = self._wanted(facts, request.spec.slack_channel, mirror.version(uid), thread)
        self._outbox.want(wanted, now_ms(self._clock))

    def _awaits_votes(self, request: ActionRequest, facts: CardFacts) -> bool:
        """Return whether votes that decided the request are still to come; one that was removed is waited for once."""
        votes, known = request.status.votes, Counter(vote.choice for vote in facts.votes)
        lacking = votes is not None and (known[Choice.APPROVE] < votes.approve or known[Choice.DENY] < votes.deny)
        # The status counts no snoozes; one is behind the state that only a snooze leads to.
        lacking = lacking or (facts.state is State.SNOOZED and not known[Choice.SNOOZE])
        if facts.state is State.PENDING or not lacking:
            self._votes_until.pop(facts.uid, None)
            return False
        now = self._clock.monotonic()
        return now < self._votes_until.setdefault(facts.uid, now + _VOTES_SECONDS)

    def _thread_of(self, mirror: Mirror, uid: str) -> str:
        """Return the thread that a request's card began or stands in; empty when it was never posted."""
        request = mirror.request(uid)
        listing = listing_of(request) if request is not None else ""
        return self._outbox.messages.of(listing or uid).ts

    def _digest_awaits_more(self, mirror: Mirror, uid: str) -> bool:
        """Write the message of a digest, once in a pass; return whether requests are missing that may still come."""
        if uid not in self._pass.listed:
            members = self._members(mirror, uid)
            self._pass.listed[uid] = self._awaits_more(members) or self._is_unannounced(members)
            self._project_digest(mirror, uid, members)
        return self._pass.listed[uid]

    def _project_digest(self, mirror: Mirror, uid: str, members: list[CardFacts]) -> None:
        """Write the message that lists the requests of a digest, once all are known or no more come."""
        if not members:
            if not mirror.problem():
                self._outbox.forget(uid)
            return
        if self._pass.listed[uid] and not self._outbox.messages.of(uid).ts:
            self._pass.unripe.add(uid)
            return
        shown, request = digest(members), mirror.request(members[0].uid)
        self._outbox.want(
            WantedCard(
                uid=uid,
                revision=str(len(members)),
                channel=(request.spec.slack_channel if request else "") or "",
                version=max(mirror.version(one.uid) for one in members),
                priority=Priority.NEW_CARD,
                text=shown.text,
                blocks=shown.blocks,
                created=min(one.created for one in members),
                final=all(one.state in TERMINAL for one in members),
            ),
            now_ms(self._clock),
        )

    def _awaits_more(self, members: list[CardFacts]) -> bool:
        """Return whether requests of the digest are missing that may still come."""
        entry = members[0].digest if members else None
        if entry is None or len(members) >= entry.size:
            return False
        return self._clock.now() - max(one.created for one in members) < _LAST_OF_A_DIGEST

    def _is_unannounced(self, members: list[CardFacts]) -> bool:
        """Return whether the mirror knows a request whose card no pass has taken up yet: the next one will."""
        return self._announced is not None and any(one.uid not in self._announced for one in members)

    def _members(self, mirror: Mirror, uid: str) -> list[CardFacts]:
        """Return the requests of a digest in the order of their cards."""
        found = [
            card_facts(request, mirror.votes(request.metadata.uid or ""), demo=self._demo)
            for request in mirror.listed_in(uid)
            if request.metadata.creation_timestamp is not None
        ]
        return sorted(found, key=lambda one: one.digest.position if one.digest else 0)

    def _wanted(self, facts: CardFacts, channel: str, version: int, thread: str) -> WantedCard:
        shown = card(facts, self._buttons)
        fresh = facts.state is State.PENDING and not facts.votes
        wanted = WantedCard(
            uid=facts.uid,
            revision=facts.revision,
            channel=channel,
            version=version,
            priority=Priority.NEW_CARD if fresh else Priority.DECISION,
            text=shown.text,
            blocks=shown.blocks,
            created=facts.created,
            final=facts.state in TERMINAL,
            lines=thread_lines(facts),
            thread=thread,
            order=facts.digest.position if facts.digest else 0,
        )
        reminder = self._reminding.line(facts)
        return wanted if reminder is None else self._with(wanted, reminder)

    def _with(self, wanted: WantedCard, reminder: tuple[str, str]) -> WantedCard:
        """Add a reminder; where it is the only news, it waits behind all others."""
        messages = self._outbox.messages
        said = messages.said(wanted.uid)
        others = messages.of(wanted.uid).hash != wanted.hash or any(key not in said for key, _ in wanted.lines)
        priority = wanted.priority if others else Priority.REMINDER
        return replace(wanted, reminder=reminder, priority=priority)

    def _project_gone(self, mirror: Mirror, uid: str) -> None:
        wanted, ref = self._outbox.wanted(uid), self._outbox.messages.of(uid)
        if not ref.ts and (wanted is None or not ref.posting_since_ms):
            if ref.posting_since_ms:
                _LOG.warning(
                    "the card of a deleted request may stand in Slack with its buttons: it was being posted, and what "
                    "the store keeps of it cannot be opened",
                    extra={"request": uid},
                )
            # Never shown to anybody, as far as is known: nothing to take back.
            self._outbox.forget(uid)
            return
        if self._is_anothers(mirror, ref):
            _LOG.error(
                "the store names the message of an open card for a request that does not exist: it stays as it is",
                extra={"request": uid},
            )
            self._outbox.forget(uid)
            return
        if wanted is not None and wanted.removed:
            if ref.hash == wanted.hash:
                self._outbox.forget(uid)
            return
        ending = _unopened(uid, ref, self._clock.now()) if wanted is None else _ending(wanted)
        self._outbox.want(ending, now_ms(self._clock))

    def _is_anothers(self, mirror: Mirror, ref: MessageRef) -> bool:
        """Return whether a request that exists, or its digest, is shown in this message.

        Whoever may write the store may name any message for any uid: that an open request is gone is not said for that.
        """
        if not ref.ts:
            return False
        known = mirror.uids()
        found = (mirror.request(uid) for uid in known)
        listings = {listing_of(request) for request in found if request is not None} - {""}
        return (ref.channel, ref.ts) in self._outbox.messages.places(known | listings)


def _ending(wanted: WantedCard) -> WantedCard:
    """Return the last card of a deleted request: what people have read, without buttons."""
    shown = gone(wanted.text, tuple(dict(block) for block in wanted.blocks))
    return replace(
        wanted,
        version=wanted.version + 1,
        priority=Priority.DECISION,
        text=shown.text,
        blocks=shown.blocks,
        final=True,
        removed=True,
        order=0,
    )


def _unopened(uid: str, ref: MessageRef, now: datetime) -> WantedCard:
    """Return the last card of a deleted request of which only the place of its message is known.

    Any version is newer than that of a card which cannot be opened.
    """
    shown = gone("the request of this card", ())
    return WantedCard(
        uid=uid,
        revision="",
        channel=ref.channel,
        version=0,
        priority=Priority.DECISION,
        text=shown.text,
        blocks=shown.blocks,
        created=now,
        final=True,
        removed=True,
    )
