"""The control API `/_fake/...`: tests and the demo act as people, as time, as Slack's failures, and read the inside.

Reads are GET with a query, acts are POST with a JSON object; a refusal is HTTP 409 `{"ok": false, "error", "detail"}`,
a request that makes no sense HTTP 400. JSON only: a web page elsewhere cannot post that here without asking first.
"""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from finops_sandbox.slack.conditions import Conditions
from finops_sandbox.slack.model import Json
from finops_sandbox.slack.observation import Observation
from finops_sandbox.slack.people_acts import People
from finops_sandbox.slack.screen import RefusedError
from finops_sandbox.slack.socket_mode import SocketHub
from finops_sandbox.slack.state import State
from finops_sandbox.slack.workspace_changes import WorkspaceChanges

Act = Callable[..., Awaitable[Json]]
Read = Callable[..., Any]


class ControlApi:
    """Serves the acts and reads of one state over HTTP. The fields of a request are the keyword arguments."""

    def __init__(self, state: State, hub: SocketHub, people: People) -> None:
        self._acts = acts_of(people, WorkspaceChanges(state, hub, people), Conditions(state, hub))
        self._reads = reads_of(Observation(state, hub))

    async def act(self, request: web.Request) -> web.Response:
        """POST /_fake/{name}."""
        act = self._acts.get(request.match_info["name"])
        if act is None:
            return _answer({"ok": False, "error": "unknown_act"}, 404)
        if request.content_type != "application/json":
            return _answer({"ok": False, "error": "json_only"}, 415)
        try:
            body = json.loads(await request.text() or "{}")
            result = await act(**body)
        except RefusedError as refusal:
            return _answer({"ok": False, "error": refusal.code, "detail": refusal.detail}, 409)
        except (TypeError, ValueError, KeyError) as error:
            return _bad_request(error)
        return _answer({"ok": True, **result}, 200)

    async def read(self, request: web.Request) -> web.Response:
        """GET /_fake/{name}."""
        read = self._reads.get(request.match_info["name"])
        if read is None:
            return _answer({"ok": False, "error": "unknown_read"}, 404)
        try:
            return _answer(read(**request.query), 200)
        except TypeError as error:
            return _bad_request(error)


def acts_of(people: People, changes: WorkspaceChanges, conditions: Conditions) -> dict[str, Act]:
    """Return every act by its name in the address."""

    async def say(**fields: Any) -> Json:
        return people.say(**fields)

    return {
        "click": people.click,
        "view_action": people.view_action,
        "submit_view": people.submit_view,
        "close_view": people.close_view,
        "slash": people.slash,
        "open_home": people.open_home,
        "event": people.event,
        "say": say,
        "change_group": changes.change_group,
        "deactivate_user": changes.deactivate_user,
        "change_channel": changes.change_channel,
        "revoke_token": changes.revoke_token,
        "set_scopes": changes.set_scopes,
        "reset": changes.reset,
        "advance_clock": conditions.advance_clock,
        "fault": conditions.fault,
        "clear_faults": conditions.clear_faults,
        "limits": conditions.limits,
        "socket": conditions.socket,
        "duplicate": conditions.duplicate,
    }


def reads_of(observation: Observation) -> dict[str, Read]:
    """Return every read by its name in the address."""
    return {
        "health": observation.health,
        "dump": observation.dump,
        "calls": observation.calls,
        "failures": observation.failures,
        "rates": observation.rates,
        "envelopes": observation.envelopes,
        "views": observation.views,
        "home": observation.home,
        "messages": observation.messages,
        "ephemerals": observation.ephemerals,
    }


def _bad_request(error: Exception) -> web.Response:
    return _answer({"ok": False, "error": "bad_request", "detail": f"{type(error).__name__}: {error}"}, 400)


def _answer(body: Any, status: int) -> web.Response:
    return web.json_response(body, status=status)
