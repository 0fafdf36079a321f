"""A listing of recommendations tells advice from acts, and why its column adds up to more than the total."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.support.scan_samples import recommendation

from finops.store.recommendations import recommendation_to_json
from finops_operator.cli.listings import RECOMMENDATIONS, Counting
from finops_operator.cli.output import Format, emit


def record(number: int, **changes: Any) -> dict[str, Any]:
    return recommendation_to_json(recommendation(number, **changes))


def test_what_an_owner_would_undo_is_marked_as_advice_although_it_names_an_action() -> None:
    records = [record(1), record(2, advice="Owned by Auto Scaling (web)."), record(3, action="")]
    table, sheet = io.StringIO(), io.StringIO()
    emit(records, RECOMMENDATIONS, Format.TABLE, table)
    emit(records, RECOMMENDATIONS, Format.CSV, sheet)
    sheet.seek(0)

    assert [row["actOrAdvice"] for row in csv.DictReader(sheet)] == ["act", "advice", "advice"]
    header, act, advice, nothing = table.getvalue().splitlines()
    assert "ACT OR ADVICE" in header
    assert "advice" not in act
    assert "advice" in advice
    assert "advice" in nothing


def test_rows_that_do_not_count_are_told_and_every_row_is_listed() -> None:
    counting = Counting()
    assert len(list(counting.through([record(1), record(2, counted=False), record(3, counted=False)]))) == 3
    assert counting.sentence().startswith("2 rows are not counted")


def test_nothing_is_said_where_every_row_counts() -> None:
    counting = Counting()
    list(counting.through([record(1), record(2)]))
    assert not counting.sentence()


def test_csv_that_goes_on_has_no_second_header() -> None:
    sheet = io.StringIO()
    emit([record(1)], RECOMMENDATIONS, Format.CSV, sheet)
    emit([record(2)], RECOMMENDATIONS, Format.CSV, sheet, header=False)
    assert sheet.getvalue().count("actOrAdvice") == 1
    assert len(sheet.getvalue().splitlines()) == 3
