"""A change of a volume whose answer was lost: whatever its repetition comes to, no end says what nobody knows.

Every sequence of fates of its calls, of times after which the first one shows, and of deaths of the operator between
two records is walked. A volume is a small one of its own, which refuses what EC2 refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final

import pytest

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
    NeedsHuman,
    Observation,
    Result,
    Settle,
    Stop,
    StopKind,
    Verified,
    WaitFor,
)
from finops.domain.next_move import Situation, next_move
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import PolicyFacts
from finops_operator.plugins.loaded import load_actions, load_kinds
from finops_operator.rules.ending import ending
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION

START: Final = datetime(2026, 3, 1, tzinfo=UTC)
_LATER: Final = "IncorrectModificationState"
_BEFORE: Final = {"state": "in-use", "volumeType": "gp2", "sizeGiB": "100", "iops": "300", "throughput": ""}
_AFTER: Final = {"volumeType": "gp3", "iops": "3000", "throughput": "125"}
_TARGET: Final = "gp3/3000/125"
_NO_REASON: Final = "the search did not come to an end"
PLAN: Final = ACTION.plan(
    ResourceRef("ebs-volume", "vol-1", "arn:aws:ec2:us-east-1:111111111111:volume/vol-1", "111111111111", "us-east-1"),
    ACTION.sample.parameters,
    _BEFORE,
)


@dataclass(slots=True)
class Volume:
    """What is true of a volume, and what AWS shows of it: `late` seconds later."""

    late: float
    changed_at: float | None = None
    denies: bool = False

    def modify(self, at: float) -> str:
        """Return AWS's code where it refuses."""
        if self.changed_at is not None:
            return _LATER
        if self.denies:
            return "UnauthorizedOperation"
        self.changed_at = at
        return ""

    def seen(self, at: float) -> Observation:
        fingerprint, modification = dict(_BEFORE), {"modification": "", "modificationTarget": "//"}
        since = -1.0 if self.changed_at is None else at - self.changed_at - self.late
        if since >= 0:
            modification = {"modification": "modifying", "modificationTarget": _TARGET}
        if since >= 20:
            fingerprint |= _AFTER
            modification["modification"] = "optimizing"
        return Observation(True, fingerprint, {**fingerprint, **modification, "tags": {}, "volume": {}})


@dataclass(slots=True)
class World:
    """Runs an act as the executor does.

    Attributes:
        fates: what becomes of the n-th call: answered, lost, not sent, denied.
        late: seconds until an effect shows.
        killed: the move at which the operator dies, a call without its outcome, and is away for two minutes.
        stop: what the gate says after the first call.
    """

    fates: tuple[str, ...]
    late: float
    killed: int = -1
    stop: Stop | None = None
    seconds: float = 0.0
    journal: Journal = field(default_factory=Journal)
    calls: int = 0
    volume: Volume = field(default_factory=lambda: Volume(0.0))

    def __post_init__(self) -> None:
        self.volume = Volume(self.late)

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def run(self) -> tuple[State | None, str]:
        for number in range(300):
            self.seconds += 0.1
            seen = self.volume.seen(self.seconds)
            found = ACTION.preflight(seen, PLAN.parameters, PolicyFacts())
            refusals = tuple(one.message for one in found)
            situation = Situation(PLAN, ACTION.procedure, self.journal, seen, self.now, {"modify": "Change the volume"})
            stop = self.stop if self.calls else None
            end = self._do(next_move(situation, stop=stop, refusals=refusals), died=number == self.killed)
            if end is not None:
                return end
            self.seconds += 120.0 if number == self.killed else 0.0
        return None, _NO_REASON

    def _do(self, move: object, *, died: bool) -> tuple[State | None, str] | None:
        match move:
            case Call():
                self._call(move, died=died)
            case Settle():
                self._add(JournalEntry(move.step, move.attempt, self.now, move.result))
            case WaitFor():
                self.seconds += move.seconds
            case Compensate():
                self.journal = replace(self.journal, turned=move.reason, turned_at=self.now)
            case Verified():
                return State.SUCCEEDED, ""
            case Finish() | Ended():
                return move.state, move.message
            case Hold() | NeedsHuman():
                return None, move.reason
        return None

    def _call(self, move: Call, *, died: bool) -> None:
        fate = self.fates[self.calls] if self.calls < len(self.fates) else "answered"
        self.calls += 1
        self._add(JournalEntry(move.step.id, move.attempt, self.now))
        if fate == "not sent":
            return
        self.volume.denies = fate == "denied"
        code = self.volume.modify(self.seconds)
        if fate == "lost" or died:
            return
        result = Result.REJECTED if code else Result.OK
        self._add(JournalEntry(move.step.id, move.attempt, self.now, result, code))

    def _add(self, entry: JournalEntry) -> None:
        self.journal = replace(self.journal, entries=(*self.journal.entries, entry))


