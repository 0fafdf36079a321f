"""What acts save in a month: what lasts counts always, what AWS undoes by itself only in the month of its act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from finops.domain.lasting import AS_BEFORE, BY_ITSELF, TAKEN_BACK, Lasting
from finops.domain.realised import Realised
from finops.store.realized import is_undo
from finops.store.realized_sums import counted, realised_a_month

_THEN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def saved_a_month(acts: Iterable[dict[str, str]], now: datetime) -> Decimal:
    return realised_a_month(acts, now).net


def entry(saving: str, lasts_days: str = "") -> dict[str, str]:
    return {"saving": saving, "time": _THEN.isoformat(timespec="seconds"), "lastsDays": lasts_days}


@pytest.mark.parametrize(("days", "saved"), [(0, "98.81"), (29, "98.81"), (30, "70.08"), (365, "70.08")])
def test_a_saving_that_comes_once_counts_for_a_month(days: int, saved: str) -> None:
    acts = [entry("70.08"), entry("28.73", "7")]
    assert saved_a_month(acts, _THEN + timedelta(days=days)) == Decimal(saved)


def test_an_entry_of_an_older_release_lasts_and_an_unknown_saving_adds_nothing() -> None:
    old = {"saving": "1.00", "time": _THEN.isoformat()}
    assert saved_a_month([old, entry("")], _THEN + timedelta(days=400)) == Decimal("1.00")


@pytest.mark.parametrize("days", [5, 29, 31, 34, 40])
def test_the_undo_of_what_is_saved_once_ends_that_act_alone_for_as_long_as_it_counts(days: int) -> None:
    what = {"resource": "arn:aws:rds:eu-central-1:111122223333:db:reports", "action": "rds_instance_stop"}
    undo = {**entry("-28.73", "7"), **what, "time": (_THEN + timedelta(days=4)).isoformat(timespec="seconds")}
    acts = [entry("70.08"), {**entry("28.73", "7"), **what}, undo]

    assert saved_a_month(acts, _THEN + timedelta(days=days)) == Decimal("70.08")
    assert saved_a_month(reversed(acts), _THEN + timedelta(days=days)) == Decimal("70.08")


def test_an_undo_whose_act_was_lost_takes_away_no_more_than_there_is() -> None:
    assert saved_a_month([entry("-70.08")], _THEN) == Decimal("0.00")


_RDS = "arn:aws:rds:eu-central-1:111122223333:db:reports"


def test_a_start_undoes_nothing_and_what_it_costs_more_is_shown_and_taken_from_what_others_save() -> None:
    start = {**entry("-40.00"), "resource": _RDS, "action": "rds_instance_start", "undoes": ""}
    assert not is_undo(start)
    assert realised_a_month([entry("70.08"), start], _THEN) == Realised(Decimal("70.08"), Decimal("40.00"), 0, 2)
    assert saved_a_month([start], _THEN) == Decimal("-40.00"), "acts that cost more than they save say so"
    assert is_undo({**entry("-140.00"), "undoes": "u1"})


def act(uid: str, day: int, before: str, after: str, **changes: str) -> dict[str, str]:
    saving = f"{Decimal(before) - Decimal(after)}"
    time = (_THEN + timedelta(days=day)).isoformat(timespec="seconds")
    return {**entry(saving), "request": uid, "time": time, "resource": _RDS, "before": before, "after": after} | {
        "undoes": "",
        **changes,
    }


def ended(day: int) -> Lasting:
    at = _THEN + timedelta(days=day)
    return Lasting(at, ended=at, why=AS_BEFORE)


RESIZE, GROW = act("resize", 0, "100.00", "60.00"), act("grow", 1, "60.00", "120.00")
STOP, START = act("stop", 0, "145.00", "5.00"), act("start", 2, "5.00", "150.00")


@pytest.mark.parametrize(
    ("acts", "seen", "amounts"),
    [
        ([STOP, START], {}, ["0.00", "-5.00"]),
        ([STOP, START], {"stop": ended(3)}, ["0.00", "-5.00"]),
        ([STOP, START], {"stop": ended(3), "start": ended(9)}, ["0.00", "0.00"]),
        ([STOP, START], {"stop": ended(1)}, ["0.00", "-145.00"]),
        ([act("start", 0, "5.00", "145.00"), act("stop", 2, "145.00", "5.00")], {}, ["0.00", "140.00"]),
        ([act("resize", 0, "146.00", "73.00"), act("start", 2, "3.00", "73.00")], {}, ["73.00", "-70.00"]),
        ([STOP, {**START, "resource": "arn:other"}], {}, ["140.00", "-145.00"]),
        ([STOP, START], {"start": Lasting(_THEN, share=None)}, ["0.00", "-5.00"]),
        ([START], {"start": Lasting(_THEN, share=None)}, [None]),
        ([{**STOP, "lastsDays": "7"}, act("start", 9, "5.00", "145.00")], {}, ["140.00", "-140.00"]),
        ([RESIZE, GROW, act("again", 2, "120.00", "60.00")], {}, ["0.00", "0.00", "40.00"]),
        ([RESIZE, GROW, act("half", 2, "120.00", "85.00")], {}, ["0.00", "0.00", "15.00"]),
        ([RESIZE, GROW, act("again", 2, "120.00", "60.00")], {"again": ended(3)}, ["0.00", "0.00", "0.00"]),
        (
            [RESIZE, GROW, act("week", 2, "120.00", "60.00", lastsDays="7", saving="14.00")],
            {},
            ["0.00", "0.00", "9.33"],
        ),
        ([RESIZE, act("more", 1, "60.00", "30.00"), act("back", 2, "30.00", "100.00")], {}, ["0.00", "0.00", "0.00"]),
        ([RESIZE, act("more", 1, "60.00", "70.00"), act("back", 2, "70.00", "60.00")], {}, ["40.00", "0.00", "0.00"]),
    ],
)
def test_what_a_later_act_on_the_same_resource_took_back_counts_for_nothing(
    acts: list[dict[str, str]], seen: dict[str, Lasting], amounts: list[str | None]
) -> None:
    found = counted(acts, _THEN + timedelta(days=10), seen)
    assert [one.amount for one in found] == [None if one is None else Decimal(one) for one in amounts]


def test_an_act_of_which_no_scan_knows_what_it_saves_is_in_no_sum_and_said_to_be_missing() -> None:
    waits = Lasting(_THEN, share=None, waiting=True)
    assert realised_a_month([STOP, entry("70.00")], _THEN, {"stop": waits}) == Realised(
        Decimal("70.00"), Decimal("0.00"), 1, 1
    )
    assert realised_a_month([entry("")], _THEN).figure is None


def test_what_saves_once_and_is_taken_back_keeps_what_scans_saw_it_save_until_then() -> None:
    stop, start = act("stop", 0, "145.00", "5.00", lastsDays="7", saving="33.60"), act("start", 3, "5.00", "145.00")
    days = 24 * 3600
    seen = Lasting(_THEN + timedelta(days=2), saved=Decimal(2 * days), seen=2 * days)
    for known in (seen, replace(seen, ended=_THEN + timedelta(days=3), why=TAKEN_BACK)):
        found = counted([stop, start], _THEN + timedelta(days=4), {"stop": known})
        assert [one.amount for one in found] == [Decimal("9.60"), Decimal("0.00")]


def test_what_was_taken_back_before_a_scan_saw_it_is_not_known_and_no_zero() -> None:
    stop, start = act("stop", 0, "145.00", "5.00", lastsDays="7", saving="33.60"), act("start", 3, "5.00", "145.00")
    assert [one.amount for one in counted([stop, start], _THEN + timedelta(days=4))] == [None, Decimal("0.00")]


def test_what_saved_once_until_aws_undid_it_counts_the_hours_that_scans_saw_and_none_where_they_saw_none() -> None:
    stop, day = act("stop", 0, "145.00", "5.00", lastsDays="7", saving="33.60"), 24 * 3600
    over = _THEN + timedelta(days=7)
    one = Lasting(over, saved=Decimal(day), seen=day, unknown=6 * day, ended=over, why=BY_ITSELF)
    for known, amount in (
        (one, Decimal("4.80")),
        (replace(one, saved=Decimal(6 * day), seen=6 * day, unknown=day), Decimal("28.80")),
        (replace(one, saved=Decimal(0), seen=0, unknown=7 * day), None),
    ):
        (found,) = counted([stop], _THEN + timedelta(days=9), {"stop": known})
        assert found.amount == amount


@pytest.mark.parametrize(("seen", "amount"), [(6, "28.80"), (0, None)])
def test_what_saves_once_and_no_scan_sees_any_more_counts_what_they_saw_until_then(
    seen: int, amount: str | None
) -> None:
    stop = act("stop", 0, "145.00", "5.00", lastsDays="7", saving="33.60", kind="rds-instance")
    seconds = seen * 24 * 3600
    lasting = Lasting(_THEN + timedelta(days=seen), saved=Decimal(seconds), seen=seconds)
    known = {"stop": lasting} if seen else {}
    (found,) = counted([stop], _THEN + timedelta(days=40), known)
    assert found.amount == (None if amount is None else Decimal(amount))


def test_what_cannot_be_measured_is_not_said_to_have_saved_once_what_was_promised() -> None:
    stop = act("stop", 0, "145.00", "135.00", lastsDays="7", saving="33.60", moving="145.00")
    (found,) = counted([stop], _THEN, {"stop": Lasting(_THEN, share=None, ended=_THEN, why=BY_ITSELF)})
    assert found.amount is None
