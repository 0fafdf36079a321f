"""The conditions under which the app works: time, rate limits, failures on command, disturbed sockets.

The control API offers these as acts.
"""

from typing import Any, Literal

from finops_sandbox.slack.faults import Fault
from finops_sandbox.slack.limits import POST_BURST, Mode
from finops_sandbox.slack.model import Json
from finops_sandbox.slack.screen import RefusedError
from finops_sandbox.slack.socket_mode import SocketHub
from finops_sandbox.slack.state import State


class Conditions:
    """Acts as time, the network and Slack's own failures."""

    def __init__(self, state: State, hub: SocketHub) -> None:
        self._state = state
        self._hub = hub

    async def advance_clock(self, *, seconds: float) -> Json:
        """Let Slack's time pass."""
        self._state.clock.advance(float(seconds))
        return {"now": self._state.clock.now()}

    async def fault(self, **fields: Any) -> Json:
        """Make the next calls of a method fail: the fields of `faults.Fault`. Raises ValueError."""
        self._state.faults.add(Fault(**fields))
        return {"faults": self._state.faults.as_json()}

    async def clear_faults(self) -> Json:
        """Drop the faults still waiting."""
        self._state.faults.clear()
        return {}

    async def limits(self, *, mode: Mode) -> Json:
        """Switch the rate limits. Raises ValueError for an unknown mode."""
        if mode != "off" and mode not in POST_BURST:
            raise ValueError(f"mode is off, normal or strict, not {mode}")
        self._state.limiter.mode = mode
        return {"mode": mode}

    async def socket(self, *, kind: str, reason: str = "refresh_requested", connection: str = "", n: int = 1) -> Json:
        """Disturb one socket or all. Raises ValueError for an unknown kind."""
        return {"touched": await self._hub.disturb(kind, reason=reason, connection_id=connection, n=n)}

    async def duplicate(
        self, *, envelope: str = "", connection: Literal["any", "same", "other"] = "any", retry_attempt: int = 1
    ) -> Json:
        """Deliver an envelope again under the same id. Raises RefusedError when there is none, or no connection."""
        sent = await self._hub.deliveries.redeliver(envelope, connection, retry_attempt)
        if sent is None:
            raise RefusedError("nothing_to_deliver")
        return {"envelope_id": sent.id, "deliveries": sent.deliveries, "acks": sent.acks}
