"""Makes one changing call of an act: the intent is recorded first, then AWS is called, then its answer is recorded.

Used by the executor alone, which decides which call is next. Nothing is called while the lease is too short for it, or
when the gate's answer or the request's records changed since the executor read them, or another act of the kind failed
meanwhile: then nothing is written either, and the executor decides again. The freeze switch is a ConfigMap, on which
the store cannot make an append depend. So the intent depends on the record of the next freeze, and the switch itself is
read once more between the intent and the call: a freeze set after that finds the call under way, which reaches AWS
before its session's deadline or not at all. So it is with whoever stands still between the last question to the lease
and the call: each session has a deadline before the end of the lease under which it was made (docs/adr/0023). A call
that stands on what was observed without a gap is not made once there is one, before the intent or after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from finops.domain.audit import Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.execution import Call, Observation
from finops.domain.next_move import Situation
from finops.domain.plan import PlanStep
from finops.errors import Conflict
from finops.ports.act import Gate, LeaseGuard
from finops.ports.aws_steps import ExecutorSessions, StepClient
from finops.ports.ledger import Ledger
from finops_operator.acts.caller import NOT_CALLED, call_once, dry_run_end, dry_run_once, says_nothing
from finops_operator.acts.journal import DRY_RUN, dry_runs_of, intent_entry, started_entry
from finops_operator.acts.memory import Act
from finops_operator.acts.plans import check_plan
from finops_operator.acts.progress import LEASE_TOO_SHORT, ActResult, ActSettings
from finops_operator.acts.trail import Trail
from finops_operator.decisions.freezes import Freezes
from finops_operator.decisions.pauses import Pauses, held_by
from finops_operator.plugins.action import with_request


@dataclass(frozen=True, slots=True)
class _Ground:
    """What of the ledger the gate's answer stands on; nothing where the gate was not asked.

    Attributes:
        seen: sequence of the request's last record.
        absent: operation ids of what is not there: the next freeze, and the next failure of an act of this kind.
    """

    seen: int | None = None
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnnouncedCalls:
    """Calls AWS for acts; see `finops_operator.acts.executor.Executor` for the attributes."""

    sessions: ExecutorSessions
    ledger: Ledger
    gate: Gate
    lease: LeaseGuard
    settings: ActSettings
    passage: Callable[[str], None]
    trail: Trail

    def make(self, act: Act, move: Call, situation: Situation, attends: Callable[[], bool]) -> ActResult | None:
        """Make the call of one step, while it `attends` to the resource; None: the executor decides again at once."""
        seconds = self.settings.seconds_for_call(self.lease.remaining_seconds)
        if seconds is None:
            return LEASE_TOO_SHORT
        step, seen = move.step, max(act.sequence, self._start(act))
        if move.alarm:
            self.trail.alarm(act, step.id, move.alarm)
        else:
            self.trail.report(act, replace(self.trail.base(act), step=step.id, attempt=move.attempt))
        client = self._client(act, step, situation.observation, seconds, ends_with_lease=True)
        asks = not situation.journal.may_have_changed or situation.rules(step).destroys
        ground = self._ground(act, seen) if asks else _Ground()
        if (asks and self.gate.still_allowed(act.request) is not None) or not attends():
            # Somebody froze or withdrew it while the session was made: the next pass decides what follows.
            return None
        if self._is_too_near(client):
            return LEASE_TOO_SHORT
        parameters = with_request(step.parameters, act.request.uid)
        intent = self._announce(act, move, situation, parameters, ground)
        if intent is None or (asks and self.gate.may_call(act.request) is not None):
            # The switch was turned while the intent was written, too late for its record: nothing is called, and an
            # observation settles the open intent.
            return None
        if self._is_too_near(client):
            # Writing took long. The lease was renewed meanwhile, the session was not.
            if situation.rules(step).destroys:
                # What the resource was seen as is old too. An observation settles the open intent; the attempt counts.
                return None
            client = self._client(act, step, situation.observation, seconds, ends_with_lease=True)
            if asks and self.gate.still_allowed(act.request) is not None:
                return None
        self.passage("aws.before")
        # Whoever stands still from here on for longer than the lease is refused by AWS, by the session's deadline.
        self.lease.check()
        if intent.fence != self.lease.fence or self.lease.remaining_seconds < seconds or self._is_too_near(client):
            # Written by another process, or the lease ran down while writing: an observation settles the open intent.
            return None
        answer = NOT_CALLED
        if attends():
            unanswered = situation.journal.has_unanswered(step.id)
            answer = call_once(client, step.operation, parameters, act.action.calls, unanswered=unanswered)
            self.passage("aws.sent")
        self.passage("outcome.before")
        name = f"outcome:{step.id}:{move.attempt}"
        self.trail.append(act, name, RecordKind.OUTCOME, step.id, move.attempt, answer.result.value, answer.detail)
        self.passage("outcome.after")
        return None

    def dry_run(self, act: Act, now: Observation) -> ActResult | None:
        """Ask AWS whether each call would be permitted, record what it says, and end; who gets no answer asks again."""
        seconds = self.settings.seconds_for_call(self.lease.remaining_seconds)
        if seconds is None:
            return LEASE_TOO_SHORT
        request, checked = act.request, dry_runs_of(self.ledger.of_request(act.request.uid))
        for step in request.plan.steps:
            if not step.changes or step.id in checked:
                continue
            client = self._client(act, step, now, seconds, ends_with_lease=False)
            parameters = with_request(step.parameters, request.uid)
            answer = dry_run_once(client, step.operation, parameters, act.action.calls)
            if says_nothing(answer):
                why = f"Waiting: the dry run of {step.operation} had no clear answer: {answer.detail.get('code')}"
                return ActResult(None, why, self.settings.retry_seconds)
            checked[step.id] = {"operation": step.operation, "parameters": parameters, **answer.detail}
            self.trail.append(act, f"{DRY_RUN}:{step.id}", RecordKind.OUTCOME, step.id, 0, DRY_RUN, checked[step.id])
        self.trail.finish(act, *dry_run_end(checked.values(), act.action.calls))
        return None

    def _start(self, act: Act) -> int:
        """Record that the act starts, if it has called nothing yet; return the record's sequence, otherwise 0."""
        if act.begun:
            return 0
        self.passage("act.started.before")
        started = self.ledger.append(started_entry(act.request))
        self.passage("act.started.after")
        return started.sequence

    def _ground(self, act: Act, seen: int) -> _Ground:
        """Return what the gate's next answer stands on; read before it is asked."""
        scope = held_by(act.request, self.ledger)
        paused = () if scope is None else (Pauses(self.ledger).next_id(scope),)
        return _Ground(seen, (Freezes(self.ledger).next_id(), *paused))

    def _announce(
        self, act: Act, move: Call, situation: Situation, parameters: Mapping[str, Json], ground: _Ground
    ) -> Record | None:
        """Write the intent, unless what the gate's answer stood on has changed; None: read everything again."""
        request, journal = act.request, situation.journal
        check_plan(act.action, request)
        self.passage("intent.before")
        observed = situation.observation.fingerprint
        watch = None if journal.may_have_changed else act.action.watch
        before = None if watch is None else watch.before(situation.observation)
        back = journal.turned is not None
        entry_ = intent_entry(request, move, parameters, observed, back=back, before=before)
        try:
            intent = self.ledger.append(entry_, after=ground.seen, unless=ground.absent)
        except Conflict:
            return None
        begins = not act.begun
        act.announced(intent)
        self.passage("intent.after")
        if begins:
            self.trail.report(act, replace(self.trail.base(act), step=move.step.id, attempt=move.attempt))
        return intent

    def _is_too_near(self, client: StepClient) -> bool:
        """Return whether a call now might reach AWS after the session's deadline, and be refused for that alone."""
        return client.seconds_left < self.settings.minimum_call_seconds

    def _client(
        self, act: Act, step: PlanStep, now: Observation, seconds: float, *, ends_with_lease: bool
    ) -> StepClient:
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
            # AWS makes its grants while it carries the call out, perhaps after the deadline.
            afterwards=act.action.observed_statements(request.plan, step, now),
            timeout_seconds=seconds,
            lease_left=(lambda: self.lease.remaining_seconds) if ends_with_lease else None,
        )
        self.passage("sts.after")
        return client
