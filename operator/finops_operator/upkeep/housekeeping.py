"""What has to be done now and then: watch canary, groups for the bot, notes in the ledger, finished requests removed.

One thread of the composition root. Each duty is on its own: what fails now is done the next time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import TERMINAL
from finops.errors import FinopsError
from finops.ledger.durable import DurableLedger
from finops.ports.clock import Clock
from finops.store.slack_groups import SlackGroups
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.canary import Canary
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.rules.votes import request_reference
from finops_operator.telemetry import Telemetry
from finops_operator.upkeep.audit_notes import AuditNotes

logger = logging.getLogger(__name__)
KEPT_AFTER_END: Final = timedelta(days=30)
_LONGEST_PAUSE_SECONDS: Final = 10.0


@dataclass(slots=True)
class Housekeeping:
    """The duties.

    Attributes:
        take_over: adopts acts whose account was missing when the lease was acquired.
        slack_channels: writes on the policies which Slack channels take no cards.
        publish_ids: keeps the ids that this release knows where the API server reads them.
        forget: drops what is kept of policies that no longer exist.
        show_obstacles: says on the policies what stops all acts.
    """

    cache: ClusterCache
    kinds: Sequence[Objects[Any]]
    requests: Objects[ActionRequest]
    canary: Canary
    groups: SlackGroups
    freeze: Freeze
    ledger: DurableLedger
    audit_notes: AuditNotes
    telemetry: Telemetry
    clock: Clock
    may_write: Callable[[], bool]
    take_over: Callable[[], None]
    slack_channels: Callable[[], None]
    publish_ids: Callable[[], None]
    forget: Callable[[], None]
    show_obstacles: Callable[[], None]
    canary_seconds: float
    _ended: dict[str, datetime] = field(default_factory=dict)
    _published: frozenset[str] = frozenset()

    def run(self, stop: threading.Event) -> None:
        """Do every duty every few seconds until `stop` is set; groups at once, a first vote may lean on them."""
        pause = min(_LONGEST_PAUSE_SECONDS, self.canary_seconds / 2)
        due = self.clock.monotonic() + pause
        while not stop.wait(min(pause, 1.0)):
            if self.clock.monotonic() >= due:
                self.run_duties()
                due = self.clock.monotonic() + pause
            elif self._wanted_groups() != self._published:
                self._duty("groups", self._publish_groups)

    def run_duties(self) -> None:
        """Do every duty once."""
        self._watch_the_watches()
        duties: list[tuple[str, Callable[[], None]]] = [("groups", self._publish_groups), ("gauges", self._show_gauges)]
        if self.may_write():
            duties += [("ledger", self._note), ("take over", self.take_over), ("finished requests", self._remove_old)]
            duties += [("slack channels", self.slack_channels), ("known ids", self.publish_ids)]
            duties += [("what is gone", self.forget), ("obstacles", self.show_obstacles)]
        for name, duty in duties:
            self._duty(name, duty)

    def _duty(self, name: str, duty: Callable[[], None]) -> None:
        try:
            duty()
        except FinopsError as error:
            logger.info("housekeeping, %s: %s", name, error)
        except Exception:  # the edge of a loop: one duty's defect must not stop the others, nor end the process
            logger.exception("housekeeping, %s", name)

    def _watch_the_watches(self) -> None:
        stamp = self.clock.now().isoformat(timespec="seconds")
        for objects in self.kinds:
            self._duty("canary", partial(objects.touch_when_idle, self.canary_seconds, stamp))
            self.telemetry.unread_namespaces.labels(objects.cache.kind.crd.kind).set(len(objects.cache.unread()))
        for kind, age in self.canary.oldest_unseen_seconds().items():
            self.telemetry.canary_age.labels(kind).set(age)

    def _publish_groups(self) -> None:
        """Write for the bot which user groups matter."""
        wanted = self._wanted_groups()
        if wanted != self.groups.wanted():
            self.groups.want(wanted)
        self._published = wanted

    def _wanted_groups(self) -> frozenset[str]:
        named = {
            approver.slack_user_group
            for policy in self.cache.policies.all()
            for approver in policy.spec.approval.approvers
            if approver.slack_user_group
        }
        # Groups of open requests stay readable when a policy no longer names them: their votes are judged by them.
        named |= {
            approver.slack_user_group
            for request in self.cache.requests.all()
            if request.status.state not in TERMINAL
            for approver in request.spec.approval.approvers
            if approver.slack_user_group
        }
        return frozenset(named)

    def _show_gauges(self) -> None:
        self.telemetry.ledger_sequence.set(self.ledger.head().sequence)
        self.telemetry.frozen.set(1 if self.freeze.reason() else 0)

    def _note(self) -> None:
        self.audit_notes.note(self.cache.policies.all(), self.cache.requests.all(), self.freeze.reason())

    def _remove_old(self) -> None:
        """Delete requests that ended a month ago; their votes go along, their story stays in the ledger."""
        limit = self.clock.now() - KEPT_AFTER_END
        for request in self.cache.requests.all():
            made = request.metadata.creation_timestamp
            if request.status.state not in TERMINAL or made is None or made > limit:
                continue
            if self._ended_at(request, made) > limit:
                continue
            try:
                self.requests.delete(request)
            except Gone:
                continue
            self._ended.pop(request.metadata.uid or "", None)
            logger.info("removed, it ended a month ago", extra={"request": request_reference(request)})

    def _ended_at(self, request: ActionRequest, made: datetime) -> datetime:
        """Return the time of the last record about the request; what was written last in its story is its end."""
        uid = request.metadata.uid or ""
        if uid not in self._ended:
            records = self.ledger.of_request(uid)
            self._ended[uid] = records[-1].time if records else made
        return self._ended[uid]
