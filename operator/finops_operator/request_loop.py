"""One loop over all ActionRequests: votes are judged, decisions made, approved acts handed to the executor.

Level triggered and single: it wakes on every event and every few seconds, looks at each open request, and does the one
next thing. Acts run in a small pool, one thread each, because they wait on AWS for minutes.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from finops.domain.decision import TERMINAL, State, Trigger, next_state
from finops.domain.execution import Stop, StopKind
from finops.errors import Conflict, FenceLost, FinopsError, LedgerDiverged, Refused, Unavailable
from finops.kinds.action_request import ActionRequest
from finops.kinds.aws_account import AwsAccount
from finops.kinds.request_status import Outcome
from finops.kinds.scan_policy import ScanPolicy
from finops.ports.act import ActRequest, Gate, Limits
from finops.ports.aws_access import AccountAccess, Tenant
from finops.ports.clock import Clock
from finops_operator.acting.progress import ActResult
from finops_operator.deciding import Decider
from finops_operator.freeze import Freeze
from finops_operator.objects import Objects
from finops_operator.stages import request_status
from finops_operator.telemetry import Telemetry
from finops_operator.votes import request_reference
from finops_operator.world import World

logger = logging.getLogger(__name__)
ACTS_AT_ONCE: Final = 8
_RETRY_SECONDS: Final = 10.0
_LONGEST_PAUSE: Final = 6
"""In polls: half a minute by default."""
_WAITING: Final = frozenset({State.APPROVED, State.SCHEDULED})


@dataclass(frozen=True, slots=True)
class _Wait:
    """Why an approved act waits and when the gate is asked again (monotonic): each answer costs a dozen reads."""

    why: str
    pause: float
    again: float
    is_news: bool


@dataclass(slots=True)
class RequestLoop:
    """Owns every open request from its first look to its end.

    Attributes:
        act: runs one approved request to a safe end or as far as it can now; idempotent.
        fleet: number of resources of the policy's last scan, for the cap by share of the fleet.
        may_write: whether this process holds the lease.
    """

    world: World
    requests: Objects[ActionRequest]
    decider: Decider
    gate: Gate
    act: Callable[[ActRequest, Callable[[], bool]], ActResult]
    access: Callable[[AwsAccount], AccountAccess]
    fleet: Callable[[ScanPolicy, str], int]
    freeze: Freeze
    telemetry: Telemetry
    clock: Clock
    may_write: Callable[[], bool]
    fence: Callable[[], int]
    poll_seconds: float
    _running: set[str] = field(default_factory=set)
    _waiting: dict[str, _Wait] = field(default_factory=dict)
    """Why approved acts wait, by uid."""
    _unfinished: dict[str, tuple[ActRequest, float]] = field(default_factory=dict)
    """Acts begun and not ended, with the monotonic time of the next look: they go on when their object is gone."""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, stop: threading.Event) -> None:
        """Loop until `stop` is set; then wait for acts to reach their next safe point."""
        seen = 0
        with ThreadPoolExecutor(ACTS_AT_ONCE, thread_name_prefix="act") as pool:
            while not stop.is_set():
                if self.may_write():
                    self._look_at_all(pool)
                    self._go_on(pool)
                seen = self.world.wait(seen, self.poll_seconds)
            self._stopping.set()

    def _look_at_all(self, pool: ThreadPoolExecutor) -> None:
        states: Counter[str] = Counter()
        for request in self.world.requests.all():
            states[(request.status.state or State.PENDING).value] += 1
            try:
                if self._is_under_way(request):
                    self._hear(request)
                else:
                    self._look(request, pool)
            except LedgerDiverged as error:
                self.freeze.freeze(str(error))
                logger.error("frozen: %s", error)  # noqa: TRY400 - the sentence is the whole story
                return
            except FenceLost as error:
                logger.warning("stopped deciding: %s", error)
                return
            except (Conflict, Unavailable) as error:
                logger.info("request looked at again later: %s", error, extra={"request": request.metadata.name})
            except FinopsError as error:
                logger.warning("request left as it is: %s", error, extra={"request": request.metadata.name})
            except Exception:  # the edge of the loop: one request's defect must not stop the others
                logger.exception("request left as it is", extra={"request": request_reference(request)})
        for state in State:
            self.telemetry.open_requests.labels(state.value).set(states[state.value])

    def adopt(self, acts: Iterable[ActRequest]) -> None:
        """Take over acts that the ledger says were begun and not ended; called when the lease is acquired."""
        with self._lock:
            for act in acts:
                self._unfinished.setdefault(act.uid, (act, 0.0))

    def _go_on(self, pool: ThreadPoolExecutor) -> None:
        """Start every unfinished act whose time has come, whether or not its object still exists."""
        now = self.clock.monotonic()
        with self._lock:
            due = [act for act, at in self._unfinished.values() if at <= now and act.uid not in self._running]
            self._running.update(act.uid for act in due)
        for act in due:
            pool.submit(self._run_one, act)

    def _is_under_way(self, request: ActionRequest) -> bool:
        uid = request.metadata.uid or ""
        with self._lock:
            return uid in self._running or uid in self._unfinished

    def _hear(self, request: ActionRequest) -> None:
        """Answer votes on an act that runs or waits for its turn; one that counts makes it look again at once."""
        uid = request.metadata.uid or ""
        if self.decider.hear(request):
            with self._lock:
                if uid in self._unfinished:
                    self._unfinished[uid] = (self._unfinished[uid][0], 0.0)

    def _look(self, request: ActionRequest, pool: ThreadPoolExecutor) -> None:
        uid = request.metadata.uid or ""
        request = self.decider.look(request)
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
        act = self.act_request(request)
        if act is None:
            return None
        stop = self.gate.may_start(act)
        if stop is not None:
            self._stopped(request, stop)
            return None
        now = self.clock.now().replace(microsecond=0)
        return self._move(request, State.APPROVED, Trigger.ADMITTED, scheduled_for=now, outcome=None)

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
        longest = self.poll_seconds * _LONGEST_PAUSE
        same = before is not None and before.why == why
        pause = min(longest, before.pause * 2) if before is not None and same else self.poll_seconds
        wait = _Wait(why, pause, self.clock.monotonic() + pause, is_news=not same)
        self._waiting[uid] = wait
        return wait

    def _show_waiting(self, request: ActionRequest, message: str) -> None:
        """Say in the status why an approved act has not begun; a picture only, gone when the act begins."""
        expected = request.status.state
        waiting = Outcome(before={}, after={}, error=message[:1000])
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
        act = self.act_request(request)
        if act is None:
            return
        self._waiting.pop(act.uid, None)
        self.adopt((act,))
        self._go_on(pool)

    def _run_one(self, act: ActRequest) -> None:
        retry_after: float | None = _RETRY_SECONDS
        try:
            act = self._as_of_now(act)
            result = self.act(act, self._stopping.is_set)
            retry_after = result.retry_after_seconds
            if retry_after is not None:
                retry_after = max(retry_after, self._waits(act, result))
        except LedgerDiverged as error:
            self.freeze.freeze(str(error))
            logger.error("frozen: %s", error, extra={"request": act.ledger_name})  # noqa: TRY400 - as above
        except Refused as error:
            # Nothing was done and nothing will be: the plan is not one this program carries out.
            logger.error("act refused: %s", error, extra={"request": act.ledger_name})  # noqa: TRY400 - as above
        except FinopsError as error:
            # The act's own loop holds at the safest point; the next look goes on from the ledger.
            logger.warning("act interrupted: %s", error, extra={"request": act.ledger_name})
        except Exception:  # the edge of an act's thread: the ledger knows where it stands, the next look goes on
            logger.exception("act interrupted", extra={"request": act.ledger_name})
        finally:
            with self._lock:
                self._running.discard(act.uid)
                if retry_after is None:
                    self._unfinished.pop(act.uid, None)
                else:
                    self._unfinished[act.uid] = (act, self.clock.monotonic() + retry_after)
            self.world.ring()

    def _as_of_now(self, act: ActRequest) -> ActRequest:
        """Return an act that has not begun with the policy's limits and the account's roles as they are now."""
        request = self._request_of(act)
        if request is None or request.status.state is not State.SCHEDULED:
            return act
        return self.act_request(request) or act

    def _request_of(self, act: ActRequest) -> ActionRequest | None:
        request = self.world.requests.get(act.tenant.namespace, act.name)
        return request if request is not None and request.metadata.uid == act.uid else None

    def _waits(self, act: ActRequest, result: ActResult) -> float:
        """Tell why an act stands still; return the seconds after which to look again at the earliest."""
        if self._stopping.is_set():
            return 0.0
        wait = self._waits_on(act.uid, result.message)
        if wait.is_news:
            logger.info("act waits: %s", result.message, extra={"request": act.ledger_name})
        request = self._request_of(act)
        if result.state is not None or request is None or request.status.state not in _WAITING:
            # It has begun: nothing may slow down its way to the end.
            return 0.0
        self._show_waiting(request, result.message)
        return wait.pause

    def act_request(self, request: ActionRequest) -> ActRequest | None:
        """Return the request as the executor takes it; None when its account or policy is not known (yet)."""
        spec, metadata = request.spec, request.metadata
        namespace = metadata.namespace or ""
        account = self.world.accounts.get("", spec.account)
        if account is None:
            logger.warning("account %s is unknown", spec.account, extra={"request": request_reference(request)})
            return None
        policy = self.world.policies.get(namespace, spec.policy)
        limits = policy.spec.actions.limits if policy is not None else None
        protect = policy.spec.actions.protect_tags if policy is not None else {}
        approvals = self.decider.counted_approvals(request)
        return ActRequest(
            uid=metadata.uid or "",
            name=metadata.name,
            tenant=Tenant(namespace=namespace, policy=spec.policy),
            access=self.access(account),
            plan=spec.to_plan(),
            plan_hash=spec.plan_hash,
            deciders=tuple(vote.voter.handle for vote in reversed(approvals)),
            dry_run=spec.dry_run,
            estimate={
                "currentMonthlyCost": f"{spec.estimate.current_monthly_cost}",
                "newMonthlyCost": f"{spec.estimate.new_monthly_cost}",
                "monthlySavings": f"{spec.estimate.monthly_savings}",
                "currency": spec.estimate.currency,
            },
            limits=Limits(
                per_hour=limits.per_hour if limits is not None else 1,
                per_day=limits.per_day if limits is not None else 1,
                percent_of_fleet=limits.percent_of_fleet if limits is not None else 1,
                fleet=self.fleet(policy, spec.resource.kind) if policy is not None else 0,
            ),
            protect_tags=protect,
        )
