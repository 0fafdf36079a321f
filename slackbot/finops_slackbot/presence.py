"""What the store says about this replica: alive, connected, as whom, and whether somebody else sits on our Slack app.

Written by the connection's thread, read by the operator and by the other replicas. A store that does not answer is
written to at the next beat.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from finops.errors import StoreUnavailable
from finops.ports.clock import Clock
from finops.store.slack_clicks import Clicks
from finops.store.slack_status import SlackProblem, SlackStatus
from finops_slackbot.metrics import Metrics
from finops_slackbot.outbox.projection import now_ms
from finops_slackbot.slack_calls import Identity
from finops_slackbot.verdicts import UNRESPONSIVE_AFTER_MS

_REMEMBERED_MS: Final = 10 * UNRESPONSIVE_AFTER_MS
"""Slack may count the connection of a bot that was killed for a while."""
_LOG: Final = logging.getLogger(__name__)


class Presence:
    """One replica of the bot, as the store shows it."""

    def __init__(
        self,
        *,
        status: SlackStatus,
        clicks: Clicks,
        clock: Clock,
        metrics: Metrics,
        instance: str,
        release: str,
        store_user: str,
    ) -> None:
        self._status = status
        self._clicks = clicks
        self._clock = clock
        self._metrics = metrics
        self._instance = instance
        self._release = release
        self._store_user = store_user
        self._hello: dict[str, Any] = {}
        self._sessions = 0

    @property
    def greeted(self) -> bool:
        """Whether Slack has greeted this process on its socket."""
        return bool(self._hello)

    def greet(self, hello: dict[str, Any]) -> None:
        """Take in the greeting of a new session."""
        self._hello = hello
        self._sessions += 1
        self._metrics.connections.inc()
        app = str((hello.get("connection_info") or {}).get("app_id", ""))
        self._write(lambda: self._status.put({"app": app}))

    def connected_as(self, identity: Identity) -> None:
        """Write whose token it is."""
        self._write(
            lambda: self._status.put(
                {"team": identity.team, "teamName": identity.team_name, "botUser": identity.bot_user}
            )
        )

    def clear(self) -> None:
        """Drop the last problem: Slack has answered since."""
        self._write(self._status.clear)

    def failed(self, code: str, message: str) -> None:
        """Write why there is no connection."""
        problem = SlackProblem(code, self._clock.now(), message)
        self._write(lambda: self._status.fail(problem))

    def leave(self) -> None:
        """Write that this replica ends."""
        self._write(lambda: self._clicks.leave(self._instance))
        self._write(lambda: self._status.put({"connected": "false", "seenAt": self._clock.now().isoformat()}))

    def beat(self, *, connected: bool) -> None:
        """Say that we live and how things stand; warn when somebody else uses our app."""
        now = now_ms(self._clock)
        self._metrics.connected.set(1 if connected else 0)

        def write() -> None:
            self._clicks.heartbeat(self._instance, now, forget_ms=_REMEMBERED_MS)
            holder = self._status.lease(self._release)
            replicas = len(self._clicks.alive(now, _REMEMBERED_MS))
            warning = self._warning(holder, replicas)
            self._status.put(
                {
                    "connected": "true" if connected else "false",
                    "seenAt": self._clock.now().isoformat(),
                    "warning": warning,
                    "storeUser": self._store_user,
                }
            )

        self._write(write)

    def _warning(self, holder: str, replicas: int) -> str:
        if holder != self._release:
            return f"release {holder} uses the same store and Slack app: clicks may land there. Give each its own app."
        connections = self._hello.get("num_connections")
        # A session that is being renewed counts twice; the first one of a process renews nothing.
        expected = replicas if self._sessions == 1 else 2 * replicas
        if isinstance(connections, int) and connections > expected:
            return (
                f"Slack counts {connections} connections of this app, but only {replicas} bots are known here: another "
                "installation may take clicks away. Give each its own Slack app."
            )
        return ""

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except StoreUnavailable as error:
            _LOG.warning("status not written", extra={"error": str(error)})
