"""Shows an act's progress in the status of its ActionRequest; implements finops.ports.act.RequestJournal.

The ledger is the record, the status its picture: a report that cannot be written is followed by a newer one, and an
object that is gone is no reason to leave an instance stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import Execution, Outcome
from finops.domain.decision import TERMINAL, State
from finops.errors import ClusterUnavailable, FinopsError, Refused
from finops.k8s.events import Events
from finops.ports.act import ActProgress, ActRequest
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.rules import request_status
from finops_operator.rules.ending import ending
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StatusReporter:
    """Writes progress; `find` returns the object as last seen."""

    requests: Objects[ActionRequest]
    find: Callable[[str, str], ActionRequest | None]
    events: Events
    telemetry: Telemetry
    fence: Callable[[], int]

    def report(self, request: ActRequest, progress: ActProgress) -> None:
        """Bring the status in line with `progress`.

        Raises:
            Conflict, ClusterUnavailable: not written; a newer report follows.
        """
        _log(request, progress)
        found = self.find(request.tenant.namespace, request.name)
        if found is None or found.metadata.uid != request.uid:
            return
        try:
            written = self.requests.write_status(found, lambda current: with_progress(current, progress, self.fence()))
        except Gone:
            return
        except Refused as error:
            # An API server that has just started refuses for a moment what it allows: a picture that is not drawn
            # must not stop an act.
            raise ClusterUnavailable(f"the status is not written: {error}", code=error.code) from error
        if progress.state in TERMINAL and found.status.state is not progress.state:
            self._ended(written, progress)

    def _ended(self, request: ActionRequest, progress: ActProgress) -> None:
        self.telemetry.acts.labels(request.spec.action, progress.state.value).inc()
        good = progress.state is State.SUCCEEDED
        try:
            self.events.publish(
                request,
                reason="ActionExecuted" if good else f"Action{progress.state.value}",
                note=_told(request, progress) or f"{request.spec.action} on {request.spec.resource.id}",
                action="Act",
                type_="Normal" if good else "Warning",
            )
        except FinopsError as error:
            logger.warning("event not published: %s", error)


def _log(request: ActRequest, progress: ActProgress) -> None:
    """Write one line about a step or an end; a warning when a person has to do something."""
    logger.log(
        logging.WARNING if progress.state is State.NEEDS_HUMAN else logging.INFO,
        "act: %s",
        " ".join(part for part in (progress.state.value, progress.step, progress.message) if part),
        extra={
            "request": request.ledger_name,
            "policy": request.tenant.policy,
            "account": request.access.name,
            "resource": request.plan.resource.id,
            "person": ", ".join(request.deciders),
            "attempt": progress.attempt,
        },
    )


def with_progress(current: ActionRequest, progress: ActProgress, fence: int) -> dict[str, Any]:
    """Return the status that shows `progress`."""
    status = current.status
    if status.state in TERMINAL and progress.state is not status.state:
        # The API server would refuse it: a finished request stays as it ended.
        return status.to_dict()
    execution = Execution(
        step=progress.step,
        attempt=progress.attempt,
        started_at=progress.started_at or (status.execution.started_at if status.execution is not None else None),
        ledger_sequence=progress.ledger_sequence or None,
    )
    # What it waited for or stumbled over before is over when the progress no longer tells of it.
    outcome = None
    if progress.before or progress.after or progress.message or progress.monthly_savings is not None:
        outcome = Outcome(
            before=progress.before,
            after=progress.after,
            monthly_savings=Decimal(progress.monthly_savings) if progress.monthly_savings is not None else None,
            error=progress.message[:1000] if progress.message and progress.state is not State.SUCCEEDED else None,
            message=_told(current, progress) or None,
        )
    return request_status.moved(status, progress.state, fence=fence, execution=execution, outcome=outcome)


def _told(request: ActionRequest, progress: ActProgress) -> str:
    return ending(progress.state, progress.message, dry_run=request.spec.dry_run)
