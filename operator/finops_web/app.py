"""Builds the web application: every file of `api/` and `pages/` that exports ROUTER, behind the same guards.

Nothing is listed here: a new endpoint or page is one new file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from finops.errors import FinopsError
from finops_web import api, pages
from finops_web.answers import problem
from finops_web.context import Parts
from finops_web.description import describing
from finops_web.entity_tags import is_known, tag_of
from finops_web.heads import HeadAsGet
from finops_web.metrics import WebMetrics
from finops_web.problems import is_api, on_error, on_http, on_invalid

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
    app.add_api_route("/favicon.ico", _icon, include_in_schema=False)
    app.middleware("http")(_counted)
    app.add_exception_handler(FinopsError, on_error)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_middleware(HeadAsGet)
    return app


async def _icon() -> FileResponse:
    """Answer browsers that show data, to which no page names the icon."""
    return FileResponse(_STATIC / "icon.svg", media_type="image/svg+xml")


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
    if request.method != "GET" or not is_api(request) or parts is None or not whole:
        return response
    body = b"".join([part async for part in parts])
    tag = response.headers.get("etag") or tag_of(body)
    if is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"ETag": tag})
    answer = Response(body)
    answer.raw_headers = list(response.raw_headers)
    answer.headers["ETag"] = tag
    return answer
