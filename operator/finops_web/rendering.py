"""Renders pages: one Jinja environment, whose every value is escaped, with the filters and the navigation."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from finops.domain import quantity
from finops.domain.resource import Gap
from finops_web import formats
from finops_web.context import Asked, parts_of
from finops_web.people.browsers import kept_cookie
from finops_web.people.sessions import COOKIE
from finops_web.readings.names import named
from finops_web.readings.policies import Trust
from finops_web.readings.recommendations import change_of

_LONGEST_HEADER: Final = 1000
_TITLES: Final = {
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Changed meanwhile",
    413: "Too large",
    422: "Not understood",
    500: "Something failed",
    503: "Not available now",
}
"""Of pages that say what failed, by the status of the answer."""
_PART: Final = 64 * 1024
"""Characters that are sent at once of a list that is read while it is sent."""
_ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
for _name in ("money", "saving", "heading", "whole", "cents", "share", "moment", "clock", "age", "left", "measure"):
    _ENVIRONMENT.filters[_name] = getattr(formats, _name)
for _name in ("duration", "words"):
    _ENVIRONMENT.filters[_name] = getattr(quantity, _name)
_ENVIRONMENT.filters["change"] = change_of
_ENVIRONMENT.filters["net"] = formats.net
_ENVIRONMENT.filters["sentence"] = formats.sentence
_ENVIRONMENT.filters["named"] = named
_ENVIRONMENT.globals["count"] = formats.count


@dataclass(frozen=True, slots=True)
class Entry:
    """A page's place in the navigation, exported by the page as ENTRY.

    Attributes:
        heading: the group it stands in, empty for the first page.
        order: groups and pages stand in rising order.
    """

    path: str
    title: str
    heading: str
    order: int


THEME_COOKIE: Final = "finops_theme"


def render(
    asked: Asked, request: Request, template: str, *, title: str, trust: Trust | None, **values: Any
) -> HTMLResponse:
    """Return a page for a visitor."""
    now = asked.parts.clock.now()
    shared = {
        **_frame(request),
        "title": title,
        "trust": trust,
        "visitor": asked.visitor,
        "form_secret": asked.session.form_secret if asked.session is not None else "",
        "now": now,
        "demo": asked.parts.demo,
        "framed": True,
    }
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(**shared, **values))


def render_bare(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page that nobody needs to be signed in for."""
    shared = {
        **_frame(request),
        "framed": False,
        "visitor": None,
        "trust": None,
        "form_secret": "",
        "now": parts_of(request).clock.now(),
    }
    shared["demo"] = parts_of(request).demo
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(**{**shared, **values}), status_code=status)


def render_sign_in(request: Request, wanted: str, *, problem: str = "", status: int = 200) -> HTMLResponse:
    """Return the page that lets people in; `wanted` is the address of ours that opens after it."""
    issuer, start = parts_of(request).entrance.issuer, ""
    if issuer is not None:
        # An attempt begins at the dashboard's own name: the issuer sends people back there, with its cookie.
        start = f"{issuer.trusted.home}/sign-in/issuer?next={quote(wanted, safe='')}"
    return render_bare(
        request,
        "sign_in.html",
        status,
        title="Sign in",
        next=wanted,
        problem=problem,
        start=start,
        issuer=issuer.trusted.title if issuer is not None else "",
    )


def render_error(request: Request, status: int, code: str, message: str, hint: str) -> HTMLResponse:
    """Return a page that says what failed, what still holds, and the next step.

    A browser with a cookie of ours gets the navigation as well: it says no more than which pages there are, so that
    neither the cluster nor the store is asked for it, which may be what failed.
    """
    framed = parts_of(request).entrance.sessions.open(kept_cookie(request, COOKIE)) is not None
    said = "there is no page at this address" if message == HTTPStatus.NOT_FOUND.phrase else message
    shown = {"title": _TITLES.get(status, "Not possible"), "code": code, "message": said, "hint": hint}
    return render_bare(request, "error.html", status, framed=framed, **shown)


def _frame(request: Request) -> dict[str, Any]:
    theme = request.cookies.get(THEME_COOKIE, "")
    return {
        "path": request.url.path,
        "query": request.url.query,
        "navigation": request.app.state.navigation,
        "theme": theme if theme in {"light", "dark"} else "",
    }


def csv_of(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], name: str) -> Response:
    """Return rows as a file for a spreadsheet; a text that a spreadsheet would take for a formula is kept a text."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response("".join(_csv_parts(columns, rows)), media_type="text/csv; charset=utf-8", headers=headers)


def csv_by_and_by(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], name: str) -> Response:
    """Return `csv_of` of many rows without holding them all: they are read while they are sent.

    What fails before the first rows is an error as ever. Later the answer breaks off without its end, which clients of
    HTTP notice: a list that lacks rows never counts as whole.
    """
    return _by_and_by(_csv_parts(columns, rows), "text/csv; charset=utf-8", f'attachment; filename="{name}.csv"')


def json_by_and_by(items: Iterable[Any]) -> Response:
    """Return a JSON list of many items in the same way."""
    return _by_and_by(_json_parts(items), "application/json")


def _by_and_by(parts: Iterator[str], media_type: str, disposition: str = "") -> Response:
    first = next(parts, "")
    headers = {"Content-Disposition": disposition} if disposition else None
    return StreamingResponse(chain((first,), parts), media_type=media_type, headers=headers)


def _csv_parts(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    out = io.StringIO()
    writer = csv.writer(out)
    size: int = writer.writerow(columns)
    for row in rows:
        size += writer.writerow([_cell(row.get(column)) for column in columns])
        if size >= _PART:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
            size = 0
    yield out.getvalue()


def _json_parts(items: Iterable[Any]) -> Iterator[str]:
    part, size = ["["], 0
    for number, item in enumerate(items):
        text = json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        part.append(f",{text}" if number else text)
        size += len(text)
        if size >= _PART:
            yield "".join(part)
            part, size = [], 0
    yield "".join([*part, "]"])


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield name and value of every figure inside data: `savings.actionable`, `accounts[0].gaps`."""
    inner: Iterable[tuple[str, Any]]
    if isinstance(value, Mapping):
        inner = ((f"{name}.{key}" if name else str(key), one) for key, one in value.items())
    elif isinstance(value, list | tuple):
        inner = ((f"{name}[{place}]", one) for place, one in enumerate(value))
    else:
        yield name, value
        return
    for key, one in inner:
        yield from flat(one, key)


def with_gaps(answer: Response, gaps: Collection[Gap]) -> Response:
    """Name what is missing in a list in the `Finops-Gaps` header of its answer; without gaps there is none."""
    if gaps:
        named = "; ".join(f"{gap.account} {gap.region} {gap.service}:{gap.operation} {gap.code}" for gap in gaps)
        answer.headers["Finops-Gaps"] = named.encode("ascii", "replace").decode()[:_LONGEST_HEADER]
    return answer


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
