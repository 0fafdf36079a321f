"""Carries out one approved request: observe, decide the one next move, write it down, do it, again.

Called by the operator's worker with an ActRequest, once per pass; `run` returns when the act has ended, when it must
wait, or when the process is asked to stop: a thread is held by moves, never by waiting. Nothing that matters is
remembered between runs but the ledger: calling `run` again, in this process or the next, continues. Which move is next
is decided by `finops.domain.next_move`, this module only does it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from finops.domain.audit import RecordKind
from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Ended,
    Finish,
    Hold,
    Journal,
    Move,
    NeedsHuman,
    Observation,
    Settle,
    Stop,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, is_point_of_no_return, is_undecided, next_move, next_move_back
from finops.errors import (
    AwsError,
    Conflict,
    FenceLost,
    FinopsError,
    InvalidInput,
    LedgerDiverged,
    Refused,
    StoreUnsafe,
    Unavailable,
)
from finops.ports.act import ActCaps, ActRequest, Gate, LeaseGuard, RealizedSavings, RequestJournal
from finops.ports.aws_steps import ExecutorSessions
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.acts.announced_calls import AnnouncedCalls
from finops_operator.acts.conclusion import Conclusion
from finops_operator.acts.journal import (
    COMPENSATING,
    journal_of,
    settled_detail,
)
from finops_operator.acts.memory import Act, Memory, instant
from finops_operator.acts.plans import with_plan
from finops_operator.acts.progress import ActResult, ActSettings, verified_detail
from finops_operator.acts.trail import Trail
from finops_operator.killpoint import killpoint
from finops_operator.plugins.action import Action, PolicyFacts, Target
from finops_operator.rules.log_fields import act_fields

logger = logging.getLogger(__name__)
_RETRYABLE: Final = (Unavailable, AwsError, StoreUnsafe, Conflict, Refused, InvalidInput)
"""What may pass by itself or by a person's hand; the act waits where it stands."""


