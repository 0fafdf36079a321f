"""What an act leaves behind while it goes on: its records in the ledger, and their picture in the request's status.

Used by the executor and by what it makes calls and ends acts with. The ledger is the record and comes first; a status
that cannot be written stops no act.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from finops.domain.audit import RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.errors import Conflict, FenceLost, FinopsError, Unavailable
from finops.ports.act import ActProgress, LeaseGuard, RequestJournal
from finops.ports.ledger import Ledger
from finops_operator.acts.journal import entry
from finops_operator.acts.memory import Act
from finops_operator.decisions.pauses import FAILED, Failure, Pauses, Scope
from finops_operator.rules.log_fields import act_fields
from finops_operator.rules.paused import TURNING_BACK

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trail:
    """Writes records and status of acts; see `finops_operator.acts.executor.Executor` for the attributes."""

    ledger: Ledger
    status: RequestJournal
    lease: LeaseGuard
    passage: Callable[[str], None]

    def append(
        self,
        act: Act,
        name: str,
        kind: RecordKind,
        step: str,
        attempt: int,
        result: str,
        detail: Mapping[str, Json],
    ) -> None:
        self.ledger.append(entry(act.request, name, kind, step=step, attempt=attempt, result=result, detail=detail))

    def alarm(self, act: Act, step: str, reason: str) -> None:
        """Call a person, once per step in the ledger, without stopping anything."""
        self._pause(act, Failure(State.NEEDS_HUMAN, reason, step))
        if step not in act.alarms:
            self.append(act, f"alarm:{step}", RecordKind.OUTCOME, step, 0, State.NEEDS_HUMAN.value, {"reason": reason})
            act.alarms.add(step)
        self.report(act, replace(self.base(act), state=State.NEEDS_HUMAN, step=step, message=reason))

    def base(self, act: Act) -> ActProgress:
        return ActProgress(
            state=State.EXECUTING,
            ledger_sequence=act.sequence,
            started_at=act.started_at,
            fence=self.lease.fence,
            called=act.called,
            message=f"{TURNING_BACK}{act.turned}" if act.turned else "",
        )

    def report(self, act: Act, progress: ActProgress) -> None:
        """Show progress of an act that has begun; what an API server answers stops no act.

        The ledger is the record, the status its picture.
        """
        if progress == act.progress or not (act.begun or act.abandoned):
            return
        try:
            self.passage("status.before")
            self.status.report(act.request, progress)
            self.passage("status.after")
        except FenceLost:
            raise
        except (Conflict, Unavailable) as error:
            logger.info("progress is shown later: %s", error, extra=act_fields(act.request))
            return
        except FinopsError as error:
            logger.warning("progress not shown: %s", error, extra=act_fields(act.request))
            return
        act.progress = progress

    def finish(self, act: Act, state: State, message: str) -> None:
        self.passage("finish.before")
        self._pause(act, Failure(state, message))
        self.append(act, "ended", RecordKind.OUTCOME, "", 0, state.value, {"reason": message})
        self.passage("finish.after")

    def _pause(self, act: Act, failure: Failure) -> None:
        """Let no further act of the kind begin after this one failed; recorded before the failure itself."""
        request = act.request
        if failure.state in FAILED and not request.dry_run:
            scope = Scope(request.tenant.namespace, request.tenant.policy, request.plan.action)
            Pauses(self.ledger).pause(scope, request.ledger_name, request.plan_hash, failure)
