"""The control API `/_fake/...`: tests and the demo act as people, as time, as Slack's failures, and read the state.

Reads are GET, acts are POST with a JSON object; a refusal is HTTP 409 `{"ok": false, "error", "detail"}`, a request
that makes no sense HTTP 400. JSON only: a web page elsewhere cannot post that here without asking first.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from finops_sandbox.slack.faults import Fault
from finops_sandbox.slack.limits import POST_BURST
from finops_sandbox.slack.model import Json, Message
from finops_sandbox.slack.people_acts import People, RefusedError
from finops_sandbox.slack.rendering import view_json
from finops_sandbox.slack.socket_mode import SocketHub
from finops_sandbox.slack.state import State

Act = Callable[[Json], Awaitable[Json]]


class Control:
    """Serves the control API over one state."""

    def __init__(self, state: State, hub: SocketHub, people: People) -> None:
        self._state = state
        self._hub = hub
        self._people = people
        self._acts: dict[str, Act] = {
            "click": lambda body: people.click(**body),
            "view_action": lambda body: people.view_action(**body),
            "submit_view": lambda body: people.submit_view(**body),
            "close_view": lambda body: people.close_view(**body),
            "slash": lambda body: people.slash(**body),
            "open_home": lambda body: people.open_home(**body),
            "event": lambda body: people.event(**body),
            "say": self._say,
            "change_group": self._change_group,
            "deactivate_user": self._deactivate_user,
            "change_channel": self._change_channel,
            "revoke_token": self._revoke_token,
            "set_scopes": self._set_scopes,
            "advance_clock": self._advance_clock,
            "fault": self._fault,
            "clear_faults": self._clear_faults,
            "limits": self._limits,
            "socket": self._socket,
            "duplicate": self._duplicate,
            "reset": self._reset,
        }
        self._reads: dict[str, Callable[[dict[str, str]], Any]] = {
            "health": self._health,
            "dump": lambda _query: state.dump() | {"socket": hub.as_json()},
            "calls": self._calls,
            "failures": lambda _query: state.failures,
            "rates": lambda _query: state.limiter.rates(),
            "envelopes": lambda _query: hub.as_json(),
            "views": lambda query: [view_json(state, view) for view in state.stack(query.get("user", ""))],
            "home": self._home,
            "messages": self._messages,
            "ephemerals": self._ephemerals,
        }

    async def act(self, request: web.Request) -> web.Response:
        """POST /_fake/{name}."""
        act = self._acts.get(request.match_info["name"])
        if act is None:
            return _answer({"ok": False, "error": "unknown_act"}, 404)
        if request.content_type != "application/json":
            return _answer({"ok": False, "error": "json_only"}, 415)
        try:
            body = json.loads(await request.text() or "{}")
            result = await act(body)
        except RefusedError as refusal:
            return _answer({"ok": False, "error": refusal.code, "detail": refusal.detail}, 409)
        except (TypeError, ValueError, KeyError) as error:
            return _answer({"ok": False, "error": "bad_request", "detail": f"{type(error).__name__}: {error}"}, 400)
        return _answer({"ok": True, **result}, 200)

    async def read(self, request: web.Request) -> web.Response:
        """GET /_fake/{name}."""
        read = self._reads.get(request.match_info["name"])
        if read is None:
            return _answer({"ok": False, "error": "unknown_read"}, 404)
        return _answer(read(dict(request.query)), 200)

    async def _say(self, body: Json) -> Json:
        return self._people.say(**body)

    async def _change_group(self, body: Json) -> Json:
        group = self._state.groups[body["group"]]
        for user in body.get("add", []):
            if self._state.users[user].id not in group.members:
                group.members.append(user)
        group.members = [user for user in group.members if user not in body.get("remove", [])]
        self._state.touch()
        event = {
            "type": "subteam_members_changed",
            "subteam_id": group.id,
            "team_id": self._state.team.id,
            "added_users": body.get("add", []),
            "removed_users": body.get("remove", []),
        }
        return {"members": group.members, "event": await self._emit(event)}

    async def _deactivate_user(self, body: Json) -> Json:
        user = self._state.users[body["user"]]
        user.deleted = bool(body.get("deleted", True))
        self._state.touch()
        event = {"type": "user_change", "user": {"id": user.id, "deleted": user.deleted, "team_id": user.team_id}}
        return {"deleted": user.deleted, "event": await self._emit(event)}

    async def _emit(self, event: Json) -> Json:
        """Send an event if the app is there; what changed stays changed either way."""
        return await self._people.event(event) if self._hub.connections else {"sent": False}

    async def _change_channel(self, body: Json) -> Json:
        channel = self._state.channels[body["channel"]]
        if body.get("archived") is not None:
            channel.archived = bool(body["archived"])
        channel.members += [self._state.users[u].id for u in body.get("add", []) if u not in channel.members]
        channel.members = [user for user in channel.members if user not in body.get("remove", [])]
        self._state.touch()
        return {"channel": asdict(channel)}

    async def _revoke_token(self, body: Json) -> Json:
        token = self._state.tokens[body["token"]]
        token.revoked = bool(body.get("revoked", True))
        return {"revoked": token.revoked}

    async def _set_scopes(self, body: Json) -> Json:
        token = self._state.tokens[body["token"]]
        token.scopes = list(body["scopes"])
        return {"scopes": token.scopes}

    async def _advance_clock(self, body: Json) -> Json:
        self._state.clock.advance(float(body["seconds"]))
        return {"now": self._state.clock.now()}

    async def _fault(self, body: Json) -> Json:
        self._state.faults.add(Fault(**body))
        return {"faults": self._state.faults.as_json()}

    async def _clear_faults(self, _body: Json) -> Json:
        self._state.faults.clear()
        return {}

    async def _limits(self, body: Json) -> Json:
        mode = body["mode"]
        if mode != "off" and mode not in POST_BURST:
            raise ValueError(f"mode is off, normal or strict, not {mode}")
        self._state.limiter.mode = mode
        return {"mode": mode}

    async def _socket(self, body: Json) -> Json:
        touched = await self._hub.disturb(
            body["kind"],
            reason=body.get("reason", "refresh_requested"),
            connection_id=body.get("connection", ""),
            n=int(body.get("n", 1)),
        )
        return {"touched": touched}

    async def _duplicate(self, body: Json) -> Json:
        which = body.get("connection", "any")
        envelope = await self._hub.redeliver(body.get("envelope", ""), which, int(body.get("retry_attempt", 1)))
        if envelope is None:
            raise RefusedError("nothing_to_deliver")
        return {"envelope_id": envelope.id, "deliveries": envelope.deliveries, "acks": envelope.acks}

    async def _reset(self, _body: Json) -> Json:
        self._state.reset()
        self._hub.reset()
        return {}

    def _health(self, _query: dict[str, str]) -> Json:
        return {"ok": True, "connections": len(self._hub.connections), "failures": len(self._state.failures)}

    def _calls(self, query: dict[str, str]) -> list[Json]:
        wanted = query.get("method", "")
        return [asdict(call) for call in self._state.calls if wanted in {"", call.method}]

    def _home(self, query: dict[str, str]) -> Json | None:
        view_id = self._state.homes.get(query.get("user", ""))
        return view_json(self._state, self._state.views[view_id]) if view_id else None

    def _messages(self, query: dict[str, str]) -> list[Json]:
        found: list[Message] = list(self._state.messages.get(query.get("channel", ""), {}).values())
        thread = query.get("thread", "")
        return [asdict(m) for m in found if not thread or thread in {m.thread_ts, m.ts}]

    def _ephemerals(self, query: dict[str, str]) -> list[Json]:
        user, channel = query.get("user", ""), query.get("channel", "")
        return [
            asdict(m) for m in self._state.ephemerals if user in {"", m.ephemeral_for} and channel in {"", m.channel}
        ]


def _answer(body: Any, status: int) -> web.Response:
    return web.json_response(body, status=status)
