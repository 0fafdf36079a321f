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
from finops_operator.decisions.resumptions import scope_of
from finops_operator.rules.votes import request_reference

logger = logging.getLogger(__name__)
KEPT_AFTER_END: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class FinishedRequests:
    """Requests that nobody needs any more."""

    cache: ClusterCache
    requests: Objects[ActionRequest]
    ledger: Ledger
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
            if self._ended_at(request, made) > limit or self._pauses_others(request):
                continue
            try:
                self.requests.delete(request)
            except Gone:
                continue
            self._ended.pop(request.metadata.uid or "", None)
            logger.info("removed, it ended a month ago", extra={"request": request_reference(request)})

    def _pauses_others(self, request: ActionRequest) -> bool:
        """Return whether acts wait because this one failed: people read in it why, and resume them by its name."""
        return any(pause.uid == request.metadata.uid for pause in Pauses(self.ledger).in_force(scope_of(request)))

    def _ended_at(self, request: ActionRequest, made: datetime) -> datetime:
        """Return the time of the last record about the request; what was written last in its story is its end."""
        uid = request.metadata.uid or ""
        if uid not in self._ended:
            records = self.ledger.of_request(uid)
            self._ended[uid] = records[-1].time if records else made
        return self._ended[uid]
