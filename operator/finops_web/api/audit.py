"""GET /api/audit and /api/audit/verify: the ledger's records in words, and whether it is intact."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from finops.ledger.sentences import sentence_of
from finops.ledger.stories import is_visible
from finops_web.answers import Limit, success
from finops_web.context import Visit

ROUTER = APIRouter(tags=["audit"])


@ROUTER.get("/api/audit")
def audit(
    asked: Visit,
    start: Annotated[int, Query(ge=1, le=2**53, description="First sequence; take it from meta.next.")] = 1,
    limit: Limit = 100,
) -> dict[str, Any]:
    """List records in order, each with its sentence; those of namespaces that you may not read are left out."""
    namespaces, stream = asked.namespaces(), asked.parts.verdicts.stream
    found = list(stream.read(start, count=limit))
    rows = [
        {**one.to_json(), "hash": one.hash, "sentence": sentence_of(one).whole, "about": sentence_of(one).detail}
        for one in found
        if is_visible(one, namespaces)
    ]
    more = bool(found) and found[-1].sequence < stream.head().sequence
    return success(rows, as_of=None, next_page=str(found[-1].sequence + 1) if more else None)


@ROUTER.get("/api/audit/verify")
def verify(asked: Visit) -> dict[str, Any]:
    """Verify the whole ledger now; `head` is the anchor to keep."""
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
    return success(data, as_of=verdict.at)
