"""Socket mode: connections, envelopes, acknowledgements, and the ways a socket goes wrong.

`SocketHub.link` is the WebSocket endpoint that `apps.connections.open` hands out; interactions go out through
`deliver`. Rules: docs.slack.dev/apis/events-api/using-socket-mode.
"""

import asyncio
import contextlib
import json
import time
import uuid
from collections import deque
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, field
from typing import Literal

from aiohttp import WSMsgType, web

from finops_sandbox.slack.model import Json
from finops_sandbox.slack.state import State

CONNECTIONS_MAX = 10
TICKET_SECONDS = 30.0
ACK_SECONDS = 3.0
# Observed age at which Slack renews a connection, and the one with debug_reconnects.
REFRESH_SECONDS = 18_060.0
DEBUG_REFRESH_SECONDS = 360.0
WARNING_AHEAD_SECONDS = 10.0
EVENT_RETRY_SECONDS = (0.0, 60.0, 300.0)
ENVELOPES_KEPT = 5_000

EnvelopeType = Literal["interactive", "events_api", "slash_commands"]


@dataclass(slots=True)
class Envelope:
    """One payload on its way to the app. `ack_ms` is real time, from first delivery to acknowledgement."""

    id: str
    type: EnvelopeType
    payload: Json
    connection: str = ""
    deliveries: int = 0
    retry_attempt: int = 0
    acked: bool = False
    acks: int = 0
    ack_ms: float = 0.0
    response: Json = field(default_factory=dict)


@dataclass(slots=True)
class Connection:
    """One WebSocket of the app."""

    id: str
    ws: web.WebSocketResponse
    request: web.Request
    opened_at: float
    half_open: bool = False
    pings: int = 0


