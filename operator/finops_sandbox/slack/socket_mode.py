"""Socket mode: the app's connections, from hello to their end, and the ways a socket goes wrong.

`SocketHub.link` is the WebSocket endpoint that `apps.connections.open` hands out; what goes over it is the business of
`deliveries`. Rules: docs.slack.dev/apis/events-api/using-socket-mode.
"""

import asyncio
import contextlib

from aiohttp import WSMsgType, web

from finops_sandbox.slack.background_tasks import BackgroundTasks
from finops_sandbox.slack.deliveries import Deliveries
from finops_sandbox.slack.model import Json
from finops_sandbox.slack.socket_connection import Connection, send
from finops_sandbox.slack.state import State

CONNECTIONS_MAX = 10
TICKET_SECONDS = 30.0
# Observed age at which Slack renews a connection, and the one with debug_reconnects.
REFRESH_SECONDS = 18_060.0
DEBUG_REFRESH_SECONDS = 360.0
WARNING_AHEAD_SECONDS = 10.0


class SocketHub:
    """All sockets of the app, and the deliveries over them."""

    def __init__(self, state: State) -> None:
        self.connections: dict[str, Connection] = {}
        self.connected_total = 0
        self._state = state
        self._tasks = BackgroundTasks()
        self.deliveries = Deliveries(state, self.connections, self._tasks)

    async def link(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from hello to its end."""
        issued = self._state.issuer.tickets.pop(request.query.get("ticket", ""), None)
        if issued is None or self._state.clock.now() - issued > TICKET_SECONDS:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=403)
        ws = web.WebSocketResponse(autoping=False, compress=False)
        await ws.prepare(request)
        if len(self.connections) >= CONNECTIONS_MAX:
            await send(ws, {"type": "disconnect", "reason": "too_many_websockets", "debug_info": _debug()})
            await ws.close()
            return ws
        connection = Connection(f"ws-{self.connected_total + 1}", ws, request, self._state.clock.now())
        self.connected_total += 1
        self.connections[connection.id] = connection
        self._state.changes.touch()
        lifetime = DEBUG_REFRESH_SECONDS if request.query.get("debug_reconnects") == "true" else REFRESH_SECONDS
        refresh = self._tasks.spawn(self._refresh(connection, lifetime))
        try:
            await connection.send(self._hello(lifetime))
            await self._receive(connection)
        finally:
            refresh.cancel()
            self.connections.pop(connection.id, None)
            self._state.changes.touch()
        return ws

    async def disturb(self, kind: str, *, reason: str, connection_id: str, n: int) -> int:
        """Make sockets misbehave; returns how many were touched. Raises ValueError for an unknown kind."""
        if kind == "drop_after_delivery":
            self.deliveries.drop_next += n
            return n
        chosen = [c for c in list(self.connections.values()) if connection_id in {"", c.id}]
        for connection in chosen:
            await self._disturb_one(connection, kind, reason)
        return len(chosen)

    async def close(self) -> None:
        """End all connections and background work, for the server's shutdown."""
        self._tasks.cancel()
        for connection in list(self.connections.values()):
            with contextlib.suppress(OSError, RuntimeError):
                await connection.ws.close(code=1001)

    def as_json(self) -> Json:
        """Return connections, envelopes and counters."""
        return {
            "connections": [connection.as_json() for connection in self.connections.values()],
            "connected_total": self.connected_total,
            **self.deliveries.as_json(),
        }

    async def _disturb_one(self, connection: Connection, kind: str, reason: str) -> None:
        if kind == "disconnect":
            await connection.send({"type": "disconnect", "reason": reason, "debug_info": _debug()})
            if reason != "warning":
                self._tasks.spawn(_close_later(connection))
        elif kind == "drop":
            connection.abort()
        elif kind in {"half_open", "heal"}:
            connection.half_open = kind == "half_open"
        elif kind == "garbage":
            await connection.ws.send_str("{this is not json")
        else:
            raise ValueError(f"unknown kind of disturbance: {kind}")

    async def _refresh(self, connection: Connection, lifetime: float) -> None:
        await self._state.clock.sleep(lifetime - WARNING_AHEAD_SECONDS)
        await self._disturb_one(connection, "disconnect", "warning")
        await self._state.clock.sleep(WARNING_AHEAD_SECONDS)
        await self._disturb_one(connection, "disconnect", "refresh_requested")

    async def _receive(self, connection: Connection) -> None:
        async for message in connection.ws:
            if connection.half_open:
                continue
            if message.type is WSMsgType.PING:
                connection.pings += 1
                with contextlib.suppress(ConnectionError):
                    await connection.ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self.deliveries.acknowledge(message.data)

    def _hello(self, lifetime: float) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": _debug() | {"approximate_connection_time": int(lifetime)},
            "connection_info": {"app_id": self._state.directory.app.id},
        }


async def _close_later(connection: Connection) -> None:
    # The app opens its next connection first; Slack leaves it the time.
    await asyncio.sleep(1.0)
    await connection.ws.close(code=1000)


def _debug() -> Json:
    return {"host": "applink-sandbox", "build_number": 1}
