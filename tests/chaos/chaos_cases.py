"""The cases of `make chaos`: every action of the registry × every boundary it meets × everything that can go wrong.

Nothing is listed here: actions come from the registry, boundaries from an undisturbed run of each. A case is a line of
text, so that a failing one can be repeated: `ec2_instance_resize/forward/aws.sent:2/kill`.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tests.support.act_cases import CASES, find

from finops_operator.killpoint import ACT_KILL_POINTS
from finops_operator.plugins.loaded import plugins

_PASSAGES: Final = 3
"""Passages of one boundary that are walked; polling makes later ones differ from run to run."""
_AROUND_A_CALL: Final = (
    *("act.started.before", "act.started.after", "sts.before", "sts.after", "intent.before", "intent.after"),
    *("aws.before", "aws.sent", "outcome.before", "outcome.after"),
)
_UNDONE_IN_SMALL: Final = 2
_NOBODY: Final[Mapping[str, int]] = {}


class Fault(Enum):
    """What happens when the operator comes to the boundary."""

    KILL = "kill"
    PAUSE = "pause"
    DROP_AFTER = "drop-after"
    DROP_BEFORE = "drop-before"
    THROTTLE = "throttle"
    STORE_HANGS = "store-hangs"
    STATUS_REFUSED = "status-refused"


class Variant(Enum):
    """How the act goes when nothing disturbs it."""

    FORWARD = "forward"
    TURNED_BACK = "turned-back"
    """AWS refuses the plan's last call once, so that the act is rolled back."""
    ANSWER_LOST = "answer-lost"
    """The plan's first call is applied and its answer lost, so that the act has to find out."""
    UNDONE = "undone"
    """The act went undisturbed, somebody asked to undo it, and it is the undo that is disturbed."""


_BEGINNINGS: Final = {
    Variant.TURNED_BACK: ("compensate.before", "compensate.after"),
    Variant.ANSWER_LOST: ("settle.before", "settle.after"),
}
"""Variant → the boundaries that each act of it comes to, beside those of every act."""
_OWN_WAYS: Final = frozenset({Variant.FORWARD, Variant.UNDONE})


@dataclass(frozen=True, slots=True)
class Case:
    """One run; without a boundary nothing disturbs it."""

    action: str
    variant: Variant
    boundary: str = ""
    fault: Fault | None = None

    @property
    def text(self) -> str:
        return "/".join((self.action, self.variant.value, self.boundary, self.fault.value if self.fault else ""))

    @classmethod
    def of(cls, text: str) -> Case:
        """Read a case's text. Raises ValueError when it names none."""
        action, variant, boundary, fault = text.split("/")
        return cls(action, Variant(variant), boundary, Fault(fault) if fault else None)


def undisturbed() -> list[Case]:
    """Return one run for each action of the registry and each variant.

    Raises:
        LookupError: the tests' estate holds no resource for an action.
    """
    actions = sorted(plugins().actions)
    missing = [action for action in actions if action not in CASES]
    if missing:
        raise LookupError(f"name a resource in tests/support/act_cases.py for {', '.join(missing)}")
    return [Case(action, variant) for action in actions for variant in Variant if _has(action, variant)]


def _has(action: str, variant: Variant) -> bool:
    return variant is not Variant.UNDONE or plugins().actions[action].undo is not None


def cases(met: Mapping[Case, Mapping[str, int]]) -> list[Case]:
    """Return all cases for the boundaries that undisturbed runs met, by name → number of passages.

    Of an act that is led back, or that has to find out, only what comes after the way that the plain act walks too; an
    undo goes a way of its own.
    """
    return [
        Case(run.action, run.variant, f"{name}:{passage}", fault)
        for run, names in met.items()
        for name, count in sorted(names.items())
        for passage in _passages(count, 0 if run.variant in _OWN_WAYS else _forward(run, met).get(name, 0))
        for fault in Fault
    ]


def _forward(run: Case, met: Mapping[Case, Mapping[str, int]]) -> Mapping[str, int]:
    return met.get(Case(run.action, Variant.FORWARD), _NOBODY)


def _passages(count: int, walked: int) -> range:
    return range(walked + 1, min(count, walked + _PASSAGES) + 1)


def not_met(met: Iterable[Mapping[str, int]]) -> frozenset[str]:
    """Return the registered boundaries that no run met: nothing would say that they are left out."""
    return frozenset(ACT_KILL_POINTS) - {name for names in met for name in names}


def small_sample(seed: int) -> list[Case]:
    """Return one case for each action, the same for the same seed, among them each fault at least once.

    Of a few actions it is the undo that is disturbed, of which ones the seed chooses: that takes two acts. Of one it is
    the rollback, and of one the search for what became of a call without an answer.
    Which boundaries an act meets is known from an undisturbed run alone. To need none, all stand at those around an
    act's first call, which every act passes, or at those by which a rollback or that search begins.
    """
    chance = random.Random(seed)
    actions = sorted(plugins().actions)
    chance.shuffle(actions)
    faults: list[Fault] = []
    while len(faults) < len(actions):
        faults += chance.sample(tuple(Fault), len(Fault))
    ways = _ways_in_small(actions)
    return [
        Case(action, ways[action], f"{chance.choice(_BEGINNINGS.get(ways[action], _AROUND_A_CALL))}:1", fault)
        for action, fault in zip(actions, faults, strict=False)
    ]


def _ways_in_small(actions: Sequence[str]) -> dict[str, Variant]:
    """Return which way each action goes in the small sample; the order of the actions is chance."""
    turned = next(one for one in actions if _calls_back(one))
    others = [one for one in actions if one != turned]
    undone = [one for one in others if _has(one, Variant.UNDONE)][:_UNDONE_IN_SMALL]
    lost = next(one for one in others if one not in undone)
    return {
        **dict.fromkeys(actions, Variant.FORWARD),
        **dict.fromkeys(undone, Variant.UNDONE),
        turned: Variant.TURNED_BACK,
        lost: Variant.ANSWER_LOST,
    }


def _calls_back(name: str) -> bool:
    """Return whether the rollback of an act has calls to make once the act's last call was refused."""
    action = plugins().actions[name]
    resource, parameters, _ = CASES[name]
    plan = action.plan(find(resource), {**action.sample.parameters, **parameters}, action.sample.assumed)
    forward = [step for step in plan.steps if step.changes]
    return len(forward) > 1 and any(step.changes for step in action.procedure.compensation(plan))


def sample(all_cases: list[Case], runs: int, seed: int) -> list[Case]:
    """Return `runs` cases, the same for the same seed; every fault of every action comes before any comes twice."""
    chance = random.Random(seed)
    shuffled = chance.sample(all_cases, len(all_cases))
    taken: dict[tuple[str, Fault | None], int] = {}
    rounds = []
    for case in shuffled:
        key = (case.action, case.fault)
        taken[key] = taken.get(key, 0) + 1
        rounds.append((taken[key], case))
    return [case for _, case in sorted(rounds, key=lambda pair: pair[0])][:runs]
