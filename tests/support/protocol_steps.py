"""The protocol as a graph: two operators, people, AWS, a store that can be set back, and everything that can go wrong.

A step of an operator leads to the next kill point and has its name, so that the model stops it where the tests kill the
real one. What stands between two kill points happens at once. Faults (a crash, a lost lease, a lost answer, a refusal)
are limited in number, everything else may happen at any time.

What is assumed: a call that AWS did not carry out when it answered, or when its answer was lost, is not carried out
later; an effect may stay invisible until the time that the action's rules give it is over; and between the check of the
lease and the call no time passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from tests.support.protocol_executor import NEXT, STAGES, Calls, Passes, Records, Stage, method_at
from tests.support.protocol_facts import LATER_CASTS, Product, operation_of, problems_of, records_of
from tests.support.protocol_world import (
    FREE,
    Operator,
    Step,
    Violation,
    World,
    is_changed,
    may_have_changed,
    with_operator,
    without_what_matters_no_more,
)

from finops.domain.execution import StopKind

DECIDING: Final = ("vote.recorded", "decided.recorded")
"""The kill points at which the decider, a thread of its own, stops."""


@dataclass(frozen=True)
class Protocol:
    """All steps, with one guard taken away or none.

    Attributes:
        removed: the guard that is missing.
        faults: how many crashes, lost leases, lost answers and refusals there may be.
        events: how often people and administrators may interfere after two people approved.
        only: which events and faults there are, for a search that shall not take long; empty: all of them.
    """

    removed: str = ""
    faults: int = 2
    events: int = 1
    only: frozenset[str] = frozenset()
    product: Product = field(init=False)
    executor: Mapping[str, Stage] = field(init=False)

    def __post_init__(self) -> None:
        product = Product(self.removed)
        object.__setattr__(self, "product", product)
        records = Records(self)
        parts = (Passes(self), records, Calls(self, records))
        stages = {at: getattr(part, name) for part in parts for at in STAGES if hasattr(part, name := method_at(at))}
        object.__setattr__(self, "executor", stages)
        for name in ("move", "stop", "decision", "verdict"):
            object.__setattr__(product, name, cache(getattr(product, name)))

    def has(self, guard: str) -> bool:
        return self.removed != guard

    def may_happen(self, event: str) -> bool:
        return not self.only or event in self.only

    def start(self) -> World:
        return World(faults=self.faults, events=self.events)

    def steps(self, world: World) -> Iterator[Step]:
        """Yield the steps that are possible, each with what it leads to. Raises Violation."""
        yield from self._people(world)
        yield from self._aws(world)
        yield from self._store(world)
        for number in (0, 1):
            operator = world.operators[number]
            if operator.at not in {"off", "halted"}:
                yield from self._faults_of(world, number)
            if operator.at not in {"off", "halted", "acquiring"}:
                yield from self._decide(world, number)
            yield from self._act(world, number, operator)

    def _people(self, world: World) -> Iterator[Step]:
        for cast in ("alice:Approve", "bob:Approve"):
            if cast not in world.made:
                yield f"{cast} is cast", world._replace(made=(*world.made, cast))
                break
        if not world.events or may_have_changed(world.ledger):
            # From the first change on nobody is asked any more.
            return
        fewer = world._replace(events=world.events - 1)
        for cast, earlier in LATER_CASTS:
            if cast not in world.made and (earlier is None or earlier in world.made) and self.may_happen(cast):
                yield f"{cast} is cast", fewer._replace(made=(*world.made, cast))
        if world.frozen < 2 and self.may_happen("freeze"):
            yield "the freeze is switched", fewer._replace(frozen=world.frozen + 1)
        if world.left < 2 and self.may_happen("leave"):
            yield "bob leaves or comes back", fewer._replace(left=world.left + 1)
        if not world.expired and self.may_happen("expire"):
            yield "the request expires", fewer._replace(expired=True)

    def _aws(self, world: World) -> Iterator[Step]:
        state = {"stopping": "stopped", "pending": "running"}.get(world.instance.state)
        if world.shown is not None:
            yield "the effect shows", world._replace(shown=None)
        elif state:
            yield "the instance settles", world._replace(instance=world.instance._replace(state=state))

    def _store(self, world: World) -> Iterator[Step]:
        """A copy of the store from any earlier time is put in its place while no operator runs."""
        if not world.events or world.set_back or {one.at for one in world.operators} != {"off"}:
            return
        if not self.may_happen("set back"):
            return
        for size in range(1, len(world.ledger)):
            ledger = world.ledger[:size]
            fences = [int(one.split("|")[1]) for one in ledger if one.startswith("acquired|")]
            fence, left = max(fences, default=0), world.events - 1
            yield "the store is set back", world._replace(ledger=ledger, fence=fence, events=left, set_back=True)

    def _faults_of(self, world: World, number: int) -> Iterator[Step]:
        if not world.faults:
            return
        fewer = world._replace(faults=world.faults - 1)
        holder = FREE if world.holder == number else world.holder
        if self.may_happen("crash"):
            yield "crash", with_operator(fewer._replace(holder=holder), number, Operator())
        if world.holder == number and self.may_happen("lease lost"):
            # It does not know: it stands still, or is cut off, for longer than the lease lasts.
            yield "the lease is lost", fewer._replace(holder=FREE)

    def _decide(self, world: World, number: int) -> Iterator[Step]:
        judged = {one.split("|")[1] for one in world.ledger if one.startswith("vote|")}
        fresh = [cast for cast in world.made if cast not in judged]
        left = world.left == 1
        if fresh:
            verdict = self.product.verdict(world.ledger, fresh[0], world.made, left=left, expired=world.expired)
            yield from self._decided(world, number, f"vote|{fresh[0]}|{verdict}", "vote.recorded")
            return
        state = self.product.decision(world.ledger, world.made, left=left, expired=world.expired)
        if state:
            yield from self._decided(world, number, f"decided|{state}", "decided.recorded")

    def _decided(self, world: World, number: int, word: str, name: str) -> Iterator[Step]:
        # Read and appended in one step: the append is refused when there is a record that was not read.
        written = self.append(world, number, word)
        if isinstance(written, World):
            yield name, written

    def gate(self, world: World) -> StopKind | None:
        frozen, left = world.frozen == 1, world.left == 1
        return self.product.stop(world.ledger, world.made, frozen=frozen, left=left, expired=world.expired)

    def append(self, world: World, number: int, word: str, after: int | None = None) -> World | str:
        """Append a record; return why not: `fenced`, `there` or `changed`."""
        fence = world.operators[number].fence
        if fence < world.fence and self.has("fence"):
            return "fenced"
        if self.has("appended once") and operation_of(word) in map(operation_of, world.ledger):
            return "there"
        if after is not None and after != len(records_of(world.ledger)) and self.has("compare and append"):
            return "changed"
        ledger = (*world.ledger, word)
        problems = problems_of(ledger)
        if problems:
            raise Violation(f"{word}: {problems[0]}")
        acts = word.startswith(("intent|", "outcome|", "settled|", "turned"))
        then = world._replace(ledger=ledger, fence=max(fence, world.fence), age=0 if acts else world.age)
        return without_what_matters_no_more(then) if is_changed(ledger) else then

    def _act(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        method = self.executor.get(operator.at)
        if method is not None:
            yield from method(world, number, operator)
        elif operator.at in NEXT:
            yield NEXT[operator.at], with_operator(world, number, operator._replace(at=NEXT[operator.at]))
