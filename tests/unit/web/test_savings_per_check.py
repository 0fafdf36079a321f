"""Per check: what was promised, and what of it nobody has undone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from finops_web.readings.savings import Accuracy, accuracy


def act(uid: str, saving: str, hour: int, **changes: Any) -> dict[str, Any]:
    """An entry of the store; a negative saving is an undo."""
    cost = (
        {"before": saving, "after": "0.00"} if not saving.startswith("-") else {"before": "0.00", "after": saving[1:]}
    )
    time = f"2026-03-01T{hour:02}:00:00+00:00"
    return {"request": uid, "resource": "arn:1", "action": "stop", "saving": saving, "time": time, **cost, **changes}


def test_what_was_undone_is_promised_and_no_longer_saved_whatever_the_order() -> None:
    entries = [act("u3", "-10.00", 3), act("u1", "10.00", 1), act("u2", "5.00", 2, resource="arn:2")]

    (found,) = accuracy(entries, {"u1": "idle", "u2": "idle"})

    assert found == Accuracy("idle", 2, 1, 0, Decimal("15.00"), Decimal("5.00"))


def test_what_is_saved_again_after_an_undo_counts_again() -> None:
    entries = [act("u1", "10.00", 1), act("u2", "-10.00", 2), act("u3", "10.00", 3)]

    (found,) = accuracy(entries, dict.fromkeys(("u1", "u3"), "idle"))

    assert (found.acts, found.undone, found.stands) == (2, 1, Decimal("10.00"))


def test_what_is_not_known_is_no_zero() -> None:
    gone, unpriced = accuracy([act("u1", "10.00", 1), act("u2", "", 2, before="", after="")], {"u2": "idle"})

    assert gone == Accuracy("", 1, 0, 0, Decimal("10.00"), Decimal("10.00"))
    assert unpriced == Accuracy("idle", 1, 0, 1, None, None)


def test_what_aws_undoes_by_itself_has_no_sum_a_month() -> None:
    assert accuracy([act("u1", "10.00", 1, lastsDays="7")], {"u1": "idle"}) == ()
