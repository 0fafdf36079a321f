"""Hostile text stays text on a terminal and in a spreadsheet."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_operator.cli.printable import printable, spreadsheet_cell


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Größe 東京 💸", "plain Größe 東京 💸"),
        ("line one\nline two\r\ttab", r"line one\nline two\r\ttab"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\u202ereversed\u200b", r"\u202ereversed\u200b"),
        ("\x85\x00", r"\x85\x00"),
        ("\U000e0041", r"\U000e0041"),
        ("[bold]markup[/bold] <!channel>", "[bold]markup[/bold] <!channel>"),
    ],
)
def test_what_is_not_plainly_visible_is_written_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_no_text_can_move_the_cursor_or_change_the_direction(text: str) -> None:
    assert not {unicodedata.category(one) for one in printable(text)} & {"Cc", "Cf", "Zl", "Zp", "Cs"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_calculate_is_led_by_an_apostrophe(text: str) -> None:
    assert spreadsheet_cell(text).startswith("'")


@pytest.mark.parametrize("text", ["", "plain", "12.50", "-12.50", "0"])
def test_plain_cells_and_numbers_stay_as_they_are(text: str) -> None:
    assert spreadsheet_cell(text) == text
