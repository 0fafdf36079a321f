"""Stories of the ledger on a terminal: who asked, who voted, what was called, what AWS answered, what it saves.

The words are those of the dashboard (`finops.ledger.sentences`); here they only get lines that fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, TextIO

from finops.domain.money import CURRENCY
from finops.domain.quantity import counted, duration, words
from finops.ledger.stories import Event, Story, StoryPage
from finops_operator.cli.output import amount
from finops_operator.cli.printable import printable
from finops_operator.cli.tables import fold, terminal_width

_INDENT: Final = "  "
_TIME: Final = "%Y-%m-%d %H:%M:%S"
_UNDER_TIME: Final = " " * 21
_FIRST, _LAST = 12, 28
"""How many events of a long story are shown from its beginning and from its end."""


def write(page: StoryPage, out: TextIO, *, whole: bool) -> None:
    """Write stories, the latest first, then what happened apart from requests.

    Args:
        page: what to write.
        out: where to.
        whole: whether long stories are written with all their events.
    """
    zone = datetime.now().astimezone().strftime("%Z")
    for number, story in enumerate(page.stories):
        out.write("\n" if number else "")
        out.writelines(f"{line}\n" for line in _story(story, zone, whole=whole))
    if page.others:
        out.write("\n" if page.stories else "")
        out.write(f"Apart from requests (times in {zone})\n")
        out.writelines(f"{line}\n" for line in _events(page.others, whole=whole))


def _story(story: Story, zone: str, *, whole: bool) -> Iterator[str]:
    yield printable(story.name)
    for line in fold(printable(_summary(story, zone)), terminal_width() - len(_INDENT)):
        yield f"{_INDENT}{line}"
    yield from _events(story.events, whole=whole, request=story.name)


def _summary(story: Story, zone: str) -> str:
    parts = (
        words(story.end).capitalize() or "Not ended",
        "" if story.saving is None else f"saves {amount(story.saving)} {CURRENCY} a month",
        f"votes of {', '.join(story.people)}" if story.people else "no counted vote",
        counted(story.calls, "changing call"),
        f"{duration(story.lasted)} from the first to the last record",
        f"times in {zone}",
    )
    return " · ".join(part for part in parts if part)


def _events(events: Sequence[Event], *, whole: bool, request: str = "") -> Iterator[str]:
    """Yield the lines of events; of very many the first and the last, with what shows the others."""
    if whole or len(events) <= _FIRST + _LAST:
        yield from _lines(events)
        return
    more = f"finops audit list --request {request}" if request else "finops audit list -o wide"
    yield from _lines(events[:_FIRST])
    left_out = counted(len(events) - _FIRST - _LAST, "record")
    yield f"{_INDENT}… {left_out} in between: {printable(more)}"
    yield from _lines(events[-_LAST:])


def _lines(events: Sequence[Event]) -> Iterator[str]:
    width = terminal_width() - len(_INDENT) - len(_UNDER_TIME)
    for event in events:
        time = f"{event.record.time.astimezone():{_TIME}}"
        sentence = event.sentence
        for place, line in enumerate(fold(printable(sentence.whole), width)):
            yield f"{_INDENT}{_UNDER_TIME if place else time.ljust(len(_UNDER_TIME))}{line}"
        for line in fold(printable(sentence.detail), width) if sentence.detail else ():
            yield f"{_INDENT}{_UNDER_TIME}{line}"
