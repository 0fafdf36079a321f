"""What an act is made of: observations, the rules of its steps, its journal, and the moves an executor can make.

Rules come from actions, the journal from the ledger (act stage), moves from `finops.domain.next_move`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.plan import Plan, PlanStep


class Result(StrEnum):
    """Result of an intent: the word in the ledger's outcome record."""

    OK = "ok"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    RECOVERED = "recovered"
    ABSENT = "absent"
    FOREIGN = "foreign"


DONE: Final = frozenset({Result.OK, Result.RECOVERED})


@dataclass(frozen=True, slots=True)
class Observation:
    """The resource as AWS shows it now.

    Attributes:
        exists: False when AWS says there is no such resource.
        fingerprint: the flat facts a plan assumes (texts only, they stand in the ActionRequest).
        facts: everything the action's rules read, names as its `observe` documents them.
    """

    exists: bool
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Json] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return a textual fact, empty when absent."""
        value = self.facts.get(name)
        return value if isinstance(value, str) else ""


Rule: TypeAlias = Callable[[Plan, Observation], bool]
Taken: TypeAlias = "Callable[[Plan, Journal, Observation, float], str]"


def _never(_plan: Plan, _observation: Observation) -> bool:
    return False


def _nobody(_plan: Plan, _journal: Journal, _observation: Observation, _seconds: float) -> str:
    return ""


def _no_words(_plan: Plan, _observation: Observation) -> str:
    return ""


def _no_reason(_plan: Plan, _now: Observation, _step: str, _code: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class StepRules:
    """How one step is judged; times in seconds.

    Attributes:
        reached: the state after the step.
        expected: the state from which the step may be called; unused by steps that only wait.
        failed: a waiting step that can no longer succeed.
        changed: what somebody else did to the resource, seen once: the act turns back at once, also when it is undone
            at the next reading. Asked while waiting and before a first call.
        taken: what somebody else did to the resource since the call of this step, the last one of the act, in a
            clause; empty without proof. It is theirs from then on: the act ends and leaves it alone. Asked with the
            journal and the seconds since its last entry.
        settle_seconds: how long an effect may stay invisible after a call.
        timeout_seconds: how long a waiting step may take.
        poll_seconds: longest pause between two observations of a step in time; right after a call it is shorter.
        maximum_attempts: calls of this step before the executor turns back; a rollback never gives up.
        retry_codes: AWS error codes of a rejection that only mean "not yet".
        later_codes: AWS error codes of a rejection that mean "not today": while nothing was changed the act ends as one
            whose resource is not ready, is no failure that holds others up, and a later scan proposes it again.
        patient: a waiting step that calls a person after the time-out and keeps waiting, because nothing better exists.
        destroys: a point of no return: everything that may forbid an act is asked again before each of its calls, and
            what was called is never taken for undone.
        awaits: what is to be waited for before a call that destroys, in a sentence; empty once nothing is. The resource
            is observed every `poll_seconds` meanwhile.
        lingers: a call that can be repeated without harm, and whose effect may show however late, answered or not. As
            long as nothing is seen of it, only `taken` ends the act; a person is called after `settle_seconds`.
    """

    reached: Rule
    expected: Rule = _never
    failed: Rule = _never
    changed: Rule = _never
    taken: Taken = _nobody
    settle_seconds: float = 30.0
    timeout_seconds: float = 600.0
    poll_seconds: float = 5.0
    maximum_attempts: int = 3
    retry_codes: frozenset[str] = frozenset()
    later_codes: frozenset[str] = frozenset()
    patient: bool = False
    destroys: bool = False
    awaits: Callable[[Plan, Observation], str] = _no_words
    lingers: bool = False

    @property
    def awaits_anything(self) -> bool:
        """Whether there is anything it may await: then its call stands on what was observed without a gap up to it."""
        return self.awaits is not _no_words


@dataclass(frozen=True, slots=True)
class Procedure:
    """The engine's view of an action.

    Attributes:
        steps: rules of every step of the plan and of the rollback, by step id.
        compensation: the steps of the rollback, in order; a function of the plan, so that its hash covers them.
        restored: whether the resource is in the safe state that a rollback leads to.
        verified: whether the end state of a complete act reads back.
        verify_seconds: how long it may take to read back.
        found: what is there now, in a sentence for people, kept things that cost money included.
        refused: why AWS refused a call, in a sentence for people; its arguments are plan, observation, step and AWS's
            code, its answer is empty where the code says it best.
    """

    steps: Mapping[str, StepRules]
    compensation: Callable[[Plan], tuple[PlanStep, ...]]
    restored: Rule
    verified: Rule
    verify_seconds: float = 300.0
    found: Callable[[Plan, Observation], str] = _no_words
    refused: Callable[[Plan, Observation, str, str], str] = _no_reason


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One ledger record of the act: an intent (`result` empty) or an outcome.

    An outcome carries AWS's code when refused, and in `created` the id of what the call made. `observed` is the
    fingerprint of the resource right before the call.
    """

    step: str
    attempt: int
    at: datetime
    result: Result | None = None
    code: str = ""
    retryable: bool = False
    created: str = ""
    observed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Journal:
    """All that the ledger says about one act.

    Attributes:
        entries: intents and outcomes in order.
        turned: why the act was turned back; None while it goes forward.
        turned_at: when it was turned.
        ended: final state, None while open.
        end_message: why it ended.
        alarms: step → when a person was first called for it.
    """

    entries: tuple[JournalEntry, ...] = ()
    turned: str | None = None
    turned_at: datetime | None = None
    ended: State | None = None
    end_message: str = ""
    alarms: Mapping[str, datetime] = field(default_factory=dict)

    def last(self, step: str) -> JournalEntry | None:
        """Return the last word on a step: its latest outcome, or its intent while open."""
        return next((entry for entry in reversed(self.entries) if entry.step == step), None)

    def has_unanswered(self, step: str) -> bool:
        """Return whether an attempt of a step had no answer and was not seen to have its effect in time."""
        return any(e.step == step and e.result is Result.ABSENT for e in self.entries)

    def failures(self, step: str) -> int:
        """Count the attempts of a step that had no effect."""
        return sum(1 for e in self.entries if e.step == step and e.result in {Result.REJECTED, Result.ABSENT})

    @property
    def open(self) -> JournalEntry | None:
        """Return the intent whose effect is not known; there is at most one."""
        last = self.entries[-1] if self.entries else None
        return last if last is not None and last.result in {None, Result.UNKNOWN} else None

    @property
    def may_have_changed(self) -> bool:
        """Whether anything in AWS changed, or may have."""
        return self.open is not None or any(e.result in DONE or e.result is Result.FOREIGN for e in self.entries)

    @property
    def made(self) -> Mapping[str, str]:
        """Return step → id of what its last call made, as far as that is recorded."""
        return {entry.step: entry.created for entry in self.entries if entry.created}

    @property
    def last_at(self) -> datetime | None:
        times = [entry.at for entry in self.entries[-1:]]
        if self.turned_at is not None:
            times.append(self.turned_at)
        return max(times, default=None)


