"""Lets an approved request begin: Approved becomes Scheduled when the gate has nothing against it.

Used by the request loop. Whoever may not begin yet waits and shows why; what can never begin is ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from finops.crds.action_request import ActionRequest
from finops.domain.decision import State, Trigger
from finops.domain.execution import Stop, StopKind
from finops.domain.transitions import next_state
from finops.errors import Conflict, InvalidInput, Refused
from finops.ports.act import ActRequest, Gate
from finops.ports.clock import Clock
from finops_operator.acts.commands import ActRequests
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.decider import Decider
from finops_operator.requests.waiting import WaitingActs
from finops_operator.rules import request_status
from finops_operator.rules.log_fields import request_fields

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Admission:
    """Admits approved requests; see `finops_operator.requests.loop.RequestLoop` for the attributes."""

    requests: Objects[ActionRequest]
    decider: Decider
    gate: Gate
    acts: ActRequests
    clock: Clock
    fence: Callable[[], int]
    waiting: WaitingActs

    def admit(self, request: ActionRequest) -> ActionRequest | None:
        """Approved → Scheduled when nothing stands in the way; else say once why it waits, or end it."""
        if self.waiting.is_early(request.metadata.uid or ""):
            return None
        act = self.act_of(request)
        if act is None:
            return None
        stop = self.gate.may_start(act)
        if stop is not None:
            self._stopped(request, stop)
            return None
        now = self.clock.now().replace(microsecond=0)
        alone = self.gate.goes_alone(act) or None
        return self._move(
            request, State.APPROVED, Trigger.ADMITTED, scheduled_for=now, outcome=None, first_of_kind=alone
        )

    def act_of(self, request: ActionRequest) -> ActRequest | None:
        """Return what the executor takes; without an account there is nothing, and the request is ended or says so."""
        try:
            act = self.acts.of(request)
        except (InvalidInput, Refused) as error:
            self._stopped(request, Stop(StopKind.HOLD, error.code, f"Waiting: {error}"))
            return None
        if act is not None:
            return act
        name = request.spec.account
        if self.decider.has_begun(request.metadata.uid or ""):
            # Only the account's role can lead the resource to a safe state.
            self.waiting.call_person(request, f"The act has begun and AwsAccount {name} is gone: create it again.")
        else:
            self._stopped(request, Stop(StopKind.WITHDRAWN, "AccountGone", f"Account {name} is no longer the same."))
        return None

    def _stopped(self, request: ActionRequest, stop: Stop) -> None:
        uid = request.metadata.uid or ""
        if stop.kind is not StopKind.HOLD:
            trigger = Trigger.EXPIRED if stop.kind is StopKind.EXPIRED else Trigger.WITHDRAWN
            self.decider.end(request, trigger, stop.message)
            return
        if self.waiting.on(uid, stop.code).is_news:
            logger.info("act waits: %s", stop.message, extra=request_fields(request))
            self.waiting.show(request, stop.message)

    def _move(self, request: ActionRequest, expected: State, trigger: Trigger, **update: object) -> ActionRequest:
        def change(current: ActionRequest) -> dict[str, object]:
            if current.status.state is not expected:
                raise Conflict("the request has moved on", code="StateChanged")
            return request_status.moved(current.status, next_state(expected, trigger), fence=self.fence(), **update)

        return self.requests.write_status(request, change)
