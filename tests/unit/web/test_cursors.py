"""A list is read page by page: nobody misses a row because another one went in between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.errors import InvalidInput
from finops_web.answers import page_of

_ROWS = st.lists(st.text("abcdefgh", min_size=1, max_size=3), unique=True, max_size=20)


def pages(rows: list[str], limit: int) -> list[list[str]]:
    found, cursor = [], ""
    while True:
        page = page_of(rows, str, cursor, limit)
        found.append(list(page.rows))
        if page.next_page is None:
            return found
        cursor = page.next_page


@given(_ROWS, st.integers(1, 5))
def test_page_after_page_gives_each_row_once(rows: list[str], limit: int) -> None:
    found = pages(rows, limit)
    assert [one for page in found for one in page] == rows
    assert all(len(page) == limit for page in found[:-1])


@given(_ROWS.filter(lambda rows: len(rows) > 3), st.text("xyz", min_size=1, max_size=2))
def test_a_row_that_came_before_the_page_repeats_none(rows: list[str], new: str) -> None:
    first = page_of(rows, str, "", 2)
    assert first.next_page is not None
    assert list(page_of([new, *rows], str, first.next_page, 2).rows) == rows[2:4]


def test_of_a_row_that_is_gone_the_place_counts() -> None:
    first = page_of(["a", "b", "c", "d"], str, "", 2)
    assert first.next_page is not None
    assert list(page_of(["a", "x", "c", "d"], str, first.next_page, 2).rows) == ["c", "d"]
    assert list(page_of(["a"], str, first.next_page, 2).rows) == []


def test_a_cursor_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(InvalidInput):
        page_of(["a"], str, "!!", 2)
