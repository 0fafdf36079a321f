"""The response URLs that interactions carry: five uses in thirty minutes, in the channel the person acted in.

The server routes `/actions/{team}/{time}/{key}` here. The error names for spent URLs are not documented by Slack;
`used_url` and `expired_url` are what apps have reported.
"""

import json
from typing import Any

from aiohttp import web

from finops_sandbox.slack.blocks import stored
from finops_sandbox.slack.issuer import RESPONSE_URL_SECONDS, RESPONSE_URL_USES
from finops_sandbox.slack.model import Json, Message, ResponseUrl
from finops_sandbox.slack.state import State
from finops_sandbox.slack.text import escape
from finops_sandbox.slack.web_api.call import ApiError
from finops_sandbox.slack.web_api.chat import checked_blocks


class ResponseUrls:
    """Answers posts to response URLs."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def handle(self, request: web.Request) -> web.Response:
        """Carry out one post: a new message, a replacement or a deletion."""
        hook = self._state.issuer.response_urls.get(request.match_info["key"])
        if hook is None:
            return _refuse(404, "invalid_url")
        if self._state.clock.now() - hook.created > RESPONSE_URL_SECONDS:
            return _refuse(404, "expired_url")
        if hook.uses >= RESPONSE_URL_USES:
            return _refuse(404, "used_url")
        try:
            body = json.loads(await request.text())
        except json.JSONDecodeError:
            return _refuse(400, "invalid_payload")
        if not isinstance(body, dict):
            return _refuse(400, "invalid_payload")
        hook.uses += 1
        try:
            self._apply(hook, body)
        except ApiError as error:
            return _refuse(400, error.code)
        return web.json_response({"ok": True})

    def _apply(self, hook: ResponseUrl, body: Json) -> None:
        original = self._state.conversations.find(hook.channel, hook.message_ts) if hook.message_ts else None
        if _flag(body.get("delete_original")):
            if original is None:
                raise ApiError("message_not_found")
            self._state.conversations.remove(original)
            return
        raw = body.get("blocks")
        blocks = stored(checked_blocks(json.loads(raw) if isinstance(raw, str) else raw), self._state.issuer.random)
        text = escape(str(body.get("text") or ""))
        if not text and not blocks:
            raise ApiError("no_text")
        if _flag(body.get("replace_original")):
            if original is None:
                raise ApiError("message_not_found")
            self._state.conversations.edit(original, text=text, blocks=blocks)
            return
        self._state.conversations.add(
            Message(
                ts=self._state.issuer.next_ts(),
                channel=hook.channel,
                user=self._state.directory.app.bot_user,
                text=text,
                blocks=blocks,
                bot_id=self._state.directory.app.bot_id,
                app_id=self._state.directory.app.id,
                thread_ts=str(body.get("thread_ts") or hook.thread_ts),
                ephemeral_for="" if body.get("response_type") == "in_channel" else hook.user,
            )
        )


def _flag(value: Any) -> bool:
    return value is True or value == "true"


def _refuse(status: int, error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)
