"""An event loop in a thread of its own, so that blocking code can run and question a server."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
ANSWER_SECONDS = 20.0


class LoopThread:
    """Runs from when it is made until ``stop``. All calls block, at most 20 seconds (then TimeoutError)."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and return its result; its exceptions are raised here."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_SECONDS)

    def call(self, function: Callable[[], T]) -> T:
        """Call a function on the loop, where nothing else happens meanwhile, and return its result."""

        async def call() -> T:
            return function()

        return self.run(call())

    def stop(self) -> None:
        """End loop and thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)
        self._loop.close()
