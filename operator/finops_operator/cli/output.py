"""Listings in all formats: a table for people, JSON, YAML and CSV for programs; every listing command ends here.

Records are JSON values, streamed; of a table only the texts of its cells are held, because its columns must fit.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TextIO, TypeAlias

import yaml

from finops.domain.money import to_cents
from finops_operator.cli.printable import printable, spreadsheet_cell
from finops_operator.cli.tables import Fit, Heading, terminal_width, write_table

Record: TypeAlias = Mapping[str, Any]
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
    """One column.

    Attributes:
        name: CSV's header.
        value: what programs get.
        wide: left out of a plain table.
        heading: the table's title, by default the name in words.
        words: the value as a table shows it, where that is not its text.
        note: what a table adds to a known value from other fields of the record.
    """

    name: str
    value: Callable[[Record], object]
    wide: bool = False
    right: bool = False
    fit: Fit = Fit.WHOLE
    heading: str = ""
    words: Callable[[Any], str] | None = None
    note: Callable[[Record], str] | None = None

    @property
    def title(self) -> str:
        return self.heading or _WORD.sub(" ", self.name).upper()

    def shown(self, record: Record) -> str:
        """Return the text of a table's cell, empty for what is not known."""
        value = self.value(record)
        text = text_of(value) if self.words is None or value is None else self.words(value)
        return text + self.note(record) if self.note is not None and text else text


def field(
    name: str,
    *,
    path: str = "",
    wide: bool = False,
    right: bool = False,
    fit: Fit = Fit.WHOLE,
    heading: str = "",
    words: Callable[[Any], str] | None = None,
) -> Column:
    """Return a column that shows the value at a dotted `path` of the record (default: its name)."""
    keys = (path or name).split(".")

    def value(record: Record) -> object:
        found: Any = record
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    return Column(name, value, wide, right, fit, heading, words)


def money_field(name: str, *, path: str = "", wide: bool = False, heading: str = "") -> Column:
    """Return a column of sums: a decimal string for programs, cents and thousands for people."""
    return field(name, path=path, wide=wide, right=True, heading=heading, words=amount)


def amount(value: object) -> str:
    """Return a sum as people read it: `1,373.60`."""
    return f"{to_cents(Decimal(str(value))):,}"


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
        everything = format_ is Format.WIDE
        shown = [column for column in columns if everything or not column.wide]
        _table(records, shown, out, None if everything else terminal_width())


def emit_one(record: Record, format_: Format, sink: TextIO | None = None) -> None:
    """Print a single record as JSON or YAML, or as a table of its fields."""
    out = sink or sys.stdout
    if format_ is Format.JSON:
        out.write(json.dumps(record, indent=2) + "\n")
    elif format_ is Format.YAML:
        out.write(_yaml_text(_plain(record)))
    else:
        pairs = ({"field": key, "value": value} for key, value in record.items())
        emit(pairs, (field("field"), field("value", fit=Fit.FOLD)), format_, out)


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


def _table(records: Iterable[Record], columns: Sequence[Column], out: TextIO, width: int | None) -> None:
    rows = [tuple(printable(column.shown(record)) or "-" for column in columns) for record in records]
    write_table(rows, [Heading(column.title, column.right, column.fit) for column in columns], out, width)


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
