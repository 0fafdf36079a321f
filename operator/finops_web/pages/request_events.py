"""GET /requests/events: says when the visitor's requests have changed, so that an open page fetches itself again.

Server-sent events carry no content: what the page shows comes from the page's own address, with the same rights and the
same template as without script.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from finops.errors import FinopsError
from finops_web.context import Asked, Visit
from finops_web.readings.requests import requests_of

ROUTER = APIRouter(include_in_schema=False)
_EVERY_SECONDS: Final = 3.0
_ROUNDS: Final = 200
"""After ten minutes the browser connects anew, which asks for its rights anew as well."""


@ROUTER.get("/requests/events")
def request_events(asked: Visit, request: Request) -> Response:
    """Stream `changed` events until the page is closed or the token is no longer taken."""
    return StreamingResponse(
        changes(asked, gone=request.is_disconnected, sleep=asyncio.sleep),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def changes(
    asked: Asked, *, gone: Callable[[], Awaitable[bool]], sleep: Callable[[float], Awaitable[None]]
) -> AsyncIterator[str]:
    """Yield one event for every change; a comment in between keeps proxies from closing the stream."""
    yield "retry: 5000\n\n"
    known = ""
    for _ in range(_ROUNDS):
        try:
            mark = await run_in_threadpool(_mark, asked)
        except FinopsError:
            # The page itself says what is wrong when it is fetched: the token ended, or a part does not answer.
            yield "event: changed\ndata: unavailable\n\n"
            return
        yield f"event: changed\ndata: {mark}\n\n" if known and mark != known else ": nothing new\n\n"
        known = mark
        if await gone():
            return
        await sleep(_EVERY_SECONDS)


def _mark(asked: Asked) -> str:
    """Return what changes with any of the visitor's requests. Raises FinopsError."""
    asked.parts.visitors.recognise(asked.token)
    read = requests_of(asked.visitor, asked.namespaces())
    versions = "\n".join(f"{one.metadata.uid} {one.metadata.resource_version}" for one in read.found)
    versions += "".join(f"\n{gap.account}" for gap in read.gaps)
    return sha256(versions.encode()).hexdigest()[:16]
