"""Tables that fit a terminal: no word, id or sum is broken; names are cut in the middle, sentences fold between words.

Called by `output` for people; programs get JSON, YAML or CSV. Only the texts of the cells are held.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TextIO

from rich.cells import cell_len

_FALLBACK_WIDTH: Final = 80
_GAP: Final = 2
_SHORTEST_NAMES: Final = ((_GAP, 12), (1, 6))
"""Gap between columns and shortest name: rather a narrow gap than names nobody recognizes."""
_SHORTEST_TEXT: Final = 20
_BOLD: Final = ("\x1b[1m", "\x1b[0m")
ELLIPSIS: Final = "…"


class Fit(Enum):
    """What may happen to a column's texts when the table is wider than the terminal."""

    WHOLE = "whole"
    """Nothing: ids, sums, states."""
    CUT = "cut"
    """Cut in the middle: names."""
    FOLD = "fold"
    """Folded between words onto further lines: sentences."""


@dataclass(frozen=True, slots=True)
class Heading:
    """How one column is laid out."""

    title: str
    right: bool = False
    fit: Fit = Fit.WHOLE


def terminal_width() -> int:
    """Return the columns to fill: COLUMNS, else the terminal's, else 80."""
    return shutil.get_terminal_size((_FALLBACK_WIDTH, 24)).columns


def write_table(rows: Sequence[Sequence[str]], headings: Sequence[Heading], out: TextIO, width: int | None) -> None:
    """Write the titles and rows; `width` None gives every text in full on one line, however long."""
    widths = [max(map(cell_len, (heading.title, *(row[at] for row in rows)))) for at, heading in enumerate(headings)]
    gap = _GAP
    if width is not None and _total(widths, gap) > width:
        gap = _shrink(widths, headings, width)
    titles = _line([heading.title for heading in headings], widths, headings, gap)
    start, end = _BOLD if out.isatty() and not os.environ.get("NO_COLOR") else ("", "")
    out.write(f"{start}{titles}{end}\n")
    for row in rows:
        out.writelines(f"{_line(line, widths, headings, gap)}\n" for line in _lines(row, widths, headings))


def cut(text: str, width: int) -> str:
    """Return `text` in at most `width` cells, with … in place of its middle."""
    if cell_len(text) <= width:
        return text
    head = width // 2
    tail = width - 1 - head
    return f"{_start(text, head)}{ELLIPSIS}{_end(text, tail)}"


def fold(text: str, width: int) -> list[str]:
    """Return `text` as lines of at most `width` cells, broken between words only; a longer word stands alone."""
    if cell_len(text) <= width:
        return [text]
    lines: list[str] = []
    current = ""
    for word in text.split():
        candidate = f"{current} {word}" if current else word
        if current and cell_len(candidate) > width:
            lines.append(current)
            current = word
        else:
            current = candidate
    return [*lines, current] if current or not lines else lines


def _start(text: str, width: int) -> str:
    found = ""
    for character in text:
        if cell_len(found + character) > width:
            break
        found += character
    return found


def _end(text: str, width: int) -> str:
    found = ""
    for character in reversed(text):
        if cell_len(character + found) > width:
            break
        found = character + found
    return found


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _shrink(widths: list[int], headings: Sequence[Heading], width: int) -> int:
    """Narrow what may be narrowed until the table fits, as far as that goes; return the gap between columns."""
    for gap, shortest_name in _SHORTEST_NAMES:
        for kind, least in ((Fit.FOLD, _SHORTEST_TEXT), (Fit.CUT, shortest_name)):
            flexible = [at for at, heading in enumerate(headings) if heading.fit is kind]
            while flexible and _total(widths, gap) > width:
                widest = max(flexible, key=lambda at: widths[at])
                floor = max(least, cell_len(headings[widest].title))
                if widths[widest] <= floor:
                    break
                others = [widths[at] for at in flexible if at != widest]
                excess = _total(widths, gap) - width
                step = max(1, min(excess, widths[widest] - max([floor, *others])))
                widths[widest] -= min(step, widths[widest] - floor)
        if _total(widths, gap) <= width:
            return gap
    return 1


def _lines(row: Sequence[str], widths: Sequence[int], headings: Sequence[Heading]) -> list[list[str]]:
    cells = [
        [cut(text, width)] if heading.fit is Fit.CUT else fold(text, width) if heading.fit is Fit.FOLD else [text]
        for text, width, heading in zip(row, widths, headings, strict=True)
    ]
    height = max(map(len, cells), default=1)
    return [[lines[at] if at < len(lines) else "" for lines in cells] for at in range(height)]


def _line(cells: Sequence[str], widths: Sequence[int], headings: Sequence[Heading], gap: int) -> str:
    padded = (
        " " * (width - cell_len(text)) + text if heading.right else text + " " * (width - cell_len(text))
        for text, width, heading in zip(cells, widths, headings, strict=True)
    )
    return (" " * gap).join(padded).rstrip()
