"""Days kept in little memory are the same days, and series added up of them are those added up day by day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from itertools import dropwhile, pairwise, takewhile

from hypothesis import example, given
from hypothesis import strategies as st

from finops.domain.analytics.day_map import DayMap
from finops.domain.analytics.series import LONGEST_GAP_DAYS, Part, Series, added
from finops.domain.money import DAY_OF_MONTH
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import Counted
from finops.domain.shard_days import ShardDays, parts_of_rows

FIRST = date(2026, 1, 1)
SHARD = Shard("111122223333", "us-east-1", "ec2-instance")
UNTIL = FIRST + timedelta(days=24)
DAYS = st.integers(0, 30).map(lambda number: FIRST + timedelta(days=number))
COSTS = st.sampled_from((0.0, 0.5, 1.0, 7.25))
PARTS = st.lists(st.tuples(st.dictionaries(DAYS, COSTS), st.frozensets(DAYS, max_size=2)), max_size=4)
AMOUNTS = st.sampled_from((Decimal(0), Decimal(73), Decimal("7.30")))
COUNTS = st.sampled_from((0, 1, 3))
KEPT = st.builds(
    Counted,
    st.none() | st.builds(ShardCost, AMOUNTS, COUNTS, st.sampled_from((0, 1))),
    is_whole=st.booleans(),
    is_split=st.booleans(),
    is_empty=st.booleans(),
)


@given(st.dictionaries(DAYS, COSTS))
def test_a_day_map_is_the_mapping_that_it_was_made_of(days: dict[date, float]) -> None:
    found = DayMap.of(days)

    assert found == days
    assert (len(found), sorted(found)) == (len(days), sorted(days))
    assert [found.get(FIRST + timedelta(days=number)) for number in range(-2, 33)] == [
        days.get(FIRST + timedelta(days=number)) for number in range(-2, 33)
    ]
    assert DayMap.of(found) is found


@given(PARTS)
@example([({FIRST: 1.0, FIRST + timedelta(days=4): 2.0}, frozenset())])
@example([({FIRST: 1.0, FIRST + timedelta(days=5): 2.0}, frozenset())])
@example([({FIRST: 1.0}, frozenset()), ({UNTIL: 2.0}, frozenset({FIRST}))])
def test_parts_are_added_up_as_day_by_day(given_parts: list[tuple[dict[date, float], frozenset[date]]]) -> None:
    plain = [Part("1", "r", str(number), costs, {}, unknown) for number, (costs, unknown) in enumerate(given_parts)]
    packed = [Part("1", "r", one.kind, DayMap.of(one.costs), {}, one.unknown) for one in plain]

    assert added(plain, UNTIL) == added(packed, UNTIL) == day_by_day(plain)


def day_by_day(parts: Iterable[Part]) -> Series | None:
    """Return what `added` promises, each day by itself."""
    filled = [(one, filled_gaps(one)) for one in parts if one.unknown or any(day <= UNTIL for day in one.costs)]
    unknown = max((day for one, _ in filled for day in one.unknown), default=date.min)

    def is_known(day: date) -> bool:
        return day > unknown and all(day in days or is_before(one, days, day) for one, days in filled)

    days = [UNTIL - timedelta(days=number) for number in range((UNTIL - FIRST).days + 1)]
    begun = min((day for _, one in filled for day in one), default=date.max)
    rest = dropwhile(lambda day: not is_known(day), (day for day in days if day >= begun))
    found = sorted(takewhile(is_known, rest))
    return Series(found[0], tuple(sum(one.get(day, 0.0) for _, one in filled) for day in found)) if found else None


def is_before(part: Part, days: dict[date, float], day: date) -> bool:
    """Return whether a part has not begun on a day, and begins with no cost."""
    return bool(days) and day < min(days) and not days[min(days)] and not any(one < min(days) for one in part.unknown)


def filled_gaps(part: Part) -> dict[date, float]:
    days = sorted(day for day in part.costs if day <= UNTIL)
    found = {day: part.costs[day] for day in days}
    for before, after in pairwise(days):
        gap = [before + timedelta(days=number) for number in range(1, (after - before).days)]
        if len(gap) <= LONGEST_GAP_DAYS:
            found |= dict.fromkeys(gap, part.costs[before])
    return found


@given(st.lists(st.tuples(DAYS, st.none() | KEPT)), st.none() | DAYS, st.booleans())
def test_the_days_of_a_shard_are_what_was_written_last(
    writes: list[tuple[date, Counted | None]], dropped: date | None, room: bool
) -> None:
    row, last = ShardDays(FIRST, 10) if room else ShardDays(), dict[date, Counted | None]()
    for day, found in writes:
        row.put(day, found)
        last[day] = found
    if dropped is not None:
        row.drop_before(dropped)
        last = {day: found for day, found in last.items() if day >= dropped}
    kept = {day: found for day, found in last.items() if found is not None}
    whole = {day: one.cost for day, one in kept.items() if one.cost is not None and one.is_whole}
    known = {day: cost for day, cost in whole.items() if cost.known_cost is not None}
    alone = {day for day in kept.keys() - whole.keys() if not kept[day].is_split}
    empty = {day for day in known if kept[day].is_empty}
    split = min(kept.keys() - alone - empty, default=date.max)
    unknown = {day for day in kept.keys() - whole.keys() if day not in alone or day < split}

    found_parts = parts_of_rows({SHARD: row})

    if not (known or unknown or any(cost.unpriced for cost in whole.values())):
        assert found_parts == []
        return
    (part,) = found_parts
    assert part.costs == {day: float(cost.monthly_cost * DAY_OF_MONTH) for day, cost in known.items()}
    assert part.resources == {day: cost.resources for day, cost in known.items()}
    assert part.unknown == unknown
    assert part.unpriced == {day for day, cost in whole.items() if cost.unpriced}


def test_a_series_that_was_handed_out_stays_as_it_is_when_the_day_is_written_again() -> None:
    row = ShardDays()
    row.put(FIRST, Counted(ShardCost(Decimal(730), 3, 0)))
    before = row.part(SHARD)

    row.put(FIRST, Counted(None, is_whole=False))
    row.put(FIRST + timedelta(days=1), Counted(ShardCost(Decimal(73), 1, 0)))

    assert before is not None
    assert (before.costs, before.resources, before.unknown) == ({FIRST: 24.0}, {FIRST: 3}, frozenset())
