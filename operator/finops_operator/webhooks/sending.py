"""The loop of webhooks: takes events from ledger and notices into each endpoint's queue, and sends what is due.

One thread per endpoint, and only in the process that holds the lease: an endpoint that is slow or does not answer holds
up its own queue alone. A failed event ends its pass, and is tried again after a pause that doubles from 5 seconds to an
hour, with jitter, for three days; then it is a dead letter.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from random import random
from typing import Any, Final

from finops.domain.backoff import Backoff
from finops.domain.quantity import counted
from finops.errors import FinopsError, LedgerDiverged
from finops.ports.clock import Clock
from finops.store.notices import StoredNotices, is_place
from finops.store.webhooks import Waiting, WebhookQueue, forget_all_but
from finops_operator.background import Background
from finops_operator.telemetry import Telemetry
from finops_operator.webhooks.delivery import Delivery, EndpointGone
from finops_operator.webhooks.endpoints import Endpoint, key_of
from finops_operator.webhooks.events import event_of_notice, event_of_record
from finops_operator.webhooks.records import LedgerRecords
from finops_operator.webhooks.seals import is_our_notice, opened, seal

logger = logging.getLogger(__name__)
LEDGER: Final = "ledger"
NOTICES: Final = "notices"
PAUSES: Final = Backoff(first=5.0, longest=3600.0)
KEPT_SECONDS: Final = 3 * 86_400.0
WROTE: Final = "somebody writes to the store"
_SHOWN: Final = 80
_TAKEN_AT_ONCE: Final = 200
_SENT_AT_ONCE: Final = 20
_PASS_SECONDS: Final = 2.0
_Event = tuple[str, str, str]
_FORGED: Final[_Event] = ("", "", "")
"""Stands for a notice that the operator did not announce."""


@dataclass(slots=True)
class _Seen:
    """What was last seen of one endpoint, for `finops doctor`."""

    success: str = ""
    error: str = ""
    doubt: str = ""
    """Why the ledger's next record is not believed; the endpoint's place stays before it."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Sends events to the endpoints.

    Attributes:
        records: of the ledger; its store has the notices and queues too.
        source: who we are in the events, a URI reference.
        secrets: folder with a file of each endpoint's name, which holds its signing secret.
        may_write: whether this process holds the lease.
        chance: returns 0 to 1: where in the second half of a pause an event is tried again.
    """

    endpoints: Sequence[Endpoint]
    records: LedgerRecords
    delivery: Delivery
    source: str
    secrets: str
    clock: Clock
    telemetry: Telemetry
    may_write: Callable[[], bool]
    chance: Callable[[], float] = random
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def run(self, stop: threading.Event, pause: float = _PASS_SECONDS) -> None:
        """Take and send until `stop` is set, each endpoint in a thread of its own, with `pause` seconds in between."""
        background, forgotten = Background(self.telemetry, self.clock), False
        running: dict[str, Future[None]] = {}
        with ThreadPoolExecutor(max(1, len(self.endpoints)), thread_name_prefix="webhook") as threads:
            while not stop.wait(pause):
                if not self.may_write():
                    continue
                if not forgotten:
                    forgotten = background.attempt("webhooks", "webhooks, forget", self._forget, lambda _defect: False)
                for endpoint in self.endpoints:
                    before = running.get(endpoint.name)
                    if before is not None and not before.done():
                        continue
                    if before is not None:
                        # What no pass survives ends the loop, and with it the process.
                        before.result()
                    if not background.rests("webhooks", endpoint.name):
                        running[endpoint.name] = threads.submit(self._attempt, background, endpoint, stop)

    def _attempt(self, background: Background, endpoint: Endpoint, stop: threading.Event) -> None:
        def work() -> None:
            try:
                self.serve(endpoint, stop)
            except FinopsError as error:
                logger.info("webhook %s: %s", endpoint.name, error)

        background.attempt("webhooks", f"webhook {endpoint.name}", work, lambda _defect: None, about=endpoint.name)

    def _forget(self) -> bool:
        try:
            gone = forget_all_but(self.records.store, [one.name for one in self.endpoints])
        except FinopsError as error:
            logger.info("queues of webhooks that are gone are kept: %s", error)
            return False
        if gone:
            logger.info("forgotten, no longer listed: webhooks %s", ", ".join(gone))
        return True

    def serve(self, endpoint: Endpoint, stop: threading.Event | None = None) -> None:
        """Take what is new and send what is due, once; no more events after `stop` is set or the lease lost.

        Raises StoreUnavailable, LedgerUnavailable.
        """
        queue = WebhookQueue(self.records.store, endpoint.name)
        try:
            self._take(endpoint, queue, LEDGER, self.records.end, self._records)
            self._take(endpoint, queue, NOTICES, StoredNotices(self.records.store).end, self._notices)
            self._send(endpoint, queue, stop or threading.Event())
        finally:
            self._show(endpoint, queue)

    def _take(
        self,
        endpoint: Endpoint,
        queue: WebhookQueue,
        source: str,
        end: Callable[[], str],
        after: Callable[[str], Iterator[tuple[str, _Event | None]]],
    ) -> None:
        now, place = self.clock.now().timestamp(), queue.place(source)
        if not (place.isdecimal() if source == LEDGER else is_place(place)):
            # A new endpoint gets what happens from now on, not of the past.
            if place:
                logger.error("webhook %s goes on from the end of its %s: its place is none", endpoint.name, source)
            queue.take(source, place, end(), (), now)
            return
        last, events, doubt, forged = place, [], "", 0
        try:
            for reached, event in after(place):
                last = reached
                if event is _FORGED:
                    forged += 1
                elif event is not None and endpoint.wants(event[1]):
                    events.append((event[0], seal(self.records.keys, endpoint.name, event[0], event[2])))
        except LedgerDiverged as error:
            doubt = str(error)
        if last != place:
            queue.take(source, place, last, events, now, forged)
        if forged:
            why = f"{counted(forged, 'notice')} without the operator's signature, and not sent: {WROTE}"
            self._seen.setdefault(endpoint.name, _Seen()).error = why
            logger.error("webhook %s: %s", endpoint.name, why)
        if source == LEDGER:
            self._stop_or_go_on(endpoint, doubt)

    def _stop_or_go_on(self, endpoint: Endpoint, doubt: str) -> None:
        """Keep why an endpoint gets no more records, empty when it does, and log it once."""
        seen = self._seen.setdefault(endpoint.name, _Seen())
        if doubt and doubt != seen.doubt:
            logger.error("webhook %s gets no more records of the ledger: %s", endpoint.name, doubt)
        seen.doubt = doubt

    def _records(self, place: str) -> Iterator[tuple[str, _Event | None]]:
        for record in self.records.after(int(place), _TAKEN_AT_ONCE):
            yield str(record.sequence), event_of_record(record, self.source)

    def _notices(self, place: str) -> Iterator[tuple[str, _Event | None]]:
        notices = StoredNotices(self.records.store, is_ours=partial(is_our_notice, self.records.keys))
        for reached, notice in notices.after(place, _TAKEN_AT_ONCE):
            yield reached, _FORGED if notice is None else event_of_notice(notice, self.source)

    def _send(self, endpoint: Endpoint, queue: WebhookQueue, stop: threading.Event) -> None:
        seen = self._seen.setdefault(endpoint.name, _Seen())
        for event in queue.due(self.clock.now().timestamp(), _SENT_AT_ONCE):
            if stop.is_set() or not self.may_write():
                return
            now = self.clock.now()
            body = opened(self.records.keys, endpoint.name, event.id, event.body)
            if body is None:
                seen.error = f"event {event.id[:_SHOWN]} was changed while it waited, and is not sent: {WROTE}"
                logger.error("webhook %s: %s", endpoint.name, seen.error)
                queue.bury(event.id, "Forged")
                continue
            try:
                key = key_of(self.secrets, endpoint.name)
                self.delivery.send(endpoint, key, event.id, body.encode(), int(now.timestamp()))
            except EndpointGone as error:
                seen.error = str(error)
                queue.bury(event.id, "Gone")
            except FinopsError as error:
                seen.error = str(error)
                self._put_off(queue, event, now)
                return
            else:
                seen.success, seen.error = now.isoformat(timespec="seconds"), ""
                queue.sent(event.id)

    def _put_off(self, queue: WebhookQueue, event: Waiting, now: datetime) -> None:
        if now.timestamp() - event.since >= KEPT_SECONDS:
            queue.bury(event.id, "Expired")
            return
        pause = PAUSES.pause(event.failures + 1)
        queue.again(event.id, now.timestamp() + pause / 2 + pause / 2 * self.chance())

    def _show(self, endpoint: Endpoint, queue: WebhookQueue) -> None:
        seen, waiting, dead = self._seen.setdefault(endpoint.name, _Seen()), queue.waiting(), queue.dead()
        self.telemetry.webhooks_waiting.labels(endpoint.name).set(waiting)
        self.telemetry.webhooks_dead.labels(endpoint.name).set(sum(dead.values()))
        status: dict[str, Any] = {
            "host": endpoint.host,
            "lastSuccess": seen.success,
            "lastError": (seen.doubt or seen.error)[:300],
            "waiting": waiting,
            "dead": dict(dead),
        }
        queue.show(status)
