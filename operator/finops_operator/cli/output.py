"""Listings in all formats: a table for people, JSON, YAML and CSV for programs; every listing command ends here.

Records are JSON values, streamed; of a table only the texts of its cells are held, because its columns must fit.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TextIO, TypeAlias

import yaml
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from finops_operator.cli.printable import printable, spreadsheet_cell

Record: TypeAlias = Mapping[str, Any]
_FOLDED_ROWS: Final = 500
"""Rows of a table on a terminal up to which long texts are folded to its width."""
_GAP: Final = "  "
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The same YAML by the C library where it is there, five times as fast."""
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Format(StrEnum):
    """How data is printed."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name` is CSV's header and, in words, the table's; `wide` ones are left out of a plain table."""

    name: str
    value: Callable[[Record], object]
    wide: bool = False
    right: bool = False

    @property
    def title(self) -> str:
        return _WORD.sub(" ", self.name).upper()


def field(name: str, *, path: str = "", wide: bool = False, right: bool = False) -> Column:
    """Return a column that shows the value at a dotted `path` of the record (default: its name)."""
    keys = (path or name).split(".")

    def value(record: Record) -> object:
        found: Any = record
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    return Column(name, value, wide=wide, right=right)


def emit(
    records: Iterable[Record],
    columns: Sequence[Column],
    format_: Format,
    sink: TextIO | None = None,
    *,
    header: bool = True,
) -> None:
    """Print `records` to `sink` (default: stdout); CSV that goes on from earlier records has no `header`."""
    out = sink or sys.stdout
    if format_ is Format.JSON:
        _json(records, out)
    elif format_ is Format.YAML:
        _yaml(records, out)
    elif format_ is Format.CSV:
        _csv(records, columns, out, header=header)
    else:
        shown = [column for column in columns if format_ is Format.WIDE or not column.wide]
        _table(records, shown, out)


def emit_one(record: Record, format_: Format, sink: TextIO | None = None) -> None:
    """Print a single record as JSON or YAML, or as a table of its fields."""
    out = sink or sys.stdout
    if format_ is Format.JSON:
        out.write(json.dumps(record, indent=2) + "\n")
    elif format_ is Format.YAML:
        out.write(_yaml_text(_plain(record)))
    else:
        pairs = ({"field": key, "value": value} for key, value in record.items())
        emit(pairs, (field("field"), field("value")), format_, out)


def _json(records: Iterable[Record], out: TextIO) -> None:
    separator = ""
    out.write("[")
    for record in records:
        out.write(f"{separator}\n  {json.dumps(record)}")
        separator = ","
    out.write("\n]\n" if separator else "]\n")


def _yaml(records: Iterable[Record], out: TextIO) -> None:
    count = 0
    for record in records:
        out.write(_yaml_text([_plain(record)]))
        count += 1
    if not count:
        out.write("[]\n")


def emit_document(head: Record, lists: Mapping[str, Iterable[Record]], out: TextIO) -> None:
    """Write one YAML document: the fields of `head`, then each list, streamed."""
    out.write("---\n")
    out.write(_yaml_text(_plain(head)))
    for name, records in lists.items():
        written = False
        for record in records:
            out.write("" if written else f"{name}:\n")
            out.write(_yaml_text([_plain(record)]))
            written = True
        out.write("" if written else f"{name}: []\n")


def _yaml_text(value: Any) -> str:
    text: str = yaml.dump(value, Dumper=_DUMPER, sort_keys=False)
    return text


def _plain(record: Record) -> Any:
    return json.loads(json.dumps(record))


def _csv(records: Iterable[Record], columns: Sequence[Column], out: TextIO, *, header: bool) -> None:
    writer = csv.writer(out, lineterminator="\n")
    if header:
        writer.writerow([column.name for column in columns])
    for record in records:
        writer.writerow([spreadsheet_cell(text_of(column.value(record))) for column in columns])


def _table(records: Iterable[Record], columns: Sequence[Column], out: TextIO) -> None:
    rows = [tuple(printable(text_of(column.value(record))) or "-" for column in columns) for record in records]
    if not out.isatty() or len(rows) > _FOLDED_ROWS:
        _aligned(rows, columns, out)
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column.title, justify="right" if column.right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console(out).print(table)


def _aligned(rows: Sequence[Sequence[str]], columns: Sequence[Column], out: TextIO) -> None:
    """Write one line a row, as wide as its texts."""
    titles = [column.title for column in columns]
    widths = [max(map(cell_len, (title, *(row[index] for row in rows)))) for index, title in enumerate(titles)]
    for row in (titles, *rows):
        cells = (
            " " * (width - cell_len(text)) + text if column.right else text + " " * (width - cell_len(text))
            for text, width, column in zip(row, widths, columns, strict=True)
        )
        out.write(f"{_GAP.join(cells).rstrip()}\n")


def console(out: TextIO) -> Console:
    """Return a console that colours a terminal only, and none when NO_COLOR is set; nothing in texts is markup."""
    terminal = out.isatty()
    return Console(
        file=out,
        force_terminal=terminal,
        no_color=not terminal or bool(os.environ.get("NO_COLOR")),
        color_system="auto" if terminal else None,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=False,
    )


def text_of(value: object) -> str:
    """Return a cell's text: nothing for null, JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, default=str) if value else ""
    return str(value)


def note(text: str) -> None:
    """Say something to the person, not to the program that reads our data."""
    sys.stderr.write(f"{printable(text)}\n")
