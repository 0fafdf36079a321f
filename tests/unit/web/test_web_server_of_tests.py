"""The server of the page tests leaves nothing behind that another test would trip over."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from tests.support.web_server import served


async def endless() -> AsyncIterator[str]:
    while True:
        yield "x" * 1_000_000
        await asyncio.sleep(0.01)


def test_a_client_that_neither_reads_nor_leaves_is_disconnected_at_the_end() -> None:
    application = FastAPI()
    application.add_api_route("/endless", lambda: StreamingResponse(endless()))
    with served(application, patience_seconds=0) as address:
        host, _, port = address.removeprefix("http://").partition(":")
        client = socket.create_connection((host, int(port)), timeout=10)
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: test\r\n\r\n")
        assert client.recv(15) == b"HTTP/1.1 200 OK"

    with warnings.catch_warnings(record=True) as found, client:
        warnings.simplefilter("always")
        gc.collect()
    assert [one for one in found if "unclosed" in str(one.message)] == []
