"""Per check: what was promised, and what of it nobody has undone; per month: what is known, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from finops.domain.lasting import GONE, TOO_SMALL, UNPRICED, Lasting
from finops.domain.realised import Realised, realised
from finops.store.realized_sums import counted, realised_a_month
from finops_web.readings.savings import Accuracy, Month, accuracy, act_in_words, by_month, chart_of_months, so_far

NOW = datetime(2026, 4, 2, 9, tzinfo=UTC)


def act(uid: str, saving: str, hour: int, **changes: Any) -> dict[str, Any]:
    """An entry of the store; a negative saving is an undo."""
    cost = (
        {"before": saving, "after": "0.00"} if not saving.startswith("-") else {"before": "0.00", "after": saving[1:]}
    )
    time = f"2026-03-01T{hour:02}:00:00+00:00"
    return {"request": uid, "resource": "arn:1", "action": "stop", "saving": saving, "time": time, **cost, **changes}


def test_what_was_undone_is_promised_and_no_longer_saved_whatever_the_order() -> None:
    entries = [act("u3", "-10.00", 3), act("u1", "10.00", 1), act("u2", "5.00", 2, resource="arn:2")]

    (found,) = accuracy(entries, {"u1": "idle", "u2": "idle"}, NOW)

    assert found == Accuracy("idle", 2, 1, 0, Decimal("15.00"), Decimal("5.00"))


def test_what_is_saved_again_after_an_undo_counts_again() -> None:
    entries = [act("u1", "10.00", 1), act("u2", "-10.00", 2), act("u3", "10.00", 3)]

    (found,) = accuracy(entries, dict.fromkeys(("u1", "u3"), "idle"), NOW)

    assert (found.acts, found.undone, found.stands) == (2, 1, Decimal("10.00"))


def test_what_is_not_known_is_no_zero() -> None:
    gone, unpriced = accuracy([act("u1", "10.00", 1), act("u2", "", 2, before="", after="")], {"u2": "idle"}, NOW)

    assert gone == Accuracy("", 1, 0, 0, Decimal("10.00"), Decimal("10.00"))
    assert unpriced == Accuracy("idle", 1, 0, 1, None, None)


def test_what_aws_undoes_by_itself_has_no_sum_a_month() -> None:
    assert accuracy([act("u1", "10.00", 1, lastsDays="7")], {"u1": "idle"}, NOW) == ()


def _acts(month: str, *savings: str | None, **changes: Any) -> list[dict[str, Any]]:
    times = {"time": f"{month}-02T10:00:00+00:00", "undoes": "", **changes}
    return [
        {**times, "saving": one or "", "request": f"{month}-{at}", "resource": f"arn:{month}-{at}"}
        for at, one in enumerate(savings)
    ]


def test_a_month_shows_what_is_saved_and_what_costs_more_and_counts_the_acts_without_a_figure_apart() -> None:
    entries = [*_acts("2026-03", "10.00", None, "-2.50"), *_acts("2026-03", None, "7.00", lastsDays="7")]

    assert by_month(counted(entries, NOW)) == (
        Month(
            "2026-03",
            Realised(Decimal("10.00"), Decimal("2.50"), 1, 2),
            Realised(Decimal("7.00"), Decimal("0.00"), 1, 1),
        ),
    )


def test_the_sum_of_a_month_of_which_no_act_has_a_figure_is_unknown_and_the_latest_month_comes_first() -> None:
    entries = [*_acts("2026-02", None, None), *_acts("2026-03", "1.00")]
    march, february = by_month(counted(entries, NOW))

    assert (march.month, march.lasting.figure, march.once.figure) == ("2026-03", Decimal("1.00"), Decimal("0.00"))
    assert (february.month, february.lasting.figure, february.lasting.unknown) == ("2026-02", None, 2)


def test_the_months_add_up_to_what_all_acts_save() -> None:
    undone = {**act("u1", "10.00", 1), "undoes": ""}
    undo = {**act("u2", "-10.00", 2), "undoes": "u1", "time": "2026-04-01T10:00:00+00:00"}
    entries = [undone, undo, *_acts("2026-02", "5.00", "-9.00", None), *_acts("2026-03", "3.00")]
    seen = {"2026-03-0": Lasting(NOW, share=Decimal("0.5"))}

    months = by_month(counted(entries, NOW, seen))

    whole = realised_a_month(entries, NOW, seen)
    assert (whole.net, whole.unknown) == (Decimal("-2.50"), 1)
    assert sum(one.lasting.net for one in months) == whole.net
    assert sum(one.lasting.unknown for one in months) == whole.unknown


_AT = datetime(2026, 3, 1, 9, tzinfo=UTC)


def test_what_a_scan_saw_gone_is_promised_and_no_longer_saved() -> None:
    entries, ended = [act("u1", "10.00", 1), act("u2", "5.00", 2)], Lasting(_AT, ended=_AT, why=GONE)

    (found,) = accuracy(entries, dict.fromkeys(("u1", "u2"), "idle"), NOW, {"u1": ended, "u2": Lasting(_AT)})

    assert (found.acts, found.undone, found.ended) == (2, 0, 1)
    assert (found.promised, found.stands) == (Decimal("15.00"), Decimal("5.00"))


def test_what_was_saved_so_far_is_what_scans_saw_and_unknown_before_the_first_of_them() -> None:
    seen = Lasting(_AT, saved=Decimal(73 * 3600), seen=100 * 3600, unknown=7199, ended=_AT, why=GONE)

    assert so_far(act("u1", "10.00", 1), seen, NOW) == {
        "savedSoFar": Decimal("1.00"),
        "seenHours": 100,
        "unknownHours": 1,
        "seenUntil": "2026-03-01T09:00:00+00:00",
        "ended": "2026-03-01T09:00:00+00:00",
        "endedWhy": GONE,
        "waiting": False,
        "unmeasured": "",
    }
    unknown = so_far(act("u1", "10.00", 1), None, NOW)
    assert (unknown["savedSoFar"], unknown["seenHours"], unknown["seenUntil"]) == (None, None, "")
    assert so_far(act("u1", "", 1, before="", after=""), seen, NOW)["savedSoFar"] is None


def test_what_cannot_be_measured_says_why_and_is_neither_to_come_nor_zero() -> None:
    waits = Lasting(_AT, share=None, unknown=90_000, waiting=True, measurable_until=_AT)

    found = so_far(act("u1", "10.00", 1), waits, NOW)

    assert (found["savedSoFar"], found["waiting"], found["unmeasured"]) == (None, False, UNPRICED)
    before = so_far(act("u1", "10.00", 1), replace(waits, measurable_until=NOW + timedelta(hours=1)), NOW)
    assert (before["waiting"], before["unmeasured"]) == (True, "")


def test_what_no_scan_can_measure_is_promised_and_not_among_what_is_still_saved() -> None:
    entries, waits = [act("u1", "10.00", 1), act("u2", "5.00", 2, resource="arn:2")], Lasting(_AT, share=None)

    (found,) = accuracy(entries, dict.fromkeys(("u1", "u2"), "idle"), NOW, {"u1": waits})

    assert (found.promised, found.stands, found.unmeasured) == (Decimal("15.00"), Decimal("5.00"), 1)


def _months(**nets: str | None) -> list[Month]:
    found = {f"2025-{name[1:]}" if name[1:] > "06" else f"2026-{name[1:]}": net for name, net in nets.items()}
    return [Month(name, realised([None if net is None else Decimal(net)]), realised([])) for name, net in found.items()]


def test_months_are_bars_on_a_line_of_zero_with_those_without_an_act_between() -> None:
    chart = chart_of_months(_months(m11="30", m12="-10", m02=None))

    assert chart is not None
    assert (chart.highest, chart.lowest, chart.ground) == (Decimal(30), Decimal(-10), 75)
    assert [(one.month, one.top, one.height, one.unknown) for one in chart.bars] == [
        ("2025-11", 0, 75, 0),
        ("2025-12", 75, 25, 0),
        ("2026-01", 75, 0, 0),
        ("2026-02", 75, 0, 1),
    ]


def test_one_month_is_no_chart_and_many_are_the_last_24() -> None:
    assert chart_of_months(_months(m01="5")) is None
    long = [Month(name, realised([Decimal(1)]), realised([])) for name in ("2021-01", "2026-03")]
    chart = chart_of_months(long)
    assert chart is not None
    assert (len(chart.bars), chart.bars[0].month, chart.bars[-1].month) == (24, "2024-04", "2026-03")


def test_an_act_is_named_by_its_verb_and_its_resources_name() -> None:
    arn = "arn:aws:ec2:us-east-1:111122223333:instance/i-1"
    act = {"action": "ec2_instance_stop", "resource": arn, "id": "i-1"}
    assert act_in_words({**act, "resourceName": "web"}, {arn: "other"}) == "Stop web"
    assert act_in_words(act, {arn: "other"}) == "Stop other"
    assert act_in_words(act, {}) == "Stop i-1"
    assert act_in_words({"action": "stop", "resource": arn}, {}) == "Stop i-1"


def test_a_saving_too_small_to_be_measured_is_said_so_from_the_start_and_is_no_zero() -> None:
    entry = act("u1", "3.00", 1, before="900.00", after="897.00") | {"moving": "900.00"}
    found = so_far(entry, Lasting(_AT, share=None), NOW)
    assert (found["savedSoFar"], found["unmeasured"], found["ended"]) == (None, TOO_SMALL, "")
