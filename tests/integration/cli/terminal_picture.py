"""What a terminal showed, as a picture for the docs, and whether the docs' picture still shows it."""

from __future__ import annotations

import html
import io
import os
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

IMAGES = Path(__file__).parents[3] / "docs" / "images"
WRITES = bool(os.environ.get("FINOPS_WRITE_PICTURES"))
"""Read before the tests' shell drops every setting."""
_LINE = re.compile(r"<text[^>]*>([^<]*)</text>")
_ID = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b")
_FIGURE = re.compile(r"\d[\d,.:]*")


def check_picture(name: str, command: str, shown: str, width: int) -> None:
    """Write the picture of what a terminal of `width` columns showed, or compare it with the one in the docs.

    Figures, times and ids differ from run to run and are left out of the comparison, as is where lines are folded.
    """
    path = IMAGES / f"terminal-{name}-{width}.svg"
    picture = _picture(name, command, shown, width)
    if WRITES:
        path.write_text(picture, encoding="utf-8")
    assert path.is_file(), f"{path.name} is missing; FINOPS_WRITE_PICTURES=1 writes it"
    kept = path.read_text(encoding="utf-8")
    assert words_of(kept) == words_of(picture), f"{path.name} is outdated; FINOPS_WRITE_PICTURES=1 writes it anew"


def words_of(picture: str) -> list[str]:
    """Return the words that a picture shows, with every id and figure as a sign."""
    text = " ".join(html.unescape(line).replace("\xa0", " ") for line in _LINE.findall(picture))
    return _FIGURE.sub("#", _ID.sub("#", text)).split()


def _picture(name: str, command: str, shown: str, width: int) -> str:
    console = Console(record=True, width=width, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ {command}\n{shown.rstrip()}"), soft_wrap=False)
    svg = console.export_svg(title="finops", theme=MONOKAI, unique_id=f"{name}-{width}")
    # Fonts come from the reader's machine: the picture fetches nothing.
    kept = "\n".join(line.rstrip() for line in _without_fonts(svg).splitlines())
    return f"{kept}\n"


def _without_fonts(svg: str) -> str:
    start, end = svg.find("@font-face"), svg.rfind("@font-face")
    if start < 0:
        return svg
    return svg[:start] + svg[svg.index("}", end) + 1 :]
