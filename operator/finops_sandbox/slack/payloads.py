"""The payloads Slack sends when people act, in Slack's own shapes. Built here only, used by `people_acts`.

Shapes: docs.slack.dev/reference/interaction-payloads and the slash command and Events API pages.
"""

from finops_sandbox.slack.model import Json, Message, User, View
from finops_sandbox.slack.rendering import message_json, view_json
from finops_sandbox.slack.state import State


def action_of(state: State, block: Json, element: Json, chosen: Json) -> Json:
    """Return one entry of `actions`; `chosen` carries what a select or input was set to."""
    action: Json = {"type": element["type"], "block_id": block["block_id"], "action_id": element["action_id"]}
    if element["type"] == "button":
        action |= {key: element[key] for key in ("text", "value", "style", "url") if key in element}
    else:
        action |= {key: element[key] for key in ("placeholder", "initial_option", "initial_options") if key in element}
    if "confirm" in element:
        action["confirm"] = element["confirm"]
    return action | chosen | {"action_ts": state.issuer.next_ts()}


def message_action(state: State, user: User, message: Message, shown: Json, action: Json) -> Json:
    """Return block_actions of a message. `shown` is the content the person saw (an older one for a stale click)."""
    channel = state.conversations.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": bool(message.ephemeral_for),
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    payload = _interaction(state, "block_actions", user) | {
        "container": container,
        "trigger_id": state.issuer.new_trigger(user.id),
        "channel": {"id": channel.id, "name": channel.name or "directmessage"},
        "state": {"values": {}},
        "response_url": state.issuer.new_response_url(user.id, message.channel, message.ts, message.thread_ts),
        "actions": [action],
    }
    if not message.ephemeral_for:
        # Slack does not keep ephemeral messages and leaves them out of the payload.
        payload["message"] = message_json(state, message, metadata=True) | shown
    return payload


def view_action(state: State, user: User, view: View, action: Json) -> Json:
    """Return block_actions of an element in a modal or on the App Home."""
    return _interaction(state, "block_actions", user) | {
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": state.issuer.new_trigger(user.id),
        "view": view_json(state, view),
        "actions": [action],
    }


def view_submission(state: State, user: User, view: View) -> Json:
    """Return what the Submit button of a modal sends."""
    return _interaction(state, "view_submission", user) | {
        "trigger_id": state.issuer.new_trigger(user.id),
        "view": view_json(state, view),
        "response_urls": [],
    }


def view_closed(state: State, user: User, view: View, *, cleared: bool) -> Json:
    """Return what closing a modal sends when it asked for notice."""
    return _interaction(state, "view_closed", user) | {"view": view_json(state, view), "is_cleared": cleared}


def slash_command(state: State, user: User, channel_id: str, command: str, text: str) -> Json:
    """Return the flat payload of a slash command."""
    channel = state.conversations.channels[channel_id]
    return {
        "token": state.directory.app.verification_token,
        "team_id": state.directory.team.id,
        "team_domain": state.directory.team.domain,
        "channel_id": channel.id,
        "channel_name": channel.name or "directmessage",
        "user_id": user.id,
        "user_name": user.name,
        "command": command,
        "text": text,
        "api_app_id": state.directory.app.id,
        "is_enterprise_install": "false",
        "response_url": state.issuer.new_response_url(user.id, channel.id),
        "trigger_id": state.issuer.new_trigger(user.id),
    }


def event_callback(state: State, event: Json) -> Json:
    """Return the outer envelope of an Events API event."""
    return {
        "token": state.directory.app.verification_token,
        "team_id": state.directory.team.id,
        "api_app_id": state.directory.app.id,
        "event": event,
        "type": "event_callback",
        "event_id": state.issuer.new_id("Ev"),
        "event_time": int(state.clock.now()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": state.directory.team.id,
                "user_id": state.directory.app.bot_user,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }


def _interaction(state: State, kind: str, user: User) -> Json:
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team_id},
        "api_app_id": state.directory.app.id,
        "token": state.directory.app.verification_token,
        "team": {"id": state.directory.team.id, "domain": state.directory.team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }
