"""GET /audit: whether the ledger is intact, the story of one request, and the records behind it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from finops.domain.audit import Record, RecordKind
from finops.errors import LedgerDiverged
from finops.ledger.sentences import sentence_of
from finops.ledger.stories import Event, Story, is_visible, story_of
from finops.store.known_names import KnownNames
from finops_web.answers import NotThere
from finops_web.context import Asked, Visit
from finops_web.readings.policies import trust_in
from finops_web.rendering import Entry, csv_of, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/audit", "Audit", "Trust", 60)
_SHOWN: Final = 50
_SEARCHED: Final = 2_000
"""How many records before the newest one are read for a filtered list; the page says so when there are more."""
_CSV: Final = ("sequence", "time", "kind", "actor", "request", "step", "attempt", "result", "sentence", "hash")
_END: Final = 2**53


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records the list shows; an empty text asks for all."""

    kind: RecordKind | None
    person: str
    find: str

    def takes(self, record: Record) -> bool:
        entry = record.entry
        return (
            self.kind in {None, entry.kind}
            and self.person in {"", entry.actor}
            and (not self.find or self.find.lower() in entry.request.lower())
        )

    @property
    def active(self) -> dict[str, str]:
        return {name: value for name, value in self._named.items() if value}

    @property
    def _named(self) -> dict[str, str]:
        return {"kind": self.kind.value if self.kind else "", "person": self.person, "find": self.find}


@ROUTER.get("/audit")
def audit(
    asked: Visit,
    request: Request,
    before: Annotated[int, Query(ge=0, le=_END)] = 0,
    kind: RecordKind | str = "",
    person: Annotated[str, Query(max_length=256)] = "",
    find: Annotated[str, Query(max_length=256)] = "",
    story: Annotated[str, Query(max_length=700)] = "",
    checked: bool = False,
) -> Response:
    """Show the verdict, one story, and the records before sequence `before`, the newest first."""
    wanted = Wanted(RecordKind(kind) if kind in set(RecordKind) else None, person.strip(), find.strip())
    stream, namespaces = asked.parts.verdicts.stream, asked.namespaces()
    last = stream.head().sequence
    end = min(before - 1, last) if before else last
    found, shown_story, broken = _readable(asked, end, story, namespaces)
    rows = [one for one in reversed(found) if wanted.takes(one)]
    shown = rows[:_SHOWN]
    first = max(1, end - _SEARCHED + 1)
    return render(
        asked,
        request,
        "audit.html",
        title="Audit",
        trust=trust_in(asked.policies(), 0, 0, asked.parts.clock.now()),
        verdict=asked.parts.verdicts.verdict(again=checked),
        last=last,
        story=shown_story,
        broken=broken,
        asked_story=story,
        rows=[Event(one, sentence_of(one)) for one in shown],
        older=_older(wanted, shown, len(rows) > len(shown), first),
        wanted=wanted,
        names=KnownNames(asked.parts.store).read(),
        kinds=tuple(RecordKind),
        people=sorted({one.entry.actor for one in found}),
        link_of=lambda reference: f"/audit?{urlencode({**wanted.active, 'story': reference})}#story",
    )


@ROUTER.get("/audit/proof.json")
def audit_proof(asked: Visit, story: Annotated[str, Query(max_length=700)]) -> Response:
    """Return a proof for a stranger, as `finops audit prove` writes it: `story` is NAMESPACE/NAME/UID of a request."""
    if story.partition("/")[0] not in asked.namespaces():
        raise NotThere("the ledger has no such story that you may read", code="NotFound", hint="open it on Audit")
    headers = {"Content-Disposition": f'attachment; filename="proof-{_plain(story.rpartition("/")[2])}.json"'}
    return JSONResponse(asked.parts.verdicts.proof(story), headers=headers)


@ROUTER.get("/audit.json")
def audit_json(asked: Visit, start: Annotated[int, Query(ge=0, le=_END)] = 1) -> Response:
    """Return up to 500 records from `start` on, as `finops audit export` writes them."""
    return JSONResponse([{**one.to_json(), "hash": one.hash} for one in _from(asked, start)])


@ROUTER.get("/audit.csv")
def audit_csv(asked: Visit, start: Annotated[int, Query(ge=0, le=_END)] = 1) -> Response:
    """Return up to 500 records from `start` on for a spreadsheet, each with its sentence."""
    return csv_of(_CSV, (_csv_row(one) for one in _from(asked, start)), "audit")


def _plain(text: str) -> str:
    return "".join(one for one in text if one.isascii() and (one.isalnum() or one == "-"))


def _from(asked: Asked, start: int) -> Iterable[Record]:
    namespaces = asked.namespaces()
    found = asked.parts.verdicts.stream.read(max(1, start), count=500)
    return (one for one in found if is_visible(one, namespaces))


def _csv_row(one: Record) -> dict[str, Any]:
    return {**one.to_json(), "hash": one.hash, "sentence": sentence_of(one).whole}


def _readable(asked: Asked, end: int, story: str, namespaces: frozenset[str]) -> tuple[list[Record], Story | None, str]:
    """Return records and story; where what is stored is not a ledger none, and what is wrong with it."""
    try:
        found = _window(asked, end, namespaces)
        return found, _story(asked, story, found, namespaces), ""
    except LedgerDiverged as error:
        return [], None, error.message


def _window(asked: Asked, end: int, namespaces: frozenset[str]) -> list[Record]:
    """Return the visible ones of the last records up to sequence `end`."""
    if end < 1:
        return []
    first = max(1, end - _SEARCHED + 1)
    found = asked.parts.verdicts.stream.read(first, count=end - first + 1)
    return [one for one in found if is_visible(one, namespaces)]


def _story(asked: Asked, reference: str, found: Sequence[Record], namespaces: frozenset[str]) -> Story | None:
    """Return the story asked for; without one that of the latest request that has ended, else of the latest."""
    if reference:
        return story_of(asked.parts.verdicts.stream, reference) if reference.partition("/")[0] in namespaces else None
    named = [
        one for one in reversed(found) if one.entry.request.count("/") == 2 and not one.entry.request.endswith("/")
    ]
    acted = (one for one in named if one.entry.kind in {RecordKind.VERIFIED, RecordKind.OUTCOME, RecordKind.DECIDED})
    chosen = next(acted, next(iter(named), None))
    return None if chosen is None else story_of(asked.parts.verdicts.stream, chosen.entry.request)


def _older(wanted: Wanted, shown: Sequence[Record], cut: bool, first: int) -> str:
    """Return the address of the records before those shown, empty when there are none."""
    if not cut and first <= 1:
        return ""
    before = shown[-1].sequence if cut else first
    return f"/audit?{urlencode({**wanted.active, 'before': before})}#records"
