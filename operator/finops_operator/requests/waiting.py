"""Why approved acts wait: remembered so that the gate is asked less often, and shown in the request's status.

Used by the request loop and by the runner of acts. The status is a picture only: whatever cannot be shown is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import Outcome
from finops.domain.backoff import Backoff
from finops.domain.decision import TERMINAL, State
from finops.errors import Conflict, FinopsError
from finops.ports.clock import Clock
from finops_operator.cluster.objects import Objects
from finops_operator.rules import ending, request_status
from finops_operator.rules.log_fields import request_fields

logger = logging.getLogger(__name__)
_LONGEST_PAUSE: Final = 6
"""In polls: half a minute by default."""
WAITING: Final = frozenset({State.APPROVED, State.SCHEDULED, State.EXECUTING})
"""States whose status says why the act has not begun; Executing is one while the ledger has no first call."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Why an approved act waits and when the gate is asked again (monotonic): each answer costs a dozen reads."""

    why: str
    times: int
    pause: float
    again: float
    is_news: bool


@dataclass(frozen=True, slots=True)
class WaitingActs:
    """What approved acts wait for, by uid; see `finops_operator.requests.loop.RequestLoop` for the attributes."""

    requests: Objects[ActionRequest]
    clock: Clock
    fence: Callable[[], int]
    poll_seconds: float
    _waits: dict[str, Wait] = field(default_factory=dict)

    def is_early(self, uid: str) -> bool:
        """Return whether it is too early to ask the gate again."""
        waiting = self._waits.get(uid)
        return waiting is not None and self.clock.monotonic() < waiting.again

    def forget(self, uid: str) -> None:
        """The act waits no longer."""
        self._waits.pop(uid, None)

    def on(self, uid: str, why: str) -> Wait:
        """Remember why an act waits; the longer it is for the same reason, the rarer it is asked again."""
        before = self._waits.get(uid)
        times = before.times + 1 if before is not None and before.why == why else 1
        pause = Backoff(self.poll_seconds, self.poll_seconds * _LONGEST_PAUSE).pause(times)
        wait = Wait(why, times, pause, self.clock.monotonic() + pause, is_news=times == 1)
        self._waits[uid] = wait
        return wait

    def show(self, request: ActionRequest, message: str) -> bool:
        """Say in the status why a request is not decided or an approved act has not begun.

        A picture only, gone when it is decided or begins. Returns whether it is said, as far as it has to be.
        """
        expected = request.status.state
        waiting = _outcome(message)
        if expected is None or expected not in {*WAITING, State.PENDING} or request.status.outcome == waiting:
            return True

        def change(current: ActionRequest) -> dict[str, object]:
            if current.status.state is not expected:
                raise Conflict("the request has moved on", code="StateChanged")
            return request_status.moved(current.status, expected, fence=self.fence(), outcome=waiting)

        try:
            self.requests.write_status(request, change)
        except FinopsError as error:
            logger.info("why an act waits is not shown: %s", error, extra=request_fields(request))
            return False
        return True

    def call_person(self, request: ActionRequest, why: str) -> None:
        """Show that an act which has begun cannot go on by itself."""
        state, outcome = request.status.state, _outcome(why, State.NEEDS_HUMAN)
        if state in TERMINAL or (state is State.NEEDS_HUMAN and request.status.outcome == outcome):
            return
        logger.error("act cannot go on: %s", why, extra=request_fields(request))

        def change(current: ActionRequest) -> dict[str, object]:
            if current.status.state is not state:
                raise Conflict("the request has moved on", code="StateChanged")
            return request_status.moved(current.status, State.NEEDS_HUMAN, fence=self.fence(), outcome=outcome)

        self.requests.write_status(request, change)


def _outcome(why: str, state: State = State.APPROVED) -> Outcome:
    return Outcome(before={}, after={}, error=why[:1000], message=ending.ending(state, why) or None)
