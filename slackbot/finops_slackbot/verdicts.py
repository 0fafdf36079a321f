"""Follows every open click to its end: the operator's verdict is the answer, whoever took the click.

One thread per replica goes through the open clicks twice a second and at every Approval that changes. Open clicks live
in the store, so those of a bot that was killed are finished by whoever is alive.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Final

from finops.crds.approval import Approval
from finops.domain.decision import Choice, State, VoteResult
from finops.errors import StoreUnavailable
from finops.ports.clock import Clock
from finops.store.slack_clicks import Clicks, OpenClick, Stage
from finops_slackbot.card_facts import CardFacts, card_facts
from finops_slackbot.click_answers import ClickAnswers
from finops_slackbot.mirror import Mirror
from finops_slackbot.outbox.projection import now_ms
from finops_slackbot.views import answers

UNRESPONSIVE_AFTER_MS: Final = 15_000
"""An instance without a heartbeat for so long is taken for dead."""
_PATIENCE_MS: Final = 10_000
_NEVER_CREATED_MS: Final = 120_000
_STUCK_MS: Final = 90_000
_GIVE_UP_MS: Final = 25 * 3600 * 1000
_AGAIN_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.5
_SETTLE_SECONDS: Final = 2.0
"""For so long the figures of the request may lag behind the verdict."""
_UNREAD_SECONDS: Final = 30.0
"""For so long a verdict waits for a request that is not read yet; after that it is sent without the request's name."""
_LOG: Final = logging.getLogger(__name__)


class VerdictFollower:
    """The thread's work."""

    def __init__(
        self, *, instance: str, clicks: Clicks, mirror: Mirror, answering: ClickAnswers, clock: Clock, demo: bool
    ) -> None:
        self._instance = instance
        self._clicks = clicks
        self._mirror = mirror
        self._answering = answering
        self._clock = clock
        self._demo = demo
        self._wake = threading.Event()
        self._not_before: dict[str, float] = {}
        self._judged: dict[str, float] = {}
        """Click → since when its verdict is known here."""

    def changed(self, uid: str) -> None:
        """A request or a vote changed; check now."""
        del uid
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Follow open clicks until `stop`."""
        while not stop.is_set():
            self._wake.wait(_POLL_SECONDS)
            self._wake.clear()
            try:
                self.refresh()
            except StoreUnavailable as error:
                _LOG.warning("verdicts not sent", extra={"error": str(error)})
                stop.wait(1.0)

    def refresh(self) -> None:
        """Answer every open click that can be answered now.

        Raises:
            StoreUnavailable: the rest is answered the next time.
        """
        clicks = self._clicks.open()
        if not clicks:
            return
        # Another replica may have closed some.
        still = {click.id for click in clicks}
        self._judged = {id_: since for id_, since in self._judged.items() if id_ in still}
        now = now_ms(self._clock)
        alive = self._clicks.alive(now, UNRESPONSIVE_AFTER_MS) | {self._instance}
        for click in clicks:
            if self._clock.monotonic() >= self._not_before.get(click.id, 0.0):
                self._follow(click, now, alive)

    def _follow(self, click: OpenClick, now: int, alive: frozenset[str]) -> None:
        age = now - click.at_ms
        approval = self._mirror.approval(click.namespace, click.approval) if click.approval else None
        if approval is not None and click.stage is not Stage.RECORDED and _older(approval, click):
            # An earlier vote of the same person under the same name; its verdict is not this click's.
            approval = None
        if approval is not None and approval.status.result is not None:
            self._send_verdict(click, approval)
        elif age > _GIVE_UP_MS:
            self._close(click)
        elif approval is not None and click.stage is Stage.RECEIVED and (click.owner not in alive or age > _STUCK_MS):
            # The bot died after creating the vote: what it had no time to note is noted now.
            self._clicks.save(replace(click, stage=Stage.RECORDED))
        elif approval is None and self._mirror.problem():
            return
        elif click.stage is Stage.RECEIVED:
            if click.owner not in alive or age > _STUCK_MS:
                self._final(click, answers.lost())
        elif click.stage is Stage.RECORDED:
            if age > _PATIENCE_MS:
                self._ask_to_wait(click)
        elif approval is None and age > _NEVER_CREATED_MS:
            # The voter read that nothing was recorded, and nothing was.
            self._close(click)

    def _send_verdict(self, click: OpenClick, approval: Approval) -> None:
        """Send the verdict once the request shows what follows from it: the operator answers the vote first."""
        uid = approval.spec.request.uid
        request = self._mirror.request(uid)
        facts = None if request is None else card_facts(request, self._mirror.votes(uid), demo=self._demo)
        # Requests and votes are read by two watches: a bot that has just started may know the vote alone.
        unread = request is None and bool(self._mirror.problem())
        settled = not unread and _settled(approval, facts)
        since = self._judged.setdefault(click.id, self._clock.monotonic())
        patience = _UNREAD_SECONDS if unread else _SETTLE_SECONDS
        if settled or self._clock.monotonic() - since >= patience:
            self._final(click, answers.verdict(approval, facts, settled=settled))

    def _ask_to_wait(self, click: OpenClick) -> None:
        if self._clicks.may_answer(click.id, "wait", self._instance) and self._send(click, answers.waiting(click.hint)):
            self._clicks.save(replace(click, stage=Stage.ASKED_TO_WAIT))

    def _final(self, click: OpenClick, text: str) -> None:
        if self._clicks.may_answer(click.id, "final", self._instance) and self._send(click, text):
            self._close(click)

    def _send(self, click: OpenClick, text: str) -> bool:
        sent = self._answering.send(channel=click.channel, user=click.user, text=text, click_id=click.id)
        if not sent:
            self._not_before[click.id] = self._clock.monotonic() + _AGAIN_SECONDS
        return sent

    def _close(self, click: OpenClick) -> None:
        self._clicks.close(click.id)
        self._answering.forget(click.id)
        self._not_before.pop(click.id, None)
        self._judged.pop(click.id, None)


def _settled(approval: Approval, facts: CardFacts | None) -> bool:
    if approval.spec.decision is not Choice.APPROVE or approval.status.result is not VoteResult.COUNTED:
        return True
    return facts is None or facts.state is not State.PENDING or len(facts.approvals) == facts.counted


def _older(approval: Approval, click: OpenClick) -> bool:
    attested_at = approval.spec.approver.attested_at
    return attested_at is None or attested_at.timestamp() * 1000 < click.at_ms
