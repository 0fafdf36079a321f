"""One WebSocket of the app, as the double's side holds it."""

import contextlib
import json
from dataclasses import dataclass

from aiohttp import web

from finops_sandbox.slack.model import Json


@dataclass(slots=True)
class Connection:
    """An open socket. `half_open` means that the app believes it is connected, while nothing passes."""

    id: str
    ws: web.WebSocketResponse
    request: web.Request
    opened_at: float
    half_open: bool = False
    pings: int = 0

    async def send(self, message: Json) -> None:
        """Send one message; a connection that is gone loses it, as on Slack's side."""
        await send(self.ws, message)

    def abort(self) -> None:
        """Cut the line without a closing handshake."""
        if self.request.transport is not None:
            self.request.transport.abort()

    def as_json(self) -> Json:
        return {"id": self.id, "opened_at": self.opened_at, "half_open": self.half_open, "pings": self.pings}


async def send(ws: web.WebSocketResponse, message: Json) -> None:
    """Send one message on a socket that may be gone."""
    with contextlib.suppress(ConnectionError):
        await ws.send_str(json.dumps(message))
