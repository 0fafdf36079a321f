"""Every listing in every format, parsed back by what would read it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import yaml

from finops_operator.cli.output import Column, Format, emit, emit_one, field

RECORDS: list[dict[str, Any]] = [
    {"id": "i-1", "tags": {"owner": "\x1b[2Jgone\n=1"}, "monthlyCost": "66.82", "account": {"name": "=HYPERLINK(1)"}},
    {"id": "i-2", "tags": {}, "monthlyCost": None, "account": None},
]
COLUMNS = (
    field("id"),
    field("owner", path="tags.owner"),
    field("monthlyCost", right=True),
    field("accountName", path="account.name", wide=True),
)


def shown(format_: Format, records: list[dict[str, Any]] | None = None, columns: tuple[Column, ...] = COLUMNS) -> str:
    sink = io.StringIO()
    emit(RECORDS if records is None else records, columns, format_, sink)
    return sink.getvalue()


def test_json_is_an_array_of_the_records_whatever_the_columns() -> None:
    assert json.loads(shown(Format.JSON)) == RECORDS
    assert json.loads(shown(Format.JSON, [])) == []


def test_yaml_is_a_list_of_the_records() -> None:
    assert yaml.safe_load(shown(Format.YAML)) == RECORDS
    assert yaml.safe_load(shown(Format.YAML, [])) == []


def test_json_and_yaml_carry_no_raw_control_characters() -> None:
    for format_ in (Format.JSON, Format.YAML):
        assert "\x1b" not in shown(format_)


def test_csv_has_all_columns_one_line_per_record_and_no_formulas() -> None:
    text = shown(Format.CSV)
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["id", "owner", "monthlyCost", "accountName"]
    assert rows[1] == ["i-1", r"\x1b[2Jgone\n=1", "66.82", "'=HYPERLINK(1)"]
    assert rows[2] == ["i-2", "", "", ""]
    assert len(text.splitlines()) == 3


def test_a_table_shows_the_narrow_columns_and_a_wide_one_all() -> None:
    narrow, wide = shown(Format.TABLE), shown(Format.WIDE)
    assert narrow.splitlines()[0].split() == ["ID", "OWNER", "MONTHLY", "COST"]
    assert wide.splitlines()[0].split() == ["ID", "OWNER", "MONTHLY", "COST", "ACCOUNT", "NAME"]


def test_a_table_has_one_line_per_record_without_colour_or_control_characters() -> None:
    lines = shown(Format.TABLE).splitlines()
    assert len(lines) == 3
    assert "\x1b" not in "".join(lines)
    assert r"\x1b[2Jgone\n=1" in lines[1]


def test_a_missing_value_is_a_dash_never_a_zero() -> None:
    assert shown(Format.TABLE).splitlines()[2].split() == ["i-2", "-", "-"]


def test_text_that_resembles_markup_is_shown_as_it_is() -> None:
    record: dict[str, Any] = {"id": "[red]x[/red] :bomb:", "tags": {}, "monthlyCost": "1", "account": None}
    assert "[red]x[/red] :bomb:" in shown(Format.TABLE, [record])


@pytest.mark.parametrize("format_", [Format.JSON, Format.YAML, Format.TABLE])
def test_a_single_record_is_shown_with_all_its_fields(format_: Format) -> None:
    sink = io.StringIO()
    emit_one({"ok": True, "records": 3}, format_, sink)
    text = sink.getvalue()
    if format_ is Format.TABLE:
        assert text.split() == ["FIELD", "VALUE", "ok", "true", "records", "3"]
    else:
        assert yaml.safe_load(text) == {"ok": True, "records": 3}
