"""Turns errors into one clear sentence, a hint and an exit code; called by `main` for everything a command raises."""

from __future__ import annotations

from typing import Final, TextIO

from finops.errors import FinopsError, InvalidInput, Refused
from finops_operator.cli.printable import printable
from finops_operator.cli.problems import InvalidDocuments

FAILED: Final = 1
INVALID: Final = 2
GAPS: Final = 3
REFUSED: Final = 4


def exit_code(error: FinopsError) -> int:
    """Return the documented exit code of an error."""
    if isinstance(error, InvalidInput):
        return INVALID
    return REFUSED if isinstance(error, Refused) else FAILED


def report(error: FinopsError, sink: TextIO) -> int:
    """Write what went wrong and what to do, and return the exit code."""
    if isinstance(error, InvalidDocuments):
        for problem in error.problems:
            _line(sink, "error", str(problem))
        return INVALID
    where = ""
    if isinstance(error, InvalidInput):
        where = "".join(f"{part}: " for part in (error.source, error.field) if part)
    _line(sink, "error", f"{where}{error.message}")
    if error.hint:
        _line(sink, "hint", error.hint)
    return exit_code(error)


def _line(sink: TextIO, kind: str, text: str) -> None:
    """Write a message; further lines of it are indented, so that none can pass for a message of its own."""
    first, *more = text.splitlines() or [""]
    sink.write(f"{kind}: {printable(first)}\n")
    sink.writelines(f"  {printable(line.strip())}\n" for line in more)
