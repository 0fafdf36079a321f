"""Envelopes on their way to the app: delivery, acknowledgement within three seconds, and repetition.

`people_acts` delivers interactions and events here; `socket_mode` owns the connections and passes acknowledgements on.
Rules: docs.slack.dev/apis/events-api/using-socket-mode.
"""

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from finops_sandbox.slack.background_tasks import BackgroundTasks
from finops_sandbox.slack.model import Json
from finops_sandbox.slack.socket_connection import Connection
from finops_sandbox.slack.state import State

ACK_SECONDS = 3.0
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


class Deliveries:
    """All envelopes of a run. Each goes to any one of the open connections.

    `drop_next` is the number of deliveries after which the line is to be cut.
    """

    def __init__(self, state: State, connections: Mapping[str, Connection], tasks: BackgroundTasks) -> None:
        self.envelopes: deque[Envelope] = deque(maxlen=ENVELOPES_KEPT)
        self.undelivered = 0
        self.unacked = 0
        self.drop_next = 0
        self._state = state
        self._connections = connections
        self._tasks = tasks
        self._waiting: dict[str, asyncio.Event] = {}
        # Ids from before a reset: their acknowledgements may still come and are nobody's fault.
        self._forgotten: set[str] = set()

    def reset(self) -> None:
        """Forget envelopes and counters."""
        self._forgotten |= {envelope.id for envelope in self.envelopes}
        self.envelopes.clear()
        self.undelivered = self.unacked = self.drop_next = 0

    async def deliver(self, kind: EnvelopeType, payload: Json) -> Envelope:
        """Send a payload to one connection and wait up to three seconds for its acknowledgement.

        Nothing connected: the payload is dropped and counted, as Slack does with interactions. Events are sent again.
        """
        envelope = Envelope(str(uuid.uuid4()), kind, payload)
        self.envelopes.append(envelope)
        acked = await self._deliver_once(envelope, list(self._connections.values()))
        if not acked and kind == "events_api":
            self._tasks.spawn(self._retry_event(envelope))
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
            for connection in self._connections.values()
            if which == "any" or (connection.id == envelope.connection) == (which == "same")
        ]
        if not candidates:
            return None
        envelope.retry_attempt = retry_attempt
        await self._deliver_once(envelope, candidates)
        return envelope

    def acknowledge(self, text: str) -> None:
        """Take the app's answer to an envelope; one that makes no sense is recorded as a failure."""
        try:
            body = json.loads(text)
            envelope_id = body["envelope_id"]
        except (json.JSONDecodeError, KeyError, TypeError):
            self._state.record.fail("malformed_ack", text=text[:200])
            return
        envelope = next((e for e in reversed(self.envelopes) if e.id == envelope_id), None)
        if envelope is None and envelope_id in self._forgotten:
            return
        if envelope is None:
            self._state.record.fail("ack_of_unknown_envelope", envelope_id=envelope_id)
            return
        envelope.acks += 1
        envelope.acked = True
        envelope.response = body.get("payload") or {}
        if envelope_id in self._waiting:
            self._waiting[envelope_id].set()

    def as_json(self) -> Json:
        """Return envelopes and counters."""
        return {
            "undelivered": self.undelivered,
            "unacked": self.unacked,
            "envelopes": [asdict(envelope) for envelope in self.envelopes],
        }

    async def _deliver_once(self, envelope: Envelope, candidates: list[Connection]) -> bool:
        if not candidates:
            self.undelivered += 1
            self._state.changes.touch()
            return False
        connection = self._state.issuer.random.choice(candidates)
        acks_before = envelope.acks
        waiting = self._waiting.setdefault(envelope.id, asyncio.Event())
        waiting.clear()
        envelope.connection = connection.id
        envelope.deliveries += 1
        started = time.perf_counter()
        if not connection.half_open:
            await connection.send(_wire(envelope))
        if self.drop_next > 0:
            self.drop_next -= 1
            # Let the bytes leave before the line is cut: the app has it, and can no longer answer.
            await asyncio.sleep(0.05)
            connection.abort()
        try:
            await asyncio.wait_for(waiting.wait(), timeout=ACK_SECONDS)
        except TimeoutError:
            self.unacked += 1
            self._state.changes.touch()
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
            if await self._deliver_once(again, list(self._connections.values())):
                return


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
