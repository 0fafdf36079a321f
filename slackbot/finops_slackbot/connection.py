"""The socket to Slack: who we are there, one session after the other, and whether somebody else sits on our app.

`start()` of Bolt's handler knows neither SIGTERM nor a wrong token, so this thread owns the connection: it asks who the
token is, connects, watches, has the store say how things stand (`presence`), and tries again with growing pauses.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.builtin import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from finops.domain.backoff import Backoff
from finops.ports.clock import Clock
from finops_slackbot.events.intake import ENVELOPE
from finops_slackbot.metrics import Metrics
from finops_slackbot.presence import Presence
from finops_slackbot.slack_calls import Identity, SlackCalls
from finops_slackbot.slack_errors import SlackRateLimited, SlackRefused, SlackUnavailable

_TICK_SECONDS: Final = 2.0
_PING_SECONDS: Final = 3.0
"""The SDK calls a session dead after four unanswered pings, and opens the next one a ping later."""
_BACKOFF: Final = Backoff(1.0, 60.0)
_CHECK_TOKEN_SECONDS: Final = 300.0
_LOG: Final = logging.getLogger(__name__)


class Handler(SocketModeHandler):
    """Bolt's handler with the envelope's id in the payload, a stop for new envelopes, and a stopwatch."""

    def __init__(self, app: App, app_token: str, metrics: Metrics) -> None:
        super().__init__(app, app_token, ping_interval=_PING_SECONDS)
        self._metrics = metrics
        self._stopped = False

    def open(self) -> None:
        """Open the first session; the client renews it by itself."""
        self.connect()  # type: ignore[no-untyped-call] # Bolt ships this method without types

    def end(self) -> None:
        """Close the session and the client's threads."""
        self.close()  # type: ignore[no-untyped-call] # as above

    def ping_failed(self) -> bool:
        """Return whether the last ping could not even be sent: the line is cut."""
        session = self.client.current_session
        return session is not None and session.is_active() and session.consecutive_check_state_error_count > 0

    def refuse_new(self) -> None:
        """Leave further envelopes unacknowledged: Slack gives them to another replica, or shows the person an error."""
        self._stopped = True

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override] # as Bolt's own
        """Dispatch one envelope."""
        if self._stopped:
            return
        started = time.monotonic()
        req.payload[ENVELOPE] = req.envelope_id
        super().handle(client, req)
        self._metrics.acknowledgement.observe(time.monotonic() - started)


class SlackConnection:
    """Owns the socket; runs in a thread of its own."""

    def __init__(
        self,
        *,
        calls: SlackCalls,
        make_handler: Callable[[], Handler],
        presence: Presence,
        clock: Clock,
    ) -> None:
        self._calls = calls
        self._make_handler = make_handler
        self._presence = presence
        self._clock = clock
        self._identity: Identity | None = None
        self._handler: Handler | None = None
        self._problem = "not connected yet"
        self._broken = threading.Event()

    @property
    def identity(self) -> Identity:
        """Who we are; known before the first envelope can arrive."""
        assert self._identity is not None, "the socket opens after auth.test"
        return self._identity

    def problem(self) -> str:
        """Return why no click can arrive, or an empty text."""
        handler = self._handler
        if handler is None or not self._presence.greeted:
            return self._problem
        return "" if handler.client.is_connected() else "the socket is closed"

    def run(self, stop: threading.Event) -> None:
        """Connect, watch, and connect again, until `stop`; the socket itself is closed by `close`."""
        failures = 0
        next_check = 0.0
        while not stop.is_set():
            wait = _TICK_SECONDS
            try:
                if self._handler is None:
                    self._identity = self._calls.identity()
                    self._connect()
                    next_check = self._clock.monotonic() + _CHECK_TOKEN_SECONDS
                elif self._broken.is_set() or self._handler.ping_failed():
                    # The SDK would go on until five pings have failed.
                    self._broken.clear()
                    self._handler.client.disconnect()
                elif self._clock.monotonic() >= next_check:
                    next_check = self._clock.monotonic() + _CHECK_TOKEN_SECONDS
                    self._calls.identity()
                    self._presence.clear()
                failures = 0
            except SlackRateLimited as error:
                wait = float(error.seconds)
            except (SlackRefused, SlackUnavailable) as error:
                failures += 1
                wait = _BACKOFF.pause(failures)
                self._failed(error.code, str(error))
            self._presence.beat(connected=not self.problem())
            stop.wait(wait)

    def refuse_new(self) -> None:
        """First step of an orderly end."""
        if self._handler is not None:
            self._handler.refuse_new()

    def close(self) -> None:
        """Last step: close the socket and say so."""
        if self._handler is not None:
            self._handler.end()
        self._presence.leave()

    def _connect(self) -> None:
        handler = self._make_handler()
        handler.client.on_message_listeners.append(self._received)
        handler.client.on_error_listeners.append(lambda _: self._broken.set())
        try:
            handler.open()
        except SlackApiError as error:
            handler.end()
            raise SlackRefused("apps.connections.open", str(error.response.get("error", "unknown"))) from error
        except (SlackClientError, OSError, http.client.HTTPException) as error:
            handler.end()
            raise SlackUnavailable("apps.connections.open", f"{type(error).__name__}: {error}") from error
        self._handler = handler
        identity = self.identity
        self._presence.connected_as(identity)
        self._presence.clear()
        _LOG.info("connected to Slack", extra={"team": identity.team, "team_name": identity.team_name})

    def _received(self, message: str) -> None:
        """Every raw message of the socket; only the greeting matters here."""
        if '"hello"' not in message:
            return
        try:
            hello = json.loads(message)
        except ValueError:
            return
        if isinstance(hello, dict) and hello.get("type") == "hello":
            self._presence.greet(hello)

    def _failed(self, code: str, message: str) -> None:
        self._problem = message
        _LOG.error("no connection to Slack", extra={"code": code, "error": message})
        self._presence.failed(code, message)
