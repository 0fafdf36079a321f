"""Sequences of acts and undos on one resource save together what the cheaper state is worth, and nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finops.domain.lasting import Lasting, Sighting, begun, ended, sighted
from finops.store.realized import promise_of, undone_by
from finops.store.realized_sums import counted, ends_of

_THEN: Final = datetime(2026, 3, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_HOURS: Final = Decimal(720)
_DAYS_A_MONTH: Final = 30
_WEEK: Final = 7
UNDO: Final = -1


@dataclass
class History:
    """What acts did to one resource that costs `level` a month; a day passes between two of them."""

    level: Decimal
    once: bool = False
    entries: list[dict[str, str]] = field(default_factory=list)
    levels: list[Decimal] = field(default_factory=list)
    latest: list[dict[str, str]] = field(default_factory=list)

    def act(self, to: Decimal) -> None:
        self._enter(to, "")

    def undo(self) -> None:
        """Undo the latest act that was not, as the product offers it while nothing came after it."""
        if self.latest:
            undone = self.latest.pop()
            self._enter(Decimal(undone["before"]), undone["request"])

    def _enter(self, to: Decimal, undoes: str) -> None:
        saving, once = self.level - to, self.once and to < self.level and not undoes
        entry = {
            "request": f"r{len(self.entries)}",
            "resource": "db",
            "action": "rds_instance_stop" if to < self.level else "rds_instance_start",
            "time": (_THEN + len(self.entries) * _DAY).isoformat(timespec="seconds"),
            "before": f"{self.level}",
            "after": f"{to}",
            "saving": f"{saving * _WEEK / _DAYS_A_MONTH if once else saving}",
            "hoursPerMonth": f"{_HOURS}",
            "undoes": undoes,
            "lastsDays": f"{_WEEK}" if once else "",
        }
        self.levels.append(self.level)
        self.level = to
        self.entries.append(entry)
        self.latest = [*self.latest, entry] if not undoes else self.latest

    @property
    def now(self) -> datetime:
        return _THEN + len(self.entries) * _DAY

    def seen(self) -> dict[str, Lasting]:
        """Return what scans every six hours saw, and what ended each act, as the notes of scans have it."""
        known: dict[str, Lasting] = {}
        for day in range(len(self.entries)):
            so_far, cost = self.entries[: day + 1], Decimal(self.entries[day]["after"])
            over = ends_of(so_far, known)
            for place, one in enumerate(so_far):
                promise, uid = promise_of(one), one["request"]
                lasting = known.get(uid) or begun(promise)
                if place in over and over[place][0] == day:
                    known[uid] = ended(lasting, _THEN + day * _DAY, over[place][1])
                    continue
                for hour in (6, 12, 18, 24):
                    at = _THEN + day * _DAY + timedelta(hours=hour, seconds=-1)
                    lasting = sighted(lasting, promise, Sighting(at, there=True, cost=cost))
                known[uid] = lasting
        return known


def history(first: int, moves: Sequence[int], *, once: bool = False) -> History:
    found = History(Decimal(first), once)
    for one in moves:
        if one == UNDO:
            found.undo()
        elif Decimal(one) != found.level:
            found.act(Decimal(one))
    return found


def dearest(one: History) -> Decimal:
    """Return the cost before the first saving that stands at the end: the later ones can save against no other."""
    undone = undone_by(one.entries)
    settled = {*undone, *undone.values()}
    acts = [entry for at, entry in enumerate(one.entries) if at not in settled]
    return next((Decimal(act["before"]) for act in acts if Decimal(act["saving"]) > 0), one.level)


_COSTS: Final = st.sampled_from([5, 30, 60, 70, 100, 120, 145])
_MOVES: Final = st.lists(st.one_of(_COSTS, st.just(UNDO)), max_size=8)


@given(_COSTS, _MOVES)
@settings(max_examples=300, deadline=None)
def test_acts_on_one_resource_save_no_more_a_month_than_it_costs_less(first: int, moves: list[int]) -> None:
    """Rises that nobody's saving came before are dropped where a saving took them back, and else count against it."""
    one = history(first, moves)
    total = sum((each.amount or Decimal(0) for each in counted(one.entries, one.now)), Decimal(0))
    assert total <= dearest(one) - one.level or total <= 0


