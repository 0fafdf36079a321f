"""The envelope of every answer of the API, and the shape of an error there.

`{"status": "success", "success": true, "data": …, "meta": {asOf, gaps, next}}`, or
`{"status": "error", "error": {code, message, hint}}` with the fields of RFC 9457 beside it.
Money in the API is a JSON number with the digits of its decimal; an unknown figure is null.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias, TypeVar

from fastapi import Query
from fastapi.responses import JSONResponse

from finops.domain.resource import Gap
from finops.errors import FinopsError, InvalidInput

_Row = TypeVar("_Row")
LARGEST_PAGE: Final = 500
_LAST_PLACE: Final = 2**53
PROBLEM_TYPE: Final = "application/problem+json"

Cursor: TypeAlias = Annotated[
    str, Query(max_length=512, description="`meta.next` of the page before; empty: the first.")
]
Limit: TypeAlias = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Most rows of the page.")]


class NotThere(FinopsError):
    """What is asked for does not exist, or is none of the visitor's."""


def number(amount: Decimal | None) -> float | None:
    """Return a decimal as a JSON number. Up to 15 digits, the shortest spelling of the float is the decimal's own."""
    return None if amount is None else float(amount)


def success(
    data: Any, *, as_of: datetime | None, gaps: Iterable[Gap] = (), next_page: str | None = None
) -> dict[str, Any]:
    """Return the envelope of an answer; `as_of` is when the oldest scan behind it ended, or when it was read."""
    meta = {
        "asOf": as_of.isoformat() if as_of is not None else None,
        "gaps": [one.to_json() for one in gaps],
        "next": next_page,
    }
    return {"status": "success", "success": True, "data": data, "meta": meta}


def problem(status: int, code: str, message: str, hint: str = "", field: str = "") -> JSONResponse:
    """Return an error in the API's shape and in that of RFC 9457 at once."""
    error = {"code": code, "message": message, "hint": hint} | ({"field": field} if field else {})
    body = {
        "status": "error",
        "success": False,
        "error": error,
        "type": "about:blank",
        "title": code,
        "detail": message,
    }
    return JSONResponse(body, status_code=status, media_type=PROBLEM_TYPE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: its rows and the cursor of the next one, None on the last."""

    rows: Sequence[Any]
    next_page: str | None


def page_of(rows: Sequence[_Row], key: Callable[[_Row], str], cursor: str, limit: int) -> Page:
    """Return the rows after `cursor`, which names the last row that the reader has seen.

    Args:
        rows: all rows in their order.
        key: what names a row, unique; of a row that is gone meanwhile the place counts.
        cursor: empty for the first page.
        limit: most rows of a page.

    Raises:
        InvalidInput: the cursor is none of ours.
    """
    start = 0
    if cursor:
        place, last = _opened(cursor)
        start = _behind(rows, key, place, last)
    end = start + limit
    more = end < len(rows)
    return Page(rows[start:end], _cursor(end, key(rows[end - 1])) if more else None)


def cursor_at(place: int) -> str:
    """Return the cursor of a list whose rows keep their numbers, after row `place`."""
    return _cursor(place, "")


def place_of(cursor: str) -> int:
    """Return the place that `cursor_at` made a cursor of. Raises InvalidInput: it is none of this list."""
    place, key = _opened(cursor)
    if key or place > _LAST_PLACE:
        raise _not_ours()
    return place


def _behind(rows: Sequence[_Row], key: Callable[[_Row], str], place: int, last: str) -> int:
    """Return where the row named `last` ends: nearly always at the place where it stood before."""
    if 0 < place <= len(rows) and key(rows[place - 1]) == last:
        return place
    found = next((number for number, row in enumerate(rows, start=1) if key(row) == last), None)
    return min(place, len(rows)) if found is None else found


def _cursor(place: int, key: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([place, key]).encode()).decode().rstrip("=")


def _opened(cursor: str) -> tuple[int, str]:
    try:
        made = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        made = None
    match made:
        case [int(place), str(key)] if place >= 0:
            return place, key
    raise _not_ours()


def _not_ours() -> InvalidInput:
    return InvalidInput("is no cursor of this list", field="cursor", hint="take it from meta.next of the page before")
