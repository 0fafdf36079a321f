"""Members of the Slack user groups that policies name: asked for by the operator, read by the bot.

The operator has no Slack token. Before it acts it reads here whether a voter is still in the group that gave the right,
and asks the bot for a fresh reading where the list is too old; the act waits for it. The bot signs each list with a key
that the operator shares and the store does not have (HMAC-SHA256 over group, members and time), so that whoever owns
the store can hide a list but neither make one, change one, nor show an old one as new.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from finops.store.connection import Store, store_errors

_PURPOSE: Final = b"finops.dev members of a Slack user group v1\n"
"""Begins every signed text, so that the key signs nothing else by accident."""


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """A user group as Slack listed it at `read_at`; `error` is Slack's word when the last attempt failed.

    Without the bot's signature there are no members and no time, and `forged` is set.
    """

    members: frozenset[str]
    read_at: datetime | None
    error: str = ""
    forged: bool = False


class SlackGroups:
    """User groups on one store. Every method raises StoreUnavailable.

    Args of the constructor:
        key: of the bot and the operator; without one every list is as good as forged.
    """

    def __init__(self, store: Store, key: str = "") -> None:
        self._client = store.client
        self._keys = store.keys
        self._key = key.encode()

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
        return {group: when for group, at in found.items() if (when := _aware(str(at))) is not None}

    def put(self, group: str, members: Iterable[str], read_at: datetime) -> None:
        """Bot: keep the members of a group as just read."""
        key, found, at = self._keys.slack("group", group), json.dumps(sorted(members)), read_at.isoformat()
        signature = self._signature(group, found, at)
        with store_errors(), self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, mapping={"members": found, "readAt": at, "signature": signature})
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
        members, read_at = str(found.get("members", "")), str(found.get("readAt", ""))
        error = str(found.get("error", ""))
        if not read_at:
            return GroupMembers(frozenset(), None, error)
        # Nothing of it is even parsed before it is known to be the bot's.
        signature = str(found.get("signature", ""))
        if not self._key or not hmac.compare_digest(
            signature.encode(), self._signature(group, members, read_at).encode()
        ):
            return GroupMembers(frozenset(), None, error, forged=True)
        return GroupMembers(frozenset(json.loads(members)), datetime.fromisoformat(read_at), error)

    def _signature(self, group: str, members: str, read_at: str) -> str:
        text = json.dumps([group, members, read_at]).encode()
        return hmac.new(self._key, _PURPOSE + text, hashlib.sha256).hexdigest()

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


def _aware(text: str) -> datetime | None:
    """Return an instant with its zone; None for what is none, whoever wrote it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
