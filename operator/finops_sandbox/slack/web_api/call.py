"""What every Web API method gets and may raise, and how a method is described.

Used by the families of methods and by the dispatcher.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from finops_sandbox.slack.model import Channel, Json, Token, User
from finops_sandbox.slack.state import State


class ApiError(Exception):
    """An answer `{"ok": false, "error": code, ...}`."""

    def __init__(self, code: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the state, the token it came with, its arguments, and the address the client used."""

    state: State
    token: Token
    args: Json
    base_url: str

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string argument. Raises `invalid_arguments` when it is missing and has no default."""
        value = self.args.get(name)
        if value is None or value == "":
            if default is None:
                raise missing(name)
            return default
        return value if isinstance(value, str) else str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a boolean argument; forms send 1, 0, true or false."""
        value = self.args.get(name, default)
        return value if isinstance(value, bool) else str(value).lower() in {"1", "true", "t"}

    def number(self, name: str, default: int) -> int:
        """Return a whole number. Raises `invalid_arguments` for anything else."""
        try:
            return int(self.args.get(name, default))
        except (TypeError, ValueError):
            raise ApiError(
                "invalid_arguments", response_metadata={"messages": [f"[ERROR] not a number: {name}"]}
            ) from None

    def structure(self, name: str) -> Any:
        """Return an argument that is JSON: an object or list as it is, or a string to parse; None if absent."""
        value = self.args.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except json.JSONDecodeError:
            raise ApiError(f"invalid_{name}") from None

    def names(self, name: str) -> list[str]:
        """Return a comma-separated argument as a list."""
        value = self.args.get(name) or ""
        return list(value) if isinstance(value, list) else [part.strip() for part in str(value).split(",") if part]

    @property
    def bot_user(self) -> str:
        """The user the token acts as."""
        return self.state.directory.app.bot_user

    def user(self, user_id: str) -> User:
        """Return a user. Raises `user_not_found`."""
        found = self.state.directory.users.get(user_id)
        if found is None:
            raise ApiError("user_not_found")
        return found

    def channel(self, reference: str) -> Channel:
        """Return a channel the bot can know of. A private one it is not in does not exist for it."""
        channel = self.state.conversations.find_channel(reference)
        if channel is None or (channel.kind != "public" and self.bot_user not in channel.members):
            raise ApiError("channel_not_found")
        return channel

    def require_scope(self, *wanted: str) -> None:
        """Raise `missing_scope` unless the token has one of these."""
        if wanted and not set(wanted) & set(self.token.scopes):
            raise missing_scope(wanted, self.token)


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: any one of `scopes` opens it; `token` says which kind of credential it takes."""

    name: str
    tier: Literal["tier1", "tier2", "tier3", "tier4", "special"]
    handler: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app", "none"] = "bot"


@dataclass(slots=True)
class Page:
    """One page of a listing."""

    items: list[Any]
    next_cursor: str
    metadata: Json = field(init=False)

    def __post_init__(self) -> None:
        self.metadata = {"next_cursor": self.next_cursor}


def page_of(call: Call, items: Sequence[Any], *, default: int, most: int = 1000) -> Page:
    """Cut one page out of a listing by the arguments `limit` and `cursor`. Raises `invalid_cursor`, `invalid_limit`."""
    limit = call.number("limit", default) or default
    if not 1 <= limit <= most:
        raise ApiError("invalid_limit")
    cursor = call.text("cursor", "")
    start = 0
    if cursor:
        if not cursor.startswith("page:") or not cursor[5:].isdigit():
            raise ApiError("invalid_cursor")
        start = int(cursor[5:])
    end = start + limit
    return Page(list(items[start:end]), f"page:{end}" if end < len(items) else "")


def missing(name: str) -> ApiError:
    """Return Slack's answer to a missing argument."""
    return ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})


def missing_scope(wanted: Sequence[str], token: Token) -> ApiError:
    """Return Slack's answer to a token without the right."""
    return ApiError("missing_scope", needed=",".join(wanted), provided=",".join(token.scopes))
