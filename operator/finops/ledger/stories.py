"""The story of one request out of the ledger: proposed, voted, called, answered, saved; and where the time went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from finops.domain.audit import Record, RecordKind
from finops.domain.canonical import Json
from finops.domain.decision import NO_VOTES, Choice
from finops.ledger.sentences import Sentence, sentence_of
from finops.store.ledger import LedgerStream

_OPERATION_DIGITS: Final = 16
_UNDONE: Final = "Undone"
_PAGE: Final = 500
SEARCHED: Final = 20_000
"""How many records one page of stories reads at most, so that a search for nothing ends."""


_ASKED: Final = NO_VOTES | {Choice.UNDO}
_AFTERWARDS: Final = frozenset({RecordKind.RESUMED, RecordKind.WOKEN, RecordKind.UNDONE, RecordKind.WATCHED})
"""Kinds of records that a person may cause long after a request has ended; no part of the time it took."""


@dataclass(frozen=True, slots=True)
class Event:
    """One record with its sentence."""

    record: Record
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the time between proposal and end."""

    name: str
    length: timedelta
    percent: float
    start_percent: float


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one request.

    Attributes:
        request: `namespace/name/uid`, as in the ledger.
        end: the state in which it ended, empty while it has not.
        people: who voted and was counted, each once, in order.
        calls: how many changing calls were made.
        saving: what it saves a month, None while nothing was verified or where it saves once.
        stretches: where the time between the first and the last record went.
    """

    request: str
    events: tuple[Event, ...]
    end: str
    people: tuple[str, ...]
    calls: int
    saving: Decimal | None
    stretches: tuple[Stretch, ...]

    @property
    def name(self) -> str:
        return self.request.split("/")[1]

    @property
    def lasted(self) -> timedelta:
        own = [event.record for event in self.events if not _is_afterwards(event.record)]
        return own[-1].time - own[0].time if own else timedelta()


@dataclass(frozen=True, slots=True)
class StoryPage:
    """Some stories out of the ledger, the one with the latest record first.

    Attributes:
        others: the records in between that are about no request: freezes, changed policies, who writes; oldest first.
        before: where the next page begins (its `before`); 0 when there is nothing older.
    """

    stories: tuple[Story, ...]
    others: tuple[Event, ...]
    before: int


def latest_stories(
    stream: LedgerStream, limit: int, *, before: int = 0, wanted: Callable[[str], bool] | None = None
) -> StoryPage:
    """Return the latest stories whose last record stands before sequence `before` (0: at the end of the ledger).

    A page holds at most `limit` stories and is found in at most SEARCHED records. Every story is on one page alone:
    that of its last record.

    Args:
        stream: the ledger.
        limit: how many stories, at least 1.
        before: the `before` of the page that was shown last.
        wanted: asked with `namespace/name/uid` which requests are meant; with it, records about none are left out.

    Raises:
        LedgerUnavailable: the store does not answer.
        LedgerDiverged: what is stored is not a ledger.
    """
    last = stream.head().sequence
    end = min(before - 1, last) if before else last
    stories: dict[str, Story | None] = {}
    others: list[Event] = []
    shown, lowest = 0, end + 1
    for one in _back_from(stream, end):
        lowest, reference = one.sequence, one.entry.request
        if not reference:
            others += [] if wanted else [Event(one, sentence_of(one))]
        elif reference not in stories and (wanted is None or wanted(reference)):
            found = story_of(stream, reference)
            stories[reference] = found if found and found.events[-1].record.sequence <= end else None
            shown += stories[reference] is not None
        if shown == limit or end - lowest >= SEARCHED - 1:
            break
    return StoryPage(
        tuple(one for one in stories.values() if one is not None),
        tuple(reversed(others)),
        lowest if lowest > 1 else 0,
    )


def _back_from(stream: LedgerStream, end: int) -> Iterator[Record]:
    """Yield the records up to sequence `end`, the latest first; a page of them is held at a time."""
    while end > 0:
        first = max(1, end - _PAGE + 1)
        yield from reversed(list(stream.read(first, count=end - first + 1)))
        end = first - 1


def story_of(stream: LedgerStream, request: str) -> Story | None:
    """Return the story of a request (`namespace/name/uid`), None when the ledger knows none.

    Raises:
        LedgerUnavailable: the store does not answer.
        LedgerDiverged: what is stored is not a ledger.
    """
    namespace, _, rest = request.partition("/")
    name, _, uid = rest.partition("/")
    if not (namespace and name and uid):
        return None
    records = [one for one in stream.of_request(uid) if one.entry.request == request]
    if not records:
        return None
    digest = records[0].entry.detail.get("specHash")
    # The record that was written before the object existed could not name its uid.
    intended = stream.find(f"propose:{namespace}/{name}:{str(digest)[:_OPERATION_DIGITS]}") if digest else None
    return _story(request, [*([intended] if intended else []), *records])


def _story(request: str, records: Sequence[Record]) -> Story:
    verified = _first(records, lambda one: one.entry.kind is RecordKind.VERIFIED)
    return Story(
        request,
        tuple(Event(one, sentence_of(one)) for one in records),
        _end(records),
        tuple(dict.fromkeys(one.entry.actor for one in records if _counted(one))),
        sum(1 for one in records if one.entry.kind is RecordKind.INTENT),
        _monthly_saving(verified.entry.detail) if verified else None,
        stretches_of(records),
    )


def stretches_of(records: Sequence[Record]) -> tuple[Stretch, ...]:
    """Return where the time went: waiting for votes, for the start, calls, and waiting for AWS to show the effect."""
    # What people asked for after the end is no part of the act.
    records = [one for one in records if not _is_afterwards(one)]
    if not records:
        return ()
    decided = _first(records, lambda one: one.entry.kind is RecordKind.DECIDED)
    began = _first(records, lambda one: one.entry.kind is RecordKind.INTENT)
    answered = _first(reversed(records), lambda one: one.entry.kind is RecordKind.OUTCOME and one.entry.attempt > 0)
    ended = records[-1] if _end(records) else None
    marks = (
        ("waited for votes", decided),
        ("waited to start", began),
        ("calls to AWS", answered),
        ("until AWS showed the end", ended),
    )
    whole = records[-1].time - records[0].time
    found, before = [], records[0].time
    for name, mark in marks:
        if mark is not None and mark.time > before and whole:
            start = 100 * (before - records[0].time) / whole
            found.append(Stretch(name, mark.time - before, 100 * (mark.time - before) / whole, start))
            before = mark.time
    return tuple(found)


def _end(records: Sequence[Record]) -> str:
    """Return how the act ended, or how the request was decided when nothing was done; empty while it is open."""
    for one in reversed(records):
        entry = one.entry
        ends = entry.kind is RecordKind.OUTCOME and entry.attempt == 0 and not entry.step
        if entry.kind is RecordKind.UNDONE:
            if entry.result == "ok":
                return _UNDONE
            # An answer to somebody who asked for it: the act stands as it ended.
            continue
        if (ends and entry.result != "started") or entry.kind is RecordKind.VERIFIED:
            return entry.result
        if entry.kind is RecordKind.DECIDED:
            return "" if entry.result in {"Approved", "Scheduled"} else entry.result
    return ""


def _is_afterwards(record: Record) -> bool:
    entry = record.entry
    return entry.kind in _AFTERWARDS or (entry.kind is RecordKind.VOTED and entry.detail.get("choice") in _ASKED)


def _counted(record: Record) -> bool:
    return record.entry.kind is RecordKind.VOTED and record.entry.result == "counted"


def _first(records: Iterable[Record], wanted: Callable[[Record], bool]) -> Record | None:
    return next((one for one in records if wanted(one)), None)


def _monthly_saving(detail: Mapping[str, Json]) -> Decimal | None:
    return None if detail.get("lastsDays") else _amount(detail.get("monthlySavings"))


def _amount(text: object) -> Decimal | None:
    try:
        found = Decimal(str(text))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def is_visible(record: Record, namespaces: frozenset[str]) -> bool:
    """Return whether a record is about a request of these namespaces; records about the operator itself are for all."""
    return not record.entry.request or record.entry.request.split("/")[0] in namespaces
