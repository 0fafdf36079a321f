"""Says on requests that acts of their kind are paused: on those that failed, and on those that wait because of them.

A duty of housekeeping: the condition `ActsPaused`, by which people find out what to resume where they have no right to
read policies, and by which the bot puts a Resume button on the card. Nothing is decided from what stands here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.conditions import ACTS_PAUSED, find_condition, is_true
from finops.crds.request_status import WatchState
from finops.domain.decision import State
from finops.errors import FinopsError
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.pauses import FAILED, Pauses, paused_sentence
from finops_operator.decisions.spoken import scope_of
from finops_operator.rules import request_status
from finops_operator.rules.log_fields import request_fields

logger = logging.getLogger(__name__)
_WAITING: Final = frozenset({State.APPROVED, State.SCHEDULED})


@dataclass(frozen=True, slots=True)
class PausedRequests:
    """Brings the condition of every request in line with the ledger; `fence` is the token of our lease."""

    requests: Objects[ActionRequest]
    pauses: Pauses
    fence: Callable[[], int]
    clock: Clock

    def show(self) -> None:
        """Write it where it is not shown yet. Raises LedgerUnavailable, LedgerDiverged, FenceLost: not known now."""
        in_force = cache(self.pauses.in_force)
        for request in self.requests.cache.all():
            shown = find_condition(request.status.conditions, ACTS_PAUSED)
            is_shown, state = is_true(request.status.conditions, ACTS_PAUSED), request.status.state
            # An undo does not wait: see the gate.
            waits = state in _WAITING and request.spec.undoes is None
            watch = request.status.watch
            concerned = state in FAILED or waits or (watch is not None and watch.state is WatchState.WORSE)
            if not is_shown and (not concerned or request.spec.dry_run):
                continue
            scope = scope_of(request)
            found = in_force(scope) if concerned else ()
            caused_it = any(pause.uid == request.metadata.uid for pause in found)
            is_paused = caused_it or (bool(found) and waits)
            message = paused_sentence(scope, found, request.metadata.name) if is_paused else ""
            # Whoever resumes reads here what they resume: also what has failed since.
            if is_paused == is_shown and (not is_paused or shown is None or shown.message == message):
                continue
            try:
                self._write(request, message)
            except FinopsError as error:
                logger.info("paused acts are shown later: %s", error, extra=request_fields(request))

    def _write(self, request: ActionRequest, message: str) -> None:
        now, fence = self.clock.now(), self.fence()
        self.requests.write_status(
            request, lambda current: request_status.paused(current.status, message, now=now, fence=fence)
        )
