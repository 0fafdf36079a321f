"""The security page names a test for every line about what somebody can and cannot do, and every test named exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from tests.support.forgeries import ADMINISTRATOR, ONLY_ADMINISTRATORS, everybody, table, tries

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED: Final = re.compile(r"`(tests/[^`]+\.py)`")


def rows_of(heading: str) -> list[str]:
    """Return the lines of the first table under a heading, without its head."""
    lines = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0].splitlines()
    return [line for line in lines if line.startswith("|")][2:]


@pytest.mark.parametrize("heading", ["Who could do what", "Promises, and the tests that show them"])
def test_every_line_names_a_test(heading: str) -> None:
    """Bullet "docs/security.md says exactly what … can and cannot do, and a test shows each line"."""
    rows = rows_of(heading)
    assert len(rows) >= 9
    assert [row for row in rows if not NAMED.search(row.rsplit("|", 2)[-2])] == []


def test_the_table_of_forgeries_is_the_one_that_is_tried_on_an_api_server() -> None:
    assert rows_of("Forgeries, tried on a real API server") == table()
    assert f"All are: {everybody()}." in " ".join(PAGE.split())
    assert len(tries()) >= 40


def test_the_page_names_what_only_an_administrator_of_the_cluster_can_do() -> None:
    text = " ".join(PAGE.split())
    assert f"{ADMINISTRATOR[0].upper()}{ADMINISTRATOR[1:]}" in text
    assert [words for words in ONLY_ADMINISTRATORS if words not in text] == []


def test_every_test_that_is_named_exists() -> None:
    missing = sorted({name for name in NAMED.findall(PAGE) if not (ROOT / name).is_file()})
    assert missing == []
