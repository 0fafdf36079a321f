"""One line of `finops doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from finops.errors import FinopsError, InvalidInput


class Verdict(StrEnum):
    """How a check turned out; `Unknown` is what could not be found out without changing something."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Result:
    """What was checked, how it turned out, what was seen, and what to do."""

    part: str
    check: str
    verdict: Verdict
    detail: str = ""
    hint: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "part": self.part,
            "check": self.check,
            "verdict": self.verdict.value,
            "detail": self.detail,
            "hint": self.hint,
        }


def ok(part: str, check: str, detail: str) -> Result:
    """A check that turned out well."""
    return Result(part, check, Verdict.OK, detail)


def failed(part: str, check: str, error: FinopsError) -> Result:
    """A check that ended in an error of ours, which says itself what to do."""
    where = f"{error.field}: " if isinstance(error, InvalidInput) and error.field else ""
    return Result(part, check, Verdict.FAILED, f"{where}{error.message}", error.hint)


Results = Iterator[Result]
