"""A small EC2 for the engine: one instance that obeys or fails as a script says, on a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
    Ended,
    Finish,
    Hold,
    Journal,
    JournalEntry,
    Move,
    NeedsHuman,
    Observation,
    Result,
    Settle,
    Stop,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import Action
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION

OLD, NEW = "m5.xlarge", "m5.large"
START = datetime(2026, 3, 1, tzinfo=UTC)
RESOURCE = ResourceRef(
    "ec2-instance", "i-1", "arn:aws:ec2:us-east-1:111111111111:instance/i-1", "111111111111", "us-east-1"
)
_TRANSITION_SECONDS = 20.0


@dataclass(slots=True)
class Instance:
    """State, type, and when the last transition began."""

    state: str = "running"
    kind: str = OLD
    launched: str = "t0"
    since: float = 0.0
    launches: int = 0
    reason: str = ""
    exists: bool = True
    effects: list[str] = field(default_factory=list)

    def settle(self, seconds: float) -> None:
        if seconds - self.since >= _TRANSITION_SECONDS:
            self.state = {"stopping": "stopped", "pending": "running"}.get(self.state, self.state)

    def apply(self, operation: str, kind: str, seconds: float) -> bool:
        """Carry out a call if AWS would; returns whether it did."""
        if operation == "ec2:StopInstances" and self.state == "running":
            self.state, self.since, self.reason = "stopping", seconds, "Client.UserInitiatedShutdown"
        elif operation == "ec2:StartInstances" and self.state == "stopped":
            self.launches += 1
            self.state, self.since, self.launched = "pending", seconds, f"t{self.launches}"
        elif operation == "ec2:ModifyInstanceAttribute" and self.state == "stopped":
            self.kind = kind
        else:
            return False
        self.effects.append(operation)
        return True

    @property
    def observation(self) -> Observation:
        if not self.exists:
            return Observation(exists=False)
        checks = "ok" if self.state == "running" else "unknown"
        fingerprint = {"state": self.state, "instanceType": self.kind, "launchTime": self.launched}
        facts: dict[str, Json] = {**fingerprint, "checks": checks, "stateReason": self.reason}
        return Observation(exists=True, fingerprint=fingerprint, facts=facts)


@dataclass(slots=True)
class Simulation:
    """Runs the engine to an end. `script` says what happens to the n-th call: ok, rejected, throttled, lost (applied,
    no answer), dropped (not applied, no answer), dead-before or dead-after (the process dies around the call)."""

    script: Callable[[int, Call], str] = lambda _number, _call: "ok"
    instance: Instance = field(default_factory=Instance)
    journal: Journal = field(default_factory=Journal)
    stop: Callable[[Journal], Stop | None] = lambda _journal: None
    seconds: float = 0.0
    calls: int = 0
    moves: list[Move] = field(default_factory=list)
    observed: Mapping[str, str] = field(default_factory=dict)
    action: Action = ACTION

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def run(self, most: int = 500) -> State | None:
        """Return the final state, or None when no end came within `most` moves."""
        plan = self.action.plan(
            RESOURCE, {"instanceType": NEW}, {"state": "running", "instanceType": OLD, "launchTime": "t0"}
        )
        for _ in range(most):
            self.seconds += 0.1
            self.instance.settle(self.seconds)
            situation = Situation(plan, self.action.procedure, self.journal, self.instance.observation, self.now)
            move = next_move(situation, stop=self.stop(self.journal))
            self.moves.append(move)
            end = self._do(move)
            if end is not None:
                return end
        return None

    def _do(self, move: Move) -> State | None:
        match move:
            case Call():
                self._call(move)
            case Settle():
                self._add(JournalEntry(move.step, move.attempt, self.now, move.result))
            case WaitFor():
                assert move.seconds > 0
                if move.alarm:
                    self.journal = replace(self.journal, alarms={move.step: self.now} | dict(self.journal.alarms))
                self.seconds += move.seconds
            case Compensate():
                assert self.journal.turned is None
                self.journal = replace(self.journal, turned=move.reason, turned_at=self.now)
            case Verified():
                return State.SUCCEEDED
            case Finish() | Ended():
                return move.state
            case Hold():
                self.seconds += 5
            case NeedsHuman():
                return State.NEEDS_HUMAN
        return None

    def _call(self, move: Call) -> None:
        assert self.journal.open is None, "a call while the effect of another is not known"
        self.observed = self.instance.observation.fingerprint
        self._add(JournalEntry(move.step.id, move.attempt, self.now))
        fate = self.script(self.calls, move)
        self.calls += 1
        applied = False
        if fate in {"ok", "lost", "dead-after"}:
            target = move.step.parameters.get("InstanceType")
            kind = str(target["Value"]) if isinstance(target, dict) else ""
            applied = self.instance.apply(move.step.operation, kind, self.seconds)
        if fate in {"dead-before", "dead-after"}:
            return
        if fate in {"lost", "dropped"}:
            self._add(JournalEntry(move.step.id, move.attempt, self.now, Result.UNKNOWN))
        elif fate == "ok" and applied:
            self._add(JournalEntry(move.step.id, move.attempt, self.now, Result.OK))
        else:
            code = "IncorrectInstanceState" if fate == "ok" else "Refused"
            throttled = fate == "throttled"
            self._add(JournalEntry(move.step.id, move.attempt, self.now, Result.REJECTED, code, retryable=throttled))

    def _add(self, entry: JournalEntry) -> None:
        known = replace(entry, observed=self.observed)
        self.journal = replace(self.journal, entries=(*self.journal.entries, known))
