"""The tables of a report to send on: titles and texts, the same in Markdown and HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from finops.domain.report import StatusSum
from finops_operator.cli.filters import Row
from finops_operator.cli.listings import RECOMMENDATIONS as COLUMNS
from finops_operator.cli.listings import SAVES, STATUS_WORDS
from finops_operator.cli.output import amount
from finops_operator.cli.report.story import Story

_WHAT: Final = next(column for column in COLUMNS if column.name == "what")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: its title, the titles of its columns, and how a story fills it.

    Attributes:
        right, whole: positions of figures, and of names and ids, which are never broken, at a hyphen neither.
    """

    title: str
    titles: tuple[str, ...]
    right: frozenset[int]
    rows: Callable[[Story], Sequence[Sequence[str]]]
    whole: frozenset[int] = frozenset()


def _recommendation(row: Row) -> tuple[str, ...]:
    record = row.record
    return (
        SAVES.shown(record) or "unknown",
        _WHAT.shown(record),
        row.name or "-",
        row.id,
        f"{row.account} {row.region}",
        STATUS_WORDS.get(record["status"], record["status"]),
        record["summary"],
    )


def _recommendations(story: Story) -> list[tuple[str, ...]]:
    return [_recommendation(row) for row in story.rows]


def _obstacles(story: Story) -> list[tuple[str, ...]]:
    return [(str(one.sum.count), _saves(one.sum), one.code, one.message) for one in story.obstacles]


def _saves(part: StatusSum) -> str:
    once = f"{amount(part.once_savings)} once" if part.once_savings else ""
    return " + ".join(filter(None, (amount(part.monthly_savings) if part.monthly_savings or not once else "", once)))


def _reasons(story: Story) -> list[tuple[str, ...]]:
    return [(str(one.count), one.check, one.reason, ", ".join(one.names)) for one in story.reasons]


def _gaps(story: Story) -> list[tuple[str, ...]]:
    keys = ("account", "region", "call", "code", "message")
    return [tuple(str(gap[key]) for key in keys) for gap in story.gaps]


RECOMMENDATIONS: Final = Sheet(
    "What can be saved",
    ("USD a month", "What", "Name", "Resource", "Where", "Status", "Why"),
    frozenset({0}),
    _recommendations,
    frozenset({1, 2, 3}),
)
OBSTACLES: Final = Sheet(
    "Not ready to approve, and why",
    ("Count", "USD a month", "Reason", "Meaning"),
    frozenset({0, 1}),
    _obstacles,
    frozenset({2}),
)
REASONS: Final = Sheet(
    "Nothing recommended, and why",
    ("Count", "Check", "Reason", "Names"),
    frozenset({0}),
    _reasons,
    frozenset({1}),
)
GAPS: Final = Sheet(
    "Not seen, so not counted",
    ("Account", "Region", "Call", "Code", "Message"),
    frozenset(),
    _gaps,
    frozenset({0, 1, 3}),
)