@dataclass(slots=True)
class _Parts:
    """What it is put together from, once it has all that it was given."""

    trail: Trail = field(init=False)
    calls: AnnouncedCalls = field(init=False)
    conclusion: Conclusion = field(init=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """The worker. Thread-safe for different requests; one request must run in one thread at a time.

    Attributes:
        actions: id → Action, from the registry.
        sessions, ledger, gate, lease, status, caps, savings, clock: see their ports.
        passage: called with the name of each boundary (`finops_operator.killpoint`).
        memory: keeps the status from being written the same at every run.
    """

    actions: Mapping[str, Action]
    sessions: ExecutorSessions
    ledger: Ledger
    gate: Gate
    lease: LeaseGuard
    status: RequestJournal
    caps: ActCaps
    savings: RealizedSavings
    clock: Clock
    settings: ActSettings = field(default_factory=ActSettings)
    passage: Callable[[str], None] = killpoint
    memory: Memory = field(default_factory=Memory)
    _parts: _Parts = field(default_factory=_Parts, init=False)

    def __post_init__(self) -> None:
        trail = Trail(self.ledger, self.status, self.lease, self.passage)
        calls = AnnouncedCalls(self.sessions, self.ledger, self.gate, self.lease, self.settings, self.passage, trail)
        conclusion = Conclusion(self.ledger, self.status, self.caps, self.savings, self.settings, self.passage, trail)
        self._parts.trail = trail
        self._parts.calls = calls
        self._parts.conclusion = conclusion

    def run(self, request: ActRequest, stopping: Callable[[], bool] = lambda: False) -> ActResult:
        """Carry the act on as far as it goes now.

        Raises:
            Refused: the plan is not the one that was approved, or no such action exists: nothing was done.
            LedgerDiverged: the act stands still until a person has checked it; all others have to as well.
            LedgerUnavailable: this version plans the act differently, and how far it has come is not known.
        """
        action = self.actions.get(request.plan.action)
        if action is None:
            raise Refused(f"there is no action {request.plan.action!r}", code="UnknownAction")
        act = self.memory.recall(with_plan(action, request, self.ledger), action)
        result: ActResult | None = None
        while result is None:
            if stopping():
                result = ActResult(None, "handed over: the process stops", self.settings.retry_seconds)
            else:
                result = self._try_move(act)
        if result.retry_after_seconds is None or not act.begun:
            self.memory.forget(request.uid)
        return result

    def _try_move(self, act: Act) -> ActResult | None:
        """Make one move; None means go on at once."""
        try:
            self.lease.check()
            try:
                return self._move(act)
            except _RETRYABLE as error:
                return self._wait_for_answer(act, error)
            except LedgerDiverged as error:
                self._wait_for_answer(act, error)
                raise
        except FenceLost as error:
            # Whoever holds the lease now may show something else.
            self.memory.forget(act.request.uid)
            return ActResult(None, error.message, self.settings.retry_seconds)

    def _wait_for_answer(self, act: Act, error: FinopsError) -> ActResult:
        # With something changed: hold here, call a person, and go on as soon as the part that does not answer is back.
        state, word = (State.NEEDS_HUMAN, "Holding") if act.called else (State.EXECUTING, "Waiting")
        if not act.called:
            self._make_room(act)
        self._parts.trail.report(act, replace(self._parts.trail.base(act), state=state, message=f"{word}: {error}"))
        return ActResult(None, f"{word}: {error}", self.settings.retry_seconds)

    def _move(self, act: Act) -> ActResult | None:
        records = self.ledger.of_request(act.request.uid)
        journal = journal_of(records)
        act.learn(records, journal)
        act.learn_losses(self.ledger, records)
        request = act.request
        if journal.ended is not None:
            return self._parts.conclusion.draw(act, journal.ended, journal.end_message)
        kept = not act.called or self._keep_resource(act)
        undecided = is_undecided(journal)
        situation = self._situation(act, journal, full=undecided)
        if request.only_back:
            lost = bool(request.abandoned) and not request.dry_run
            return self._do(act, situation, next_move_back(situation, request.only_back, records_lost=lost))
        stop: Stop | None = None
        refusals: tuple[str, ...] = ()
        final = not undecided and is_point_of_no_return(situation)
        if final:
            # Perhaps a day after the first call: what forbids acts is asked again, with the resource as it is now.
            situation = self._situation(act, journal, full=True)
        if undecided or final:
            facts = PolicyFacts(protect_tags=request.protect_tags)
            found = act.action.preflight(situation.observation, request.plan.parameters, facts)
            refusals = tuple(refusal.message for refusal in found)
            # The last check before the change: everything the gate knows, read afresh.
            stop = (self._admission(act) if undecided else None) or self.gate.still_allowed(request)
            self.passage("act.gate")
        move = next_move(situation, stop=stop, refusals=refusals)
        if isinstance(move, Call) and journal.turned is None and not kept:
            # A rollback waits for nobody.
            move = Hold("Waiting: another act is under way on this resource.", move.step.id)
        return self._do(act, situation, move)

    def _make_room(self, act: Act) -> None:
        """Free the resource and the place of an act that waits before its first call: others need not wait with it."""
        try:
            self.caps.release(act.request, counted=False)
        except Unavailable as error:
            logger.info("the resource is freed later: %s", error, extra=act_fields(act.request))

    def _keep_resource(self, act: Act) -> bool:
        """Hold the resource for as long as the act lasts; return False when another act has it.

        A store that does not answer stops no act that has begun.
        """
        try:
            kept = self.caps.hold(act.request)
        except Unavailable as error:
            logger.info("the resource is held later: %s", error, extra=act_fields(act.request))
            return True
        if not kept:
            logger.warning("another act holds the resource", extra=act_fields(act.request))
        return kept

    def _situation(self, act: Act, journal: Journal, *, full: bool) -> Situation:
        request = act.request
        reader = self.sessions.reader(request.access, request.plan.resource.region, tenant=request.tenant)
        # Taken first: what shows only while we read, or while the process stands still, is not judged as late.
        began = instant(self.clock)
        attention, gap = self.memory.attention(request.uid), self.settings.longest_gap_seconds
        now, attended = began[1], attention.until(began, gap)
        target = Target(request.plan.resource, request.plan.parameters, request.uid, full, journal.made, now, attended)
        observation = act.action.observe(reader, target)
        attention.observed(began, instant(self.clock), gap)
        self.passage("act.observed")
        return Situation(request.plan, act.action.procedure, journal, observation, now, request.titles)

    def _admission(self, act: Act) -> Stop | None:
        stop = self.gate.may_start(act.request)
        if stop is None and not act.request.dry_run:
            # A dry run changes nothing: it neither uses up what real acts may do nor waits behind them.
            stop = self.caps.admit(act.request, self.clock.now())
            self.passage("act.admitted")
        return stop

    def _do(self, act: Act, situation: Situation, move: Move) -> ActResult | None:
        match move:
            case Call():
                if act.request.dry_run:
                    return self._parts.calls.dry_run(act, situation.observation)
                attention, gap = self.memory.attention(act.request.uid), self.settings.longest_gap_seconds
                attention.calls(move.step.id, move.attempt)
                anyhow = not situation.rules(move.step).awaits_anything
                return self._parts.calls.make(
                    act, move, situation, lambda: anyhow or attention.lasts(instant(self.clock), gap)
                )
            case Hold():
                return self._hold(act, move)
            case NeedsHuman():
                self._parts.trail.alarm(act, "", move.reason)
                return ActResult(State.NEEDS_HUMAN, move.reason, self.settings.attention_seconds)
            case Settle():
                self._settle(act, move, situation.observation)
            case WaitFor():
                return self._wait(act, move)
            case Compensate():
                self._compensate(act, move)
            case Verified():
                self._verified(act, situation)
            case Finish() | Ended():
                self._parts.trail.finish(act, move.state, move.message)
        return None

    def _hold(self, act: Act, move: Hold) -> ActResult:
        self._parts.trail.report(act, replace(self._parts.trail.base(act), step=move.step, message=move.reason))
        if act.called:
            # It keeps its resource: what it has made belongs to what is still to be called.
            return ActResult(None, move.reason, self.settings.hold_seconds)
        # Whoever waits must not keep others from acting.
        self.caps.release(act.request, counted=False)
        return ActResult(None, move.reason, self.settings.retry_seconds)

    def _settle(self, act: Act, move: Settle, observation: Observation) -> None:
        self.passage("settle.before")
        detail = settled_detail(move.result, observation)
        name = f"settled:{move.step}:{move.attempt}"
        self._parts.trail.append(act, name, RecordKind.OUTCOME, move.step, move.attempt, move.result.value, detail)
        self.passage("settle.after")

    def _wait(self, act: Act, move: WaitFor) -> ActResult | None:
        self.passage("wait.before")
        if move.alarm:
            self._parts.trail.alarm(act, move.step, move.alarm)
        else:
            state = State.VERIFYING if move.verifying else State.EXECUTING
            base = self._parts.trail.base(act)
            # Why it turned back is still said while it waits.
            self._parts.trail.report(act, replace(base, state=state, step=move.step, message=move.why or base.message))
        if move.seconds > self.settings.short_wait_seconds:
            return ActResult(None, move.alarm or move.why or f"{move.step}: not there yet", move.seconds)
        self.clock.sleep(move.seconds)
        return None

    def _compensate(self, act: Act, move: Compensate) -> None:
        self.passage("compensate.before")
        self._parts.trail.append(
            act, COMPENSATING, RecordKind.OUTCOME, move.step, 0, COMPENSATING, {"reason": move.reason}
        )
        self.passage("compensate.after")
        act.turned = move.reason
        self._parts.trail.report(act, replace(self._parts.trail.base(act), step=move.step))

    def _verified(self, act: Act, situation: Situation) -> None:
        self.passage("verify.before")
        detail = verified_detail(situation, act.request, "" if act.is_undo else act.action.undo_by_hand)
        self._parts.trail.report(act, replace(self._parts.trail.base(act), state=State.VERIFYING, step="verify"))
        self._parts.trail.append(act, "verified", RecordKind.VERIFIED, "", 0, State.SUCCEEDED.value, detail)
        self.passage("verify.after")