@given(st.sampled_from([(145, 5), (100, 60)]), st.lists(st.sampled_from(["act", "undo"]), max_size=9))
@settings(max_examples=200, deadline=None)
def test_going_to_and_fro_saves_the_difference_once_in_the_cheaper_state_and_nothing_in_the_other(
    costs: tuple[int, int], moves: list[str]
) -> None:
    dear, cheap = costs
    one = History(Decimal(dear))
    for move in moves:
        if move == "undo" and one.latest and one.level == Decimal(one.latest[-1]["after"]):
            one.undo()
        else:
            one.act(Decimal(cheap if one.level == dear else dear))
    for known in ({}, one.seen()):
        total = sum((each.amount or Decimal(0) for each in counted(one.entries, one.now, known)), Decimal(0))
        assert total <= dear - one.level
        assert known or total == dear - one.level


@given(st.lists(st.sampled_from([5, 145, UNDO]), max_size=9))
@settings(max_examples=200, deadline=None)
def test_what_saves_once_never_counts_for_more_than_the_time_in_the_cheaper_state(moves: list[int]) -> None:
    one = history(145, moves, once=True)
    known = one.seen()
    amounts = counted(one.entries, one.now, known)
    days = sum(1 for each in one.entries if Decimal(each["after"]) == 5)
    over = [each.amount for each in amounts if each.once and each.amount is not None]
    # The one that is under way counts with all of its week.
    under_way = [uid for uid, each in known.items() if each.ended is None and uid in _once(one)]
    most = Decimal(140) * (days + _WEEK * len(under_way)) / _DAYS_A_MONTH
    assert sum(over, Decimal(0)) <= most + len(over) * Decimal("0.01")
    assert len(under_way) <= 1


def _once(one: History) -> set[str]:
    return {each["request"] for each in one.entries if each["lastsDays"]}


def test_the_undo_of_what_saves_once_leaves_it_what_scans_saw_it_save_until_then() -> None:
    one = history(145, [5, UNDO, 5], once=True)
    known = one.seen()
    amounts = [each.amount for each in counted(one.entries, one.now, known)]
    assert amounts == [Decimal("4.67"), Decimal("0.00"), Decimal("32.67")]


def test_an_undo_before_a_scan_saw_anything_leaves_what_was_saved_once_unknown_and_no_zero() -> None:
    one = history(145, [5, UNDO], once=True)
    assert [each.amount for each in counted(one.entries, one.now)] == [None, Decimal("0.00")]


@pytest.mark.parametrize("times", [1, 2, 5])
def test_a_saving_taken_back_by_more_than_it_was_and_made_again_saves_what_it_did_before(times: int) -> None:
    one = history(100, [60, *[120, 60] * times])
    assert sum(each.amount or 0 for each in counted(one.entries, one.now)) == Decimal("40.00")
    assert sum(each.amount or 0 for each in counted(one.entries, one.now, one.seen())) == Decimal("40.00")


def on(resource: str, one: History) -> list[dict[str, str]]:
    """Return the entries of a history as those of a resource of this name."""
    return [
        {**each, "resource": resource, "request": f"{resource}-{each['request']}", "undoes": undone}
        for each in one.entries
        for undone in [f"{resource}-{each['undoes']}" if each["undoes"] else ""]
    ]


@given(st.lists(st.tuples(_COSTS, _MOVES), min_size=2, max_size=4), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_acts_on_other_resources_between_change_no_sum(
    moves: list[tuple[int, list[int]]], scanned: bool, order: Any
) -> None:
    alone = {f"db{number}": history(*each) for number, each in enumerate(moves)}
    seen: dict[str, Lasting] = {}
    for name, one in alone.items():
        seen |= {f"{name}-{uid}": each for uid, each in one.seen().items()} if scanned else {}
    entries, now = [each for name, one in alone.items() for each in on(name, one)], max(o.now for o in alone.values())
    order.shuffle(entries)
    for name, one in alone.items():
        among = counted(entries, now, seen, partial(_is_on, name))
        assert among == counted(on(name, one), now, seen)


def _is_on(resource: str, entry: Mapping[str, Any]) -> bool:
    return bool(entry["resource"] == resource)


class CountedReads(dict[str, str]):
    """An entry of which every look-up of a field is counted."""

    reads: ClassVar[Counter[str]] = Counter()

    def get(self, key: str, default: Any = None) -> Any:
        self.reads[key] += 1
        return super().get(key, default)


def test_ten_times_as_many_resources_take_ten_times_as_many_steps() -> None:
    steps = []
    for resources in (20, 200):
        CountedReads.reads.clear()
        acts = [CountedReads(each) for at in range(resources) for each in on(f"db{at}", history(100, [60, 120, UNDO]))]
        counted(acts, _THEN + 9 * _DAY)
        steps.append(CountedReads.reads.total())
    assert steps[1] == 10 * steps[0]
