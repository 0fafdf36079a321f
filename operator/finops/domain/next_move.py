"""What an executor does next, as pure code: from plan, journal and observation to one move.

Called by the operator's act stage and by nothing else. The journal is rebuilt from the ledger alone, so a restarted
process continues where the dead one stopped: an intent without outcome is resolved by reading the resource, never
by repeating. Until something may have changed, and again before every call that destroys, freeze, expiry, a lost vote
or a changed resource stop the act; otherwise only the way to a safe end counts.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from finops.domain.decision import State
from finops.domain.execution import (
    DONE,
    Call,
    Compensate,
    Ended,
    Finish,
    Hold,
    Journal,
    JournalEntry,
    Move,
    NeedsHuman,
    Result,
    Settle,
    Stop,
    StopKind,
    Verified,
    WaitFor,
)
from finops.domain.plan import PlanStep
from finops.domain.situation import (
    BACKOFF_BASE_SECONDS,
    BACKOFF_CAP_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Situation,
    backoff_seconds,
    call_or_wait,
    destroys_next,
    difference,
    early_pause,
    pause_before_next,
    shows_late,
    shows_whole,
    unanswered,
    unseen,
    untouched,
    without_answer,
)

__all__ = [
    "ALARM_AFTER_FAILURES",
    "BACKOFF_CAP_SECONDS",
    "GONE",
    "GONE_SECONDS",
    "LONGEST_PAUSE_SECONDS",
    "Situation",
    "backoff_seconds",
    "difference",
    "is_point_of_no_return",
    "is_undecided",
    "next_move",
    "next_move_back",
]

ALARM_AFTER_FAILURES: Final = 3
"""Attempts of one step of a rollback, none of which lasted, after which a person is called; trying goes on."""
GONE: Final = "gone"
"""Where an act stands whose resource does not exist any more; the name of its alarm in the ledger."""
GONE_SECONDS: Final = 600.0
"""How long after the first observation without the resource none may find it, so that it counts as gone."""
_UNRECORDED: Final = "unrecorded"
"""Where an act stands of whose calls nobody knows: its records were lost. The name of its alarm in the ledger."""
_SEEN_AGAIN: Final = "seen-again"
"""The name under which the ledger records that a missed resource was there again: its absence before counts no more."""


def _barred(situation: Situation, stop: Stop | None, refusals: tuple[str, ...]) -> Move | None:
    """Return what an act does instead of going on while it is not known to have changed anything; None: it goes on.

    Once all calls show their effect, late as they may, nothing is left that anything could forbid.
    """
    lost = unanswered(situation)
    if lost is not None:
        return _call_unanswered(situation, lost, stop, refusals)
    if shows_whole(situation):
        return None
    change = difference(situation.plan, situation.observation)
    if change:
        return Finish(State.STALE, f"The resource changed since it was proposed: {change}. {untouched(situation)}")
    if refusals:
        return Finish(State.STALE, f"{' '.join(refusals)} {untouched(situation)}")
    return None if stop is None else _stopped(situation, stop)


def is_undecided(journal: Journal) -> bool:
    """Return whether the act may still end as if it had never begun: nothing can have changed."""
    return journal.ended is None and journal.turned is None and not journal.may_have_changed


def is_point_of_no_return(situation: Situation) -> bool:
    """Return whether the act, if nothing forbids it, makes or awaits a call after which something is gone for ever."""
    return destroys_next(situation, next_move(situation))


def next_move(situation: Situation, *, stop: Stop | None = None, refusals: tuple[str, ...] = ()) -> Move:
    """Return the one thing to do now.

    Args:
        situation: plan, journal, observation and time.
        stop: what the gate says, read afresh; used while `is_undecided` and at `is_point_of_no_return`.
        refusals: what the action's preflight says now; used when `stop` is.
    """
    journal = situation.journal
    if journal.ended is not None:
        return Ended(journal.ended, journal.end_message)
    taken = _taken(situation)
    if taken:
        return _rolled_back(situation, f"{situation.title(journal.entries[-1].step)}: {taken}; it is left alone")
    if journal.turned is not None:
        return _backward(situation)
    if not journal.may_have_changed:
        barred = _barred(situation, stop, refusals)
        if barred is not None:
            return barred
    move = _forward(situation)
    if isinstance(move, Call) and situation.rules(move.step).destroys:
        return _before_destroying(situation, move, stop, refusals)
    return move


def next_move_back(situation: Situation, why: str, *, records_lost: bool = False) -> Move:
    """Return the one thing to do now for an act that may not go forward any more.

    What was called is settled first, and what somebody else has taken is left alone. An act with nothing left to call
    is watched to its end; any other one turns.

    Args:
        situation: plan, journal, observation and time. The steps of the plan may be those of an earlier version.
        why: the reason to turn, for people.
        records_lost: the ledger may lack calls that the act made.
    """
    journal, steps = situation.journal, situation.plan.steps
    if records_lost and not journal.entries and journal.turned is None and journal.ended is None:
        return _unrecorded(situation, why)
    move = next_move(situation, stop=Stop(StopKind.WITHDRAWN, "OnlyBack", why))
    underway = journal.turned is None and not is_undecided(journal) and journal.open is None
    if not underway or not isinstance(move, Call | WaitFor):
        return move
    known = all(step.id in situation.procedure.steps for step in steps)
    called = all(_is_done(journal.last(step.id)) for step in steps if step.changes)
    if isinstance(move, WaitFor) and known and called:
        return move
    return Compensate(journal.entries[-1].step, why)


def _unrecorded(situation: Situation, why: str) -> Move:
    """A person is called first, and has time to compare: the act may have called what the ledger does not show."""
    change = difference(situation.plan, situation.observation)
    found = situation.procedure.found(situation.plan, situation.observation)
    seen = f"The resource changed since it was proposed: {change}." if change else "The resource is as it was proposed."
    message = " ".join(one for one in (why, "Whether it called anything is not known.", seen, found) if one)
    called_at = situation.journal.alarms.get(_UNRECORDED)
    if called_at is None or situation.since(called_at) < GONE_SECONDS:
        return WaitFor(_UNRECORDED, LONGEST_PAUSE_SECONDS, alarm=f"{message} Compare it with CloudTrail.")
    return Finish(State.STALE if change else State.WITHDRAWN, message)


def _is_done(last: JournalEntry | None) -> bool:
    return last is not None and last.result in DONE


def _taken(situation: Situation) -> str:
    """Return what somebody else did to the resource since our last call, empty without proof.

    Asked before everything else and answered by an end: with a record in between, a crash there would let the rollback
    touch what is somebody else's.
    """
    journal = situation.journal
    if journal.open is not None or not journal.may_have_changed:
        return ""
    last = journal.entries[-1]
    taken = situation.rules_of(last.step).taken
    return taken(situation.plan, journal, situation.observation, situation.since(last.at))


def _call_unanswered(situation: Situation, step: PlanStep, stop: Stop | None, refusals: tuple[str, ...]) -> Move:
    """Repeat a call that nothing was seen of; while that is forbidden the act waits, for AWS may still carry it out.

    An effect that shows late is called for once more: AWS answers that it is so, and the act has its record of it.
    """
    journal, rules = situation.journal, situation.rules(step)
    last = journal.entries[-1]
    found = situation.procedure.found(situation.plan, situation.observation)
    taken = rules.taken(situation.plan, journal, situation.observation, situation.since(last.at))
    if taken:
        return _rolled_back(situation, f"{situation.title(step.id)}: {taken}; it is left alone")
    if not situation.observation.exists:
        return Finish(State.STALE, f"{situation.title(step.id)} had no answer. {found}")
    if stop is not None and stop.kind is StopKind.HOLD:
        return Hold(stop.message)
    shows = situation.reached(step)
    change = "" if shows else difference(situation.plan, situation.observation)
    forbidden = (
        *((f"The resource changed since it was proposed: {change}.",) if change else ()),
        *(() if shows else refusals),
        *((stop.message,) if stop is not None else ()),
    )
    refusal = "" if shows else _refusal_of_repetition(situation, last)
    called = f"{situation.title(step.id)} was called without an answer, and AWS may still carry it out."
    alarm = " ".join(word for word in (called, *forbidden, refusal, found) if word)
    if forbidden:
        return WaitFor(step.id, LONGEST_PAUSE_SECONDS, alarm=alarm)
    pause = backoff_seconds(journal.failures(step.id)) - situation.since(last.at)
    if pause > 0:
        return WaitFor(step.id, min(pause, LONGEST_PAUSE_SECONDS), alarm=alarm if refusal else "")
    return Call(step, last.attempt + 1, alarm=alarm if refusal or last.attempt >= rules.maximum_attempts else "")


def _refusal_of_repetition(situation: Situation, last: JournalEntry) -> str:
    """Return why AWS refused the last attempt, in a sentence; empty unless a further one would be refused as well."""
    passing = last.retryable or last.code in situation.rules_of(last.step).retry_codes
    if last.result is not Result.REJECTED or passing:
        return ""
    return _refused(situation, last.step, last.code) or f"The repetition failed: {_why(last)}."


def _wait_unseen(situation: Situation, step: str, waiting: str) -> WaitFor:
    rules, waited = situation.rules_of(step), situation.since(situation.journal.entries[-1].at)
    if waited <= rules.settle_seconds:
        return WaitFor(waiting, early_pause(rules, waited))
    found = situation.procedure.found(situation.plan, situation.observation)
    called = f"{situation.title(step)} was called"
    alarm = f"{called}, and nothing is seen of it after {rules.settle_seconds:.0f} seconds; still waiting. {found}"
    return WaitFor(waiting, pause_before_next(rules, waited), alarm=alarm.rstrip())


def _rolled_back(situation: Situation, reason: str) -> Finish:
    """The sentence says what was seen: a resource that changed hands or is gone is not as it was before."""
    found = situation.procedure.found(situation.plan, situation.observation)
    adds_found = found and not reason.endswith(found)
    return Finish(State.ROLLED_BACK, f"{reason.rstrip('.')}. {found}" if adds_found else reason)


def _stopped(situation: Situation, stop: Stop) -> Move:
    if stop.kind is StopKind.HOLD:
        return Hold(stop.message)
    state = State.EXPIRED if stop.kind is StopKind.EXPIRED else State.WITHDRAWN
    return Finish(state, f"{stop.message} {without_answer(situation)}".rstrip())


def _before_destroying(situation: Situation, call: Call, stop: Stop | None, refusals: tuple[str, ...]) -> Move:
    """Something was called already, so it ends by a rollback; what waits longer than a vote holds is not lost."""
    holds = stop is not None and stop.kind is StopKind.HOLD
    change = difference(situation.plan, situation.observation)
    reasons = (
        *((f"The resource changed since it was proposed: {change}.",) if change else ()),
        *refusals,
        *((stop.message,) if stop is not None and not holds else ()),
    )
    if not reasons:
        return Hold(stop.message, call.step.id) if stop is not None else call_or_wait(situation, call)
    kept = f"{situation.title(call.step.id)} was not carried out; what was made before it is kept."
    return Compensate(call.step.id, f"{' '.join(reasons)} {kept}")


def _forward(situation: Situation) -> Move:
    steps = situation.plan.steps
    # Waiting steps leave no record: everything before the last step that was called lies behind us.
    begun = [index for index, step in enumerate(steps) if situation.journal.last(step.id) is not None]
    for step in steps[begun[-1] if begun else 0 :]:
        move = _changing(situation, step) if step.changes else _waiting(situation, step)
        if move is not None:
            return move
    if situation.procedure.verified(situation.plan, situation.observation):
        return Verified()
    waited = situation.since(situation.journal.last_at)
    if waited > situation.procedure.verify_seconds:
        late = "the end state did not read back in time"
        destroyed = _destroyed(situation)
        if destroyed:
            found = situation.procedure.found(situation.plan, situation.observation)
            return NeedsHuman(f"{situation.title(destroyed)} was carried out, but {late}. {found}".rstrip())
        return Compensate("verify", late)
    pause = min(early_pause(situation.rules(step), waited) for step in steps)
    return WaitFor("verify", pause, verifying=True)


def _destroyed(situation: Situation) -> str:
    """Return the step after which there is no rollback, when it may have had its effect; else empty."""
    for step in situation.plan.steps:
        last = situation.journal.last(step.id)
        if last is None or not situation.rules(step).destroys:
            continue
        if last.result in DONE or (last.result is Result.FOREIGN and not situation.expected(step)):
            return step.id
    return ""


def _changing(situation: Situation, step: PlanStep) -> Move | None:
    last = situation.journal.last(step.id)
    if last is None:
        return _first_call(situation, step)
    if last.result is None or last.result is Result.UNKNOWN:
        return _resolve(situation, step, last)
    if last.result in DONE or shows_late(situation, step):
        return None
    if last.result is Result.FOREIGN:
        if situation.rules(step).destroys:
            return _foreign_after_destroying(situation, step)
        foreign = "the resource is in a state that neither we nor the plan made"
        return Compensate(step.id, f"{situation.title(step.id)}: {foreign}")
    rules = situation.rules(step)
    retryable = last.result is Result.ABSENT or last.retryable or last.code in rules.retry_codes
    if not retryable or last.attempt >= rules.maximum_attempts:
        return _given_up(situation, step, last)
    pause = backoff_seconds(situation.journal.failures(step.id)) - situation.since(last.at)
    if pause > 0:
        return WaitFor(step.id, pause)
    if not situation.expected(step):
        return Compensate(step.id, f"{situation.title(step.id)}: the resource is not as the plan expects it here")
    return Call(step, last.attempt + 1)


def _given_up(situation: Situation, step: PlanStep, last: JournalEntry) -> Move:
    """A refusal may be the effect of an attempt without an answer: that one gets its time to show once more."""
    failed = f"{situation.title(step.id)} failed: {_why(last)}"
    why = _refused(situation, step.id, last.code) or failed
    rules, waited = situation.rules(step), situation.since(last.at)
    if not situation.journal.may_have_changed:
        lost = situation.journal.has_unanswered(step.id)
        if lost and last.result is Result.REJECTED and waited < rules.settle_seconds:
            return WaitFor(step.id, early_pause(rules, waited))
        if not lost and last.code in rules.later_codes:
            return Finish(State.STALE, f"{why.rstrip('.')}. {untouched(situation)}")
    return Compensate(step.id, why)


def _refused(situation: Situation, step: str, code: str) -> str:
    """Return the action's own sentence about a refusal; empty when it has none."""
    return situation.procedure.refused(situation.plan, situation.observation, step, code) if code else ""


