"""What can be read of the workspace from outside: messages, views, calls, envelopes, failures.

The control API offers these as reads.
"""

from dataclasses import asdict

from finops_sandbox.slack.model import Json
from finops_sandbox.slack.rendering import view_json
from finops_sandbox.slack.socket_mode import SocketHub
from finops_sandbox.slack.state import State


class Observation:
    """Reads of one state, as JSON values. A filter that is not given passes everything."""

    def __init__(self, state: State, hub: SocketHub) -> None:
        self._state = state
        self._hub = hub

    def health(self) -> Json:
        """Return readiness, open connections and the number of failures."""
        return {"ok": True, "connections": len(self._hub.connections), "failures": len(self._state.record.failures)}

    def dump(self) -> Json:
        """Return everything."""
        return self._state.dump() | {"socket": self._hub.as_json()}

    def calls(self, *, method: str = "") -> list[Json]:
        """Return the Web API calls so far."""
        return self._state.record.calls_of(method)

    def failures(self) -> list[Json]:
        """Return what must not happen in a test run."""
        return self._state.record.failures

    def rates(self) -> Json:
        """Return measured posting rates and refusals."""
        return self._state.limiter.rates()

    def envelopes(self) -> Json:
        """Return connections, envelopes and counters."""
        return self._hub.as_json()

    def views(self, *, user: str = "") -> list[Json]:
        """Return a person's open modals, bottom first."""
        return [view_json(self._state, view) for view in self._state.views.stack(user)]

    def home(self, *, user: str = "") -> Json | None:
        """Return a person's App Home, None while there is none."""
        home = self._state.views.home(user)
        return view_json(self._state, home) if home else None

    def messages(self, *, channel: str = "", thread: str = "") -> list[Json]:
        """Return the messages of a channel, or of one of its threads, oldest first."""
        found = self._state.conversations.messages.get(channel, {}).values()
        return [asdict(m) for m in found if not thread or thread in {m.thread_ts, m.ts}]

    def ephemerals(self, *, user: str = "", channel: str = "") -> list[Json]:
        """Return messages that only one person sees."""
        return [
            asdict(m)
            for m in self._state.conversations.ephemerals
            if user in {"", m.ephemeral_for} and channel in {"", m.channel}
        ]
