"""HEAD is answered as GET is, without the body (RFC 9110, 9.3.2): whatever takes GET takes it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """Asks what stands behind it with GET, and sends the beginning of the answer alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def begin(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                # The answer ends here, so that what is sent while it is read is read no further.
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        # The server's own scope stays as it is: by its method it knows that no body follows.
        await self._app({**scope, "method": "GET"}, receive, begin)
