"""GET /audit: whether the ledger is intact, and what it says of each act of the visitor's namespaces."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from finops.audit_verify import verify
from finops.audit_verify.report import VerifyReport
from finops.domain.audit import Record
from finops.ledger.file_sink import line_of
from finops.store.ledger import LedgerStream, unchecked
from finops_web.context import Visit
from finops_web.readings.policies import trust_in
from finops_web.rendering import Entry, render

ROUTER = APIRouter(include_in_schema=False)
ENTRY: Final = Entry("/audit", "Audit", "Trust", 60)
_SHOWN: Final = 200


@ROUTER.get("/audit")
def audit(asked: Visit, request: Request, start: int = 0, checked: bool = False) -> Response:
    """Show the latest records, or those from `start` on; with `checked` the whole ledger is verified first."""
    stream = LedgerStream(asked.parts.store, unchecked)
    last = stream.head().sequence
    first = max(1, start or last - _SHOWN + 1)
    return render(
        asked,
        request,
        "audit.html",
        title="Audit",
        trust=trust_in(asked.policies(), 0, 0, asked.parts.clock.now()),
        records=[one for one in stream.read(first, count=_SHOWN) if _is_visible(one, asked.namespaces())],
        last=last,
        first=first,
        earlier=max(1, first - _SHOWN) if first > 1 else None,
        report=_verified(stream) if checked else None,
    )


@ROUTER.get("/audit.json")
def audit_json(asked: Visit, start: int = 1) -> Response:
    """Return up to 500 records from `start` on, as `finops audit export` writes them."""
    namespaces = asked.namespaces()
    found = LedgerStream(asked.parts.store, unchecked).read(max(1, start), count=500)
    return JSONResponse([{**one.to_json(), "hash": one.hash} for one in found if _is_visible(one, namespaces)])


def _verified(stream: LedgerStream) -> VerifyReport:
    """Check chain, votes and intents; the signatures need the public key, which `finops audit verify` takes."""
    return verify(line_of(one) for one in stream.read())


def _is_visible(record: Record, namespaces: frozenset[str]) -> bool:
    """Return whether a record is about a request of these namespaces; records about the operator itself are for all."""
    return not record.entry.request or record.entry.request.split("/")[0] in namespaces
