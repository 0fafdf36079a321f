"""Posting, changing and deleting messages, with the errors Slack gives for each."""

import re
from typing import Any

from finops_sandbox.slack.blocks import MESSAGE_CHARACTERS_MAX, check_message, message_characters, stored
from finops_sandbox.slack.model import Channel, Json, Message
from finops_sandbox.slack.rendering import message_json
from finops_sandbox.slack.text import escape
from finops_sandbox.slack.web_api.call import ApiError, Call, Method

# A post is cut at 40,000 characters, an update is refused above 4,000.
POST_TEXT_MAX = 40_000
UPDATE_TEXT_MAX = 4_000
_TS = re.compile(r"\d{10}\.\d{6}")


def checked_blocks(raw: Any, *, update: bool = False) -> list[Json]:
    """Return blocks that passed Slack's limits. Raises `invalid_blocks` or `msg_blocks_too_long`."""
    if raw is None or raw == []:
        return []
    problems = check_message(raw, update=update)
    if problems:
        raise ApiError(
            "invalid_blocks",
            errors=[problem.removeprefix("[ERROR] ") for problem in problems],
            response_metadata={"messages": problems},
        )
    blocks: list[Json] = raw
    if message_characters(blocks) > MESSAGE_CHARACTERS_MAX:
        raise ApiError("msg_blocks_too_long")
    return blocks


def _metadata(call: Call) -> Json | None:
    """Return the metadata argument: None if absent, {} if it is to be removed."""
    raw = call.structure("metadata")
    if raw is None or raw == {}:
        return None if raw is None else {}
    if not isinstance(raw, dict) or not isinstance(raw.get("event_type"), str):
        raise ApiError("invalid_metadata_format")
    if not isinstance(raw.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    return {"event_type": raw["event_type"], "event_payload": raw["event_payload"]}


def _target(call: Call, reference: str) -> Channel:
    """Return where to post. A user id means the direct message with that user."""
    state = call.state
    if reference in state.directory.users:
        if state.directory.users[reference].is_bot:
            raise ApiError("channel_not_found")
        return state.conversations.open_dm(reference)
    channel = call.channel(reference)
    if channel.archived:
        raise ApiError("is_archived")
    if call.bot_user not in channel.members and "chat:write.public" not in call.token.scopes:
        raise ApiError("not_in_channel")
    return channel


def _content(call: Call, *, limit: int | None) -> tuple[str, list[Json]]:
    blocks = checked_blocks(call.structure("blocks"), update=limit is not None)
    text = call.text("text", "")
    if not text and not blocks:
        raise ApiError("no_text")
    text = escape(text)
    if limit is not None and len(text) > limit:
        raise ApiError("msg_too_long")
    return text[:POST_TEXT_MAX], stored(blocks, call.state.issuer.random)


def _post(call: Call) -> Json:
    channel = _target(call, call.text("channel"))
    text, blocks = _content(call, limit=None)
    thread_ts = _thread(call, channel)
    message = Message(
        ts=call.state.issuer.next_ts(),
        channel=channel.id,
        user=call.bot_user,
        text=text,
        blocks=blocks,
        bot_id=call.state.directory.app.bot_id,
        app_id=call.state.directory.app.id,
        thread_ts=thread_ts,
        broadcast=call.flag("reply_broadcast"),
        metadata=_metadata(call) or None,
    )
    call.state.conversations.add(message)
    call.state.limiter.posted(channel.id)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(call.state, message, metadata=True)}


def _thread(call: Call, channel: Channel) -> str:
    thread_ts = call.text("thread_ts", "")
    if not thread_ts:
        return ""
    if not _TS.fullmatch(thread_ts):
        raise ApiError("invalid_thread_ts")
    parent = call.state.conversations.messages[channel.id].get(thread_ts)
    if parent is None:
        raise ApiError("thread_not_found")
    # A reply to a reply belongs to the same thread.
    return parent.thread_ts or parent.ts


def _post_ephemeral(call: Call) -> Json:
    channel = _target(call, call.text("channel"))
    user = call.text("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    text, blocks = _content(call, limit=None)
    message = Message(
        ts=call.state.issuer.next_ts(),
        channel=channel.id,
        user=call.bot_user,
        text=text,
        blocks=blocks,
        bot_id=call.state.directory.app.bot_id,
        app_id=call.state.directory.app.id,
        thread_ts=call.text("thread_ts", ""),
        ephemeral_for=user,
    )
    call.state.conversations.add(message)
    return {"message_ts": message.ts}


def _own_message(call: Call, refusal: str) -> Message:
    channel = call.channel(call.text("channel"))
    # Ephemeral messages are not kept by Slack: no method finds them again.
    message = call.state.conversations.messages[channel.id].get(call.text("ts"))
    if message is None:
        raise ApiError("message_not_found")
    if message.user != call.bot_user:
        raise ApiError(refusal)
    if channel.archived:
        raise ApiError("is_archived")
    return message


def _update(call: Call) -> Json:
    message = _own_message(call, "cant_update_message")
    text, blocks = _content(call, limit=UPDATE_TEXT_MAX)
    if not text and "text" not in call.args:
        text = message.text
    # Sending text without blocks takes the blocks away, as Slack does.
    message = call.state.conversations.edit(message, text=text, blocks=blocks, metadata=_metadata(call))
    shown = message_json(call.state, message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


def _delete(call: Call) -> Json:
    message = _own_message(call, "cant_delete_message")
    call.state.conversations.remove(message)
    return {"channel": message.channel, "ts": message.ts}


def _permalink(call: Call) -> Json:
    channel = call.channel(call.text("channel"))
    message = call.state.conversations.messages[channel.id].get(call.text("message_ts"))
    if message is None:
        raise ApiError("message_not_found")
    # The real one points at slack.com; this one opens the message on the double's own page.
    link = f"{call.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = (
    Method("chat.postMessage", "special", _post, ("chat:write",)),
    Method("chat.postEphemeral", "tier4", _post_ephemeral, ("chat:write",)),
    Method("chat.update", "tier3", _update, ("chat:write",)),
    Method("chat.delete", "tier3", _delete, ("chat:write",)),
    Method("chat.getPermalink", "special", _permalink),
)
