"""The double inside a test's own process: a thread with its own event loop, started and stopped by `with`."""

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from finops_sandbox.slack.client import SlackControl
from finops_sandbox.slack.limits import Mode
from finops_sandbox.slack.server import SlackServer
from finops_sandbox.slack.workspace import DEFAULT_WORKSPACE

START_SECONDS = 10.0


class SlackDouble:
    """A Slack workspace for one test. Raises OSError if the port is taken, WorkspaceFileError for a bad seed."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        workspace: Path = DEFAULT_WORKSPACE,
        limits: Mode = "normal",
    ) -> None:
        self._host, self._port, self._workspace, self._limits = host, port, workspace, limits
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: OSError | ValueError | None = None
        self._thread = threading.Thread(target=self._run, name="slack-double", daemon=True)
        self.url = ""

    @property
    def api_url(self) -> str:
        """What slack_sdk calls base_url."""
        return f"{self.url}/api/"

    @property
    def control(self) -> SlackControl:
        """The control API of this double."""
        return SlackControl(self.url)

    def start(self) -> Self:
        """Start serving and return when ready."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise TimeoutError("the Slack double did not start")
        if self._error is not None:
            raise self._error
        return self

    def stop(self) -> None:
        """Stop and wait for the thread to end."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_SECONDS)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (OSError, ValueError) as error:
            self._error = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = SlackServer(host=self._host, port=self._port, workspace=self._workspace, limits=self._limits)
        await server.start()
        self.url = server.url
        self._ready.set()
        await self._stop.wait()
        await server.stop()