def worlds() -> Iterator[World]:
    fates = ("answered", "lost", "not sent", "denied")
    stops = (None, Stop(StopKind.WITHDRAWN, "Lost", "No longer approved."), Stop(StopKind.EXPIRED, "Late", "Expired."))
    for one in product(product(fates, repeat=3), (0.0, 61.0, 66.0, 400.0), (-1, 1, 2, 3, 5), stops):
        yield World(*one)


def untrue(world: World, state: State | None, message: str) -> str:
    """Return what an end says that is not so; empty when it says nothing untrue."""
    said = ending(state, message).lower() if state is not None else ""
    if state is None:
        return message
    changed = world.volume.changed_at is not None
    if changed and ("nothing was changed" in said or "nothing was called" in said):
        return f"{state}: {said}"
    if state is State.SUCCEEDED and not changed:
        return "succeeded, and the volume is as it was"
    return "called twice with an effect" if [e.result in DONE for e in world.journal.entries].count(True) > 1 else ""


def test_no_end_of_a_change_says_that_nothing_was_changed_where_something_was() -> None:
    searched = list(worlds())
    found = [(world, untrue(world, *world.run())) for world in searched]
    wrong = [(one.fates, one.late, one.killed, one.stop and one.stop.kind, said) for one, said in found if said]
    assert len(searched) > 3_000
    assert not wrong, (len(wrong), wrong[:5])


@pytest.mark.parametrize("late", [61.0, 66.0, 90.0, 120.0])
def test_a_lost_change_that_shows_after_the_refusal_of_its_repetition_is_carried_on_to_success(late: float) -> None:
    assert World(("lost",), late).run() == (State.SUCCEEDED, "")


def test_a_lost_change_of_which_nothing_is_seen_after_a_refusal_ends_as_a_failure_that_says_what_is_known() -> None:
    state, message = World(("lost",), 9e9).run()
    assert state is State.ROLLED_BACK
    assert message == (
        "AWS takes no further change of this volume now: the last one is not completed. "
        '"Change the volume" had no answer, and whether AWS carried it out is not known. '
        "The volume has type gp2 with 300 IOPS."
    )
    assert "nothing was changed" not in ending(state, message).lower()


def test_a_refusal_for_today_of_the_first_call_is_no_failure_as_before() -> None:
    world = World((), 0.0)
    world.volume.changed_at = 1e9
    assert world.run()[0] is State.STALE


def test_an_act_that_is_withdrawn_after_a_lost_call_does_not_say_that_nothing_was_changed() -> None:
    world = World(("lost",), 9e9, stop=Stop(StopKind.WITHDRAWN, "Lost", "No longer approved."))
    state, message = world.run()
    assert state is State.WITHDRAWN
    assert "had no answer" in message
    assert "nothing was changed" not in ending(state, message).lower()


def test_a_first_call_that_neither_lingers_nor_destroys_nor_makes_anything_is_the_only_one_of_its_plan() -> None:
    """Else its late effect would have to be led back, or led on past a gate that forbids it."""
    for name, action in load_actions().items():
        kind = load_kinds()[min(action.kinds)]
        _, _, _, region, account, _ = kind.sample.arn.split(":", 5)
        resource = ResourceRef(kind.id, kind.sample.id, kind.sample.arn, account, region)
        plan = action.plan(resource, action.sample.parameters, action.sample.assumed)
        first, *others = [step for step in plan.steps if step.changes]
        rules = action.procedure.steps[first.id]
        assert rules.lingers or rules.destroys or "Create" in first.operation or not others, name
