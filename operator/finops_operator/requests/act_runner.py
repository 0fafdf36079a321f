"""Runs the acts under way in a small pool; an act holds a thread for as long as there is something to do, then waits.

Started by the request loop. What an act needs is read again before each run, so that a corrected role or a vote taken
back is seen; an act that has begun goes on to its end while the API server does not answer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.domain.decision import Trigger
from finops.errors import Conflict, FenceLost, FinopsError, InvalidInput, LedgerDiverged, Refused, Unavailable
from finops.ports.act import ActRequest
from finops.ports.clock import Clock
from finops_operator.acts.commands import ActRequests
from finops_operator.acts.progress import ActResult
from finops_operator.background import Background
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.freeze import Freeze
from finops_operator.decisions.decider import Decider
from finops_operator.requests.acts_under_way import ActsUnderWay, ApprovedAct
from finops_operator.requests.waiting import WAITING, WaitingActs
from finops_operator.rules.log_fields import act_fields

logger = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 10.0
_ATTENTION_SECONDS: Final = 60.0
"""Pause between passes over an act that only another program or a person can carry on."""


@dataclass(slots=True)
class ActRunner:
    """Runs acts; see `finops_operator.requests.loop.RequestLoop` for the attributes.

    Attributes:
        stopping: set when the process stops: then nothing new begins.
    """

    cache: ClusterCache
    decider: Decider
    act: Callable[[ActRequest, Callable[[], bool]], ActResult]
    acts: ActRequests
    freeze: Freeze
    clock: Clock
    waiting: WaitingActs
    under_way: ActsUnderWay
    background: Background
    stopping: threading.Event = field(default_factory=threading.Event)

    def start_ready(self, pool: ThreadPoolExecutor) -> None:
        """Start acts whose time has come while threads are free, whether or not their objects still exist."""
        if self.stopping.is_set():
            return
        for one in self.under_way.take_ready():
            pool.submit(self._run_one, one)

    def _run_one(self, one: ApprovedAct) -> None:
        act = one.last
        # After a defect the ledger knows where the act stands, and the next pass goes on.
        retry_after = self.background.attempt(
            "acts",
            "act interrupted",
            partial(self._run_or_wait, one),
            lambda _defect: _RETRY_SECONDS,
            fields=act_fields(act),
        )
        self.under_way.ran(act.uid, one, retry_after)
        self.cache.ring()

    def _run_or_wait(self, one: ApprovedAct) -> float | None:
        """Run an act once, unless the process stops; return the seconds until the next run, None when it ended."""
        if self.stopping.is_set():
            return 0.0
        act = one.last
        try:
            return self._run(one)
        except LedgerDiverged as error:
            self.freeze.freeze(str(error))
            logger.error("frozen: %s", error, extra=act_fields(act))  # noqa: TRY400 - the sentence is the whole story
        except (Conflict, FenceLost, Unavailable) as error:
            # The act's own loop holds at the safest point; the next pass goes on from the ledger.
            logger.info("act goes on later: %s", error, extra=act_fields(act))
        except FinopsError as error:
            logger.warning("act interrupted: %s", error, extra=act_fields(act))
        return _RETRY_SECONDS

    def _run(self, one: ApprovedAct) -> float | None:
        """Run an act once with everything as it is now; return the seconds until the next run, None when it ended."""
        try:
            one.last = self._as_of_now(one)
        except (Unavailable, Refused, InvalidInput) as error:
            return max(_RETRY_SECONDS, self._waits(one, ActResult(None, f"Waiting: {error}")))
        try:
            result = self.act(one.last, self.stopping.is_set)
        except Refused as error:
            # Nothing was done and nothing will be: the plan is not one this program carries out.
            logger.error("act refused: %s", error, extra=act_fields(one.last))  # noqa: TRY400 - as above
            return self._give_up(one, str(error))
        one.begun = one.begun or self.decider.has_begun(one.last.uid)
        if result.retry_after_seconds is None:
            return None
        return max(result.retry_after_seconds, self._waits(one, result))

    def _as_of_now(self, one: ApprovedAct) -> ActRequest:
        """Return the act as policy, account and votes are now; one that has begun goes on while they cannot be read."""
        one.begun = one.begun or self.decider.has_begun(one.last.uid)
        try:
            return self.acts.again(one.last, begun=one.begun)
        except FinopsError as error:
            if not one.begun:
                raise
            logger.info("act goes on as last seen: %s", error, extra=act_fields(one.last))
            return one.last

    def _give_up(self, one: ApprovedAct, why: str) -> float | None:
        """End an act that this program cannot carry out; once something was called, only a person can."""
        request = self._request_of(one.last)
        if not (one.begun and self.decider.has_begun(one.last.uid)):
            if request is not None:
                self.decider.end(request, Trigger.WITHDRAWN, why)
            return None
        if request is not None:
            self.waiting.call_person(request, why)
        return _ATTENTION_SECONDS

    def _request_of(self, act: ActRequest) -> ActionRequest | None:
        request = self.cache.requests.get(act.tenant.namespace, act.name)
        return request if request is not None and request.metadata.uid == act.uid else None

    def _waits(self, one: ApprovedAct, result: ActResult) -> float:
        """Report why an act stands still; return the seconds after which to check again at the earliest."""
        if self.stopping.is_set():
            return 0.0
        act = one.last
        wait = self.waiting.on(act.uid, result.message)
        if wait.is_news:
            logger.info("act waits: %s", result.message, extra=act_fields(act))
        request = self._request_of(act)
        if one.begun or result.state is not None or request is None or request.status.state not in WAITING:
            # It has begun: nothing may slow down its way to the end.
            return 0.0
        self.waiting.show(request, result.message)
        return wait.pause
