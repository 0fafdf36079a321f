"""The double as an aiohttp application: Web API, socket, response URLs, control API and page on one port.

`SlackServer` runs inside an event loop: the command's (`__main__`) or the one of `SlackDouble`'s thread.
"""

from pathlib import Path

from aiohttp import web

from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.control import ControlApi
from finops_sandbox.slack.limits import Mode
from finops_sandbox.slack.page.routes import Page
from finops_sandbox.slack.people_acts import People
from finops_sandbox.slack.socket_mode import SocketHub
from finops_sandbox.slack.state import State
from finops_sandbox.slack.web_api.dispatch import Dispatcher
from finops_sandbox.slack.webhooks import ResponseUrls
from finops_sandbox.slack.workspace import DEFAULT_WORKSPACE, read_workspace

# A view may have 250 KB and JSON escapes may double it.
BODY_BYTES_MAX = 2 * 1024 * 1024
SHUTDOWN_SECONDS = 0.5


class SlackServer:
    """Builds and runs the double. `port` 0 picks a free one; `url` is set once started."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        workspace: Path = DEFAULT_WORKSPACE,
        advertise_host: str = "",
        limits: Mode = "normal",
    ) -> None:
        self._host = host
        self._port = port
        self._advertise_host = advertise_host
        self.state = State(read_workspace(workspace), Clock())
        self.state.limiter.mode = limits
        self.hub = SocketHub(self.state)
        self.people = People(self.state, self.hub.deliveries)
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Bind and serve. Raises OSError when the address is taken."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        if host in {"0.0.0.0", "::"}:
            host = "127.0.0.1"
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self.state.issuer.advertised_url = f"http://{self._advertise_host}" if self._advertise_host else self.url

    @property
    def port(self) -> int:
        """The port really bound."""
        return int(self.url.rpartition(":")[2])

    async def stop(self) -> None:
        """Close the sockets and stop serving."""
        await self.hub.close()
        self.state.changes.touch()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        dispatcher = Dispatcher(self.state, self._advertise_host)
        control = ControlApi(self.state, self.hub, self.people)
        page = Page(self.state, self.people)
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.add_routes(
            [
                web.route("*", "/api/{method}", dispatcher.handle),
                web.get("/link/", self.hub.link),
                web.post("/actions/{team}/{time}/{key}", ResponseUrls(self.state).handle),
                web.get("/_fake/{name}", control.read),
                web.post("/_fake/{name}", control.act),
                *page.routes(),
            ]
        )
        return application
