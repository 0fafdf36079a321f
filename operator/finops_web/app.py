"""Builds the web application: every file of `api/` and `pages/` that exports ROUTER, behind the same guards.

Nothing is listed here: a new endpoint or page is one new file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from finops.errors import Conflict, FinopsError, InvalidInput, Refused, Unavailable
from finops_web import api, pages
from finops_web.answers import NotThere, problem
from finops_web.context import Parts, SignInNeeded
from finops_web.description import describing
from finops_web.entity_tags import is_known, tag_of
from finops_web.metrics import WebMetrics
from finops_web.rendering import render_error

logger = logging.getLogger(__name__)
_STATIC: Final = Path(__file__).with_name("static")
_LARGEST_BODY: Final = 64 * 1024
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_FIELD: Final = re.compile(r"[a-zA-Z0-9_-]+")
"""How fields and places in lists are written; the names of shapes are not."""
_Next = Callable[[Request], Awaitable[Response]]


def make_app(parts: Parts, metrics: WebMetrics) -> FastAPI:
    """Return the application around connected parts, which counts its answers in `metrics`."""
    app = FastAPI(title="finops operator", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    app.openapi = describing(app)  # type: ignore[method-assign]
    app.state.parts = parts
    app.state.metrics = metrics
    modules = [
        import_module(f"{package.__name__}.{found.name}")
        for package in (api, pages)
        for found in sorted(iter_modules(package.__path__), key=lambda module: module.name)
    ]
    for module in modules:
        app.include_router(module.ROUTER)
    entries = [module.ENTRY for module in modules if hasattr(module, "ENTRY")]
    app.state.navigation = tuple(sorted(entries, key=lambda entry: entry.order))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    app.middleware("http")(_counted)
    app.add_exception_handler(FinopsError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    return app


async def _counted(request: Request, call_next: _Next) -> Response:
    """Count the answer of the guard and of whatever stands behind it."""
    metrics: WebMetrics = request.app.state.metrics
    return await metrics.measured(request, lambda asked: _guard(asked, call_next))


async def _guard(request: Request, call_next: _Next) -> Response:
    """Refuse large bodies, and give every answer the headers that keep foreign pages and scripts out."""
    length = request.headers.get("content-length", "0")
    if (
        not length.isdecimal()
        or int(length) > _LARGEST_BODY
        or "chunked" in request.headers.get("transfer-encoding", "")
    ):
        response: Response = problem(413, "BodyTooLarge", "The body is too large.", "send at most 64 KiB at once")
    else:
        response = await _unless_known(request, await call_next(request))
    for name, value in _HEADERS.items():
        response.headers[name] = value
    if not request.url.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


async def _unless_known(request: Request, response: Response) -> Response:
    """Give a whole answer of the API its ETag; of one that the client names already nothing else is sent.

    A list that is sent while it is read has no length, and no ETag: what it says is not known when it begins.
    """
    # What a middleware gets is a stream, of which the framework says in the length whether it is held whole.
    parts: AsyncIterator[bytes] | None = getattr(response, "body_iterator", None)
    whole = response.status_code == HTTPStatus.OK and "content-length" in response.headers
    if request.method != "GET" or not _is_api(request) or parts is None or not whole:
        return response
    body = b"".join([part async for part in parts])
    tag = tag_of(body)
    if is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
    answer = Response(body)
    answer.raw_headers = [*response.raw_headers, (b"etag", tag.encode())]
    return answer


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/") or request.url.path.endswith((".json", ".csv"))


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, FinopsError)
    if isinstance(error, SignInNeeded) and not _is_api(request):
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", status_code=303)
    status = _status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.warning("request not answered: %s", error, extra={"path": request.url.path})
    field = error.field if isinstance(error, InvalidInput) else ""
    if _is_api(request):
        return problem(status, error.code, error.message, error.hint, field)
    return render_error(request, status, error.code, error.message, error.hint)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Of a body that is one of several shapes, the error furthest inside is that of the shape that was meant.
    first = max(error.errors(), key=lambda one: len(one["loc"]))
    named = (str(part) for part in first["loc"] if part not in {"query", "path", "body"})
    field = ".".join(part for part in named if _FIELD.fullmatch(part))
    message = f"{field}: {first['msg']}" if field else str(first["msg"])
    if _is_api(request):
        return problem(422, "InvalidInput", message, "correct it and ask again", field)
    return render_error(request, 422, "InvalidInput", message, "correct the address, or start from the navigation")


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = (
        "NotFound"
        if error.status_code == HTTPStatus.NOT_FOUND
        else HTTPStatus(error.status_code).phrase.replace(" ", "")
    )
    if _is_api(request):
        return problem(error.status_code, code, str(error.detail))
    return render_error(request, error.status_code, code, str(error.detail), "start from the navigation")


def _status_of(error: FinopsError) -> int:
    if isinstance(error, SignInNeeded):
        return 401
    if isinstance(error, Refused):
        return 403
    if isinstance(error, NotThere):
        return 404
    if isinstance(error, Conflict):
        return 409
    if isinstance(error, InvalidInput):
        return 422
    return 503 if isinstance(error, Unavailable) else 500
