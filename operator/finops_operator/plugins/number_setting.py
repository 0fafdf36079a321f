"""A number that one call sets on a resource and another sets back; the shape of every action that does only that.

Several numbers that one call sets together are one text (`1/2/4`), which `read` takes apart; see `plugins.group_size`.

From it come the plan, the calls that lead back, how each step is judged, and the undo: the same action with the number
that was there before and the parameter `setBack`. So an action that uses it declares how its resource is read, what
speaks against it, and its words in both directions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Any, Final, TypeAlias

from finops.domain.canonical import Json
from finops.domain.execution import Journal, Observation, Procedure, Rule, StepRules
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import Parameters, Refusal, Undo

SET_BACK: Final = "setBack"
"""The parameter by which an undo is known; no check proposes it."""
YES: Final = "true"
"""Its value. A text, because parameters of an ActionRequest are texts and whole numbers: it would read true as 1."""
_RESTORE: Final = "restore"
_WAIT_RESTORED: Final = "wait_restored"

Call: TypeAlias = tuple[str, dict[str, Json]]


def sets_back(parameters: Parameters) -> bool:
    """Return whether an act is the undo of an earlier one."""
    return parameters.get(SET_BACK) == YES


def _always(_plan: Plan, _now: Observation) -> bool:
    return True


def _never(_plan: Plan, _now: Observation) -> bool:
    return False


def _no_reason(_plan: Plan, _now: Observation, _step: str, _code: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Others:
    """What other people may do to the resource, in clauses that go on after "because"; without a full stop.

    Attributes:
        set: they set another number.
        replaced: they made another resource under its name, or did what AWS does not show apart from that.
    """

    set: str
    replaced: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How AWS applies a change; times in seconds.

    Attributes:
        settle: how long a change may stay invisible before a person is called; it may still come after it.
        longest: how long applying it may take before a person is called.
        poll: pause between two observations.
        busy: codes by which AWS refuses a call while another change is under way.
    """

    settle: float
    longest: float = 600.0
    poll: float = 5.0
    busy: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NumberSetting:
    """One number of a resource.

    Attributes:
        action: id of the action that sets it.
        parameter: name of the wanted number among the action's parameters.
        fact: name of the present number among the observed facts and in the fingerprint, where it is a text.
        identity: name of the fact that differs once another resource has the name.
        label: what the number is, within a sentence (`memory`).
        shown: the number with its unit (`256 MB`).
        steps: ids of the step that sets it and of the one that waits for it.
        wanted: reads the number from the parameters; raises InvalidInput when it is none that can be set.
        call: (resource, number) → operation and parameters that set it.
        others: what other people may do to it.
        pace: how AWS applies it.
        bound: (fingerprint) → parameters that bind the first call to what people approved.
        before: names of further facts that a call of somebody else's changes, beside the number.
        settled: whether AWS is applying no change.
        applied: whether the number that is set is also in force.
        restored: whether one that was set back is also in force.
        broken: whether AWS says that it could not apply the number.
        endless: the number that stands for no end, above all others; None: there is none.
        read: makes of a fact's text what `wanted` gives and `call` takes; raises ValueError for what is none.
    """

    action: str
    parameter: str
    fact: str
    identity: str
    label: str
    shown: Callable[[Any], str]
    steps: tuple[str, str]
    wanted: Callable[[Parameters], int | str]
    call: Callable[[ResourceRef, Any], Call]
    others: Others
    pace: Pace
    bound: Callable[[Mapping[str, str]], dict[str, Json]] = lambda _assumed: {}
    before: tuple[str, ...] = ()
    settled: Rule = _always
    applied: Rule = _always
    restored: Rule = _always
    broken: Rule = _never
    endless: int | None = None
    read: Callable[[str], int | str] = int

    def plan(self, resource: ResourceRef, parameters: Parameters, assumed: Mapping[str, str]) -> Plan:
        """Return the call that sets the number, and the wait; raises InvalidInput like `wanted`."""
        number, (step, wait) = self.wanted(parameters), self.steps
        operation, call = self.call(resource, number)
        steps = (PlanStep(step, operation, {**call, **self.bound(assumed)}, inverse=_RESTORE), PlanStep(wait))
        chosen: dict[str, Json] = {self.parameter: number, **({SET_BACK: YES} if sets_back(parameters) else {})}
        return Plan(self.action, resource, chosen, steps, dict(assumed))

    def compensation(self, plan: Plan) -> tuple[PlanStep, ...]:
        """Return the call that sets the old number, and the wait."""
        # What our own call made of the resource is not known when people decide, so nothing binds this one.
        operation, call = self.call(plan.resource, self.old(plan))
        return (PlanStep(_RESTORE, operation, call), PlanStep(_WAIT_RESTORED))

    def old(self, plan: Plan) -> Any:
        """Return the number that was there when people decided."""
        return self.read(str(plan.fingerprint[self.fact]))

    def is_same(self, plan: Plan, now: Observation) -> bool:
        """Return whether the resource is there, and no other one under its name."""
        return now.exists and now.text(self.identity) == plan.fingerprint[self.identity]

    def is_set(self, plan: Plan, now: Observation) -> bool:
        """Return whether the resource has the wanted number."""
        return self.is_same(plan, now) and now.text(self.fact) == str(plan.parameters[self.parameter])

    def is_old(self, plan: Plan, now: Observation) -> bool:
        """Return whether the resource has the number that it had when people decided."""
        return self.is_same(plan, now) and now.text(self.fact) == plan.fingerprint[self.fact]

    def procedure(
        self,
        found: Callable[[Plan, Observation], str],
        refused: Callable[[Plan, Observation, str, str], str] = _no_reason,
    ) -> Procedure:
        """Return how the steps are judged, in both directions."""
        step, wait = self.steps
        pace = self.pace
        waiting = StepRules(
            reached=_never,
            settle_seconds=pace.settle,
            timeout_seconds=pace.longest,
            poll_seconds=pace.poll,
            patient=True,
        )
        led_back, in_force = partial(_led_back, self), partial(_in_force, self)
        return Procedure(
            steps={
                step: StepRules(
                    reached=self.is_set,
                    expected=partial(_untouched, self),
                    taken=partial(_taken, self),
                    settle_seconds=pace.settle,
                    retry_codes=pace.busy,
                    lingers=True,
                ),
                wait: replace(waiting, reached=in_force, failed=partial(_failed, self)),
                _RESTORE: StepRules(
                    reached=partial(_not_ours, self),
                    expected=lambda plan, now: self.is_set(plan, now) and self.settled(plan, now),
                    taken=partial(_taken_back, self),
                    settle_seconds=pace.settle,
                    retry_codes=pace.busy,
                ),
                _WAIT_RESTORED: replace(waiting, reached=led_back),
            },
            compensation=self.compensation,
            restored=led_back,
            verified=in_force,
            found=found,
            refused=refused,
        )

    @property
    def undo(self) -> Undo:
        """How a complete act is undone: the old number is set while the resource has the one of the act."""
        return Undo(
            parameters=lambda plan, _made: {self.parameter: self.old(plan), SET_BACK: YES},
            changed=partial(_not_as_left, self),
        )

    def not_back(self, observation: Observation, parameters: Parameters) -> tuple[Refusal, ...]:
        """Refuse an undo that would not give the resource more: what forbids less is not asked of an undo."""
        now, wanted = observation.text(self.fact), self.wanted(parameters)
        if not now.isdigit():
            return (Refusal("NumberUnknown", f"AWS did not say what its {self.label} is."),)
        if _endless_last(self, int(now)) < _endless_last(self, int(wanted)):
            return ()
        return (Refusal("NotBack", f"Its {self.label} is {self.shown(int(now))}, not less than before the act."),)


