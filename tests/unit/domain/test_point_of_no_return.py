"""A deletion asks again before its last call, and is never taken for undone afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.resize_world import RESOURCE, START

from finops.domain.canonical import Json
from finops.domain.decision import State
from finops.domain.execution import (
    Call,
    Compensate,
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
from finops.domain.next_move import Situation, is_point_of_no_return, is_undecided, next_move
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION

_ASSUMED = {"state": "available", "tags": "a"}
_PLAN = ACTION.plan(RESOURCE, {}, _ASSUMED)
_SNAPSHOT = (
    JournalEntry("create_snapshot", 1, START),
    JournalEntry("create_snapshot", 1, START, Result.OK, created="snap-1"),
    JournalEntry("create_last_snapshot", 1, START),
    JournalEntry("create_last_snapshot", 1, START, Result.OK, created="snap-2"),
)
_FROZEN = Stop(StopKind.HOLD, "Frozen", "All acts are frozen.")
_LOST = Stop(StopKind.WITHDRAWN, "QuorumLost", "A vote was taken back.")


def volume(*, snapshot: str = "completed", exists: bool = True, tags: str = "a", attended: bool = True) -> Observation:
    made: dict[str, Json] = {
        "snapshot": "completed" if snapshot else "",
        "lastSnapshot": snapshot,
        "firstSnapshotId": "snap-1" if snapshot else "",
        "created": "snap-2" if snapshot else "",
        "attended": attended,
    }
    if not exists:
        return Observation(exists=False, facts=made)
    fingerprint = {**_ASSUMED, "tags": tags}
    facts: dict[str, Json] = {"state": "available", **made}
    return Observation(exists=True, fingerprint=fingerprint, facts=facts)


def look(journal: Journal, seen: Observation, seconds: float = 0.0) -> Situation:
    return Situation(_PLAN, ACTION.procedure, journal, seen, START + timedelta(seconds=seconds))


def after_delete(*results: Result | None) -> Journal:
    told = [JournalEntry("delete_volume", 1, START, result) for result in (None, *results)]
    return Journal((*_SNAPSHOT, *told))


def test_only_the_deletion_itself_is_a_point_of_no_return() -> None:
    assert not is_point_of_no_return(look(Journal(), volume(snapshot="")))
    assert not is_point_of_no_return(look(Journal(_SNAPSHOT), volume(snapshot="pending")))
    assert is_point_of_no_return(look(Journal(_SNAPSHOT), volume()))
    assert is_undecided(Journal())
    assert not is_undecided(Journal(_SNAPSHOT))


def test_with_nothing_against_it_the_volume_is_deleted() -> None:
    move = next_move(look(Journal(_SNAPSHOT), volume()))
    assert isinstance(move, Call)
    assert move.step.id == "delete_volume"


def test_a_volume_that_nobody_observed_for_a_while_is_deleted_later() -> None:
    deleting_again = look(after_delete(Result.UNKNOWN, Result.ABSENT), volume(attended=False), 60)
    for unseen in (look(Journal(_SNAPSHOT), volume(attended=False)), deleting_again):
        assert is_point_of_no_return(unseen), "everything is asked meanwhile"
        move = next_move(unseen)
        assert isinstance(move, WaitFor)
        assert (move.step, move.seconds, move.alarm) == ("delete_volume", 5.0, "")
        assert move.why.startswith("Waiting up to 10 minutes: it was not observed for a while")
        assert next_move(unseen, stop=_FROZEN) == Hold("All acts are frozen.", "delete_volume")
        assert isinstance(next_move(unseen, stop=_LOST), Compensate)
        assert isinstance(next_move(unseen, refusals=("It was used.",)), Compensate)


def test_a_hold_before_the_deletion_waits() -> None:
    assert next_move(look(Journal(_SNAPSHOT), volume()), stop=_FROZEN) == Hold("All acts are frozen.", "delete_volume")


@pytest.mark.parametrize("kind", [StopKind.WITHDRAWN, StopKind.EXPIRED])
def test_a_permission_that_ended_turns_back_and_keeps_the_snapshot(kind: StopKind) -> None:
    move = next_move(look(Journal(_SNAPSHOT), volume()), stop=Stop(kind, "Gone", "Not any more."))
    assert isinstance(move, Compensate)
    assert move.reason == 'Not any more. "delete volume" was not carried out; what was made before it is kept.'
    turned = Journal(_SNAPSHOT, turned=move.reason, turned_at=START)
    told = f"{move.reason} The volume is available; snapshots snap-1 and snap-2 (completed) stay and are billed."
    assert next_move(look(turned, volume())) == Finish(State.ROLLED_BACK, told)


def test_a_preflight_that_refuses_now_turns_back_even_while_frozen() -> None:
    move = next_move(look(Journal(_SNAPSHOT), volume()), stop=_FROZEN, refusals=("It is protected.",))
    assert isinstance(move, Compensate)
    assert move.reason.startswith("It is protected.")


def test_a_new_attempt_is_asked_about_like_the_first() -> None:
    again = look(after_delete(Result.UNKNOWN, Result.ABSENT), volume(), 60)
    assert is_point_of_no_return(again)
    assert isinstance(next_move(again, stop=_LOST), Compensate)
    assert isinstance(next_move(again, stop=_FROZEN), Hold)


def test_a_deletion_that_does_not_read_back_needs_a_person_and_is_verified_when_it_does() -> None:
    done = after_delete(Result.OK)
    assert isinstance(next_move(look(done, volume(), 299)), WaitFor)
    late = next_move(look(done, volume(), 301))
    assert isinstance(late, NeedsHuman)
    assert "delete volume" in late.reason
    assert isinstance(next_move(look(done, volume(exists=False), 999)), Verified)


def test_a_deletion_of_unknown_outcome_on_a_changed_volume_needs_a_person() -> None:
    opened = after_delete(Result.UNKNOWN)
    assert next_move(look(opened, volume(tags="b"), 31)) == Settle("delete_volume", 1, Result.FOREIGN)
    foreign = after_delete(Result.UNKNOWN, Result.FOREIGN)
    assert isinstance(next_move(look(foreign, volume(tags="b"), 60)), NeedsHuman)
    assert isinstance(next_move(look(foreign, volume(exists=False), 60)), Verified)
    back = next_move(look(foreign, volume(), 60))
    assert isinstance(back, Compensate)
    turned = replace(foreign, turned=back.reason, turned_at=START)
    assert isinstance(next_move(look(turned, volume(), 60)), Finish)


def test_an_act_that_turned_back_after_its_deletion_is_never_called_rolled_back() -> None:
    turned = replace(after_delete(Result.OK), turned="late", turned_at=START)
    assert isinstance(next_move(look(turned, volume(), 60)), NeedsHuman)


def test_what_nobody_of_us_changed_is_not_led_back() -> None:
    refused = Journal(
        (JournalEntry("create_snapshot", 1, START, Result.REJECTED, "Denied"),), turned="denied", turned_at=START
    )
    assert next_move(look(refused, volume(tags="b"))) == Finish(State.ROLLED_BACK, "denied. Nothing was changed.")


@dataclass(slots=True)
class Deletion:
    """A volume on a clock of its own; `fates` tell what becomes of each call, `stops` what the gate says each time."""

    fates: list[str]
    stops: list[Stop | None]
    journal: Journal = field(default_factory=Journal)
    seconds: float = 0.0
    snapshots: list[float] = field(default_factory=list)
    deleted: bool = False
    forbidden: list[str] = field(default_factory=list)

    def run(self) -> State | None:
        for number in range(400):
            self.seconds += 0.1
            done = any(self.seconds - made >= 45 for made in self.snapshots)
            word = "completed" if done else "pending" if self.snapshots else ""
            stop = self.stops[number] if number < len(self.stops) else None
            situation = look(self.journal, volume(snapshot=word, exists=not self.deleted), self.seconds)
            asked = is_undecided(self.journal) or is_point_of_no_return(situation)
            move = next_move(situation, stop=stop if asked else None)
            match move:
                case Call():
                    self._call(move, stop)
                case Settle():
                    self._add(move.step, move.attempt, move.result)
                case WaitFor():
                    self.seconds += move.seconds
                case Hold():
                    self.seconds += 30
                case Compensate():
                    at = START + timedelta(seconds=self.seconds)
                    self.journal = replace(self.journal, turned=move.reason, turned_at=at)
                case Verified():
                    return State.SUCCEEDED
                case Finish():
                    return move.state
                case _:
                    return State.NEEDS_HUMAN
        return None

    def _add(self, step: str, attempt: int, result: Result | None) -> None:
        entry = JournalEntry(step, attempt, START + timedelta(seconds=self.seconds), result)
        self.journal = replace(self.journal, entries=(*self.journal.entries, entry))

    def _call(self, move: Call, stop: Stop | None) -> None:
        if stop is not None:
            self.forbidden.append(move.step.id)
        fate = self.fates.pop(0) if self.fates else "ok"
        self._add(move.step.id, move.attempt, None)
        if fate in {"ok", "lost"}:
            self.deleted = self.deleted or move.step.id == "delete_volume"
            if move.step.id == "create_snapshot":
                self.snapshots.append(self.seconds)
        if fate not in {"lost", "dropped"}:
            self._add(move.step.id, move.attempt, Result.OK if fate == "ok" else Result.REJECTED)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(["ok", "rejected", "lost", "dropped"]), max_size=6),
    st.lists(st.sampled_from([None, _FROZEN, _LOST, Stop(StopKind.EXPIRED, "Expired", "Expired.")]), max_size=40),
)
def test_whenever_the_gate_says_stop_nothing_is_called_and_the_end_says_the_truth(
    fates: list[str], stops: list[Stop | None]
) -> None:
    world = Deletion(fates, stops)
    end = world.run()
    assert world.forbidden == []
    assert end is not None
    assert (end is State.SUCCEEDED) == world.deleted
    assert len(world.snapshots) <= 1
    if end in {State.WITHDRAWN, State.EXPIRED, State.STALE}:
        assert world.snapshots == []


_FIRST = _SNAPSHOT[:2]


def _seen(*, state: str = "available", first: str = "pending", last: str = "") -> Observation:
    facts: dict[str, Json] = {"state": state, "snapshot": first, "lastSnapshot": last, "firstSnapshotId": "snap-1"}
    created = "snap-2" if last else "snap-1"
    return Observation(
        exists=True, fingerprint={**_ASSUMED, "state": state}, facts={**facts, "created": created, "attended": True}
    )


@pytest.mark.parametrize("seconds", [1, 300, 3600])
@pytest.mark.parametrize("journal", [_FIRST, _SNAPSHOT])
def test_a_volume_seen_attached_once_while_a_snapshot_is_made_turns_the_act_back(
    journal: tuple[JournalEntry, ...], seconds: float
) -> None:
    """One reading is enough to see that what was written after the snapshot would be lost."""
    move = next_move(
        look(Journal(journal), _seen(state="in-use", last="pending" if journal is _SNAPSHOT else ""), seconds)
    )
    assert isinstance(move, Compensate)
    assert "changed meanwhile" in move.reason


def test_a_second_snapshot_is_made_when_the_first_is_complete_and_only_then_is_anything_deleted() -> None:
    """The last snapshot counts: what was written before it is not lost."""
    move = next_move(look(Journal(_FIRST), _seen(first="completed"), 7200))
    assert isinstance(move, Call)
    assert (move.step.id, move.step.operation) == ("create_last_snapshot", "ec2:CreateSnapshot")
    waiting = next_move(look(Journal(_SNAPSHOT), _seen(first="completed", last="pending"), 7210))
    assert isinstance(waiting, WaitFor)
    deletion = next_move(look(Journal(_SNAPSHOT), _seen(first="completed", last="completed"), 7220))
    assert isinstance(deletion, Call)
    assert deletion.step.id == "delete_volume"
