"""What a Slack workspace consists of. The state holds these records; the Web API and the page read them.

Accounts and messages are frozen: a change puts another record in their place. The others are changed where they stand;
all of it happens on one event loop.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """One account. The flags are those that an approver policy depends on."""

    id: str
    name: str
    real_name: str
    email: str
    team_id: str
    title: str = ""
    tz: str = "Etc/UTC"
    is_bot: bool = False
    is_admin: bool = False
    deleted: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    is_email_confirmed: bool = True


@dataclass(slots=True)
class Group:
    """A user group (subteam)."""

    id: str
    handle: str
    name: str
    members: list[str]
    enabled: bool = True


@dataclass(slots=True)
class Channel:
    """A public or private channel, or a direct message between two people."""

    id: str
    name: str
    kind: Literal["public", "private", "im"]
    members: list[str]
    topic: str = ""
    archived: bool = False
    created: int = 1_700_000_000


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message; `history` holds earlier versions (text and blocks), oldest first."""

    ts: str
    channel: str
    user: str
    text: str
    blocks: list[Json]
    bot_id: str = ""
    app_id: str = ""
    thread_ts: str = ""
    broadcast: bool = False
    metadata: Json | None = None
    edited_ts: str = ""
    ephemeral_for: str = ""
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    history: tuple[Json, ...] = ()


@dataclass(slots=True)
class Token:
    """A credential and what it may do. `kind` decides which methods accept it at all."""

    token: str
    kind: Literal["bot", "app"]
    scopes: list[str]
    revoked: bool = False


@dataclass(slots=True)
class App:
    """The one app installed in the workspace, and its bot user."""

    id: str
    name: str
    bot_id: str
    bot_user: str
    verification_token: str
    signing_secret: str
    commands: list[str]
    events: list[str]


@dataclass(slots=True)
class Team:
    """The workspace."""

    id: str
    name: str
    domain: str
    # User groups belong to paid plans: on a free one Slack answers plan_upgrade_required.
    paid: bool = True


@dataclass(slots=True)
class Trigger:
    """A trigger id: three seconds, one use."""

    id: str
    user: str
    created: float
    used: bool = False


@dataclass(slots=True)
class ResponseUrl:
    """A response URL: five uses in thirty minutes."""

    id: str
    url: str
    user: str
    channel: str
    created: float
    message_ts: str = ""
    thread_ts: str = ""
    uses: int = 0


@dataclass(slots=True)
class View:
    """A modal or an App Home; `root` and `previous` are the stack's links."""

    id: str
    user: str
    type: Literal["modal", "home"]
    body: Json
    hash: str
    root: str
    previous: str = ""
    state: dict[str, dict[str, Json]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class CallRecord:
    """One Web API call as it happened, for tests to read."""

    time: float
    method: str
    token: str
    args: Json
    http_status: int = 0
    response: Json = field(default_factory=dict)
    fault: str = ""
