"""What an act has saved: the hours that scans saw, never more than promised, and never over a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.domain.lasting import (
    AS_BEFORE,
    BY_ITSELF,
    CHANGED,
    GONE,
    HIDDEN,
    LONGEST_BLIND,
    LONGEST_UNSEEN,
    NEVER_SHOWED,
    TOO_SMALL,
    UNDONE,
    UNFIGURED,
    UNPRICED,
    Lasting,
    Promise,
    Sighting,
    begun,
    ended,
    hides,
    saved_until_now,
    sighted,
    too_small,
    unmeasured,
)

_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_HOURS = Decimal(730)
RESIZE = Promise(_AT, Decimal("73.00"), Decimal("146.00"), Decimal("73.00"))
DELETE = Promise(_AT, Decimal("73.00"), Decimal("73.00"), Decimal("0.00"), destroys=True)
WINDOW = replace(RESIZE, shows_within=timedelta(hours=48))
WEEK = Promise(_AT, Decimal("16.80"), Decimal("73.00"), Decimal("0.00"), lasts=timedelta(days=7))


def after(hours: float, cost: str | None = "73.00", *, there: bool = True, as_set: bool | None = None) -> Sighting:
    return Sighting(_AT + timedelta(hours=hours), there, None if cost is None else Decimal(cost), as_set)


GONE_AT_5 = after(5, None, there=False)


def story(promise: Promise, *sightings: Sighting) -> Lasting:
    lasting = begun(promise)
    for one in sightings:
        lasting = sighted(lasting, promise, one)
    return lasting


def hours(lasting: Lasting) -> tuple[float, float]:
    return lasting.seen / 3600, lasting.unknown / 3600


@pytest.mark.parametrize(
    ("promise", "sightings", "known", "money", "why"),
    [
        (RESIZE, [], (0, 0), "0", ""),
        (RESIZE, [after(1), after(10)], (10, 0), "1.00", ""),
        (RESIZE, [after(4, "60.00")], (4, 0), "0.40", ""),
        (RESIZE, [after(4, "109.50")], (4, 0), "0.20", ""),
        (RESIZE, [after(4, "109.50"), after(8)], (8, 0), "0.40", ""),
        (RESIZE, [after(4), after(10, None), after(12)], (4, 8), "0.40", ""),
        (RESIZE, [after(4), after(4 + 27), after(4 + 28)], (5, 27), "0.50", ""),
        (RESIZE, [after(10), after(4), after(10)], (10, 0), "1.00", ""),
        (RESIZE, [after(4), after(10, "146.00"), after(11), after(12)], (4, 6), "0.40", AS_BEFORE),
        (RESIZE, [after(4), GONE_AT_5, after(6)], (4, 1), "0.40", GONE),
        (DELETE, [GONE_AT_5, after(10, None, there=False)], (10, 0), "1.00", ""),
        (DELETE, [GONE_AT_5, after(10, "73.00")], (5, 5), "0.50", AS_BEFORE),
        (WEEK, [after(24 * day, "0.00") for day in range(1, 10)], (144, 24), "14.40", BY_ITSELF),
        (WEEK, [after(24, "0.00"), after(24 * 9, "0.00")], (24, 144), "2.40", BY_ITSELF),
        (replace(RESIZE, before=None), [after(4)], (0, 4), "0", ""),
        (WINDOW, [after(1, "146.00"), after(20, "146.00"), after(21), after(31)], (10, 1), "1.00", ""),
        (WINDOW, [after(20, "145.00"), after(30)], (0, 10), "0", ""),
        (WINDOW, [after(0.01), after(10.01)], (10, 0.01), "1.00", ""),
        (WINDOW, [after(20, "146.00"), after(47, "146.00"), after(49, "146.00"), after(60)], (0, 0), "0", NEVER_SHOWED),
        (WINDOW, [after(20, None), after(49, None), after(50)], (0, 50), "0", ""),
        (WINDOW, [after(24, "145.00"), after(49, "109.50"), after(59, "109.50")], (10, 25), "0.50", ""),
        (WINDOW, [after(20), after(21, "146.00"), after(22)], (0, 21), "0", AS_BEFORE),
        (WINDOW, [after(20, "146.00"), after(21, None, there=False)], (0, 1), "0", GONE),
    ],
)
def test_an_act_saves_the_hours_that_two_sightings_beside_each_other_show(
    promise: Promise, sightings: list[Sighting], known: tuple[float, float], money: str, why: str
) -> None:
    lasting = story(promise, *sightings)
    assert hours(lasting) == known
    saved = saved_until_now(lasting, promise, _HOURS)
    assert saved is not None
    assert saved.quantize(Decimal("0.01")) == Decimal(money)
    assert (lasting.why, lasting.ended is not None) == (why, bool(why))


def test_the_undo_ends_it_when_it_was_done_and_what_comes_later_adds_nothing() -> None:
    lasting = ended(story(RESIZE, after(4)), _AT + timedelta(hours=9), UNDONE)
    assert (hours(lasting), lasting.ended, lasting.why) == ((9, 0), _AT + timedelta(hours=9), UNDONE)
    assert sighted(lasting, RESIZE, after(20)) == ended(lasting, _AT + timedelta(hours=30), GONE) == lasting


def test_hours_before_an_undo_that_nobody_saw_for_long_are_unknown() -> None:
    assert hours(ended(story(RESIZE, after(4)), _AT + timedelta(hours=40), UNDONE)) == (4, 36)


def test_hours_without_a_figure_are_counted_and_their_money_is_unknown() -> None:
    promise = replace(RESIZE, saving=None)
    assert hours(story(promise, after(4))) == (4, 0)
    assert saved_until_now(story(promise, after(4)), promise, _HOURS) is None


@pytest.mark.parametrize(
    ("promise", "sightings", "days", "why"),
    [
        (WINDOW, [], 8, ""),
        (WINDOW, [], 9, UNPRICED),
        (WINDOW, [after(20, "146.00"), after(49, None)], 8.9, ""),
        (WINDOW, [after(20, "146.00"), after(49, None)], 9, UNPRICED),
        (WINDOW, [after(20, None), after(240, None), after(260)], 11, ""),
        (WINDOW, [after(20, None), after(240, "146.00")], 11, ""),
        (RESIZE, [after(4, None)], 6.9, ""),
        (RESIZE, [after(4, None)], 7, UNPRICED),
        (RESIZE, [], 700, ""),
        (RESIZE, [after(4), after(8, None)], 7, ""),
        (replace(RESIZE, before=None), [after(4)], 7, UNFIGURED),
        (RESIZE, [after(4, None), GONE_AT_5], 7, ""),
    ],
)
def test_what_no_scan_can_price_for_days_after_it_was_to_show_cannot_be_measured(
    promise: Promise, sightings: list[Sighting], days: float, why: str
) -> None:
    assert timedelta(days=7) == LONGEST_BLIND
    assert unmeasured(story(promise, *sightings), promise, _AT + timedelta(days=days)) == why


def test_an_act_that_an_older_release_noted_gets_its_bound_with_the_next_scan() -> None:
    old = replace(begun(WINDOW), measurable_until=None)
    assert not old.blind(_AT + timedelta(days=900))
    assert sighted(old, WINDOW, after(20, None)).measurable_until == _AT + timedelta(days=9)


def test_a_rise_costs_more_in_the_hours_that_scans_saw_and_ends_with_the_old_cost() -> None:
    rise = Promise(_AT, Decimal("-73.00"), Decimal("73.00"), Decimal("146.00"))
    lasting = story(rise, after(4, "146.00"), after(10, "146.00"), after(11, "73.00"))
    assert (hours(lasting), lasting.why) == ((10, 1), AS_BEFORE)
    assert saved_until_now(lasting, rise, _HOURS) == Decimal("-1.00")


costs = st.one_of(st.none(), st.decimals("0", "300", places=2))
sightings_of = st.lists(
    st.tuples(st.integers(-3600, 40 * 86_400), st.booleans(), costs).map(
        lambda one: Sighting(_AT + timedelta(seconds=one[0]), one[1], one[2])
    ),
    max_size=25,
)


def test_the_undo_of_an_act_that_had_not_shown_ends_the_waiting() -> None:
    lasting = ended(story(WINDOW, after(4, "146.00")), _AT + timedelta(hours=9), UNDONE)
    assert (hours(lasting), lasting.why, lasting.waiting) == ((0, 5), UNDONE, False)


promises = st.sampled_from([RESIZE, DELETE, WEEK, replace(RESIZE, saving=Decimal("9.99")), replace(RESIZE, after=None)])
all_promises = st.one_of(promises, st.just(WINDOW))


@given(promise=promises, sightings=sightings_of)
def test_an_act_never_saves_more_than_was_promised_for_the_time_and_every_second_is_accounted_for(
    promise: Promise, sightings: list[Sighting]
) -> None:
    lasting = story(promise, *sightings)
    passed = int((lasting.until - _AT).total_seconds())
    assert lasting.seen + lasting.unknown == passed
    assert 0 <= lasting.saved <= lasting.seen
    saved = saved_until_now(lasting, promise, _HOURS)
    assert saved is not None
    assert promise.saving is not None
    seconds = promise.lasts.total_seconds() if promise.lasts else 730 * 3600
    assert 0 <= saved <= promise.saving * Decimal(passed) / Decimal(int(seconds)) + Decimal("1e-12")
    assert promise.lasts is None or saved <= promise.saving


@given(sightings=sightings_of)
def test_an_act_whose_effect_comes_later_saves_no_more_than_one_that_acts_at_once_and_its_wait_is_no_saving(
    sightings: list[Sighting],
) -> None:
    lasting = story(WINDOW, *sightings)
    assert lasting.seen + lasting.unknown <= int((lasting.until - _AT).total_seconds())
    assert 0 <= lasting.saved <= lasting.seen
    assert not (lasting.waiting and lasting.seen)


@given(promise=all_promises, sightings=sightings_of, gap=st.integers(1, 10**6))
def test_a_gap_adds_nothing_saved(promise: Promise, sightings: list[Sighting], gap: int) -> None:
    before = story(promise, *sightings)
    late = before.until + LONGEST_UNSEEN + timedelta(seconds=gap)
    later = sighted(before, promise, Sighting(late, not promise.destroys, promise.after))
    assert (later.saved, later.seen) == (before.saved, before.seen)


@given(promise=all_promises, first=sightings_of, then=sightings_of, at=st.integers(0, 10**6))
def test_nothing_is_saved_after_an_undo(promise: Promise, first: list[Sighting], then: list[Sighting], at: int) -> None:
    undone = ended(story(promise, *first), _AT + timedelta(seconds=at), UNDONE)
    assert undone.ended is not None
    later = undone
    for one in then:
        later = sighted(later, promise, one)
    assert later == undone


SLIVER = Promise(_AT, Decimal("3.00"), Decimal("900.00"), Decimal("897.00"), moving=Decimal("900.00"))
BUSY = replace(RESIZE, moving=Decimal("146.00"))
LATE_BUSY = replace(BUSY, shows_within=timedelta(hours=48))


@pytest.mark.parametrize("cost", ["880.00", "897.00", "900.00", "950.00", None])
@pytest.mark.parametrize("within", [timedelta(0), timedelta(hours=48)])
def test_a_sliver_of_a_cost_that_moves_by_itself_cannot_be_measured_whatever_a_scan_sees(
    cost: str | None, within: timedelta
) -> None:
    promise = replace(SLIVER, shows_within=within)
    for lasting in (begun(promise), story(promise, after(4, cost), after(20, cost), after(60, cost))):
        assert unmeasured(lasting, promise, _AT) == TOO_SMALL
        assert (lasting.share, lasting.saved, lasting.seen, lasting.ended) == (None, Decimal(0), 0, None)


@pytest.mark.parametrize(("moving", "small"), [("0", False), ("7.50", False), ("7.51", True), (None, True)])
def test_a_saving_is_measured_where_a_fifth_of_what_moves_is_no_more_than_half_of_it(
    moving: str | None, small: bool
) -> None:
    promise = replace(SLIVER, moving=None if moving is None else Decimal(moving))
    assert too_small(promise) is small


def test_a_cost_by_use_that_is_as_high_as_before_the_act_is_no_end_of_it() -> None:
    costs = ((4, "73.00"), (10, "146.00"), (11, "300.00"), (20, "73.00"), (24, "73.00"))
    lasting = story(BUSY, *(after(at, cost, as_set=True) for at, cost in costs))
    assert (hours(lasting), lasting.ended) == ((8, 16), None)


def test_a_lower_cost_by_use_alone_shows_no_saving_because_the_use_may_be_lower() -> None:
    lasting = story(BUSY, after(4), after(10, "0.00"), after(20))
    assert (hours(lasting), lasting.share, lasting.ended) == ((0, 20), None, None)
    late = story(LATE_BUSY, after(24), after(60), after(70))
    assert (late.saved, late.share, unmeasured(late, LATE_BUSY, _AT + timedelta(days=9))) == (Decimal(0), None, HIDDEN)


@pytest.mark.parametrize("cost", ["73.00", "146.00", "10.00", None])
@pytest.mark.parametrize("promise", [RESIZE, BUSY, replace(RESIZE, moving=None)])
def test_a_setting_that_is_no_longer_the_acts_ends_the_saving_whatever_the_cost(
    cost: str | None, promise: Promise
) -> None:
    lasting = story(promise, after(4, as_set=True), after(10, cost, as_set=False), after(11, as_set=True))
    assert (hours(lasting), lasting.why) == ((4, 6), CHANGED)


def test_an_act_whose_setting_comes_later_saves_nothing_until_it_is_there_and_fails_where_it_never_is() -> None:
    old = [after(at, "10.00", as_set=False) for at in (1, 20)]
    assert hours(story(LATE_BUSY, *old, after(21, as_set=True), after(31, as_set=True))) == (10, 1)
    assert story(LATE_BUSY, *old, after(49, "10.00", as_set=False)).why == NEVER_SHOWED


def test_a_saving_in_a_cost_by_use_that_no_scan_shows_is_hidden_and_has_not_failed_to_come() -> None:
    lasting = story(LATE_BUSY, after(24, "146.00"), after(60, "140.00"), after(70, "150.00"))
    assert (lasting.ended, lasting.saved, lasting.share) == (None, Decimal(0), None)
    assert unmeasured(lasting, LATE_BUSY, _AT + timedelta(days=8)) == ""
    assert unmeasured(lasting, LATE_BUSY, _AT + timedelta(days=9)) == HIDDEN


def test_what_moves_by_less_than_the_saving_ends_and_fails_to_show_as_any_other_cost() -> None:
    little = replace(RESIZE, moving=Decimal("10.00"))
    assert story(little, after(4), after(10, "146.00")).why == AS_BEFORE
    assert story(replace(little, shows_within=timedelta(hours=48)), after(49, "146.00")).why == NEVER_SHOWED


def test_a_resource_that_is_gone_as_it_was_to_be_is_saved_whatever_moves_in_its_cost() -> None:
    promise = replace(DELETE, before=Decimal("300.00"), after=Decimal("290.00"), moving=None)
    lasting = story(promise, GONE_AT_5, after(10, None, there=False))
    assert (lasting.share, lasting.seen, unmeasured(lasting, promise, _AT)) == (Decimal(1), 5 * 3600, "")


movings = st.one_of(st.none(), st.decimals("0", "300", places=2))


@given(saving=st.decimals("0.01", "146", places=2), moving=movings, sightings=sightings_of, late=st.booleans())
def test_a_cost_ends_a_saving_only_where_what_moves_in_it_cannot_make_up_for_it(
    saving: Decimal, moving: Decimal | None, sightings: list[Sighting], late: bool
) -> None:
    within = timedelta(hours=48) if late else timedelta(0)
    promise = Promise(_AT, saving, Decimal(146), Decimal(146) - saving, shows_within=within, moving=moving)
    lasting = story(promise, *sightings)
    assert lasting.why not in {AS_BEFORE, NEVER_SHOWED} or not hides(promise)
    assert not too_small(promise) or (lasting.saved, lasting.share) == (Decimal(0), None)
    assert not too_small(promise) or hides(promise), "what is too small is hidden as well"


@given(saving=st.decimals("1", "146", places=2), moving=movings, sightings=sightings_of, k=st.integers(1, 50))
def test_scaling_a_cost_and_its_saving_changes_nothing_that_is_known_of_its_time(
    saving: Decimal, moving: Decimal | None, sightings: list[Sighting], k: int
) -> None:
    one = Promise(_AT, saving, Decimal(146), Decimal(146) - saving, moving=moving)
    many = replace(
        one, before=Decimal(146 * k), after=(146 - saving) * k, moving=None if moving is None else moving * k
    )
    scaled = [replace(at, cost=None if at.cost is None else at.cost * k) for at in sightings]
    first, second = story(one, *sightings), story(many, *scaled)
    assert replace(first, share=None, saved=second.saved) == replace(second, share=None)
