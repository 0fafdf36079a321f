"""What the model of the protocol remembers (ledger, people, AWS, lease, two operators), and small facts about it."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from tests.support.protocol_facts import OPERATIONS, Ledger, Move, Seen, is_permitted, objections
from tests.support.resize_world import NEW, OLD

from finops.domain.execution import StopKind

FREE: Final = -1
"""Nobody has the lease."""


class Operator(NamedTuple):
    """One process.

    Attributes:
        at: the kill point that its executor passed last; `off` without the lease, `idle` between two passes.
        fence: its fencing token.
        seen: how many records about the request it knew when it read them last.
        facts: what AWS showed it then.
        age: how old the last record of the act was then.
        stop: what the gate said first.
        move: what it does.
        back: where a record leads it: the kill point after the append, or where its status is shown.
        risk: why the act was not permitted when the gate was asked last, by the model's own rules.
        answer: what AWS answered.
    """

    at: str = "off"
    fence: int = 0
    seen: int = 0
    facts: Seen = Seen()
    age: int = 0
    stop: StopKind | None = None
    move: Move = Move("hold")
    back: str = ""
    risk: str = ""
    answer: str = ""


class World(NamedTuple):
    """Everything.

    Attributes:
        made: the votes that people have cast, in order; their objects stay.
        frozen, left: 0 not yet, 1 now, 2 not any more: the freeze, and whether bob is out of the group.
        instance: as it is; `shown` is what AWS shows instead, None when that is the same.
        effects: the calls that AWS accepted.
        holder: who has the lease.
        age: how long the last record of the act is ago, as an index of AGES.
        set_back: whether an old copy was put in the place of the ledger.
    """

    ledger: Ledger = ("proposed",)
    fence: int = 0
    made: tuple[str, ...] = ()
    frozen: int = 0
    left: int = 0
    expired: bool = False
    instance: Seen = Seen()
    shown: Seen | None = None
    effects: tuple[str, ...] = ()
    holder: int = FREE
    transitions: int = 0
    operators: tuple[Operator, Operator] = (Operator(), Operator())
    faults: int = 0
    events: int = 0
    age: int = 0
    set_back: bool = False


Step = tuple[str, World]


class Violation(Exception):
    """The protocol allowed what it must not."""


def with_operator(world: World, number: int, operator: Operator) -> World:
    first, second = world.operators
    return world._replace(operators=(operator, second) if number == 0 else (first, operator))


def idle(world: World, number: int) -> World:
    return with_operator(world, number, Operator("idle", world.operators[number].fence))


def answered(world: World, number: int, answer: str) -> World:
    return with_operator(world, number, world.operators[number]._replace(at="aws.sent", answer=answer))


def first_of(ledger: Ledger, count: int) -> Ledger:
    """Return the ledger as it was when `count` records were about the request."""
    known = []
    for word in ledger:
        if not word.startswith("acquired|"):
            if not count:
                break
            count -= 1
        known.append(word)
    return tuple(known)


@cache
def may_have_changed(ledger: Ledger) -> bool:
    """Return whether anything in AWS may have changed, as the journal has it."""
    calls: dict[str, str] = {}
    for one in ledger:
        name, *rest = one.split("|")
        if name in {"intent", "outcome", "settled"}:
            calls[f"{rest[0]}|{rest[1]}"] = "open" if name == "intent" else rest[2]
    return bool(set(calls.values()) - {"rejected", "throttled", "absent"})


def same_by_symmetry(world: World) -> World:
    """Return the world with its two operators, which are alike, in one order."""
    first, second = world.operators
    if (first.fence, first.at) <= (second.fence, second.at):
        return world
    holder = world.holder if world.holder == FREE else 1 - world.holder
    return world._replace(operators=(second, first), holder=holder)


@cache
def is_changed(ledger: Ledger) -> bool:
    """Return whether something was changed for certain, so that the act will never ask for permission again."""
    return any(one.split("|")[-1] in {"ok", "recovered", "foreign"} for one in ledger)


def without_what_matters_no_more(world: World) -> World:
    judged = tuple(cast for cast in world.made if any(one.startswith(f"vote|{cast}|") for one in world.ledger))
    return world._replace(frozen=0, left=0, expired=False, made=judged)


def risk_of(world: World) -> str:
    if world.frozen == 1:
        return "all acts were frozen"
    if world.expired:
        return "it had expired"
    unread = objections(world.ledger, world.made)
    return f"{unread[0]} was there unread" if unread else is_permitted(world.ledger, left=world.left == 1)


def carried_out(instance: Seen, step: str) -> Seen | None:
    """Return the instance after a call that AWS accepts; None when it refuses."""
    operation, state = OPERATIONS[step], instance.state
    if operation == "ec2:StopInstances":
        if state == "pending":
            return None
        return instance._replace(state="stopping") if state == "running" else instance
    if operation == "ec2:StartInstances":
        if state == "stopping":
            return None
        again = Seen("pending", instance.kind, instance.launches + 1)
        return again if state == "stopped" else instance
    kind = NEW if step == "modify_type" else OLD
    return instance._replace(kind=kind) if state == "stopped" else None


def accepted(world: World, step: str) -> tuple[str, ...]:
    if step in world.effects:
        raise Violation(f"{step} had its effect twice")
    return tuple(sorted({*world.effects, step}))


def is_ended(ledger: Ledger) -> bool:
    """Return whether the act has its end in the ledger."""
    return any(one.startswith(("ended|", "verified")) for one in ledger)
