"""What the bot reports about itself: connected or not, to which workspace, and what is wrong.

Written by every replica of the bot, read by the operator for conditions and by `finops doctor`. Fields: `connected`,
`team`, `teamName`, `app`, `botUser`, `seenAt`, `storeUser` (as whom it came to the store), `warning`, `error` (about
all of Slack) and `error:CHANNEL` (about one channel), each error as `code|instant|sentence`. The operator adds
`sharedUser` where that is its own user at the store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from finops.store.connection import Store, store_errors

_LEASE_SECONDS: Final = 60
_CHANNEL: Final = "error:"


@dataclass(frozen=True, slots=True)
class SlackProblem:
    """Why something does not reach Slack, and since when it is known."""

    code: str
    at: datetime
    message: str


class SlackStatus:
    """The bot's status on one store. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._keys = store.keys

    @property
    def _key(self) -> str:
        return self._keys.slack("status")

    def put(self, fields: Mapping[str, str]) -> None:
        """Set plain fields."""
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            for name, value in fields.items():
                pipe.hset(self._key, name, value)
            pipe.execute()

    def fail(self, problem: SlackProblem, channel: str = "") -> None:
        """Record an error about one channel, or about Slack as a whole."""
        text = f"{problem.code}|{problem.at.isoformat()}|{problem.message}"
        with store_errors():
            self._client.hset(self._key, _field(channel), text)

    def clear(self, channel: str = "") -> None:
        """The error is over."""
        with store_errors():
            self._client.hdel(self._key, _field(channel))

    def read(self) -> tuple[Mapping[str, str], Mapping[str, SlackProblem]]:
        """Return the plain fields, and the errors by channel id (empty id: all of Slack)."""
        with store_errors():
            found: Any = self._client.hgetall(self._key)
        problems: dict[str, SlackProblem] = {}
        for name in [name for name in found if name == "error" or name.startswith(_CHANNEL)]:
            code, at, message = found.pop(name).split("|", 2)
            problems[name.removeprefix("error").removeprefix(":")] = SlackProblem(
                code, datetime.fromisoformat(at), message
            )
        return found, problems

    def put_frozen(self, reason: str) -> None:
        """Operator: say why all acts are frozen, empty when they are not."""
        key = self._keys.slack("frozen")
        with store_errors():
            if reason:
                self._client.set(key, reason)
            else:
                self._client.delete(key)

    def frozen(self) -> str:
        """Bot: return why all acts are frozen, as the operator said last; empty when they are not."""
        with store_errors():
            return str(self._client.get(self._keys.slack("frozen")) or "")

    def lease(self, holder: str) -> str:
        """Keep the Slack app for one release for a minute. Returns who holds it: `holder`, or somebody else."""
        key = self._keys.slack("lease")
        with store_errors():
            if self._client.set(key, holder, nx=True, ex=_LEASE_SECONDS):
                return holder
            found = self._client.get(key)
            if found == holder:
                self._client.expire(key, _LEASE_SECONDS)
        return str(found or "")


def _field(channel: str) -> str:
    return f"{_CHANNEL}{channel}" if channel else "error"
