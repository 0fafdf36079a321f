"""Brings what the operator announces to Slack: each notice once in each of its channels.

A notice becomes a message of the outbox before its place counts as taken, and the message's uid is made of the notice's
id and the channel: a bot that dies in between, and a second replica, want the same message again, and it is posted
once. The outbox sees to a post whose answer was lost.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from finops.domain.notice import Notice
from finops.errors import StoreUnavailable
from finops.ports.clock import Clock
from finops.store.notices import StoredNotices
from finops.store.outbox import NOTICE, Outbox, Priority, WantedCard
from finops.store.slack_messages import MessageRef
from finops.store.slack_notices import SlackNotices
from finops_slackbot.metrics import Metrics
from finops_slackbot.outbox.delivery import OLD_NEWS
from finops_slackbot.outbox.projection import now_ms
from finops_slackbot.views.card import Card

KEPT: Final = timedelta(days=60)
"""For so long a message is known to be posted; what is older is no news to anybody, posted or not."""
_PASS_SECONDS: Final = 2.0
_TIDY_SECONDS: Final = 3600.0
_TAKEN_AT_ONCE: Final = 100
_TS: Final = re.compile(r"[0-9]{1,10}\.[0-9]{1,6}")
_TOO_LATE: Final = 10**10
"""In seconds since 1970: what the store says of a later instant nobody of ours wrote."""
_LOG: Final = logging.getLogger(__name__)


class Announcing:
    """Takes notices up. `view` makes the message of one."""

    def __init__(
        self,
        notices: StoredNotices,
        places: SlackNotices,
        outbox: Outbox,
        clock: Clock,
        metrics: Metrics,
        view: Callable[[Notice], Card],
    ) -> None:
        self._notices = notices
        self._places = places
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._view = view

    def run(self, stop: threading.Event) -> None:
        """Take up what is new until `stop`."""
        next_tidy = 0.0
        while not stop.is_set():
            try:
                if self._clock.monotonic() >= next_tidy:
                    self.tidy()
                    next_tidy = self._clock.monotonic() + _TIDY_SECONDS
                if self.step():
                    continue
            except StoreUnavailable as error:
                _LOG.warning("announcements not taken up", extra={"error": str(error)})
            stop.wait(_PASS_SECONDS)

    def step(self) -> bool:
        """Take up some; return whether there were any. Raises StoreUnavailable: they come again.

        Old news would only be searched for in Slack and then dropped: after a lost place that is every notice kept.
        """
        last = ""
        for place, notice in self._notices.after(self._places.place(), _TAKEN_AT_ONCE):
            if notice is None:
                self._metrics.notices_unreadable.inc()
            elif self._clock.now() - notice.time <= OLD_NEWS:
                self._want(notice)
            last = place
        if last:
            self._places.taken(last)
        return bool(last)

    def tidy(self) -> None:
        """Forget messages that are old. Raises StoreUnavailable.

        One that cannot be opened is as old as what Slack shows of it; of one that Slack does not show nothing is kept.
        """
        oldest = self._clock.now() - KEPT
        for uid in self._outbox.known():
            if not uid.startswith(NOTICE):
                continue
            card = self._outbox.wanted(uid)
            made = _posted(self._outbox.messages.of(uid)) if card is None else card.created
            if made is None or made < oldest:
                self._outbox.forget(uid)

    def _want(self, notice: Notice) -> None:
        for channel in notice.channels:
            self._outbox.want(self._wanted(notice, channel), now_ms(self._clock))

    def _wanted(self, notice: Notice, channel: str) -> WantedCard:
        shown = self._view(notice)
        return WantedCard(
            uid=f"{NOTICE}{channel}:{notice.id}",
            revision="1",
            channel=channel,
            version=0,
            priority=Priority.NEW_CARD,
            text=shown.text,
            blocks=shown.blocks,
            created=notice.time,
            # What could not be posted for days is no news any more.
            final=True,
        )


def _posted(ref: MessageRef) -> datetime | None:
    """Return when a message was posted, or was about to be; None for one of which that is not known.

    The part of a Slack `ts` before the point is in seconds since 1970 (Slack's reference, "Retrieving messages").
    """
    seconds = int(ref.ts.partition(".")[0]) if _TS.fullmatch(ref.ts) else ref.posting_since_ms // 1000
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _TOO_LATE else None
