"""One loop over all ActionRequests: votes are judged, decisions made, approved acts handed to the executor.

Level triggered and single: it wakes on every event and every few seconds, goes through each open request, and does the
one next thing. Acts run in a small pool, a thread for as long as there is something to do: whoever waits gives it back.
Nothing of an act is remembered but its name and what was approved; the rest is read again before each run.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from finops.crds.action_request import ActionRequest
from finops.domain.decision import BEFORE_ACT, TERMINAL, State
from finops.errors import Conflict, FenceLost, FinopsError, InvalidInput, LedgerDiverged, Unavailable
from finops.ports.act import ActRequest, Gate
from finops.ports.clock import Clock
from finops_operator.acts.commands import ActRequests
from finops_operator.acts.progress import ActResult
from finops_operator.background import Background
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.decider import Decider
from finops_operator.requests.act_runner import ActRunner
from finops_operator.requests.acts_under_way import ACTS_AT_ONCE, ActsUnderWay
from finops_operator.requests.admission import Admission
from finops_operator.requests.undoing import Undoing
from finops_operator.requests.waiting import WaitingActs
from finops_operator.rules.log_fields import request_fields
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Parts:
    """What it is put together from, once it has all that it was given."""

    waiting: WaitingActs = field(init=False)
    admission: Admission = field(init=False)
    under_way: ActsUnderWay = field(init=False)
    runner: ActRunner = field(init=False)
    background: Background = field(init=False)


@dataclass(frozen=True, slots=True)
class RequestLoop:
    """Owns every open request from its first pass to its end.

    Attributes:
        act: runs one approved request to a safe end or as far as it can now; idempotent.
        acts: makes what `act` takes from the objects as they are now.
        may_write: whether this process holds the lease.
        held_back: why it may not write although it holds the lease, empty when it may or does not hold it.
        undoing: answers those who ask to undo an act that has ended.
    """

    cache: ClusterCache
    requests: Objects[ActionRequest]
    decider: Decider
    gate: Gate
    act: Callable[[ActRequest, Callable[[], bool]], ActResult]
    acts: ActRequests
    freeze: Freeze
    telemetry: Telemetry
    clock: Clock
    may_write: Callable[[], bool]
    fence: Callable[[], int]
    poll_seconds: float
    undoing: Undoing
    held_back: Callable[[], str] = lambda: ""
    _parts: _Parts = field(default_factory=_Parts, init=False)

    def __post_init__(self) -> None:
        waiting = WaitingActs(self.requests, self.clock, self.fence, self.poll_seconds)
        admission = Admission(self.requests, self.decider, self.gate, self.acts, self.clock, self.fence, waiting)
        under_way = ActsUnderWay(self.clock)
        background = Background(self.telemetry, self.clock)
        runner = ActRunner(
            self.cache, self.decider, self.act, self.acts, self.freeze, self.clock, waiting, under_way, background
        )
        self._parts.waiting = waiting
        self._parts.admission = admission
        self._parts.under_way = under_way
        self._parts.runner = runner
        self._parts.background = background

    def run(self, stop: threading.Event) -> None:
        """Loop until `stop` is set; then nothing new begins, and acts under way come to their next safe point."""
        self._parts.runner.stopping, seen = stop, 0
        pool = ThreadPoolExecutor(ACTS_AT_ONCE, thread_name_prefix="act")
        try:
            while not stop.is_set():
                begun = self.clock.monotonic()
                self._pass(pool)
                seen = self.cache.wait(seen, self._pause(begun))
        finally:
            pool.shutdown(cancel_futures=True)
            self.undoing.close()

    def _pass(self, pool: ThreadPoolExecutor) -> None:
        if self.may_write():
            self._parts.runner.start_ready(pool)
            self._refresh_all(pool)
        why = self.held_back()
        if why:
            self._say_undecided(self.cache.requests.all(), why)

    def _pause(self, refreshed_at: float) -> float:
        """Return the seconds to sleep when nothing happens: until the poll, or until an act's time comes.

        An act whose time had come and that found no thread is woken by the end of another one's run.
        """
        times = self._parts.under_way.times_after(refreshed_at)
        return min([self.poll_seconds, *(max(0.0, at - self.clock.monotonic()) for at in times)])

    def _refresh_all(self, pool: ThreadPoolExecutor) -> None:
        unread = self.decider.see_all()
        if None in unread:
            self._say_undecided(self.cache.requests.all(), _undecided(self.decider))
            return
        states: Counter[str] = Counter()
        for request in self.cache.requests.all():
            if self._parts.runner.stopping.is_set():
                return
            states[(request.status.state or State.PENDING).value] += 1
            if request.metadata.namespace in unread:
                self._say_undecided((request,), _undecided(self.decider))
                continue
            if not self._go_through(request, pool):
                return
        for state in State:
            self.telemetry.open_requests.labels(state.value).set(states[state.value])

    def _say_undecided(self, requests: Iterable[ActionRequest], why: str) -> None:
        """Say on requests that have not begun why nothing is decided about them now."""
        for request in requests:
            if request.status.state in BEFORE_ACT and not self._parts.waiting.show(request, f"Waiting: {why}"):
                # The API server that does not answer would hold up the pass once for each of them.
                return

    def _go_through(self, request: ActionRequest, pool: ThreadPoolExecutor) -> bool:
        """Do the next thing about a request; return whether the pass may go on to the others."""
        uid = request.metadata.uid or ""
        return self._parts.background.rests("requests", uid) or self._parts.background.attempt(
            "requests",
            "request left as it is",
            partial(self._do_next, request, pool),
            lambda _defect: True,
            about=uid,
            fields=request_fields(request),
        )

    def _do_next(self, request: ActionRequest, pool: ThreadPoolExecutor) -> bool:
        try:
            if self._parts.under_way.has(request.metadata.uid or ""):
                self._process_votes(request)
            else:
                self._refresh(request, pool)
        except LedgerDiverged as error:
            self.freeze.freeze(str(error))
            logger.error("frozen: %s", error)  # noqa: TRY400 - the sentence is the whole story
            return False
        except FenceLost as error:
            # The lease is with another process: it decides now. Losing it unasked is a warning of the lease's own.
            logger.info("stopped deciding: %s", error)
            return False
        except (Conflict, Unavailable) as error:
            logger.info("request is checked again later: %s", error, extra=request_fields(request))
        except FinopsError as error:
            self._leave(request, error)
        return True

    def _leave(self, request: ActionRequest, error: FinopsError) -> None:
        logger.warning("request left as it is: %s", error, extra=request_fields(request))
        if isinstance(error, InvalidInput):
            # A vote that this version cannot read, say: a person has to know.
            self._parts.waiting.show(request, f"Waiting: {error}")

    def adopt(self, acts: Iterable[ActRequest]) -> None:
        """Take over acts that the ledger says were started and not ended; called when the lease is acquired.

        Raises:
            LedgerUnavailable, LedgerDiverged: some were not taken over.
        """
        for act in acts:
            self._parts.under_way.keep((act,), begun=self.decider.has_begun(act.uid))

    def under_way(self) -> tuple[ActRequest, ...]:
        """Return the acts that may have come to their first changing call and have not ended, as last seen."""
        return self._parts.under_way.begun()

    def _process_votes(self, request: ActionRequest) -> None:
        """Answer votes on an act that runs or waits for its turn; one that counts makes it check again at once."""
        uid = request.metadata.uid or ""
        if self.decider.judge_votes(request):
            self._parts.under_way.wake(uid)

    def _refresh(self, request: ActionRequest, pool: ThreadPoolExecutor) -> None:
        uid = request.metadata.uid or ""
        request = self.decider.advance(request)
        state = request.status.state
        if state is None or state in TERMINAL or state is State.PENDING:
            self._parts.waiting.forget(uid)
            if state in TERMINAL:
                self.undoing.follow(request)
            return
        if state is State.APPROVED:
            admitted = self._parts.admission.admit(request)
            if admitted is None:
                return
            request = admitted
        self._start(request, pool)

    def _start(self, request: ActionRequest, pool: ThreadPoolExecutor) -> None:
        act = self._parts.admission.act_of(request)
        if act is None:
            return
        self._parts.waiting.forget(act.uid)
        self._parts.under_way.keep((act,), begun=False)
        self._parts.runner.start_ready(pool)


def _undecided(decider: Decider) -> str:
    """Return why nothing can be decided where `see_all` says so."""
    return decider.protection.problem() or "the votes cannot be read from the API server"
