"""Carries out one approved request: observe, decide the one next move, write it down, do it, again.

Called by the operator's worker with an ActRequest, once per look; `run` returns when the act has ended, when it must
wait, or when the process is asked to stop: a thread is held by moves, never by waiting. Nothing that matters is
remembered between runs but the ledger: calling `run` again, in this process or the next, continues. Which move is next
is decided by `finops.domain.next_move`, this module only does it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from finops.domain.audit import RecordKind
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
    Result,
    Settle,
    Stop,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, is_point_of_no_return, is_undecided, next_move
from finops.domain.plan import PlanStep
from finops.errors import (
    AwsError,
    ClusterUnavailable,
    Conflict,
    FenceLost,
    FinopsError,
    LedgerDiverged,
    Refused,
    StoreUnsafe,
    Unavailable,
)
from finops.ports.act import ActCaps, ActProgress, ActRequest, Gate, LeaseGuard, RealizedSavings, RequestJournal
from finops.ports.aws_steps import ExecutorSessions, StepClient
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.acting.caller import DRY_RUN_PASSED, call_once
from finops_operator.acting.memory import Act, Memory
from finops_operator.acting.progress import ActResult, ActSettings, changed_facts, with_outcome
from finops_operator.acting.records import COMPENSATING, DRY_RUN, entry, intent_entry, journal_of, started_entry
from finops_operator.action_plugin import Action, PolicyFacts, Target, with_request
from finops_operator.killpoint import killpoint

_RETRYABLE: Final = (Unavailable, AwsError, LedgerDiverged, StoreUnsafe, Conflict, Refused)
"""What may pass by itself or by a person's hand; the act waits where it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """The worker. Thread-safe for different requests; one request must run in one thread at a time.

    Attributes:
        actions: id → Action, from the registry.
        sessions, ledger, gate, lease, status, caps, savings, clock: see their ports.
        passage: told the name of each boundary (`finops_operator.kill_points`).
        memory: keeps the status from being told the same at every run.
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
        """
        action = self.actions.get(request.plan.action)
        if action is None:
            raise Refused(f"there is no action {request.plan.action!r}", code="UnknownAction")
        if request.plan.hash != request.plan_hash:
            raise Refused("the plan is not the one that was approved", code="PlanMismatch")
        act = self.memory.recall(request, action)
        result: ActResult | None = None
        while result is None:
            if stopping():
                result = ActResult(None, "handed over: the process stops", self.settings.retry_seconds)
            else:
                result = self._look(act)
        if result.retry_after_seconds is None or not act.called:
            self.memory.forget(request.uid)
        return result

    def _look(self, act: Act) -> ActResult | None:
        """Make one move; None means look again at once."""
        try:
            self.lease.check()
            try:
                return self._move(act)
            except _RETRYABLE as error:
                return self._silence(act, error)
        except FenceLost as error:
            # Whoever holds the lease now may show something else.
            self.memory.forget(act.request.uid)
            return ActResult(None, error.message, self.settings.retry_seconds)

    def _silence(self, act: Act, error: FinopsError) -> ActResult:
        if not act.called:
            return ActResult(None, f"Waiting: {error}", self.settings.retry_seconds)
        # Something was changed: hold here, say it, and go on as soon as the silent part answers.
        self._report(act, replace(self._base(act), state=State.NEEDS_HUMAN, message=f"Holding: {error}"))
        return ActResult(None, f"Holding: {error}", self.settings.retry_seconds)

    def _move(self, act: Act) -> ActResult | None:
        request = act.request
        records = self.ledger.of_request(request.uid)
        journal = journal_of(records)
        act.learn(records, journal)
        if journal.ended is not None:
            return self._conclude(act, journal.ended, journal.end_message)
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
            # The last look before the change: everything the gate knows, read afresh.
            stop = (self._admission(act) if undecided else None) or self.gate.still_allowed(request)
            self.passage("act.gate")
        return self._do(act, situation, next_move(situation, stop=stop, refusals=refusals))

    def _situation(self, act: Act, journal: Journal, *, full: bool) -> Situation:
        request = act.request
        reader = self.sessions.reader(request.access, request.plan.resource.region, tenant=request.tenant)
        target = Target(request.plan.resource, request.plan.parameters, request.uid, full, journal.created)
        observation = act.action.observe(reader, target)
        self.passage("act.observed")
        return Situation(request.plan, act.action.procedure, journal, observation, self.clock.now())

    def _admission(self, act: Act) -> Stop | None:
        stop = self.gate.may_start(act.request)
        if stop is None:
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
        if act.called:
            # It keeps its resource: what it has made belongs to what is still to be called.
            self._report(act, replace(self._base(act), step=move.step, message=move.reason))
            return ActResult(None, move.reason, self.settings.hold_seconds)
        # Whoever waits must not keep others from acting.
        self.caps.release(act.request, counted=False)
        return ActResult(None, move.reason, self.settings.retry_seconds)

    def _call(self, act: Act, move: Call, situation: Situation) -> ActResult | None:
        seconds = self._call_seconds()
        if seconds is None:
            return self._lease_too_short()
        request, step = act.request, move.step
        if not situation.journal.entries:
            self.passage("act.started.before")
            self.ledger.append(started_entry(request))
            self.passage("act.started.after")
        if move.alarm:
            self._alarm(act, step.id, move.alarm)
        else:
            self._report(act, replace(self._base(act), step=step.id, attempt=move.attempt))
        client = self._client(act, step, seconds)
        parameters = with_request(step.parameters, request.uid)
        asks = not situation.journal.may_have_changed or situation.rules(step).destroys
        if asks and self.gate.still_allowed(request) is not None:
            # Somebody froze or withdrew it while the session was made: the next look says what follows.
            return None
        self.passage("intent.before")
        intent = self.ledger.append(
            intent_entry(
                request,
                move,
                parameters,
                situation.observation.fingerprint,
                back=situation.journal.turned is not None,
            )
        )
        act.called = True
        self.passage("intent.after")
        self.lease.check()
        if intent.fence != self.lease.fence or self.lease.remaining_seconds < seconds:
            # Written by another process, or the lease ran down while writing: the open intent is settled by looking.
            return None
        self.passage("aws.before")
        answer = call_once(client, step.operation, parameters)
        self.passage("aws.sent")
        self.passage("outcome.before")
        name = f"outcome:{step.id}:{move.attempt}"
        self._append(act, name, RecordKind.OUTCOME, step.id, move.attempt, answer.result.value, answer.detail)
        self.passage("outcome.after")
        return None

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

    def _call_seconds(self) -> float | None:
        """Return how long a call may take so that it ends before the lease does; None when that is too short."""
        left = self.lease.remaining_seconds - self.settings.lease_margin_seconds
        seconds = min(self.settings.call_seconds, left)
        return seconds if seconds >= self.settings.minimum_call_seconds else None

    def _lease_too_short(self) -> ActResult:
        return ActResult(None, "Waiting: the lease is about to end", 1.0)

    def _settle(self, act: Act, move: Settle, observation: Observation) -> None:
        self.passage("settle.before")
        detail: dict[str, Json] = {"observed": dict(observation.fingerprint)}
        if move.result is Result.RECOVERED and observation.text("created"):
            # The answer that named it was lost; from here on it is this one and no other.
            detail["created"] = observation.text("created")
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
        self._report(act, replace(self._base(act), step=move.step, message=f"Turning back: {move.reason}"))

    def _verified(self, act: Act, situation: Situation) -> None:
        self.passage("verify.before")
        before, after = changed_facts(situation)
        detail: dict[str, Json] = {
            "before": dict(before),
            "after": dict(after),
            "monthlySavings": act.request.estimate.get("monthlySavings", ""),
        }
        self._report(act, replace(self._base(act), state=State.VERIFYING, step="verify"))
        self._append(act, "verified", RecordKind.VERIFIED, "", 0, State.SUCCEEDED.value, detail)
        self.passage("verify.after")

    def _finish(self, act: Act, state: State, message: str) -> None:
        self.passage("finish.before")
        self._append(act, "ended", RecordKind.OUTCOME, "", 0, state.value, {"reason": message})
        self.passage("finish.after")

    def _dry_run(self, act: Act) -> ActResult | None:
        """Ask AWS whether each call would be permitted, record what would be done, and end."""
        seconds = self._call_seconds()
        if seconds is None:
            return self._lease_too_short()
        request, lines = act.request, []
        for step in request.plan.steps:
            if not step.changes:
                continue
            client = self._client(act, step, seconds)
            parameters = with_request(step.parameters, request.uid)
            answer = call_once(client, step.operation, {**parameters, "DryRun": True})
            passed = answer.detail.get("code") == DRY_RUN_PASSED
            lines.append(f"{step.operation} {'is permitted' if passed else answer.detail.get('code')}")
            detail: dict[str, Json] = {"operation": step.operation, "parameters": parameters, **answer.detail}
            self._append(act, f"{DRY_RUN}:{step.id}", RecordKind.OUTCOME, step.id, 0, DRY_RUN, detail)
        self._finish(act, State.SUCCEEDED, f"Dry run, nothing was changed: {', '.join(lines)}.")
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
        self.status.report(request, final)
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
        )

    def _report(self, act: Act, progress: ActProgress) -> None:
        """Show progress; a silent API server delays the picture, not the act."""
        if progress == act.progress:
            return
        try:
            self.passage("status.before")
            self.status.report(act.request, progress)
            self.passage("status.after")
        except (ClusterUnavailable, Conflict):
            return
        act.progress = progress
