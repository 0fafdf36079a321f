"""A listing of recommendations shows first what one can act on, and never adds three figures into one."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.support.scan_samples import recommendation

from finops.domain.recommendation import Block, Status
from finops.domain.report import Savings, StatusSum
from finops_operator.cli.filters import Row
from finops_operator.cli.listings import RECOMMENDATIONS, ready_first, row_of, savings_in, total_line, what_of
from finops_operator.cli.output import Format, emit


def row(number: int, **changes: Any) -> Row:
    return row_of(recommendation(number, **changes))


def test_ready_rows_come_first_then_by_saving_and_unknown_savings_last() -> None:
    rows = [
        row(1, status=Status.BLOCKED, monthly_savings=Decimal(90)),
        row(2, status=Status.ADVICE, monthly_savings=Decimal(50)),
        row(3, monthly_savings=Decimal(1)),
        row(4, monthly_savings=Decimal(2)),
        row(5, status=Status.BLOCKED, monthly_savings=None),
    ]

    assert [one.record["id"] for one in ready_first(rows)] == ["rec4", "rec3", "rec2", "rec1", "rec5"]


def test_the_total_line_splits_ready_advice_and_blocked() -> None:
    sums = Savings(StatusSum(Decimal("1373.60"), 27), StatusSum(Decimal("491.16"), 7), StatusSum(Decimal("269.18"), 5))

    assert total_line(sums) == "1,373.60 USD ready in 27 · 491.16 advice in 7 · 269.18 blocked in 5"


def test_what_only_waits_for_a_policy_that_asks_is_taken_out_of_what_is_blocked() -> None:
    sums = Savings(blocked=StatusSum(Decimal("269.18"), 5))

    line = total_line(sums, possible=StatusSum(Decimal("200.00"), 3))

    assert line == "200.00 USD possible in 3 · 69.18 blocked in 2"


def test_parts_without_rows_are_left_out_and_nothing_is_never_a_zero() -> None:
    assert total_line(replace(Savings(), advice=StatusSum(Decimal(2), 1))) == "2.00 USD advice in 1"
    assert total_line(Savings()) == "Nothing to save was found."


def test_what_aws_undoes_by_itself_is_listed_as_saved_once_and_added_apart() -> None:
    rows = [row(1, monthly_savings=Decimal(5)), row(2, monthly_savings=Decimal(40), lasts_days=7)]

    sums = savings_in(rows)
    assert sums == Savings(StatusSum(Decimal("5.00"), 2, Decimal("40.00")))
    assert total_line(sums) == "5.00 USD ready in 2, and 40.00 once"
    assert [RECOMMENDATIONS[0].shown(one.record) for one in rows] == ["5.00", "40.00 once"]
    assert RECOMMENDATIONS[0].value(rows[1].record) == "40"


def test_alternatives_count_for_no_sum() -> None:
    rows = [row(1, monthly_savings=Decimal(5)), row(2, monthly_savings=Decimal(4), counted=False)]

    assert savings_in(rows) == Savings(StatusSum(Decimal("5.00"), 1))


@pytest.mark.parametrize(
    ("action", "parameters", "target", "words"),
    [
        ("ec2_instance_stop", {}, "", "stop"),
        ("ec2_instance_resize", {"instanceType": "m5.xlarge"}, "", "resize → m5.xlarge"),
        ("ebs_volume_modify", {"iops": 3000, "volumeType": "gp3"}, "", "modify → gp3"),
        ("ec2_instance_resize", {"size": "x"}, "m5.xlarge", "resize → m5.xlarge"),
        ("", {}, "", "upgrade"),
    ],
)
def test_an_act_is_described_in_a_few_words(action: str, parameters: dict[str, Any], target: str, words: str) -> None:
    assert what_of(action, "Upgrade", parameters, target) == words


def test_programs_get_every_column_and_people_a_word_and_the_beginning_of_the_id() -> None:
    blocked = recommendation(
        1, id="0123456789abcdef", status=Status.BLOCKED, blocked_by=(Block("NoPrice", "The saving is unknown."),)
    )
    sheet, table = io.StringIO(), io.StringIO()
    emit([row_of(blocked).record], RECOMMENDATIONS, Format.CSV, sheet)
    emit([row_of(blocked).record], RECOMMENDATIONS, Format.TABLE, table)
    sheet.seek(0)
    (record,) = csv.DictReader(sheet)

    assert (record["id"], record["status"], record["why"]) == ("0123456789abcdef", "Blocked", "The saving is unknown.")
    assert record["monthlySavings"] == "65.211"
    assert table.getvalue().splitlines()[1].split() == [
        "65.21",
        "stop",
        "web",
        record["resource"],
        "blocked",
        "01234567",
    ]


def test_csv_that_goes_on_has_no_second_header() -> None:
    sheet = io.StringIO()
    emit([row(1).record], RECOMMENDATIONS, Format.CSV, sheet)
    emit([row(2).record], RECOMMENDATIONS, Format.CSV, sheet, header=False)

    assert sheet.getvalue().count("currentMonthlyCost") == 1
    assert len(sheet.getvalue().splitlines()) == 3


def test_savings_that_are_unknown_are_counted_apart_and_never_shown_as_nothing() -> None:
    sums = Savings().plus(Status.ACTIONABLE, Decimal("5.00"), once=False).plus(Status.ACTIONABLE, None, once=False)
    assert sums.actionable == StatusSum(Decimal("5.00"), 2, unknown=1)
    assert total_line(sums) == "5.00 USD ready in 2, 1 unknown"
