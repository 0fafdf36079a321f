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
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.request_status import Outcome
from finops.domain.backoff import Backoff
from finops.domain.decision import TERMINAL, State, Trigger
from finops.domain.execution import Stop, StopKind
from finops.domain.transitions import next_state
from finops.errors import Conflict, FenceLost, FinopsError, InvalidInput, LedgerDiverged, Refused, Unavailable
from finops.ports.act import ActRequest, Gate
from finops.ports.clock import Clock
from finops_operator.acts.commands import ActRequests
from finops_operator.acts.progress import ActResult
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.freeze import Freeze
from finops_operator.cluster.objects import Objects
from finops_operator.decisions.decider import Decider
from finops_operator.rules import ending, request_status
from finops_operator.rules.votes import request_reference
from finops_operator.telemetry import Telemetry

logger = logging.getLogger(__name__)
ACTS_AT_ONCE: Final = 8
_BEGINNING_AT_ONCE: Final = ACTS_AT_ONCE - 2
"""Acts that have called nothing yet leave room for those that have to reach their end."""
_RETRY_SECONDS: Final = 10.0
_ATTENTION_SECONDS: Final = 60.0
"""Pause between passes over an act that only another program or a person can carry on."""
_LONGEST_PAUSE: Final = 6
"""In polls: half a minute by default."""
_WAITING: Final = frozenset({State.APPROVED, State.SCHEDULED, State.EXECUTING})
"""States whose status says why the act has not begun; Executing is one while the ledger has no first call."""


@dataclass(frozen=True, slots=True)
class _Wait:
    """Why an approved act waits and when the gate is asked again (monotonic): each answer costs a dozen reads."""

    why: str
    times: int
    pause: float
    again: float
    is_news: bool


@dataclass(slots=True)
class _Unfinished:
    """An act that was approved and has not ended; it goes on when its object is gone.

    Attributes:
        last: as it was when last seen; the reserve for what no longer exists.
        at: monotonic time of the next pass.
        begun: whether it has come to its first changing call.
    """

    last: ActRequest
    at: float
    begun: bool


