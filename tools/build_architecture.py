"""Writes the picture of docs/architecture.md from the import contracts: `python tools/build_architecture.py [--check]`.

Run by `make generate` after a change of `.importlinter` and with `--check` by `make check`. What is drawn is what
import-linter enforces, so the picture cannot be wrong without failing the build.
"""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
CONTRACTS: Final = ROOT / ".importlinter"
PAGE: Final = ROOT / "docs" / "architecture.md"
BEGIN: Final = "<!-- generated from .importlinter by tools/build_architecture.py -->"
END: Final = "<!-- end of the generated part -->"
DRAWN: Final = {
    "core": "`finops`, the shared core",
    "domain": "`finops.domain`, its values",
    "operator": "`finops_operator`, the rooms of the operator",
    "bot": "`finops_slackbot`, the bot",
    "web": "`finops_web`, the dashboard",
}
"""Contract → heading of its picture."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of one package in layers, the importing ones first."""

    package: str
    layers: tuple[tuple[str, ...], ...]


def rooms_of(contract: str) -> Rooms:
    """Return the layers of a contract of `.importlinter`.

    Raises:
        KeyError: there is no such contract.
    """
    parser = configparser.ConfigParser()
    parser.read(CONTRACTS, encoding="utf-8")
    section = parser[f"importlinter:contract:{contract}"]
    layers = tuple(tuple(re.split(r"\s*\|\s*", line)) for line in section["layers"].split("\n") if line)
    return Rooms(section["containers"].strip(), layers)


def meanings() -> dict[str, str]:
    """Return room → what it is for, from the comments of `.importlinter`."""
    text = CONTRACTS.read_text(encoding="utf-8")
    return dict(re.findall(r"^; room (\w+): (.+)$", text, re.MULTILINE))


def picture(rooms: Rooms) -> Iterator[str]:
    """Yield the lines of a diagram: one box per layer, arrows from who imports to what is imported."""
    yield "```mermaid"
    yield "flowchart TB"
    for number, layer in enumerate(rooms.layers):
        yield f'    layer{number}["{" · ".join(layer)}"]'
    yield "    " + " --> ".join(f"layer{number}" for number in range(len(rooms.layers)))
    yield "```"


def generated() -> str:
    """Return the generated part of the page."""
    lines = [BEGIN, ""]
    for contract, heading in DRAWN.items():
        lines += [f"### {heading}", "", *picture(rooms_of(contract)), ""]
    lines += ["| Room of `finops_operator` | Holds |", "|---|---|"]
    lines += [f"| `{room}` | {meaning} |" for room, meaning in meanings().items()]
    return "\n".join((*lines, "", END))


def page_with(part: str, page: str) -> str:
    """Return the page with its generated part replaced.

    Raises:
        ValueError: the page has no such part.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name} has no part between {BEGIN} and {END}")
    return before + part + after


def main() -> int:
    """Write or compare; 0 done or equal, 1 different."""
    page = PAGE.read_text(encoding="utf-8")
    wanted = page_with(generated(), page)
    if "--check" in sys.argv[1:]:
        if page != wanted:
            sys.stderr.write("docs/architecture.md is not what .importlinter says: run `make generate`\n")
        return int(page != wanted)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