def _endless_last(setting: NumberSetting, number: int) -> float:
    return inf if number == setting.endless else number


def _not_as_left(setting: NumberSetting, plan: Plan, now: Observation) -> str:
    if not setting.is_same(plan, now):
        return f"After the act {setting.others.replaced.removesuffix(' meanwhile')}."
    if setting.is_set(plan, now):
        return ""
    left = setting.shown(setting.read(str(plan.parameters[setting.parameter])))
    try:
        has = setting.shown(setting.read(now.text(setting.fact)))
    except ValueError:
        has = "not known"
    return f"Its {setting.label} is {has} now; the act had set it to {left}."


def _untouched(setting: NumberSetting, plan: Plan, now: Observation) -> bool:
    return setting.is_old(plan, now) and all(now.text(name) == plan.fingerprint[name] for name in setting.before)


def _in_force(setting: NumberSetting, plan: Plan, now: Observation) -> bool:
    return setting.is_set(plan, now) and setting.applied(plan, now)


def _failed(setting: NumberSetting, plan: Plan, now: Observation) -> bool:
    return not setting.is_same(plan, now) or (setting.is_set(plan, now) and setting.broken(plan, now))


def _not_ours(setting: NumberSetting, plan: Plan, now: Observation) -> bool:
    """Return whether the number is the old one, or one that somebody else chose meanwhile, which is left alone."""
    return now.exists and not setting.is_set(plan, now)


def _led_back(setting: NumberSetting, plan: Plan, now: Observation) -> bool:
    return _not_ours(setting, plan, now) and setting.restored(plan, now)


def _taken(setting: NumberSetting, plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    """Our call makes the wanted number of an untouched resource; whatever else is there is somebody's."""
    anew = _replaced(setting, plan, journal, now, seconds)
    if anew or not now.exists:
        return anew
    return "" if setting.is_set(plan, now) or _untouched(setting, plan, now) else setting.others.set


def _taken_back(setting: NumberSetting, plan: Plan, journal: Journal, now: Observation, seconds: float) -> str:
    # Where a call leaves further traces, our own call's are not known when people decide.
    judge = _replaced if setting.before else _taken
    return judge(setting, plan, journal, now, seconds)


def _replaced(setting: NumberSetting, plan: Plan, _journal: Journal, now: Observation, _seconds: float) -> str:
    return setting.others.replaced if now.exists and not setting.is_same(plan, now) else ""
