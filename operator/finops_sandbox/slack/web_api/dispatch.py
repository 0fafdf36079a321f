"""The way of a Web API call: arguments, token, scope, rate limit, fault, method, record.

The server routes `/api/{method}` here. Unknown methods are answered as Slack does and recorded as a failure, because a
test in which the product calls something the double does not know proves nothing.
"""

import asyncio
import json
from typing import Any

from aiohttp import web

from finops_sandbox.slack.faults import Fault
from finops_sandbox.slack.model import CallRecord, Json, Token
from finops_sandbox.slack.state import State
from finops_sandbox.slack.web_api import chat, conversations, core, people, views
from finops_sandbox.slack.web_api.call import ApiError, Call, Method, missing_scope

METHODS: dict[str, Method] = {
    method.name: method
    for method in (*core.METHODS, *chat.METHODS, *conversations.METHODS, *people.METHODS, *views.METHODS)
}
_NO_TOKEN = Token("", "bot", [])


class Dispatcher:
    """Answers Web API calls on a state."""

    def __init__(self, state: State, advertise_host: str = "") -> None:
        self._state = state
        self._advertise_host = advertise_host

    def base_url(self, request: web.Request) -> str:
        """Return the address under which this client reaches us."""
        return f"{request.scheme}://{self._advertise_host or request.host}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one call; cuts the connection when a fault says so."""
        name = request.match_info["method"]
        self._state.issuer.advertised_url = self.base_url(request)
        args, token_text = await _read(request)
        record = CallRecord(self._state.clock.now(), name, _masked(token_text), args)
        self._state.record.calls.append(record)
        fault: Fault | None = None
        try:
            method, token = self._admit(name, token_text)
            retry_after = self._retry_after(method, args)
            fault = None if retry_after else self._state.faults.take(name, args)
            if retry_after or (fault and fault.retry_after and not fault.after_commit):
                return self._too_many(record, retry_after or self._block(method, args, fault))
            if fault and not fault.after_commit and not fault.delay:
                record.fault = "before"
                return await self._fail(request, record, method, args, fault)
            body = {"ok": True, **method.handler(Call(self._state, token, args, self.base_url(request)))}
        except ApiError as error:
            body = {"ok": False, "error": error.code, **error.extra}
        if fault and (fault.after_commit or fault.delay):
            record.fault = "after"
            return await self._fail(request, record, METHODS[name], args, fault, body)
        return _answer(record, body)

    def _admit(self, name: str, token_text: str) -> tuple[Method, Token]:
        method = METHODS.get(name)
        if method is None:
            self._state.record.fail("unknown_method", method=name)
            raise ApiError("unknown_method", req_method=name)
        if method.token == "none":
            return method, _NO_TOKEN
        if not token_text:
            raise ApiError("not_authed")
        token = self._state.directory.tokens.get(token_text)
        if token is None:
            raise ApiError("invalid_auth")
        if token.revoked:
            raise ApiError("token_revoked")
        if token.kind != method.token:
            raise ApiError("not_allowed_token_type")
        if method.scopes and not set(method.scopes) & set(token.scopes):
            raise missing_scope(method.scopes, token)
        return method, token

    def _retry_after(self, method: Method, args: Json) -> int:
        return self._state.limiter.check(method.name, method.tier, self._channel(args))

    def _block(self, method: Method, args: Json, fault: Fault | None) -> int:
        seconds = fault.retry_after if fault else 1
        self._state.limiter.block(method.name, method.tier, self._channel(args), seconds)
        return seconds

    def _channel(self, args: Json) -> str:
        reference = str(args.get("channel", ""))
        channel = self._state.conversations.find_channel(reference)
        return channel.id if channel else reference

    def _too_many(self, record: CallRecord, seconds: int) -> web.Response:
        body = {"ok": False, "error": "ratelimited"}
        record.http_status, record.response = 429, body
        return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})

    async def _fail(
        self,
        request: web.Request,
        record: CallRecord,
        method: Method,
        args: Json,
        fault: Fault,
        body: Json | None = None,
    ) -> web.StreamResponse:
        if fault.delay:
            await asyncio.sleep(fault.delay)
            return _answer(record, body or {"ok": True})
        if fault.error:
            return _answer(record, {"ok": False, "error": fault.error})
        if fault.retry_after:
            return self._too_many(record, self._block(method, args, fault))
        if fault.status:
            record.http_status = fault.status
            return web.Response(status=fault.status, text="upstream error")
        if fault.hang:
            await asyncio.sleep(fault.hang)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)


async def _read(request: web.Request) -> tuple[Json, str]:
    """Return a call's arguments from query, form or JSON, and its token from header or arguments."""
    args: dict[str, Any] = dict(request.query)
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            try:
                parsed = json.loads(await request.text() or "{}")
            except json.JSONDecodeError:
                parsed = {}
            args.update(parsed if isinstance(parsed, dict) else {})
        else:
            args.update({key: value for key, value in (await request.post()).items() if isinstance(value, str)})
    header = request.headers.get("Authorization", "")
    given = args.pop("token", "")
    return args, header.removeprefix("Bearer ") if header.startswith("Bearer ") else str(given)


def _answer(record: CallRecord, body: Json) -> web.Response:
    record.http_status, record.response = 200, body
    return web.json_response(body)


def _masked(token: str) -> str:
    """Keep enough of a token to recognize it, in case a real one is sent here by mistake."""
    return token if len(token) < 12 or "sandbox" in token else f"{token[:8]}…"
