"""The report of a scan on a terminal: what can be saved first, then how it was found out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TextIO

from finops_operator.cli.listings import RECOMMENDATIONS
from finops_operator.cli.output import Format, emit, field
from finops_operator.cli.printable import printable
from finops_operator.cli.report.story import Obstacle, Reason, Story
from finops_operator.cli.tables import Fit, cut, fold, terminal_width

_NAME_CELLS: Final = 19
"""As long as the id of an instance; a longer name has no place to break and would widen the table."""
_FACTS: Final = (field("scan"), field("value", fit=Fit.FOLD))
_OBSTACLES: Final = (field("count", right=True), field("reason"), field("meaning", fit=Fit.FOLD))
_REASONS: Final = (
    field("count", right=True),
    field("check"),
    field("reason", fit=Fit.FOLD),
    field("names", fit=Fit.FOLD),
)


def write(story: Story, format_: Format, out: TextIO, *, why: bool, command: str) -> None:
    """Write the report; `format_` is table or wide, `command` what reads this scan's store (`finops {}`)."""
    out.writelines(f"{line}\n" for line in fold(printable(story.headline), terminal_width()))
    out.write("\n")
    emit(({"scan": name, "value": value} for name, value in story.facts), _FACTS, format_, out)
    if story.rows:
        out.write("\n")
        emit((row.record for row in story.rows), RECOMMENDATIONS, format_, out)
    _section("Not ready to approve, and why", map(_obstacle, story.obstacles), _OBSTACLES, format_, out)
    if why:
        _section("Nothing recommended, and why", map(_reason, story.reasons), _REASONS, format_, out)
    _gaps(story, out)
    next_steps = story.next_steps(command)
    if next_steps:
        out.write("\n")
        out.writelines(f"{line}\n" for line in next_steps)


def _gaps(story: Story, out: TextIO) -> None:
    """Write each gap as a line that says where, and its message below: messages of AWS are too long for a column."""
    if story.gaps:
        out.write("\nNot seen, so not counted\n")
    for gap in story.gaps:
        where = " ".join(part for part in (gap["account"], gap["region"], gap["call"], gap["code"]) if part)
        affected = f" ({gap['resources']} resources)" if gap["resources"] else ""
        out.write(f"{printable(where)}{affected}\n")
        out.writelines(f"  {line}\n" for line in fold(printable(gap["message"]), terminal_width() - 2))


def _obstacle(one: Obstacle) -> dict[str, Any]:
    return {"count": one.sum.count, "reason": one.code, "meaning": one.message}


def _reason(one: Reason) -> dict[str, Any]:
    more = f" and {one.count - len(one.names)} more" if one.count > len(one.names) else ""
    names = ", ".join(cut(printable(name), _NAME_CELLS) for name in one.names)
    return {"count": one.count, "check": one.check, "reason": one.reason, "names": names + more}


def _section(title: str, rows: Iterable[Any], columns: Any, format_: Format, out: TextIO) -> None:
    listed = list(rows)
    if listed:
        out.write(f"\n{title}\n")
        emit(listed, columns, format_, out)
