"""The methods about the app itself: test calls, the socket's address, team and bot, reactions."""

from urllib.parse import urlsplit

from finops_sandbox.slack.model import Json
from finops_sandbox.slack.web_api.call import ApiError, Call, Method


def _api_test(call: Call) -> Json:
    if "error" in call.args:
        raise ApiError(call.text("error"), args=dict(call.args))
    return {"args": dict(call.args)}


def _auth_test(call: Call) -> Json:
    state = call.state
    return {
        "url": f"https://{state.directory.team.domain}.slack.com/",
        "team": state.directory.team.name,
        "team_id": state.directory.team.id,
        "user": state.directory.users[call.bot_user].name,
        "user_id": call.bot_user,
        "bot_id": state.directory.app.bot_id,
        "is_enterprise_install": False,
    }


def _connections_open(call: Call) -> Json:
    """Hand out a single-use address on the host the client itself used, so that it works through any route."""
    ticket = call.state.issuer.new_ticket()
    parts = urlsplit(call.base_url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return {"url": f"{scheme}://{parts.netloc}/link/?ticket={ticket}&app_id={call.state.directory.app.id}"}


def _team_info(call: Call) -> Json:
    team = call.state.directory.team
    return {
        "team": {
            "id": team.id,
            "name": team.name,
            "domain": team.domain,
            "url": f"https://{team.domain}.slack.com/",
            "email_domain": "example.com",
            "icon": {"image_default": True},
        }
    }


def _bots_info(call: Call) -> Json:
    app = call.state.directory.app
    if call.text("bot", app.bot_id) != app.bot_id:
        raise ApiError("bot_not_found")
    bot = {
        "id": app.bot_id,
        "deleted": False,
        "name": app.name,
        "updated": 0,
        "app_id": app.id,
        "user_id": app.bot_user,
    }
    return {"bot": bot}


def _reactions_add(call: Call) -> Json:
    channel = call.channel(call.text("channel"))
    message = call.state.conversations.messages[channel.id].get(call.text("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    name = call.text("name")
    if call.bot_user in message.reactions.get(name, ()):
        raise ApiError("already_reacted")
    call.state.conversations.react(message, name, call.bot_user)
    return {}


METHODS = (
    Method("api.test", "tier4", _api_test, token="none"),
    Method("auth.test", "special", _auth_test),
    Method("apps.connections.open", "tier3", _connections_open, ("connections:write",), token="app"),
    Method("team.info", "tier3", _team_info, ("team:read",)),
    Method("bots.info", "tier3", _bots_info, ("users:read",)),
    Method("reactions.add", "tier3", _reactions_add, ("reactions:write",)),
)
