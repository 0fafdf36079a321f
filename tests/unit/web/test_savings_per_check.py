"""Per check: what was promised, and what of it nobody has undone; per month: what is known, and what is not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from finops.domain.lasting import GONE, Lasting
from finops_web.readings.savings import Accuracy, Month, Sum, accuracy, by_month, so_far


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


def _acts(month: str, *savings: str | None, **changes: Any) -> list[dict[str, Any]]:
    times = {"time": f"{month}-02T10:00:00+00:00", **changes}
    return [{**times, "saving": None if one is None else Decimal(one)} for one in savings]


def test_a_month_counts_the_acts_without_a_figure_apart_from_its_sum() -> None:
    entries = [*_acts("2026-03", "10.00", None, "-2.50"), *_acts("2026-03", None, "7.00", lastsDays="7")]

    assert by_month(entries) == (Month("2026-03", Sum(Decimal("7.50"), 1), Sum(Decimal("7.00"), 1)),)


def test_the_sum_of_a_month_of_which_no_act_has_a_figure_is_unknown_and_the_latest_month_comes_first() -> None:
    march, february = by_month([*_acts("2026-02", None, None), *_acts("2026-03", "1.00")])

    assert (march.month, march.lasting, march.once) == ("2026-03", Sum(Decimal("1.00"), 0), Sum(Decimal(0), 0))
    assert (february.month, february.lasting, february.once) == ("2026-02", Sum(None, 2), Sum(Decimal(0), 0))


_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_what_a_scan_saw_gone_is_promised_and_no_longer_saved() -> None:
    entries, ended = [act("u1", "10.00", 1), act("u2", "5.00", 2)], Lasting(_AT, ended=_AT, why=GONE)

    (found,) = accuracy(entries, dict.fromkeys(("u1", "u2"), "idle"), {"u1": ended, "u2": Lasting(_AT)})

    assert (found.acts, found.undone, found.ended) == (2, 0, 1)
    assert (found.promised, found.stands) == (Decimal("15.00"), Decimal("5.00"))


def test_what_was_saved_so_far_is_what_scans_saw_and_unknown_before_the_first_of_them() -> None:
    seen = Lasting(_AT, saved=Decimal(73 * 3600), seen=100 * 3600, unknown=7199, ended=_AT, why=GONE)

    assert so_far(act("u1", "10.00", 1), seen) == {
        "savedSoFar": Decimal("1.00"),
        "seenHours": 100,
        "unknownHours": 1,
        "seenUntil": "2026-03-01T09:00:00+00:00",
        "ended": "2026-03-01T09:00:00+00:00",
        "endedWhy": GONE,
        "waiting": False,
    }
    unknown = so_far(act("u1", "10.00", 1), None)
    assert (unknown["savedSoFar"], unknown["seenHours"], unknown["seenUntil"]) == (None, None, "")
    assert so_far(act("u1", "", 1, before="", after=""), seen)["savedSoFar"] is None
