"""The report of a scan as Markdown, for issues, wikis and chats; every text of strangers is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

from finops_operator.cli.printable import printable
from finops_operator.cli.report.sheet import GAPS, OBSTACLES, REASONS, RECOMMENDATIONS, Sheet
from finops_operator.cli.report.story import Story

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~@&])")


def write(story: Story, out: TextIO, *, why: bool) -> None:
    """Write the report."""
    out.write(f"# AWS savings report\n\n**{_text(story.headline)}**\n\n")
    out.writelines(f"- {_text(name)}: {_text(value)}\n" for name, value in story.facts)
    for sheet in (RECOMMENDATIONS, OBSTACLES, *([REASONS] if why else []), GAPS):
        _table(sheet, story, out)
    if story.observes and story.rows:
        out.write("\nNothing was changed, and nobody is asked: the policy only recommends.\n")


def _table(sheet: Sheet, story: Story, out: TextIO) -> None:
    rows = sheet.rows(story)
    if not rows:
        return
    out.write(f"\n## {sheet.title}\n\n")
    out.write(_line(_text(one) for one in sheet.titles))
    out.write(_line("---:" if at in sheet.right else "---" for at in range(len(sheet.titles))))
    out.writelines(_line(_text(one) for one in row) for row in rows)


def _line(cells: Iterable[str] | Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _text(value: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(value))
