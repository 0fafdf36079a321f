"""The ledger's listing fits a terminal; data keeps every figure whole."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.cells import cell_len

from finops_operator.cli.commands.audit import _columns
from finops_operator.cli.output import Format, emit

RECORD: dict[str, Any] = {
    "sequence": 12_345,
    "time": "2026-11-28T08:32:29.033085Z",
    "kind": "outcome",
    "actor": "slack.U0BOB00001",
    "request": "default/production-ebs-volume-delete-vol-0a237a391981de4d7-6e94948f5/cd068da5-050f",
    "step": "create_last_snapshot",
    "result": "ok",
    "fence": 1,
}


@pytest.mark.parametrize("width", [80, 120])
def test_a_record_is_one_line_of_the_terminal_with_its_minute_in_the_readers_zone(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    sink = io.StringIO()
    emit([RECORD], _columns(), Format.TABLE, sink)
    heading, line = sink.getvalue().splitlines()
    assert "TIME (" in heading
    assert "2026-11-28" in line
    assert " ok" in line
    assert max(map(cell_len, (heading, line))) <= width


def test_csv_keeps_the_whole_time_and_request() -> None:
    sink = io.StringIO()
    emit([RECORD], _columns(), Format.CSV, sink)
    assert RECORD["request"] in sink.getvalue()
    assert RECORD["time"] in sink.getvalue()