def _why(last: JournalEntry) -> str:
    return last.code or (last.result.value if last.result else "no answer")


def _foreign_after_destroying(situation: Situation, step: PlanStep) -> Move | None:
    """Whether AWS still carries the call out is not known; only a state that shows it leads on."""
    if situation.reached(step):
        return None
    if situation.expected(step):
        return Compensate(step.id, f"{situation.title(step.id)} had no effect; the resource is as it was")
    unclear = "what became of the call is not known, and the resource was changed meanwhile"
    return NeedsHuman(f"{situation.title(step.id)}: {unclear}")


def _first_call(situation: Situation, step: PlanStep) -> Move:
    if situation.expected(step):
        return Call(step, 1)
    if not situation.journal.may_have_changed:
        needed = situation.title(step.id)
        return Finish(State.STALE, f"The resource is not in a state from which {needed} can be called.")
    # AWS shows effects late; only a difference that lasts is one, unless no call of ours can have made it.
    rules, waited = situation.rules(step), situation.since(situation.journal.last_at)
    if not _changed(situation, step) and waited < rules.settle_seconds:
        return WaitFor(step.id, early_pause(rules, waited))
    return Compensate(step.id, f"{situation.title(step.id)}: the resource is not as the plan expects it here")


def _changed(situation: Situation, step: PlanStep) -> bool:
    return situation.rules(step).changed(situation.plan, situation.observation)


