"""Members of the Slack user groups that policies name: asked for by the operator, read by the bot.

The operator has no Slack token. Before it acts it reads here whether a voter is still in the group that gave the right,
and asks the bot for a fresh reading where the list is too old; the act waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from finops.store.connection import Store, store_errors


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """A user group as Slack listed it at `read_at`; `error` is Slack's word when the last attempt failed."""

    members: frozenset[str]
    read_at: datetime | None
    error: str = ""


class SlackGroups:
    """User groups on one store. Every method raises StoreUnavailable."""

    def __init__(self, store: Store) -> None:
        self._client = store.client
        self._keys = store.keys

    def want(self, groups: Iterable[str]) -> None:
        """Operator: replace the set of user group ids that policies name."""
        wanted = sorted(set(groups))
        key = self._keys.slack("groups", "wanted")
        unwanted = self.asked().keys() - wanted
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            if wanted:
                pipe.sadd(key, *wanted)
            if unwanted:
                pipe.hdel(self._keys.slack("groups", "asked"), *unwanted)
            pipe.execute()

    def wanted(self) -> frozenset[str]:
        """Bot: return the user group ids to read."""
        with store_errors():
            found: Any = self._client.smembers(self._keys.slack("groups", "wanted"))
        return frozenset(found)

    def ask(self, group: str, at: datetime) -> None:
        """Operator: ask the bot to read a group again, unless it was read after `at`."""
        with store_errors():
            self._client.hset(self._keys.slack("groups", "asked"), group, at.isoformat())

    def asked(self) -> Mapping[str, datetime]:
        """Bot: return when the operator last asked for a reading, by group."""
        with store_errors():
            found: Any = self._client.hgetall(self._keys.slack("groups", "asked"))
        return {group: datetime.fromisoformat(at) for group, at in found.items()}

    def put(self, group: str, members: Iterable[str], read_at: datetime) -> None:
        """Bot: keep the members of a group as just read."""
        key = self._keys.slack("group", group)
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"members": json.dumps(sorted(members)), "readAt": read_at.isoformat()})
            pipe.hdel(key, "error")
            pipe.execute()

    def put_error(self, group: str, error: str) -> None:
        """Bot: keep why a group could not be read; what was read before stays with its time."""
        with store_errors():
            self._client.hset(self._keys.slack("group", group), "error", error)

    def read(self, group: str) -> GroupMembers:
        """Return what is known about a group; no members and no time when it was never read."""
        with store_errors():
            found: Any = self._client.hgetall(self._keys.slack("group", group))
        read_at = found.get("readAt")
        return GroupMembers(
            members=frozenset(json.loads(found.get("members", "[]"))),
            read_at=datetime.fromisoformat(read_at) if read_at else None,
            error=str(found.get("error", "")),
        )

    def fresh(
        self, groups: Iterable[str], now: datetime, maximum_age: timedelta
    ) -> Mapping[str, frozenset[str]] | None:
        """Operator: return the members of `groups`, or None when any list is missing or older than `maximum_age`."""
        found: dict[str, frozenset[str]] = {}
        for group in groups:
            known = self.read(group)
            if known.read_at is None or now - known.read_at > maximum_age:
                return None
            found[group] = known.members
        return found
