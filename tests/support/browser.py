"""A real browser for tests of pages: headless Chromium driven over its DevTools protocol.

Blocking methods; the protocol runs on a loop in a thread. Clicks are mouse events at the element's place, so anything
that covers a button makes the test fail as it would a person.
"""

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

T = TypeVar("T")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class BrowserMissingError(RuntimeError):
    """No Chromium on this machine."""


class Browser:
    """One window. `console` collects what pages log and throw."""

    def __init__(
        self, *, width: int = 1280, height: int = 900, dark: bool = False, timeout_seconds: float = 15
    ) -> None:
        program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
        if program is None:
            raise BrowserMissingError("install chromium to run the tests of pages")
        self._timeout_seconds = timeout_seconds
        self._size = (width, height)
        self._dark = dark
        self._profile = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                program,
                *FLAGS,
                f"--user-data-dir={self._profile.name}",
                f"--window-size={width},{height}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="browser", daemon=True)
        self._thread.start()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._loaded: set[str] = set()
        self.console: list[str] = []
        self._session: aiohttp.ClientSession
        self._socket: aiohttp.ClientWebSocketResponse
        self._reader: asyncio.Task[None]

    def __enter__(self) -> Self:
        try:
            self._wait(self._connect())
            self.resize(*self._size)
            self.set_theme(dark=self._dark)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the browser and remove its profile."""
        if hasattr(self, "_reader"):
            self._wait(self._disconnect())
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
        self._profile.cleanup()

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one DevTools command and return its result."""
        return self._wait(self._send(method, parameters))

    def resize(self, width: int, height: int) -> None:
        """Change the window's inside."""
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def set_theme(self, *, dark: bool) -> None:
        """Choose the light or the dark theme."""
        value = "dark" if dark else "light"
        self.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": value}])

    def goto(self, url: str) -> None:
        """Open an address and wait until it is loaded. Raises AssertionError when it cannot be."""
        answer = self.command("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer.get('errorText')}"
        until = time.monotonic() + self._timeout_seconds
        # Without a loader it was a move within the page; a page that was left while loading may still say it is loaded.
        while "loaderId" in answer and answer["loaderId"] not in self._loaded:
            assert time.monotonic() < until, f"{url} did not load"
            time.sleep(0.01)

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression. Raises AssertionError if it throws."""
        answer = self.command("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """Evaluate until the value is true; return it. Raises AssertionError when the time is over."""
        until = time.monotonic() + self._timeout_seconds
        while True:
            try:
                if found := self.evaluate(script):
                    return found
            except AssertionError:
                if time.monotonic() > until:
                    raise
            if time.monotonic() > until:
                raise AssertionError(f"never true: {script}\npage says: {self.evaluate('document.body.innerText')}")
            time.sleep(0.03)

    def wait_text(self, text: str, selector: str = "body") -> None:
        """Wait until the element shows a text."""
        self.wait_for(f"(document.querySelector({json.dumps(selector)})?.innerText || '').includes({json.dumps(text)})")

    def text(self, selector: str) -> str:
        """Return what an element shows."""
        found = self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText")
        return str(found or "")

    def click(self, selector: str, text: str = "") -> None:
        """Click the first visible element that matches and contains the text, with the mouse."""
        find = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".find(e => e.innerText.includes({json.dumps(text)}) && e.getClientRects().length)"
        )
        self.wait_for(f"!!({find})")
        place = self.evaluate(
            f"(() => {{ const e = {find}; e.scrollIntoView({{block: 'center'}}); const r = e.getBoundingClientRect();"
            f" const x = r.x + r.width / 2, y = r.y + r.height / 2; const top = document.elementFromPoint(x, y);"
            f" return {{x, y, hit: !!top && (e === top || e.contains(top))}} }})()"
        )
        assert place["hit"], f"{selector} {text} is covered"
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, x=place["x"], y=place["y"], button="left", clickCount=1)

    def type(self, selector: str, text: str) -> None:
        """Put text into a field, as typed."""
        self.wait_for(f"!!document.querySelector({json.dumps(selector)})")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        self.command("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """Press a key such as Escape, Enter or Tab."""
        code = {"Escape": 27, "Enter": 13, "Tab": 9}[key]
        for kind in ("keyDown", "keyUp"):
            more = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.command("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def choose(self, selector: str, value: str) -> None:
        """Choose an option of a select, as a person would: with a change event."""
        self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)};"
            " e.dispatchEvent(new Event('change', {bubbles: true})) })()"
        )

    def screenshot(self, path: Path) -> None:
        """Save a picture of the window as PNG."""
        answer = self.command("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(self._timeout_seconds + 5)

    async def _connect(self) -> None:
        port_file = Path(self._profile.name) / "DevToolsActivePort"
        for _ in range(int(self._timeout_seconds * 20)):
            lines = port_file.read_text().splitlines() if port_file.exists() else []
            if len(lines) > 1:
                break
            await asyncio.sleep(0.05)
        else:
            raise TimeoutError("chromium did not start")
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{lines[0]}/json/list") as answer:
            pages = [item for item in await answer.json() if item["type"] == "page"]
        self._socket = await self._session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        self._reader = asyncio.create_task(self._read())
        for domain in ("Page", "Runtime", "Log"):
            await self._send(f"{domain}.enable", {})
        await self._send("Page.setLifecycleEventsEnabled", {"enabled": True})

    async def _disconnect(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()
        await self._session.close()

    async def _read(self) -> None:
        async for message in self._socket:
            body = json.loads(message.data)
            if "id" in body:
                waiting = self._answers.pop(body["id"], None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(body)
            elif body.get("method") == "Page.lifecycleEvent":
                if body["params"]["name"] == "load":
                    self._loaded.add(body["params"]["loaderId"])
            elif body.get("method") in {"Runtime.exceptionThrown", "Log.entryAdded"}:
                self.console.append(json.dumps(body["params"])[:600])

    async def _send(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        number = self._number
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = waiting
        await self._socket.send_str(json.dumps({"id": number, "method": method, "params": parameters}))
        body = await asyncio.wait_for(waiting, self._timeout_seconds)
        if "error" in body:
            raise AssertionError(f"{method}: {body['error']}")
        result: dict[str, Any] = body["result"]
        return result
