"""Shows an act's progress in the status of its ActionRequest; implements finops.ports.act.RequestJournal.

The ledger is the record, the status its picture: a report that cannot be written is followed by a newer one, and an
object that is gone is no reason to leave an instance stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import LONGEST_VALUE, Execution, Outcome, UndoStatus
from finops.domain.decision import TERMINAL, State
from finops.errors import ClusterUnavailable, FinopsError, Refused
from finops.k8s.events import Events
from finops.ports.act import ActProgress, ActRequest
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.rules import request_status
from finops_operator.rules.ending import ending
from finops_operator.rules.log_fields import act_fields
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StatusReporter:
    """Writes progress.

    Attributes:
        find: returns the object as last seen.
        undo_of: what is known of the undo of an act, asked each time its end is written.
    """

    requests: Objects[ActionRequest]
    find: Callable[[str, str], ActionRequest | None]
    events: Events
    telemetry: Telemetry
    fence: Callable[[], int]
    undo_of: Callable[[ActionRequest], UndoStatus | None]
    _logged: dict[str, tuple[State, str, int, str]] = field(default_factory=dict)
    """Request uid → what its last line said."""

    def report(self, request: ActRequest, progress: ActProgress) -> None:
        """Bring the status in line with `progress`.

        Raises:
            Conflict, ClusterUnavailable, LedgerUnavailable, LedgerDiverged: not written; a newer report follows.
        """
        self._log(request, progress)
        found = self.find(request.tenant.namespace, request.name)
        if found is None or found.metadata.uid != request.uid:
            self._forget(request, progress)
            return
        try:
            written = self.requests.write_status(found, lambda current: self._status(current, progress))
        except Gone:
            self._forget(request, progress)
            return
        except Refused as error:
            # An API server that has just started refuses for a moment what it allows: a picture that is not drawn
            # must not stop an act.
            raise ClusterUnavailable(f"the status is not written: {error}", code=error.code) from error
        self._forget(request, progress)
        if progress.state in TERMINAL and found.status.state is not progress.state:
            self._ended(written, progress)

    def _status(self, current: ActionRequest, progress: ActProgress) -> dict[str, Any]:
        # Read after `current`: whoever writes in between makes this write be refused and repeated.
        undo = self.undo_of(current) if progress.state is State.SUCCEEDED else None
        return with_progress(current, progress, self.fence(), undo)

    def _log(self, request: ActRequest, progress: ActProgress) -> None:
        """Write one line for each step and end; a report that is repeated until it is written adds none."""
        said = progress.state, progress.step, progress.attempt, progress.message
        if self._logged.get(request.uid) == said:
            return
        self._logged[request.uid] = said
        fields = {**act_fields(request), "person": ", ".join(request.deciders)}
        if progress.state in TERMINAL:
            logger.info("act ended, %s: %s", progress.state.value, progress.message, extra=fields)
            return
        needs_human = progress.state is State.NEEDS_HUMAN
        logger.log(
            logging.WARNING if needs_human else logging.INFO,
            "act needs a person: %s" if needs_human else "act step: %s",
            progress.message or progress.state.value,
            extra={**fields, "step": progress.step, "attempt": progress.attempt},
        )

    def _forget(self, request: ActRequest, progress: ActProgress) -> None:
        if progress.state in TERMINAL:
            self._logged.pop(request.uid, None)

    def _ended(self, request: ActionRequest, progress: ActProgress) -> None:
        self.telemetry.acts.labels(request.spec.action, progress.state.value).inc()
        good = progress.state is State.SUCCEEDED
        try:
            self.events.publish(
                request,
                reason="ActionExecuted" if good else f"Action{progress.state.value}",
                note=_message(request, progress) or f"{request.spec.action} on {request.spec.resource.id}",
                action="Act",
                type_="Normal" if good else "Warning",
            )
        except FinopsError as error:
            logger.warning("event not published: %s", error)


def with_progress(
    current: ActionRequest, progress: ActProgress, fence: int, undo: UndoStatus | None = None
) -> dict[str, Any]:
    """Return the status that shows `progress` and, of an act that succeeded, how its undo stands."""
    status = current.status
    if status.state in TERMINAL and progress.state is not status.state:
        # The API server would refuse it: a finished request stays as it ended.
        return status.to_dict()
    execution = Execution(
        step=progress.step,
        attempt=progress.attempt,
        started_at=progress.started_at or (status.execution.started_at if status.execution is not None else None),
        ledger_sequence=progress.ledger_sequence or None,
        ledger_hash=progress.ledger_hash or None,
        checkpoint_size=progress.checkpoint.size if progress.checkpoint else None,
        checkpoint_root=progress.checkpoint.root if progress.checkpoint else None,
    )
    # What it waited for or stumbled over before is over when the progress no longer mentions it.
    outcome = None
    if progress.before or progress.after or progress.message or progress.monthly_savings is not None:
        outcome = Outcome(
            before=_shortened(progress.before),
            after=_shortened(progress.after),
            monthly_savings=Decimal(progress.monthly_savings) if progress.monthly_savings is not None else None,
            error=progress.message[:1000] if progress.message and progress.state is not State.SUCCEEDED else None,
            message=_message(current, progress) or None,
        )
    return request_status.moved(status, progress.state, fence=fence, execution=execution, outcome=outcome, undo=undo)


def _shortened(values: Mapping[str, str]) -> dict[str, str]:
    """Return values as a status can hold them: the whole configuration of a load balancer is in the ledger alone."""
    return {
        name: text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…" for name, text in values.items()
    }


def _message(request: ActionRequest, progress: ActProgress) -> str:
    spec = request.spec
    return ending(progress.state, progress.message, dry_run=spec.dry_run, is_undo=spec.undoes is not None)
