"""A web application on a port of this machine, which leaves no connection open at its end."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_START_SECONDS: Final = 20.0
_END_SECONDS: Final = 10.0


class _Server(uvicorn.Server):
    """Closes what its clients keep open: a connection of the last moment, or an answer that nobody reads.

    uvicorn leaves both to the end of the process. In a test the garbage collector would find the connection, as an
    error of whichever test runs by then.
    """

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            transport = connection.transport
            assert isinstance(transport, asyncio.WriteTransport)
            transport.abort()
        # An aborted connection is closed in the loop's next turn.
        await asyncio.sleep(0)


@contextmanager
def served(application: ASGIApp, *, patience_seconds: int = 1) -> Iterator[str]:
    """Serve an application in a thread; yield its address. `patience_seconds`: for answers that are not complete."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = _Server(uvicorn.Config(application, log_config=None, timeout_graceful_shutdown=patience_seconds))
    thread = threading.Thread(target=server.run, args=([listening],), name="dashboard", daemon=True)
    thread.start()
    try:
        until = time.monotonic() + _START_SECONDS
        while not server.started:
            assert time.monotonic() < until, "the dashboard did not start"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_END_SECONDS)
    assert not thread.is_alive(), "the dashboard did not end"
