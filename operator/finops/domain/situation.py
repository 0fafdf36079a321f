"""What a move is decided from, and what follows from it: differences, pauses, calls whose effect is not seen.

Used by `finops.domain.next_move`, which decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from finops.domain.backoff import Backoff
from finops.domain.execution import DONE, Call, Journal, Move, Observation, Procedure, Result, StepRules, WaitFor
from finops.domain.plan import Plan, PlanStep
from finops.domain.quantity import words

BACKOFF_BASE_SECONDS: Final = 5.0
BACKOFF_CAP_SECONDS: Final = 300.0
_BACKOFF: Final = Backoff(BACKOFF_BASE_SECONDS, BACKOFF_CAP_SECONDS)
SHORTEST_PAUSE_SECONDS: Final = 1.0
"""Pause between the first two observations after a call: much of what AWS does takes no longer."""
LONGEST_PAUSE_SECONDS: Final = 60.0
"""Longest pause between two observations of something that is late."""

NOTHING_CHANGED: Final = "Nothing was changed."
NOTHING_CALLED: Final = "Nothing was called."
NO_ANSWER: Final = "had no answer"
"""Of a call: what became of it is not known, and no end says that nothing was changed."""

_WITHOUT_VALUES: Final[Mapping[str, str]] = {
    "attachments": "its attachments changed",
    "attributes": "its attributes changed",
    "balancer": "its settings changed",
    "launchTime": "it was started again",
    "lifecycle": "its rules changed",
    "listeners": "its listeners changed",
    "registration": "its registration changed",
    "rules": "its rules changed",
    "tagList": "its tags changed",
    "tags": "its tags changed",
}
"""Facts of a fingerprint whose values, hashes, times and whole documents, mean nothing to people."""

_UNKNOWN: Final = StepRules(reached=lambda _plan, _now: False, settle_seconds=120.0)
"""Of a step that this version does not have. As long to settle as the slowest effect of the actions there are."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a move is decided from, and `titles`, the steps in words for its messages (step id → title)."""

    plan: Plan
    procedure: Procedure
    journal: Journal
    observation: Observation
    now: datetime
    titles: Mapping[str, str] = field(default_factory=dict)

    def title(self, step: str) -> str:
        """Return a step for people, quoted: `"Start the instance again"`; without a title the words of its id."""
        return f'"{self.titles.get(step) or words(step)}"'

    def rules(self, step: PlanStep) -> StepRules:
        return self.rules_of(step.id)

    def rules_of(self, step: str) -> StepRules:
        """Return how a step is judged; one that only an earlier version of the action had is known by no state.

        It counts as a point of no return where the action has any: what it did is not taken for undone.
        """
        known = self.procedure.steps.get(step)
        if known is not None:
            return known
        return replace(_UNKNOWN, destroys=any(rules.destroys for rules in self.procedure.steps.values()))

    def reached(self, step: PlanStep) -> bool:
        return self.rules(step).reached(self.plan, self.observation)

    def expected(self, step: PlanStep) -> bool:
        return self.rules(step).expected(self.plan, self.observation)

    def since(self, at: datetime | None) -> float:
        """Return the seconds since `at`, 0 when it is unknown or in the future (a clock that was set back)."""
        return 0.0 if at is None else max(0.0, (self.now - at) / timedelta(seconds=1))


def difference(plan: Plan, observation: Observation) -> str:
    """Return in words how the resource differs from the plan's fingerprint, empty when it does not."""
    if not observation.exists:
        return "it does not exist any more"
    keys = sorted({*plan.fingerprint, *observation.fingerprint})
    changes = (
        _WITHOUT_VALUES.get(key)
        or f"{key} was {plan.fingerprint.get(key, 'absent')}, is {observation.fingerprint.get(key, 'absent')}"
        for key in keys
        if plan.fingerprint.get(key) != observation.fingerprint.get(key)
    )
    # Two facts about the same thing are named once.
    return ", ".join(dict.fromkeys(changes))


def backoff_seconds(failures: int) -> float:
    """Return the pause before the next attempt: 5 s, doubled each time, at most five minutes."""
    return _BACKOFF.pause(failures)


def call_or_wait(situation: Situation, call: Call) -> Call | WaitFor:
    """Return the call, or that it waits for what its step awaits; all else speaks for it."""
    rules = situation.rules(call.step)
    why = rules.awaits(situation.plan, situation.observation)
    return WaitFor(call.step.id, rules.poll_seconds, why=why) if why else call


def destroys_next(situation: Situation, move: Move) -> bool:
    """Return whether a move is a call that destroys, or the wait of one for what it awaits."""
    if isinstance(move, WaitFor):
        return bool(move.why)
    return isinstance(move, Call) and situation.rules(move.step).destroys


def early_pause(rules: StepRules, waited: float) -> float:
    """Return the pause until the next observation of a step in time: as long as it was waited for, up to its own.

    What is quick is so noticed soon, and what is slow costs a few observations more than by its own pause alone.
    """
    return min(rules.poll_seconds, max(SHORTEST_PAUSE_SECONDS, waited))


def pause_before_next(rules: StepRules, waited: float) -> float:
    """Return the pause until the next observation of a step: `early_pause`, and ever longer once it is late."""
    return max(early_pause(rules, waited), min(LONGEST_PAUSE_SECONDS, (waited - rules.timeout_seconds) / 10))


def unanswered(situation: Situation) -> PlanStep | None:
    """Return the step of which a call had no answer and may still have its effect; only one that lingers has such."""
    lost = {entry.step for entry in situation.journal.entries if entry.result is Result.ABSENT}
    return next((s for s in situation.plan.steps if s.id in lost and situation.rules(s).lingers), None)


def unseen(situation: Situation) -> str:
    """Return the last step called when it lingers and nothing is seen of it yet, else empty."""
    last = situation.journal.entries[-1] if situation.journal.entries else None
    if last is None or last.result not in {*DONE, Result.FOREIGN}:
        return ""
    rules = situation.rules_of(last.step)
    return last.step if rules.lingers and rules.expected(situation.plan, situation.observation) else ""


def shows_late(situation: Situation, step: PlanStep) -> bool:
    """Return whether a call that had no answer, and seemed to have no effect, has one after all.

    What destroys, or made something that must be named first, is not judged by this.
    """
    lost = situation.journal.has_unanswered(step.id)
    names = situation.rules(step).destroys or situation.observation.text("created")
    return lost and not names and situation.reached(step)


def shows_whole(situation: Situation) -> bool:
    """Return whether each call of the plan, none of which had an answer, shows its effect after all."""
    return all(shows_late(situation, step) for step in situation.plan.steps if step.changes)


def without_answer(situation: Situation) -> str:
    """Return, in sentences, what is known of a call that had no answer; empty when each had one."""
    lost = next((entry.step for entry in situation.journal.entries if entry.result is Result.ABSENT), "")
    if not lost:
        return ""
    unclear = f"{situation.title(lost)} {NO_ANSWER}, and whether AWS carried it out is not known."
    return f"{unclear} {situation.procedure.found(situation.plan, situation.observation)}".rstrip()


def untouched(situation: Situation) -> str:
    """Return the end of a message about an act that is not known to have changed anything, in sentences."""
    return without_answer(situation) or (NOTHING_CHANGED if situation.journal.entries else NOTHING_CALLED)
