"""GET /api/audit and /api/audit/verify: the ledger's records in words, and whether it is intact."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response

from finops.ledger.sentences import sentence_of
from finops.ledger.stories import is_visible
from finops_web.answers import Cursor, Limit, cursor_at, place_of, success
from finops_web.context import Visit
from finops_web.entity_tags import same_as_before

ROUTER = APIRouter(tags=["audit"])
_START: Final = r"^([1-9][0-9]{0,14}|[A-Za-z_-][A-Za-z0-9_-]*)$"


@ROUTER.get("/api/audit")
def audit(
    asked: Visit,
    response: Response,
    cursor: Cursor = "",
    start: Annotated[
        str, Query(pattern=_START, max_length=512, description="First sequence, or a cursor, in place of `cursor`.")
    ] = "1",
    limit: Limit = 100,
) -> dict[str, Any]:
    """List records in order, each with its sentence; those of namespaces that you may not read are left out."""
    namespaces, stream = asked.namespaces(), asked.parts.verdicts.stream
    found = list(stream.read(place_of(cursor) + 1 if cursor else _first(start), count=limit))
    rows = [
        {**one.to_json(), "hash": one.hash, "sentence": sentence_of(one).whole, "about": sentence_of(one).detail}
        for one in found
        if is_visible(one, namespaces)
    ]
    more = bool(found) and found[-1].sequence < stream.head().sequence
    following = cursor_at(found[-1].sequence) if more else None
    same_as_before(response, [rows, following])
    return success(rows, as_of=asked.parts.clock.now(), next_page=following)


def _first(asked_for: str) -> int:
    """Return the first sequence of a page: releases before gave a sequence as `meta.next`, which is taken too."""
    return int(asked_for) if asked_for.isdecimal() else place_of(asked_for) + 1


@ROUTER.get("/api/audit/verify")
def verify(asked: Visit, response: Response) -> dict[str, Any]:
    """Verify the whole ledger now; `head` is the anchor to keep. The same verdict has the same ETag, whenever found."""
    verdict = asked.parts.verdicts.verdict(again=True)
    assert verdict is not None
    report = verdict.report
    data = {
        "intact": verdict.intact,
        "signaturesChecked": report.signed,
        "records": report.records,
        "sequence": report.sequence,
        "head": report.head,
        "openIntents": list(report.open_intents),
        "problems": [{"line": one.line, "code": one.code, "message": one.message} for one in report.problems],
        "warnings": [{"line": one.line, "code": one.code, "message": one.message} for one in report.warnings],
        "checks": [
            {"title": one.title, "count": one.count, "problems": one.wrong, "checked": one.done}
            for one in verdict.checks
        ],
    }
    same_as_before(response, data)
    return success(data, as_of=verdict.at)
