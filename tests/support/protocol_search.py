"""Visits every state of the protocol, breadth first, and names the shortest way to a violation."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from tests.support.protocol_steps import Protocol
from tests.support.protocol_world import Violation, World, is_ended, same_by_symmetry

_LEFT = frozenset({"stopping", "stopped"})


@dataclass
class Search:
    """What a search found.

    Attributes:
        states: how many different worlds can be reached.
        passed: the names of all steps.
        violation: what went wrong first, with the steps that lead there; empty when nothing does.
    """

    states: int = 0
    passed: set[str] = field(default_factory=set)
    violation: str = ""


def search(protocol: Protocol) -> Search:
    """Visit every state, unless a violation is found."""
    found, start = Search(), protocol.start()
    numbers = {start: 0}
    origin: list[tuple[int, str]] = [(-1, "")]
    before: list[list[int]] = [[]]
    waiting = deque([start])
    safe: list[int] = []
    while waiting:
        world = waiting.popleft()
        number = numbers[world]
        if world.instance.state not in _LEFT or world.set_back:
            # A ledger that was set back stays frozen until an administrator has compared it with AWS.
            safe.append(number)
        try:
            _check_end(world)
            steps = list(protocol.steps(world))
        except Violation as violation:
            found.violation = f"{violation}, after: {' · '.join(_way(origin, number))}"
            break
        for name, step in steps:
            found.passed.add(name)
            then = same_by_symmetry(step)
            known = numbers.get(then)
            if known is None:
                known = numbers[then] = len(origin)
                origin.append((number, name))
                before.append([])
                waiting.append(then)
            before[known].append(number)
    found.states = len(numbers)
    if not found.violation:
        stranded = set(range(len(origin))) - _from_which(before, safe)
        if stranded:
            found.violation = f"the instance stays stopped, after: {' · '.join(_way(origin, min(stranded)))}"
    return found


def _check_end(world: World) -> None:
    if is_ended(world.ledger) and world.effects and world.instance.state in _LEFT:
        raise Violation("the act ended and left the instance stopped")


def _way(origin: list[tuple[int, str]], number: int) -> list[str]:
    names: list[str] = []
    while number > 0:
        number, name = origin[number]
        names.append(name)
    return names[::-1]


def _from_which(before: list[list[int]], goals: list[int]) -> set[int]:
    """Return the states from which one of the goals can be reached."""
    reached, waiting = set(goals), deque(goals)
    while waiting:
        for earlier in before[waiting.popleft()]:
            if earlier not in reached:
                reached.add(earlier)
                waiting.append(earlier)
    return reached
