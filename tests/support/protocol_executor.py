"""The executor of the model: from one kill point to the next, as `finops_operator.acts` goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from tests.support.protocol_facts import is_permitted, records_of
from tests.support.protocol_world import (
    FREE,
    Operator,
    Step,
    Violation,
    World,
    accepted,
    answered,
    carried_out,
    first_of,
    idle,
    is_ended,
    may_have_changed,
    risk_of,
    with_operator,
)

from finops_operator.killpoint import ACT_KILL_POINTS

if TYPE_CHECKING:
    from tests.support.protocol_steps import Protocol

_AFTER_STREAM: Final = {
    "intent": "ledger.intent.after-stream",
    "verified": "ledger.verified.after-stream",
}
_RECORDING: Final = {
    "settle": ("settle.before", "settle.after"),
    "turn": ("compensate.before", "compensate.after"),
    "finish": ("finish.before", "finish.after"),
    "verified": ("verify.before", "verify.after"),
}
NEXT: Final = {
    "intent.after": "aws.before",
    "aws.sent": "outcome.before",
    "status.before": "status.after",
    "sts.before": "sts.after",
    "realized.before": "realized.after",
    "realized.after": "act.released",
    **dict.fromkeys(("outcome.after", "settle.after", "compensate.after", "finish.after", "verify.after"), "idle"),
}
"""Kill points behind which nothing happens but the way to the next one."""
STAGES: Final = ("off", "acquiring", "idle", *ACT_KILL_POINTS)
Stage: TypeAlias = Callable[[World, int, Operator], Iterator[Step]]


def method_at(stage: str) -> str:
    """Return the name of the method that says what follows a stage."""
    return f"_at_{stage.replace('.', '_').replace('-', '_')}"


@dataclass(frozen=True)
class Passes:
    """Takes the lease, observes, asks the gate and the engine, waits, and shows how an act ended."""

    protocol: Protocol

    def _at_off(self, world: World, number: int, _operator: Operator) -> Iterator[Step]:
        if world.holder == FREE:
            transitions = world.transitions + 1
            taken = world._replace(holder=number, transitions=transitions)
            yield "the lease is taken", with_operator(taken, number, Operator("acquiring", transitions))

    def _at_acquiring(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        if world.set_back and self.protocol.has("anchor compared at start"):
            yield "frozen: records are missing", with_operator(world, number, operator._replace(at="halted"))
            return
        ready = with_operator(world, number, operator._replace(at="idle"))
        if not self.protocol.has("acquisition recorded"):
            yield "acquired", ready
            return
        written = self.protocol.append(ready, number, f"acquired|{operator.fence}")
        yield "acquired", (written if isinstance(written, World) else with_operator(world, number, Operator()))

    def _at_idle(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        if "decided|Approved" not in world.ledger:
            return
        if world.holder != number:
            yield "the lease is gone", with_operator(world, number, Operator())
            return
        if is_ended(world.ledger) and self.protocol.has("ended is ended"):
            name = "realized.before" if "verified" in world.ledger else "act.released"
            yield name, with_operator(world, number, operator._replace(at=name))
            return
        facts = world.shown or world.instance
        seen = len(records_of(world.ledger))
        age = world.age if self.protocol.has("time taken before observing") else 0
        observed = operator._replace(at="act.observed", seen=seen, facts=facts, age=age, stop=None)
        yield "act.observed", with_operator(world, number, observed)

    def _at_act_observed(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        undecided = not any(one.startswith(("intent|", "turned", "ended|")) for one in world.ledger)
        stop = self.protocol.gate(world) if undecided or not may_have_changed(world.ledger) else None
        yield "act.admitted", with_operator(world, number, operator._replace(at="act.admitted", stop=stop))

    def _at_act_admitted(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        """The executor decides by the records that it read when it observed."""
        known = first_of(world.ledger, operator.seen)
        stop = operator.stop or (None if may_have_changed(known) else self.protocol.gate(world))
        age = operator.age if self.protocol.has("time taken before observing") else world.age
        move = self.protocol.product.move(known, operator.facts, age, stop)
        yield "act.gate", with_operator(world, number, operator._replace(at="act.gate", move=move))

    def _at_act_gate(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        name = operator.move.name
        if name == "hold":
            yield "hold", idle(world, number)
        elif name == "wait":
            yield "wait.before", with_operator(world, number, operator._replace(at="wait.before"))
        elif name in _RECORDING:
            before, after = _RECORDING[name]
            yield before, with_operator(world, number, operator._replace(at=before, back=after))
        elif "started" in world.ledger:
            yield (
                "status.before",
                with_operator(world, number, operator._replace(at="status.before", back="sts.before")),
            )
        else:
            yield "act.started.before", with_operator(world, number, operator._replace(at="act.started.before"))

    def _at_wait_before(self, world: World, number: int, _operator: Operator) -> Iterator[Step]:
        older = world if world.shown is not None else world._replace(age=min(world.age + 1, 2))
        yield "time passes", idle(older, number)

    def _at_status_after(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        if operator.back:
            yield operator.back, with_operator(world, number, operator._replace(at=operator.back, back=""))
        else:
            yield "the end is shown", with_operator(world, number, operator._replace(at="over"))

    def _at_act_released(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        yield "status.before", with_operator(world, number, operator._replace(at="status.before", back=""))


@dataclass(frozen=True)
class Records:
    """Writes the records that call nothing."""

    protocol: Protocol

    def recorded(self, world: World, number: int, word: str, back: str, after: int | None = None) -> Iterator[Step]:
        """Append for the executor: to the stream, and then to the second sink, which may not answer."""
        written = self.protocol.append(world, number, word, after)
        if written == "fenced":
            yield "the append is refused", with_operator(world, number, Operator())
        elif written == "changed":
            yield "the append is refused", idle(world, number)
        else:
            name = _AFTER_STREAM.get(word.partition("|")[0], "ledger.outcome.after-stream")
            now = written if isinstance(written, World) else world
            if world.faults and self.protocol.may_happen("no answer"):
                # The client of the store has no answer and sends the same again.
                again = self.protocol.append(now._replace(faults=world.faults - 1), number, word)
                if isinstance(again, World):
                    yield name, with_operator(again, number, again.operators[number]._replace(at=name, back=back))
            yield name, with_operator(now, number, now.operators[number]._replace(at=name, back=back))

    def _after_stream(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        yield operator.back, with_operator(world, number, operator._replace(at=operator.back, back=""))
        if world.faults and self.protocol.may_happen("no answer"):
            # The second sink does not answer in time: the record is there, and its writer does not know.
            yield "no answer of the ledger", idle(world._replace(faults=world.faults - 1), number)

    _at_ledger_outcome_after_stream = _after_stream
    _at_ledger_intent_after_stream = _after_stream
    _at_ledger_verified_after_stream = _after_stream

    def _at_settle_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        move = operator.move
        yield from self.recorded(world, number, f"settled|{move.step}|{move.attempt}|{move.result}", operator.back)

    def _at_compensate_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        yield from self.recorded(world, number, "turned", operator.back)

    def _at_verify_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        yield from self.recorded(world, number, "verified", operator.back)

    def _at_finish_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        yield from self.recorded(world, number, f"ended|{operator.move.result}", operator.back)

    def _at_act_started_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        for name, then in self.recorded(world, number, "started", "act.started.after"):
            mine = then.operators[number]
            known = mine._replace(seen=len(records_of(then.ledger)))
            yield name, (with_operator(then, number, known) if mine.back else then)

    def _at_act_started_after(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        yield "status.before", with_operator(world, number, operator._replace(at="status.before", back="sts.before"))


@dataclass(frozen=True)
class Calls:
    """Announces a call, makes it, and records what AWS answered."""

    protocol: Protocol
    records: Records

    def _at_sts_after(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        if not operator.move.asks:
            yield "intent.before", with_operator(world, number, operator._replace(at="intent.before", risk=""))
            return
        risk = risk_of(world)
        if self.protocol.has("last question") and self.protocol.gate(world) is not None:
            yield "not allowed any more", idle(world, number)
            return
        yield "intent.before", with_operator(world, number, operator._replace(at="intent.before", risk=risk))

    def _at_intent_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        move = operator.move
        if not self.protocol.has("intent first"):
            yield "intent.after", with_operator(world, number, operator._replace(at="intent.after"))
            return
        way = "back" if "turned" in world.ledger else "forward"
        word = f"intent|{move.step}|{move.attempt}|{way}|{','.join(map(str, operator.facts))}"
        yield from self.records.recorded(world, number, word, "intent.after", operator.seen if move.asks else None)

    def _at_aws_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        """The lease is checked and AWS is called: it accepts or refuses, and the answer arrives or is lost."""
        if world.holder != number and self.protocol.has("lease checked before the call"):
            yield "the lease is gone", with_operator(world, number, Operator())
            return
        self._check_call(world, operator)
        move = operator.move
        then = carried_out(world.instance, move.step)
        if then is None:
            yield "aws.sent", answered(world, number, "rejected")
        else:
            shown = world.shown or world.instance
            for hidden in (None,) if then == world.instance else (None, shown):
                done = world._replace(instance=then, shown=hidden, effects=accepted(world, move.step))
                yield "aws.sent", answered(done, number, "ok")
                if world.faults and self.protocol.may_happen("no answer"):
                    yield "aws.sent", answered(done._replace(faults=world.faults - 1), number, "unknown")
        if world.faults and self.protocol.may_happen("no answer"):
            fewer = world._replace(faults=world.faults - 1)
            for answer in ("unknown", "rejected", "throttled"):
                yield "aws.sent", answered(fewer, number, answer)

    def _check_call(self, world: World, operator: Operator) -> None:
        move, call = operator.move, f"{operator.move.step} {operator.move.attempt}"
        announced = [one for one in world.ledger if one.startswith(f"intent|{move.step}|{move.attempt}|")]
        if not announced:
            raise Violation(f"{call} was called without an intent")
        if is_ended(world.ledger):
            raise Violation(f"{call} was called after the end")
        if move.asks:
            before = world.ledger[: world.ledger.index(announced[0])]
            risk = operator.risk or is_permitted(before, left=False)
            if risk:
                raise Violation(f"{call} was called although {risk}")

    def _at_outcome_before(self, world: World, number: int, operator: Operator) -> Iterator[Step]:
        move = operator.move
        word = f"outcome|{move.step}|{move.attempt}|{operator.answer}"
        yield from self.records.recorded(world, number, word, "outcome.after")
