"""The page's addresses: the page, the wait for a change, and what its buttons post.

Posts must be JSON and come from the page itself: the double listens on a port any web site could aim a form at.
"""

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from aiohttp import web

from finops_sandbox.slack.model import Json
from finops_sandbox.slack.page.render import page_html, scene_from
from finops_sandbox.slack.people_acts import People
from finops_sandbox.slack.screen import RefusedError
from finops_sandbox.slack.state import State

STATIC = Path(__file__).with_name("static")
# Long polling in pieces, so that a closed page is noticed.
WAIT_SECONDS = 15.0
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_PERMALINK = re.compile(r"p(\d{10})(\d{6})")


class Page:
    """Serves the page over one state."""

    def __init__(self, state: State, people: People) -> None:
        self._state = state
        self._people = people

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return the routes to add to the application."""
        return [
            web.get("/", self._page),
            web.get("/archives/{channel}/{message}", self._permalink),
            web.get("/_page/version", self._version),
            web.static("/_page/static", STATIC),
            web.post("/_page/act/{name}", self._act),
        ]

    async def _page(self, request: web.Request) -> web.Response:
        text = page_html(self._state, scene_from(self._state, dict(request.query)))
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _version(self, request: web.Request) -> web.Response:
        """Answer when the workspace is newer than what the page shows, or after a while."""
        known = request.query.get("after", "")
        newer = await self._state.changes.wait_newer(int(known) if known.isdecimal() else 0, WAIT_SECONDS)
        return web.json_response({"version": newer}, headers=HEADERS)

    async def _permalink(self, request: web.Request) -> web.StreamResponse:
        match = _PERMALINK.fullmatch(request.match_info["message"])
        channel = self._state.conversations.channels.get(request.match_info["channel"])
        if match is None or channel is None:
            return web.Response(status=404, text="no such message")
        ts = f"{match[1]}.{match[2]}"
        thread = request.query.get("thread_ts", "")
        target = f"/?channel={channel.id}" + (
            f"&thread={thread}" if thread in self._state.conversations.messages[channel.id] else ""
        )
        raise web.HTTPFound(f"{target}#m-{ts.replace('.', '-')}")

    async def _act(self, request: web.Request) -> web.Response:
        origin = request.headers.get("Origin")
        if request.content_type != "application/json" or (origin and origin != f"{request.scheme}://{request.host}"):
            return web.json_response({"error": "not_from_this_page"}, status=403)
        try:
            result = await self._perform(request.match_info["name"], json.loads(await request.text()))
        except RefusedError as refusal:
            return web.json_response({"error": refusal.code, "detail": refusal.detail}, status=409)
        except (TypeError, ValueError, KeyError) as error:
            return web.json_response({"error": "bad_request", "detail": str(error)}, status=400)
        return web.json_response(result)

    async def _perform(self, name: str, body: Json) -> Json:
        acts: dict[str, Callable[..., Awaitable[Json]]] = {
            "click": self._people.click,
            "view_action": self._people.view_action,
            "submit_view": self._people.submit_view,
            "close_view": self._people.close_view,
        }
        if name in acts:
            return await acts[name](**body)
        if name == "say":
            command, _, rest = str(body["text"]).partition(" ")
            if command.startswith("/"):
                return await self._people.slash(
                    user=body["user"], channel=body["channel"], command=command, text=rest.strip()
                )
            return {"sent": False} | self._people.say(**body)
        raise ValueError(f"unknown act: {name}")