class StopKind(StrEnum):
    """What a refusal to begin means for the request."""

    HOLD = "Hold"
    WITHDRAWN = "Withdrawn"
    EXPIRED = "Expired"


@dataclass(frozen=True, slots=True)
class Stop:
    """Why an act may not begin: freeze, window, unreachable store (Hold), lost votes, expiry."""

    kind: StopKind
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Call:
    """Write the intent, then call once. `alarm` is said to people (NeedsHuman) without stopping anything."""

    step: PlanStep
    attempt: int
    alarm: str = ""


@dataclass(frozen=True, slots=True)
class Settle:
    """Record what became of an intent whose answer is not known."""

    step: str
    attempt: int
    result: Result


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Observe again after `seconds`; `verifying` once all steps are done; `why` where the step does not say it."""

    step: str
    seconds: float
    alarm: str = ""
    verifying: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Compensate:
    """Record that the act turns back, and why."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    """The end state reads back: record it."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Record how the act ended without success: RolledBack, Stale, Withdrawn or Expired."""

    state: State
    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The ledger already holds the end; only the status may be behind."""

    state: State
    message: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing may be called now, and what was called can wait before `step`: observe again later."""

    reason: str
    step: str = ""


@dataclass(frozen=True, slots=True)
class NeedsHuman:
    """No move of ours leads on. Observe again later: a person may bring the resource back into a known state."""

    reason: str


Move: TypeAlias = Call | Settle | WaitFor | Compensate | Verified | Finish | Ended | Hold | NeedsHuman