class SocketHub:
    """All sockets of the app. Any payload goes to any one of them."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.connections: dict[str, Connection] = {}
        self.envelopes: deque[Envelope] = deque(maxlen=ENVELOPES_KEPT)
        self.undelivered = 0
        self.unacked = 0
        self.connected_total = 0
        self._waiting: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._drop_after_delivery = 0
        # Ids from before a reset: their acknowledgements may still come and are nobody's fault.
        self._forgotten: set[str] = set()

    def reset(self) -> None:
        """Forget envelopes and counters; connections stay open."""
        self._forgotten |= {envelope.id for envelope in self.envelopes}
        self.envelopes.clear()
        self.undelivered = self.unacked = self._drop_after_delivery = 0

    async def link(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from hello to its end."""
        issued = self._state.tickets.pop(request.query.get("ticket", ""), None)
        if issued is None or self._state.clock.now() - issued > TICKET_SECONDS:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=403)
        ws = web.WebSocketResponse(autoping=False, compress=False)
        await ws.prepare(request)
        if len(self.connections) >= CONNECTIONS_MAX:
            await self._send(ws, {"type": "disconnect", "reason": "too_many_websockets", "debug_info": _debug()})
            await ws.close()
            return ws
        connection = Connection(f"ws-{self.connected_total + 1}", ws, request, self._state.clock.now())
        self.connected_total += 1
        self.connections[connection.id] = connection
        self._state.touch()
        lifetime = DEBUG_REFRESH_SECONDS if request.query.get("debug_reconnects") == "true" else REFRESH_SECONDS
        refresh = self._spawn(self._refresh(connection, lifetime))
        try:
            await self._send(ws, self._hello(lifetime))
            await self._receive(connection)
        finally:
            refresh.cancel()
            self.connections.pop(connection.id, None)
            self._state.touch()
        return ws

    async def deliver(self, kind: EnvelopeType, payload: Json) -> Envelope:
        """Send a payload to one connection and wait up to three seconds for its acknowledgement.

        Nothing connected: the payload is dropped and counted, as Slack does with interactions. Events are sent again.
        """
        envelope = Envelope(str(uuid.uuid4()), kind, payload)
        self.envelopes.append(envelope)
        acked = await self._deliver_once(envelope, list(self.connections.values()))
        if not acked and kind == "events_api":
            self._spawn(self._retry_event(envelope))
        return envelope

    async def redeliver(
        self, envelope_id: str, which: Literal["any", "same", "other"], retry_attempt: int
    ) -> Envelope | None:
        """Send an envelope again under its own id; None if there is none to send or nobody to send it to."""
        known = [e for e in self.envelopes if not envelope_id or e.id == envelope_id]
        if not known:
            return None
        envelope = known[-1]
        candidates = [
            connection
            for connection in self.connections.values()
            if which == "any" or (connection.id == envelope.connection) == (which == "same")
        ]
        if not candidates:
            return None
        envelope.retry_attempt = retry_attempt
        await self._deliver_once(envelope, candidates)
        return envelope

    async def disturb(self, kind: str, *, reason: str, connection_id: str, n: int) -> int:
        """Make sockets misbehave; returns how many were touched. Raises ValueError for an unknown kind."""
        if kind == "drop_after_delivery":
            self._drop_after_delivery += n
            return n
        chosen = [c for c in list(self.connections.values()) if connection_id in {"", c.id}]
        for connection in chosen:
            await self._disturb_one(connection, kind, reason)
        return len(chosen)

    async def close(self) -> None:
        """End all connections and background work, for the server's shutdown."""
        for task in list(self._tasks):
            task.cancel()
        for connection in list(self.connections.values()):
            with contextlib.suppress(OSError, RuntimeError):
                await connection.ws.close(code=1001)

    def as_json(self) -> Json:
        """Return connections, envelopes and counters."""
        return {
            "connections": [
                {"id": c.id, "opened_at": c.opened_at, "half_open": c.half_open, "pings": c.pings}
                for c in self.connections.values()
            ],
            "connected_total": self.connected_total,
            "undelivered": self.undelivered,
            "unacked": self.unacked,
            "envelopes": [asdict(envelope) for envelope in self.envelopes],
        }

    async def _disturb_one(self, connection: Connection, kind: str, reason: str) -> None:
        if kind == "disconnect":
            message = {"type": "disconnect", "reason": reason, "debug_info": _debug()}
            await self._send(connection.ws, message)
            if reason != "warning":
                self._spawn(self._close_later(connection))
        elif kind == "drop":
            _abort(connection)
        elif kind in {"half_open", "heal"}:
            connection.half_open = kind == "half_open"
        elif kind == "garbage":
            await connection.ws.send_str("{this is not json")
        else:
            raise ValueError(f"unknown kind of disturbance: {kind}")

    async def _deliver_once(self, envelope: Envelope, candidates: list[Connection]) -> bool:
        if not candidates:
            self.undelivered += 1
            self._state.touch()
            return False
        connection = self._state.random.choice(candidates)
        acks_before = envelope.acks
        waiting = self._waiting.setdefault(envelope.id, asyncio.Event())
        waiting.clear()
        envelope.connection = connection.id
        envelope.deliveries += 1
        started = time.perf_counter()
        if not connection.half_open:
            await self._send(connection.ws, _wire(envelope))
        if self._drop_after_delivery > 0:
            self._drop_after_delivery -= 1
            # Let the bytes leave before the line is cut: the app has it, and can no longer answer.
            await asyncio.sleep(0.05)
            _abort(connection)
        try:
            await asyncio.wait_for(waiting.wait(), timeout=ACK_SECONDS)
        except TimeoutError:
            self.unacked += 1
            self._state.touch()
            return False
        finally:
            self._waiting.pop(envelope.id, None)
        if acks_before == 0:
            envelope.ack_ms = round((time.perf_counter() - started) * 1000, 1)
        return True

    async def _retry_event(self, first: Envelope) -> None:
        for attempt, pause in enumerate(EVENT_RETRY_SECONDS, start=1):
            await self._state.clock.sleep(pause)
            again = Envelope(str(uuid.uuid4()), first.type, first.payload, retry_attempt=attempt)
            self.envelopes.append(again)
            if await self._deliver_once(again, list(self.connections.values())):
                return

    async def _refresh(self, connection: Connection, lifetime: float) -> None:
        await self._state.clock.sleep(lifetime - WARNING_AHEAD_SECONDS)
        await self._disturb_one(connection, "disconnect", "warning")
        await self._state.clock.sleep(WARNING_AHEAD_SECONDS)
        await self._disturb_one(connection, "disconnect", "refresh_requested")

    async def _close_later(self, connection: Connection) -> None:
        # The app opens its next connection first; Slack leaves it the time.
        await asyncio.sleep(1.0)
        await connection.ws.close(code=1000)

    async def _receive(self, connection: Connection) -> None:
        async for message in connection.ws:
            if connection.half_open:
                continue
            if message.type is WSMsgType.PING:
                connection.pings += 1
                with contextlib.suppress(ConnectionError):
                    await connection.ws.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._acknowledge(message.data)

    def _acknowledge(self, text: str) -> None:
        try:
            body = json.loads(text)
            envelope_id = body["envelope_id"]
        except (json.JSONDecodeError, KeyError, TypeError):
            self._state.fail("malformed_ack", text=text[:200])
            return
        envelope = next((e for e in reversed(self.envelopes) if e.id == envelope_id), None)
        if envelope is None and envelope_id in self._forgotten:
            return
        if envelope is None:
            self._state.fail("ack_of_unknown_envelope", envelope_id=envelope_id)
            return
        envelope.acks += 1
        envelope.acked = True
        envelope.response = body.get("payload") or {}
        if envelope_id in self._waiting:
            self._waiting[envelope_id].set()

    def _hello(self, lifetime: float) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self.connections),
            "debug_info": _debug() | {"approximate_connection_time": int(lifetime)},
            "connection_info": {"app_id": self._state.app.id},
        }

    async def _send(self, ws: web.WebSocketResponse, message: Json) -> None:
        with contextlib.suppress(ConnectionError):
            await ws.send_str(json.dumps(message))

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _wire(envelope: Envelope) -> Json:
    wire: Json = {
        "envelope_id": envelope.id,
        "type": envelope.type,
        "payload": envelope.payload,
        "accepts_response_payload": envelope.type != "events_api",
    }
    if envelope.retry_attempt or envelope.type == "events_api":
        wire["retry_attempt"] = envelope.retry_attempt
        wire["retry_reason"] = "timeout" if envelope.retry_attempt else ""
    return wire


def _abort(connection: Connection) -> None:
    if connection.request.transport is not None:
        connection.request.transport.abort()


def _debug() -> Json:
    return {"host": "applink-sandbox", "build_number": 1}
