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

from finops.domain.audit import Record, RecordKind
from finops.domain.canonical import Json
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
from finops.domain.next_move import Situation, is_point_of_no_return, is_undecided, next_move
from finops.domain.plan import PlanStep
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
from finops.ports.act import ActCaps, ActProgress, ActRequest, Gate, LeaseGuard, RealizedSavings, RequestJournal
from finops.ports.aws_steps import ExecutorSessions, StepClient
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.acts.caller import call_once, dry_run_end, dry_run_once, says_nothing
from finops_operator.acts.journal import (
    COMPENSATING,
    DRY_RUN,
    dry_runs_of,
    entry,
    intent_entry,
    journal_of,
    settled_detail,
    started_entry,
)
from finops_operator.acts.memory import Act, Memory
from finops_operator.acts.plans import rebuilt_plan
from finops_operator.acts.progress import LEASE_TOO_SHORT, ActResult, ActSettings, verified_detail, with_outcome
from finops_operator.killpoint import killpoint
from finops_operator.plugins.action import Action, PolicyFacts, Target, with_request

logger = logging.getLogger(__name__)
_RETRYABLE: Final = (Unavailable, AwsError, StoreUnsafe, Conflict, Refused)
"""What may pass by itself or by a person's hand; the act waits where it stands."""


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

    def run(self, request: ActRequest, stopping: Callable[[], bool] = lambda: False) -> ActResult:
        """Carry the act on as far as it goes now.

        Raises:
            Refused: the plan is not the one that was approved, or no such action exists: nothing was done.
            LedgerDiverged: the act stands still until a person has checked it; all others have to as well.
        """
        action = self.actions.get(request.plan.action)
        if action is None:
            raise Refused(f"there is no action {request.plan.action!r}", code="UnknownAction")
        act = self.memory.recall(replace(request, plan=rebuilt_plan(action, request)), action)
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
        self._report(act, replace(self._base(act), state=state, message=f"{word}: {error}"))
        return ActResult(None, f"{word}: {error}", self.settings.retry_seconds)

    def _move(self, act: Act) -> ActResult | None:
        request = act.request
        records = self.ledger.of_request(request.uid)
        journal = journal_of(records)
        act.learn(records, journal)
        if journal.ended is not None:
            return self._conclude(act, journal.ended, journal.end_message)
        if act.called:
            self._keep_resource(act)
        undecided = is_undecided(journal)
        situation = self._situation(act, journal, full=undecided)
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
        return self._do(act, situation, next_move(situation, stop=stop, refusals=refusals))

    def _make_room(self, act: Act) -> None:
        """Free the resource and the place of an act that waits before its first call: others need not wait with it."""
        try:
            self.caps.release(act.request, counted=False)
        except Unavailable as error:
            logger.info("the resource is freed later: %s", error, extra={"request": act.request.ledger_name})

    def _keep_resource(self, act: Act) -> None:
        """Hold the resource for as long as the act lasts. A store that does not answer stops no act that has begun."""
        try:
            if not self.caps.hold(act.request):
                logger.warning("another act holds the resource", extra={"request": act.request.ledger_name})
        except Unavailable as error:
            logger.info("the resource is held later: %s", error, extra={"request": act.request.ledger_name})

    def _situation(self, act: Act, journal: Journal, *, full: bool) -> Situation:
        request = act.request
        reader = self.sessions.reader(request.access, request.plan.resource.region, tenant=request.tenant)
        target = Target(request.plan.resource, request.plan.parameters, request.uid, full, journal.made)
        observation = act.action.observe(reader, target)
        self.passage("act.observed")
        return Situation(request.plan, act.action.procedure, journal, observation, self.clock.now())

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
                return self._dry_run(act) if act.request.dry_run else self._call(act, move, situation)
            case Hold():
                return self._hold(act, move)
            case NeedsHuman():
                self._alarm(act, "", move.reason)
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
                self._finish(act, move.state, move.message)
        return None

    def _hold(self, act: Act, move: Hold) -> ActResult:
        self._report(act, replace(self._base(act), step=move.step, message=move.reason))
        if act.called:
            # It keeps its resource: what it has made belongs to what is still to be called.
            return ActResult(None, move.reason, self.settings.hold_seconds)
        # Whoever waits must not keep others from acting.
        self.caps.release(act.request, counted=False)
        return ActResult(None, move.reason, self.settings.retry_seconds)

    def _call(self, act: Act, move: Call, situation: Situation) -> ActResult | None:
        seconds = self.settings.seconds_for_call(self.lease.remaining_seconds)
        if seconds is None:
            return LEASE_TOO_SHORT
        step, seen = move.step, act.sequence
        if not act.begun:
            self.passage("act.started.before")
            seen = max(seen, self.ledger.append(started_entry(act.request)).sequence)
            self.passage("act.started.after")
        if move.alarm:
            self._alarm(act, step.id, move.alarm)
        else:
            self._report(act, replace(self._base(act), step=step.id, attempt=move.attempt))
        client = self._client(act, step, seconds)
        parameters = with_request(step.parameters, act.request.uid)
        intent = self._announce(act, move, situation, parameters, seen)
        if intent is None:
            return None
        self.lease.check()
        if intent.fence != self.lease.fence or self.lease.remaining_seconds < seconds:
            # Written by another process, or the lease ran down while writing: an observation settles the open intent.
            return None
        self.passage("aws.before")
        answer = call_once(client, step.operation, parameters, act.action.calls)
        self.passage("aws.sent")
        self.passage("outcome.before")
        name = f"outcome:{step.id}:{move.attempt}"
        self._append(act, name, RecordKind.OUTCOME, step.id, move.attempt, answer.result.value, answer.detail)
        self.passage("outcome.after")
        return None

    def _announce(
        self, act: Act, move: Call, situation: Situation, parameters: Mapping[str, Json], seen: int
    ) -> Record | None:
        """Write the intent, after a last question to the gate where one is due; None: read everything again.

        `seen` is the request's last record from before that question: with a newer one the gate's answer is not good.
        """
        request, journal = act.request, situation.journal
        asks = not journal.may_have_changed or situation.rules(move.step).destroys
        if asks and self.gate.still_allowed(request) is not None:
            # Somebody froze or withdrew it while the session was made: the next pass decides what follows.
            return None
        rebuilt_plan(act.action, request)
        self.passage("intent.before")
        observed = situation.observation.fingerprint
        entry_ = intent_entry(request, move, parameters, observed, back=journal.turned is not None)
        try:
            intent = self.ledger.append(entry_, after=seen if asks else None)
        except Conflict:
            return None
        begins = not act.begun
        act.announced(intent)
        self.passage("intent.after")
        if begins:
            self._report(act, replace(self._base(act), step=move.step.id, attempt=move.attempt))
        return intent

    def _client(self, act: Act, step: PlanStep, seconds: float) -> StepClient:
        """Return credentials for one step, named after the request and its deciding approver."""
        request = act.request
        self.passage("sts.before")
        client = self.sessions.step_client(
            request.access,
            request.plan.resource.region,
            tenant=request.tenant,
            request_name=request.name,
            approver_handle=request.deciders[0] if request.deciders else "unknown",
            statements=act.action.statements(request.plan, step),
            timeout_seconds=seconds,
        )
        self.passage("sts.after")
        return client

    def _settle(self, act: Act, move: Settle, observation: Observation) -> None:
        self.passage("settle.before")
        detail = settled_detail(move.result, observation)
        name = f"settled:{move.step}:{move.attempt}"
        self._append(act, name, RecordKind.OUTCOME, move.step, move.attempt, move.result.value, detail)
        self.passage("settle.after")

    def _wait(self, act: Act, move: WaitFor) -> ActResult | None:
        self.passage("wait.before")
        if move.alarm:
            self._alarm(act, move.step, move.alarm)
        else:
            state = State.VERIFYING if move.verifying else State.EXECUTING
            self._report(act, replace(self._base(act), state=state, step=move.step))
        if move.seconds > self.settings.short_wait_seconds:
            return ActResult(None, move.alarm or f"{move.step}: not there yet", move.seconds)
        self.clock.sleep(move.seconds)
        return None

    def _compensate(self, act: Act, move: Compensate) -> None:
        self.passage("compensate.before")
        self._append(act, COMPENSATING, RecordKind.OUTCOME, move.step, 0, COMPENSATING, {"reason": move.reason})
        self.passage("compensate.after")
        act.turned = move.reason
        self._report(act, replace(self._base(act), step=move.step))

    def _verified(self, act: Act, situation: Situation) -> None:
        self.passage("verify.before")
        detail = verified_detail(situation, act.request, act.action.undo_by_hand)
        self._report(act, replace(self._base(act), state=State.VERIFYING, step="verify"))
        self._append(act, "verified", RecordKind.VERIFIED, "", 0, State.SUCCEEDED.value, detail)
        self.passage("verify.after")

    def _finish(self, act: Act, state: State, message: str) -> None:
        self.passage("finish.before")
        self._append(act, "ended", RecordKind.OUTCOME, "", 0, state.value, {"reason": message})
        self.passage("finish.after")

    def _dry_run(self, act: Act) -> ActResult | None:
        """Ask AWS whether each call would be permitted, record what it says, and end; who gets no answer asks again."""
        seconds = self.settings.seconds_for_call(self.lease.remaining_seconds)
        if seconds is None:
            return LEASE_TOO_SHORT
        request, checked = act.request, dry_runs_of(self.ledger.of_request(act.request.uid))
        for step in request.plan.steps:
            if not step.changes or step.id in checked:
                continue
            client = self._client(act, step, seconds)
            parameters = with_request(step.parameters, request.uid)
            answer = dry_run_once(client, step.operation, parameters, act.action.calls)
            if says_nothing(answer):
                why = f"Waiting: the dry run of {step.operation} had no clear answer: {answer.detail.get('code')}"
                return ActResult(None, why, self.settings.retry_seconds)
            checked[step.id] = {"operation": step.operation, "parameters": parameters, **answer.detail}
            self._append(act, f"{DRY_RUN}:{step.id}", RecordKind.OUTCOME, step.id, 0, DRY_RUN, checked[step.id])
        self._finish(act, *dry_run_end(checked.values(), act.action.calls))
        return None

    def _conclude(self, act: Act, state: State, message: str) -> ActResult:
        """Everything that follows from a recorded end; all of it can be repeated."""
        request = act.request
        records = self.ledger.of_request(request.uid)
        changed = any(record.entry.kind is RecordKind.INTENT for record in records)
        final = replace(self._base(act), state=state, message=message, ledger_sequence=records[-1].sequence)
        for record in records:
            if record.entry.kind is RecordKind.VERIFIED:
                self.passage("realized.before")
                self.savings.append(request, record.time)
                self.passage("realized.after")
                final = with_outcome(final, record.entry.detail)
        self.caps.release(request, counted=changed)
        self.passage("act.released")
        self.passage("status.before")
        try:
            self.status.report(request, final)
        except InvalidInput as error:
            # Somebody else's admission refuses the status. The act has ended in the ledger; its picture follows when
            # the refusal is gone.
            logger.warning("end not shown: %s", error, extra={"request": request.ledger_name})
            return ActResult(None, f"Ended as {state.value}; not shown: {error}", self.settings.attention_seconds)
        self.passage("status.after")
        return ActResult(state, message)

    def _append(
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

    def _alarm(self, act: Act, step: str, reason: str) -> None:
        """Call a person, once per step in the ledger, without stopping anything."""
        if step not in act.alarms:
            self._append(act, f"alarm:{step}", RecordKind.OUTCOME, step, 0, State.NEEDS_HUMAN.value, {"reason": reason})
            act.alarms.add(step)
        self._report(act, replace(self._base(act), state=State.NEEDS_HUMAN, step=step, message=reason))

    def _base(self, act: Act) -> ActProgress:
        return ActProgress(
            state=State.EXECUTING,
            ledger_sequence=act.sequence,
            started_at=act.started_at,
            fence=self.lease.fence,
            called=act.called,
            message=f"Turning back: {act.turned}" if act.turned else "",
        )

    def _report(self, act: Act, progress: ActProgress) -> None:
        """Show progress of an act that has begun; what an API server answers stops no act.

        The ledger is the record, the status its picture.
        """
        if progress == act.progress or not act.begun:
            return
        try:
            self.passage("status.before")
            self.status.report(act.request, progress)
            self.passage("status.after")
        except FenceLost:
            raise
        except (Conflict, Unavailable) as error:
            logger.info("progress is shown later: %s", error, extra={"request": act.request.ledger_name})
            return
        except FinopsError as error:
            logger.warning("progress not shown: %s", error, extra={"request": act.request.ledger_name})
            return
        act.progress = progress
