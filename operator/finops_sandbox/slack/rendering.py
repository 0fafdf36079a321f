"""Stored records as the JSON Slack sends: messages and views. Shared by methods, interaction payloads and webhooks."""

import copy

from finops_sandbox.slack.model import Json, Message, View
from finops_sandbox.slack.state import State


def message_json(state: State, message: Message, *, metadata: bool) -> Json:
    """Return a message object; `metadata` decides whether the app's own metadata is shown."""
    found: Json = {
        "user": message.user,
        "type": "message",
        "ts": message.ts,
        "text": message.text,
        "team": state.directory.users[message.user].team_id,
    }
    if message.bot_id:
        found |= {
            "bot_id": message.bot_id,
            "app_id": message.app_id,
            "bot_profile": {
                "id": message.bot_id,
                "app_id": message.app_id,
                "user_id": message.user,
                "name": state.directory.app.name,
                "deleted": False,
                "updated": 0,
                "team_id": state.directory.team.id,
            },
        }
    if message.blocks:
        found["blocks"] = copy.deepcopy(message.blocks)
    if message.edited_ts:
        found["edited"] = {"user": message.user, "ts": message.edited_ts}
    if metadata and message.metadata:
        found["metadata"] = copy.deepcopy(message.metadata)
    if message.reactions:
        found["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)} for name, users in message.reactions.items()
        ]
    if message.thread_ts:
        found["thread_ts"] = message.thread_ts
        parent = state.conversations.messages.get(message.channel, {}).get(message.thread_ts)
        if parent is not None:
            found["parent_user_id"] = parent.user
    replies = [] if message.ephemeral_for else state.conversations.replies(message)
    if replies:
        found |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": sorted({reply.user for reply in replies}),
            "reply_users_count": len({reply.user for reply in replies}),
            "latest_reply": replies[-1].ts,
        }
    return found


def view_json(state: State, view: View) -> Json:
    """Return a view object as Slack returns it from views methods and sends it in payloads."""
    body = view.body
    return {
        "id": view.id,
        "team_id": state.directory.team.id,
        "type": view.type,
        "blocks": copy.deepcopy(body.get("blocks", [])),
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "state": {"values": copy.deepcopy(view.state)},
        "hash": view.hash,
        "title": body.get("title", {"type": "plain_text", "text": "View Title", "emoji": True}),
        "clear_on_close": bool(body.get("clear_on_close", False)),
        "notify_on_close": bool(body.get("notify_on_close", False)),
        "close": body.get("close"),
        "submit": body.get("submit"),
        "previous_view_id": view.previous or None,
        "root_view_id": view.root,
        "app_id": state.directory.app.id,
        "external_id": body.get("external_id", ""),
        "app_installed_team_id": state.directory.team.id,
        "bot_id": state.directory.app.bot_id,
    }
