"""GET /healthz and /readyz, for the kubelet: no token needed, and nothing is said that is not public."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse

from finops.errors import FinopsError
from finops.store.connection import store_errors
from finops_web.context import parts_of

ROUTER = APIRouter(include_in_schema=False)


@ROUTER.get("/healthz")
def healthz() -> PlainTextResponse:
    """Say that the process answers."""
    return PlainTextResponse("ok\n")


@ROUTER.get("/readyz")
def readyz(request: Request) -> PlainTextResponse:
    """Say whether the store answers; without it no page has a figure."""
    try:
        with store_errors():
            parts_of(request).store.client.ping()
    except FinopsError as error:
        return PlainTextResponse(f"store: {error.message}\n", status_code=503)
    return PlainTextResponse("store: ok\n")
