"""What one call stops and another starts, and what starts by itself after a time; the shape of the actions that do so.

From it come the plan, the calls that lead back, how each step is judged, and the undo: the same action with the
parameter `endState`, which says in which state the resource ends. AWS refuses to stop what does not work and to start
what does not stand still, so a call that is repeated does no harm. A resource of this shape has no time of its launch:
only the state `starting` proves that somebody took it back. One that merely works may still be about to show our stop,
until the time is over after which AWS starts it by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from finops.domain.canonical import Json
from finops.domain.execution import Journal, Observation, Procedure, Rule, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import Parameters, Undo

END_STATE: Final = "endState"
"""The parameter by which an undo is known; no check proposes it."""
_AVAILABLE: Final = "available"
_STOPPED: Final = "stopped"
_STARTING: Final = "starting"
_POLL_SECONDS: Final = 15.0


def _agree(_plan: Plan, _now: Observation) -> bool:
    return True


def _no_reason(_plan: Plan, _now: Observation, _step: str, _code: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Pausable:
    """A kind of resource that can be stopped and started; times in seconds.

    Attributes:
        noun: what it is, within a sentence (`database`).
        parameter: name of the parameter of both calls that holds its id.
        stop, start: the two operations.
        restarted_after: after it AWS starts by itself what is stopped.
        settle: how long a stop or a start may stay invisible before a person is called.
        longest: of a stop or a start before a person is called.
        down, up: its states while it stops or stands still, and while it starts or works.
        parts: whether all that it consists of is in the same state as itself.
    """

    noun: str
    parameter: str
    stop: str
    start: str
    restarted_after: timedelta
    settle: float
    longest: float
    down: frozenset[str]
    up: frozenset[str]
    parts: Rule = _agree


@dataclass(frozen=True, slots=True)
class Pausing:
    """One of the two actions on a pausable resource.

    The observed facts it reads: `state`, and `resourceId`, which differs once another resource has the name.

    Attributes:
        action: its id.
        of: what it stops or starts.
        ends: the state in which the resource ends, `stopped` or `available`.
    """

    action: str
    of: Pausable
    ends: str

    def starts(self, parameters: Parameters) -> bool:
        """Return whether the act leads to a resource that works."""
        return parameters.get(END_STATE, self.ends) == _AVAILABLE

    def undoes(self, parameters: Parameters) -> bool:
        """Return whether the act is the undo of an earlier one."""
        return parameters.get(END_STATE, self.ends) != self.ends

    def plan(self, resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
        """Return the call and the wait."""
        named: dict[str, Json] = {self.of.parameter: resource.id}
        if self.starts(parameters):
            steps = (PlanStep("start", self.of.start, named), PlanStep("wait_started"))
        else:
            steps = (PlanStep("stop", self.of.stop, named, inverse="start"), PlanStep("wait_stopped"))
        chosen: dict[str, Json] = {**self._other} if self.undoes(parameters) else {}
        return Plan(self.action, resource, chosen, steps, dict(assumed))

    def compensation(self, plan: Plan) -> tuple[PlanStep, ...]:
        """Return what starts again a resource whose stop failed. A start that does not last leaves it as it was."""
        if self.starts(plan.parameters):
            return ()
        return (PlanStep("start", self.of.start, {self.of.parameter: plan.resource.id}), PlanStep("wait_available"))

    def procedure(
        self,
        found: Callable[[Plan, Observation], str],
        refused: Callable[[Plan, Observation, str, str], str] = _no_reason,
    ) -> Procedure:
        """Return how the steps are judged, in both directions."""
        of, started, stopped = self.of, partial(_works, self.of), partial(_stands_still, self.of)
        waiting = partial(
            StepRules,
            settle_seconds=of.settle,
            timeout_seconds=of.longest,
            poll_seconds=_POLL_SECONDS,
            patient=True,
        )
        return Procedure(
            steps={
                "stop": StepRules(
                    reached=partial(_is_down, of),
                    expected=partial(_shows_no_stop, of),
                    taken=partial(_started_by_others, of),
                    settle_seconds=of.settle,
                    lingers=True,
                ),
                "wait_stopped": waiting(reached=stopped, failed=_cannot_stop),
                "start": StepRules(
                    reached=partial(_is_up, of), expected=stopped, taken=_made_anew, settle_seconds=of.settle
                ),
                "wait_available": waiting(reached=started),
                # A start that shows late must not be reported as refused: nobody would expect it to run.
                "wait_started": waiting(reached=started, failed=partial(_cannot_start, of)),
            },
            compensation=self.compensation,
            restored=partial(_one_of, self, stopped, started),
            verified=partial(_one_of, self, started, stopped),
            found=found,
            refused=refused,
        )

    def undo(self, *, outside_windows: bool) -> Undo:
        """Return how a complete act is undone: by the other call, while the resource is as the act left it."""
        return Undo(
            parameters=lambda _plan, _made: self._other,
            changed=partial(_not_as_left, self),
            outside_windows=outside_windows,
        )

    @property
    def _other(self) -> Parameters:
        return {END_STATE: _STOPPED if self.ends == _AVAILABLE else _AVAILABLE}


def _same(plan: Plan, now: Observation) -> bool:
    return now.exists and now.text("resourceId") == plan.fingerprint["resourceId"]


def _is_down(of: Pausable, plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") in of.down


def _is_up(of: Pausable, plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") in of.up


def _stands_still(of: Pausable, plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") == _STOPPED and of.parts(plan, now)


def _works(of: Pausable, plan: Plan, now: Observation) -> bool:
    return _same(plan, now) and now.text("state") == _AVAILABLE and of.parts(plan, now)


def _one_of(pausing: Pausing, ends_up: Rule, ends_down: Rule, plan: Plan, now: Observation) -> bool:
    return (ends_up if pausing.starts(plan.parameters) else ends_down)(plan, now)


def _shows_no_stop(of: Pausable, plan: Plan, now: Observation) -> bool:
    """Return whether nothing is seen of our stop: AWS may back it up or maintain it until it carries the stop out."""
    return _same(plan, now) and now.text("state") not in {*of.down, _STARTING}


def _cannot_stop(plan: Plan, now: Observation) -> bool:
    return not _same(plan, now) or now.text("state") == _STARTING


def _cannot_start(of: Pausable, plan: Plan, now: Observation) -> bool:
    """Return whether AWS took a start back."""
    return not _same(plan, now) or now.text("state") in of.down


def _started_by_others(of: Pausable, plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """Return that somebody took it back since our stop, else ""; no call of ours starts it before the rollback."""
    anew = _made_anew(plan, journal, now, seconds)
    if anew or not now.exists:
        return anew
    state, limit = now.text("state"), of.restarted_after
    if state not in of.down and _since_call(journal, seconds) >= limit.total_seconds():
        days = {7: "seven"}.get(limit.days, str(limit.days))
        return f"it is not stopped, and after {days} days AWS starts a stopped {of.noun} by itself"
    return "somebody started it while we were stopping it" if state == _STARTING else ""


def _since_call(journal: Journal, seconds: float) -> float:
    """Return the seconds since the last call; its outcome may have been recorded much later, after a restart."""
    called = next(entry for entry in reversed(journal.entries) if entry.result is None)
    return seconds + (journal.entries[-1].at - called.at).total_seconds()


def _made_anew(plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    return "it was deleted, and somebody made another one under its name" if now.exists and not _same(plan, now) else ""


def _not_as_left(pausing: Pausing, plan: Plan, now: Observation) -> str:
    """Return that it is not the resource that the act left, in the state in which it left it; empty while it is."""
    if now.text("resourceId") != plan.fingerprint["resourceId"]:
        return "It was deleted, and somebody made another one under its name."
    state, left = now.text("state"), pausing.ends
    return "" if state == left else f"It is {state}, not {left}."