def _resolve(situation: Situation, step: PlanStep, last: JournalEntry) -> Move:
    rules = situation.rules(step)
    if situation.reached(step):
        return Settle(step.id, last.attempt, Result.RECOVERED)
    waited = situation.since(last.at)
    if waited < rules.settle_seconds:
        return WaitFor(step.id, early_pause(rules, waited))
    if situation.expected(step):
        return Settle(step.id, last.attempt, Result.ABSENT)
    return Settle(step.id, last.attempt, Result.FOREIGN)


def _waiting(situation: Situation, step: PlanStep) -> Move | None:
    rules = situation.rules(step)
    if _changed(situation, step):
        found = situation.procedure.found(situation.plan, situation.observation)
        return Compensate(step.id, f"{situation.title(step.id)}: the resource was changed meanwhile. {found}".rstrip())
    if situation.reached(step):
        return None
    hidden = unseen(situation)
    if hidden:
        return _wait_unseen(situation, hidden, step.id)
    # Right after a call AWS may still show the state before it: a failure counts once that has passed.
    settled = situation.since(situation.journal.last_at) >= rules.settle_seconds
    if settled and rules.failed(situation.plan, situation.observation):
        found = situation.procedure.found(situation.plan, situation.observation) or "AWS reports a failure."
        return Compensate(step.id, f"{situation.title(step.id)} cannot succeed any more. {found}")
    waited = situation.since(situation.journal.last_at)
    if waited <= rules.timeout_seconds:
        return WaitFor(step.id, early_pause(rules, waited))
    late = f"{situation.title(step.id)} takes longer than {rules.timeout_seconds:.0f} seconds"
    return (
        WaitFor(step.id, pause_before_next(rules, waited), alarm=late) if rules.patient else Compensate(step.id, late)
    )


