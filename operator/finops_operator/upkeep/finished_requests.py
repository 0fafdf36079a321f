"""Removes requests that ended a month ago: the API server is no archive, their story stays in the ledger.

A duty of housekeeping.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import TERMINAL
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.decisions.pauses import Pauses
from finops_operator.decisions.snoozes import PolicyByName, Snoozes
from finops_operator.decisions.spoken import scope_of
from finops_operator.rules.votes import request_reference

logger = logging.getLogger(__name__)
KEPT_AFTER_END: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FinishedRequests:
    """Requests that nobody needs any more."""

    cache: ClusterCache
    requests: Objects[ActionRequest]
    ledger: Ledger
    policy_of: PolicyByName
    clock: Clock
    _ended: dict[str, datetime] = field(default_factory=dict)
    """Request uid → time of its last record, so that the ledger is asked once."""

    def remove_old(self) -> None:
        """Delete requests that ended a month ago; their votes go along, their story stays in the ledger."""
        limit = self.clock.now() - KEPT_AFTER_END
        for request in self.cache.requests.all():
            made = request.metadata.creation_timestamp
            if request.status.state not in TERMINAL or made is None or made > limit:
                continue
            if self._ended_at(request, made) > limit or self._is_needed(request):
                continue
            try:
                self.requests.delete(request)
            except Gone:
                continue
            self._ended.pop(request.metadata.uid or "", None)
            logger.info("removed, it ended a month ago", extra={"request": request_reference(request)})

    def _is_needed(self, request: ActionRequest) -> bool:
        """Return whether acts wait because this one failed, or its snooze lasts: people end both by its name."""
        uid, namespace, arn = request.metadata.uid, request.metadata.namespace or "", request.spec.resource.arn
        if any(pause.uid == uid for pause in Pauses(self.ledger).in_force(scope_of(request))):
            return True
        snoozes = Snoozes(self.ledger, self.policy_of).in_force(namespace, arn, self.clock.now())
        return any(snooze.uid == uid for snooze in snoozes)

    def _ended_at(self, request: ActionRequest, made: datetime) -> datetime:
        """Return the time of the last record about the request; what was written last in its story is its end."""
        uid = request.metadata.uid or ""
        if uid not in self._ended:
            records = self.ledger.of_request(uid)
            self._ended[uid] = records[-1].time if records else made
        return self._ended[uid]
