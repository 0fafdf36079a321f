"""What acts save in a month: what lasts counts always, what AWS undoes by itself only in the month of its act."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from finops.store.realized import is_undo, saved_a_month

_THEN = datetime(2026, 3, 1, 9, tzinfo=UTC)


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


def test_a_start_that_costs_more_undoes_nothing_and_takes_nothing_away() -> None:
    what = {"resource": "arn:aws:rds:eu-central-1:111122223333:db:reports", "action": "rds_instance_start"}
    start = {**entry("-140.00"), **what, "undoes": ""}
    assert not is_undo(start)
    assert saved_a_month([entry("70.08"), start], _THEN) == Decimal("70.08")
    assert is_undo({**entry("-140.00"), "undoes": "u1"})