def _backward(situation: Situation) -> Move:
    """Lead back to the safe state, whatever is found: every pass starts from what AWS shows, not from a position."""
    if situation.journal.turned is not None and not situation.journal.may_have_changed:
        # Nothing that we know to be ours is to be led back, whatever state the resource is in now.
        return Finish(State.ROLLED_BACK, f"{situation.journal.turned.rstrip('.')}. {untouched(situation)}")
    why = (situation.journal.turned or "").rstrip(".")
    destroyed = _destroyed(situation)
    if destroyed:
        if situation.procedure.verified(situation.plan, situation.observation):
            return Verified()
        return NeedsHuman(f"{why}; {situation.title(destroyed)} may have been carried out")
    steps = situation.procedure.compensation(situation.plan)
    opened = situation.journal.open
    for step in steps:
        if opened is not None and opened.step == step.id:
            return _resolve(situation, step, opened)
    hidden = unseen(situation)
    if hidden:
        return _wait_unseen(situation, hidden, hidden)
    if situation.procedure.restored(situation.plan, situation.observation):
        return _rolled_back(situation, situation.journal.turned or "")
    missed, missed_at = _missed(situation.journal)
    if not situation.observation.exists:
        return _gone(situation, missed, missed_at)
    if missed_at is not None:
        return WaitFor(f"{_SEEN_AGAIN}-{missed}", BACKOFF_BASE_SECONDS, alarm="The resource is there again; going on")
    for step in steps:
        if not situation.reached(step):
            return _call_back(situation, step) if step.changes else _wait_back(situation, step)
    return NeedsHuman(f"{why}; the resource is not in a state we can lead back from")