@dataclass(slots=True)
class RequestLoop:
    """Owns every open request from its first pass to its end.

    Attributes:
        act: runs one approved request to a safe end or as far as it can now; idempotent.
        acts: makes what `act` takes from the objects as they are now.
        may_write: whether this process holds the lease.
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
    _running: set[str] = field(default_factory=set)
    _waiting: dict[str, _Wait] = field(default_factory=dict)
    """Why approved acts wait, by uid."""
    _unfinished: dict[str, _Unfinished] = field(default_factory=dict)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, stop: threading.Event) -> None:
        """Loop until `stop` is set; then nothing new begins, and acts under way come to their next safe point."""
        self._stopping, seen = stop, 0
        pool = ThreadPoolExecutor(ACTS_AT_ONCE, thread_name_prefix="act")
        try:
            while not stop.is_set():
                begun = self.clock.monotonic()
                if self.may_write():
                    self._start_ready(pool)
                    self._refresh_all(pool)
                seen = self.cache.wait(seen, self._pause(begun))
        finally:
            pool.shutdown(cancel_futures=True)

    def _pause(self, refreshed_at: float) -> float:
        """Return the seconds to sleep when nothing happens: until the poll, or until an act's time comes.

        An act whose time had come and that found no thread is woken by the end of another one's run.
        """
        with self._lock:
            times = [one.at for one in self._unfinished.values() if one.at > refreshed_at]
        return min([self.poll_seconds, *(max(0.0, at - self.clock.monotonic()) for at in times)])

    def _refresh_all(self, pool: ThreadPoolExecutor) -> None:
        unread = self.decider.see_all()
        if None in unread:
            return
        states: Counter[str] = Counter()
        for request in self.cache.requests.all():
            if self._stopping.is_set():
                return
            states[(request.status.state or State.PENDING).value] += 1
            if request.metadata.namespace in unread:
                continue
            try:
                if self._is_under_way(request):
                    self._process_votes(request)
                else:
                    self._refresh(request, pool)
            except LedgerDiverged as error:
                self.freeze.freeze(str(error))
                logger.error("frozen: %s", error)  # noqa: TRY400 - the sentence is the whole story
                return
            except FenceLost as error:
                # The lease is with another process: it decides now. Losing it unasked is a warning of the lease's own.
                logger.info("stopped deciding: %s", error)
                return
            except (Conflict, Unavailable) as error:
                logger.info("request is checked again later: %s", error, extra={"request": request.metadata.name})
            except FinopsError as error:
                self._leave(request, error)
            except Exception:  # the edge of the loop: one request's defect must not stop the others
                logger.exception("request left as it is", extra={"request": request_reference(request)})
        for state in State:
            self.telemetry.open_requests.labels(state.value).set(states[state.value])

    def _leave(self, request: ActionRequest, error: FinopsError) -> None:
        logger.warning("request left as it is: %s", error, extra={"request": request.metadata.name})
        if isinstance(error, InvalidInput):
            # A vote that this version cannot read, say: a person has to know.
            self._show_waiting(request, f"Waiting: {error}")

    def adopt(self, acts: Iterable[ActRequest]) -> None:
        """Take over acts that the ledger says were started and not ended; called when the lease is acquired.

        Raises:
            LedgerUnavailable, LedgerDiverged: some were not taken over.
        """
        for act in acts:
            self._keep((act,), begun=self.decider.has_begun(act.uid))

    def _keep(self, acts: Iterable[ActRequest], *, begun: bool) -> None:
        with self._lock:
            for act in acts:
                self._unfinished.setdefault(act.uid, _Unfinished(act, self.clock.monotonic(), begun))

    def _start_ready(self, pool: ThreadPoolExecutor) -> None:
        """Start unfinished acts whose time has come while threads are free, whether or not their objects still exist.

        Those on their way to an end go first, then whoever waits longest.
        """
        now = self.clock.monotonic()
        with self._lock:
            if self._stopping.is_set():
                return
            waiting = [
                (uid, one) for uid, one in self._unfinished.items() if one.at <= now and uid not in self._running
            ]
            for uid, one in sorted(waiting, key=lambda pair: (not pair[1].begun, pair[1].at)):
                if len(self._running) < (ACTS_AT_ONCE if one.begun else _BEGINNING_AT_ONCE):
                    self._running.add(uid)
                    pool.submit(self._run_one, one)

    def _is_under_way(self, request: ActionRequest) -> bool:
        uid = request.metadata.uid or ""
        with self._lock:
            return uid in self._running or uid in self._unfinished

    def _process_votes(self, request: ActionRequest) -> None:
        """Answer votes on an act that runs or waits for its turn; one that counts makes it check again at once."""
        uid = request.metadata.uid or ""
        if self.decider.judge_votes(request):
            with self._lock:
                if uid in self._unfinished:
                    self._unfinished[uid].at = 0.0

    def _refresh(self, request: ActionRequest, pool: ThreadPoolExecutor) -> None:
        uid = request.metadata.uid or ""
        request = self.decider.advance(request)
        state = request.status.state
        if state is None or state in TERMINAL or state is State.PENDING:
            self._waiting.pop(uid, None)
            return
        if state is State.APPROVED:
            admitted = self._admit(request)
            if admitted is None:
                return
            request = admitted
        self._start(request, pool)

    def _admit(self, request: ActionRequest) -> ActionRequest | None:
        """Approved → Scheduled when nothing stands in the way; else say once why it waits, or end it."""
        waiting = self._waiting.get(request.metadata.uid or "")
        if waiting is not None and self.clock.monotonic() < waiting.again:
            return None
        act = self._act_of(request)
        if act is None:
            return None
        stop = self.gate.may_start(act)
        if stop is not None:
            self._stopped(request, stop)
            return None
        now = self.clock.now().replace(microsecond=0)
        return self._move(request, State.APPROVED, Trigger.ADMITTED, scheduled_for=now, outcome=None)

    def _act_of(self, request: ActionRequest) -> ActRequest | None:
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
            self._call_person(request, f"The act has begun and AwsAccount {name} is gone: create it again.")
        else:
            self._stopped(request, Stop(StopKind.WITHDRAWN, "AccountGone", f"Account {name} is no longer the same."))
        return None

    def _call_person(self, request: ActionRequest, why: str) -> None:
        """Show that an act which has begun cannot go on by itself."""
        state, outcome = request.status.state, _outcome(why, State.NEEDS_HUMAN)
        if state in TERMINAL or (state is State.NEEDS_HUMAN and request.status.outcome == outcome):
            return
        logger.error("act cannot go on: %s", why, extra={"request": request_reference(request)})

        def change(current: ActionRequest) -> dict[str, object]:
            if current.status.state is not state:
                raise Conflict("the request has moved on", code="StateChanged")
            return request_status.moved(current.status, State.NEEDS_HUMAN, fence=self.fence(), outcome=outcome)

        self.requests.write_status(request, change)

    def _stopped(self, request: ActionRequest, stop: Stop) -> None:
        uid = request.metadata.uid or ""
        if stop.kind is not StopKind.HOLD:
            trigger = Trigger.EXPIRED if stop.kind is StopKind.EXPIRED else Trigger.WITHDRAWN
            self.decider.end(request, trigger, stop.message)
            return
        if self._waits_on(uid, stop.code).is_news:
            logger.info("act waits: %s", stop.message, extra={"request": request_reference(request)})
            self._show_waiting(request, stop.message)

    def _waits_on(self, uid: str, why: str) -> _Wait:
        """Remember why an act waits; the longer it is for the same reason, the rarer it is asked again."""
        before = self._waiting.get(uid)
        times = before.times + 1 if before is not None and before.why == why else 1
        pause = Backoff(self.poll_seconds, self.poll_seconds * _LONGEST_PAUSE).pause(times)
        wait = _Wait(why, times, pause, self.clock.monotonic() + pause, is_news=times == 1)
        self._waiting[uid] = wait
        return wait

    def _show_waiting(self, request: ActionRequest, message: str) -> None:
        """Say in the status why an approved act has not begun; a picture only, gone when the act begins."""
        expected = request.status.state
        waiting = _outcome(message)
        if expected is None or expected not in _WAITING or request.status.outcome == waiting:
            return

        def change(current: ActionRequest) -> dict[str, object]:
            if current.status.state is not expected:
                raise Conflict("the request has moved on", code="StateChanged")
            return request_status.moved(current.status, expected, fence=self.fence(), outcome=waiting)

        try:
            self.requests.write_status(request, change)
        except FinopsError as error:
            logger.info("why an act waits is not shown: %s", error, extra={"request": request_reference(request)})

    def _move(self, request: ActionRequest, expected: State, trigger: Trigger, **update: object) -> ActionRequest:
        def change(current: ActionRequest) -> dict[str, object]:
            if current.status.state is not expected:
                raise Conflict("the request has moved on", code="StateChanged")
            return request_status.moved(current.status, next_state(expected, trigger), fence=self.fence(), **update)

        return self.requests.write_status(request, change)

    def _start(self, request: ActionRequest, pool: ThreadPoolExecutor) -> None:
        act = self._act_of(request)
        if act is None:
            return
        self._waiting.pop(act.uid, None)
        self._keep((act,), begun=False)
        self._start_ready(pool)

    def _run_one(self, one: _Unfinished) -> None:
        act, retry_after = one.last, 0.0 if self._stopping.is_set() else None
        try:
            if retry_after is None:
                retry_after = self._run(one)
        except LedgerDiverged as error:
            self.freeze.freeze(str(error))
            logger.error("frozen: %s", error, extra={"request": act.ledger_name})  # noqa: TRY400 - as above
            retry_after = _RETRY_SECONDS
        except (Conflict, FenceLost, Unavailable) as error:
            # The act's own loop holds at the safest point; the next pass goes on from the ledger.
            logger.info("act goes on later: %s", error, extra={"request": act.ledger_name})
            retry_after = _RETRY_SECONDS
        except FinopsError as error:
            logger.warning("act interrupted: %s", error, extra={"request": act.ledger_name})
            retry_after = _RETRY_SECONDS
        except Exception:  # the edge of an act's thread: the ledger knows where it stands, the next pass goes on
            logger.exception("act interrupted", extra={"request": act.ledger_name})
            retry_after = _RETRY_SECONDS
        finally:
            with self._lock:
                self._running.discard(act.uid)
                if retry_after is None:
                    self._unfinished.pop(act.uid, None)
                else:
                    one.at = self.clock.monotonic() + retry_after
            self.cache.ring()

    def _run(self, one: _Unfinished) -> float | None:
        """Run an act once with everything as it is now; return the seconds until the next run, None when it ended."""
        try:
            one.last = self._as_of_now(one)
        except (Unavailable, Refused, InvalidInput) as error:
            return max(_RETRY_SECONDS, self._waits(one, ActResult(None, f"Waiting: {error}")))
        try:
            result = self.act(one.last, self._stopping.is_set)
        except Refused as error:
            # Nothing was done and nothing will be: the plan is not one this program carries out.
            logger.error("act refused: %s", error, extra={"request": one.last.ledger_name})  # noqa: TRY400 - as above
            return self._give_up(one, str(error))
        one.begun = one.begun or self.decider.has_begun(one.last.uid)
        if result.retry_after_seconds is None:
            return None
        return max(result.retry_after_seconds, self._waits(one, result))

    def _as_of_now(self, one: _Unfinished) -> ActRequest:
        """Return the act as policy, account and votes are now; one that has begun goes on while they cannot be read."""
        one.begun = one.begun or self.decider.has_begun(one.last.uid)
        try:
            return self.acts.again(one.last, begun=one.begun)
        except FinopsError as error:
            if not one.begun:
                raise
            logger.info("act goes on as last seen: %s", error, extra={"request": one.last.ledger_name})
            return one.last

    def _give_up(self, one: _Unfinished, why: str) -> float | None:
        """End an act that this program cannot carry out; once something was called, only a person can."""
        request = self._request_of(one.last)
        if not (one.begun and self.decider.has_begun(one.last.uid)):
            if request is not None:
                self.decider.end(request, Trigger.WITHDRAWN, why)
            return None
        if request is not None:
            self._call_person(request, why)
        return _ATTENTION_SECONDS

    def _request_of(self, act: ActRequest) -> ActionRequest | None:
        request = self.cache.requests.get(act.tenant.namespace, act.name)
        return request if request is not None and request.metadata.uid == act.uid else None

    def _waits(self, one: _Unfinished, result: ActResult) -> float:
        """Report why an act stands still; return the seconds after which to check again at the earliest."""
        if self._stopping.is_set():
            return 0.0
        act = one.last
        wait = self._waits_on(act.uid, result.message)
        if wait.is_news:
            logger.info("act waits: %s", result.message, extra={"request": act.ledger_name})
        request = self._request_of(act)
        if one.begun or result.state is not None or request is None or request.status.state not in _WAITING:
            # It has begun: nothing may slow down its way to the end.
            return 0.0
        self._show_waiting(request, result.message)
        return wait.pause


def _outcome(why: str, state: State = State.APPROVED) -> Outcome:
    return Outcome(before={}, after={}, error=why[:1000], message=ending.ending(state, why) or None)
