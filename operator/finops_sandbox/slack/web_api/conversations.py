"""Channels, their members and their history. The scope asked for follows the kind of channel, as in Slack."""

from finops_sandbox.slack.model import Channel, Json, Message
from finops_sandbox.slack.rendering import message_json
from finops_sandbox.slack.web_api.call import ApiError, Call, Method, page_of

SCOPE_PREFIX = {"public": "channels", "private": "groups", "im": "im"}
READ = tuple(f"{prefix}:read" for prefix in SCOPE_PREFIX.values())
HISTORY = tuple(f"{prefix}:history" for prefix in SCOPE_PREFIX.values())
TYPES = {"public_channel": "public", "private_channel": "private", "im": "im"}


def channel_json(call: Call, channel: Channel) -> Json:
    """Return a conversation object."""
    state = call.state
    found: Json = {
        "id": channel.id,
        "created": channel.created,
        "is_archived": channel.archived,
        "is_im": channel.kind == "im",
        "is_org_shared": False,
        "context_team_id": state.directory.team.id,
    }
    if channel.kind == "im":
        other = next(key for key in channel.members if key != call.bot_user)
        return found | {"user": other, "is_user_deleted": state.directory.users[other].deleted, "priority": 0}
    return found | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": channel.kind == "public",
        "is_group": channel.kind == "private",
        "is_mpim": False,
        "is_private": channel.kind == "private",
        "is_general": False,
        "is_shared": any(state.directory.users[key].is_stranger for key in channel.members),
        "is_ext_shared": any(state.directory.users[key].is_stranger for key in channel.members),
        "is_member": call.bot_user in channel.members,
        "creator": channel.members[0] if channel.members else "",
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def _readable(call: Call, right: str) -> Channel:
    channel = call.channel(call.text("channel"))
    call.require_scope(f"{SCOPE_PREFIX[channel.kind]}:{right}")
    return channel


def _info(call: Call) -> Json:
    found = channel_json(call, _readable(call, "read"))
    if not call.flag("include_num_members"):
        found.pop("num_members", None)
    return {"channel": found}


def _list(call: Call) -> Json:
    kinds = []
    for name in call.names("types") or ["public_channel"]:
        kind = TYPES.get(name)
        if kind is None and name != "mpim":
            raise ApiError("invalid_types")
        if kind is not None:
            call.require_scope(f"{SCOPE_PREFIX[kind]}:read")
            kinds.append(kind)
    hide_archived = call.flag("exclude_archived")
    channels = [
        channel
        for channel in call.state.conversations.channels.values()
        if channel.kind in kinds
        and not (hide_archived and channel.archived)
        and (channel.kind == "public" or call.bot_user in channel.members)
    ]
    page = page_of(call, channels, default=100)
    return {
        "channels": [channel_json(call, channel) for channel in page.items],
        "response_metadata": page.metadata,
    }


def _members(call: Call) -> Json:
    page = page_of(call, _readable(call, "read").members, default=100)
    return {"members": page.items, "response_metadata": page.metadata}


def _in_window(call: Call, messages: list[Message]) -> list[Message]:
    oldest, latest = call.text("oldest", "0"), call.text("latest", "9999999999.999999")
    inclusive = call.flag("inclusive")
    try:
        low, high = float(oldest), float(latest)
    except ValueError:
        raise ApiError("invalid_ts_oldest") from None
    kept = []
    for message in messages:
        at = float(message.ts)
        edge = message.ts in {oldest, latest}
        if (low < at < high) or (inclusive and edge):
            kept.append(message)
    return kept


def _history(call: Call) -> Json:
    channel = _readable(call, "history")
    if call.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    messages = [
        message
        for message in call.state.conversations.messages[channel.id].values()
        if not message.thread_ts or message.thread_ts == message.ts or message.broadcast
    ]
    page = page_of(call, _in_window(call, messages)[::-1], default=100, most=999)
    metadata = call.flag("include_all_metadata")
    return {
        "messages": [message_json(call.state, message, metadata=metadata) for message in page.items],
        "has_more": bool(page.next_cursor),
        "pin_count": 0,
        "response_metadata": page.metadata,
    }


def _replies(call: Call) -> Json:
    channel = _readable(call, "history")
    if call.bot_user not in channel.members:
        raise ApiError("not_in_channel")
    root = call.state.conversations.messages[channel.id].get(call.text("ts"))
    if root is None:
        raise ApiError("thread_not_found")
    root = call.state.conversations.messages[channel.id].get(root.thread_ts, root)
    messages = [root, *_in_window(call, call.state.conversations.replies(root))]
    page = page_of(call, messages, default=1000)
    metadata = call.flag("include_all_metadata")
    return {
        "messages": [message_json(call.state, message, metadata=metadata) for message in page.items],
        "has_more": bool(page.next_cursor),
        "response_metadata": page.metadata,
    }


def _open(call: Call) -> Json:
    users = call.names("users")
    if "channel" in call.args:
        return {"channel": channel_json(call, call.channel(call.text("channel")))}
    if len(users) != 1:
        raise ApiError("users_list_not_supplied" if not users else "too_many_users")
    user = call.user(users[0])
    if user.deleted:
        raise ApiError("user_disabled")
    if user.is_bot:
        raise ApiError("cannot_dm_bot")
    existing = set(call.state.conversations.channels)
    channel = call.state.conversations.open_dm(user.id)
    shown = channel_json(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": shown, "no_op": channel.id in existing, "already_open": channel.id in existing}


def _join(call: Call) -> Json:
    channel = call.channel(call.text("channel"))
    if channel.archived:
        raise ApiError("is_archived")
    if channel.kind != "public":
        raise ApiError("method_not_supported_for_channel_type")
    found: Json = {}
    if call.bot_user in channel.members:
        found = {"warning": "already_in_channel", "response_metadata": {"warnings": ["already_in_channel"]}}
    else:
        channel.members.append(call.bot_user)
        call.state.changes.touch()
    return {"channel": channel_json(call, channel), **found}


METHODS = (
    Method("conversations.info", "tier3", _info, READ),
    Method("conversations.list", "tier2", _list, READ),
    Method("conversations.members", "tier4", _members, READ),
    Method("conversations.history", "tier3", _history, HISTORY),
    Method("conversations.replies", "tier3", _replies, HISTORY),
    Method("conversations.open", "tier3", _open, ("im:write", "mpim:write", "channels:manage", "groups:write")),
    Method("conversations.join", "tier3", _join, ("channels:join",)),
)