def _missed(journal: Journal) -> tuple[int, datetime | None]:
    """Return how often it went missing, and since when it is; None when it was seen again after that."""
    missed = [name for name in journal.alarms if name == GONE or name.startswith(f"{GONE}-")]
    seen = any(name == f"{_SEEN_AGAIN}-{len(missed)}" for name in journal.alarms)
    return len(missed), None if seen or not missed else max(journal.alarms[name] for name in missed)


def _gone(situation: Situation, missed: int, missed_at: datetime | None) -> Move:
    """A person is called at once; when no later observation finds anything either, nobody can lead anything back."""
    if missed_at is not None and situation.since(missed_at) >= GONE_SECONDS:
        return _rolled_back(situation, situation.journal.turned or "")
    lost = "The resource does not exist any more; if it stays away, the act ends"
    number = missed if missed_at is not None else missed + 1
    name = GONE if number == 1 else f"{GONE}-{number}"
    return WaitFor(name, LONGEST_PAUSE_SECONDS, alarm=f"{lost}. It had turned back: {situation.journal.turned}")


def _call_back(situation: Situation, step: PlanStep) -> Move:
    last = situation.journal.last(step.id)
    rules = situation.rules(step)
    alarm = _overdue(situation, step)
    if not situation.expected(step):
        return WaitFor(step.id, pause_before_next(rules, situation.since(situation.journal.turned_at)), alarm=alarm)
    if last is None:
        return Call(step, 1, alarm=alarm)
    if last.attempt >= ALARM_AFTER_FAILURES:
        alarm = _fails(situation, last)
    # Called with success, and yet needed again: an effect that is not visible yet, or one that AWS took back.
    settling = rules.settle_seconds if last.result in DONE else 0.0
    waited = situation.since(last.at)
    pause = max(settling, backoff_seconds(last.attempt)) - waited
    if pause > 0:
        longest = early_pause(rules, waited) if waited < settling else LONGEST_PAUSE_SECONDS
        return WaitFor(step.id, min(pause, longest), alarm=alarm)
    return Call(step, last.attempt + 1, alarm=alarm)


def _fails(situation: Situation, last: JournalEntry) -> str:
    """Whatever AWS answered, an attempt after which the step is needed again has failed."""
    why = "AWS accepted it and took it back" if last.result in DONE else _why(last)
    why = _refused(situation, last.step, last.code).rstrip(".") or why
    found = situation.procedure.found(situation.plan, situation.observation)
    return f"{situation.title(last.step)} failed {last.attempt} times: {why}; still trying. {found}".rstrip()


def _wait_back(situation: Situation, step: PlanStep) -> Move:
    waited = situation.since(situation.journal.turned_at)
    return WaitFor(step.id, pause_before_next(situation.rules(step), waited), alarm=_overdue(situation, step))


def _overdue(situation: Situation, step: PlanStep) -> str:
    """Counted from the turn: the calls of the rollback must not put off that a person is called."""
    limit = situation.rules(step).timeout_seconds
    if situation.since(situation.journal.turned_at) <= limit:
        return ""
    return f"{situation.title(step.id)}: the rollback takes longer than {limit:.0f} seconds; still trying"
