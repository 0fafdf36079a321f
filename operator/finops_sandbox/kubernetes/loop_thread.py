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
        """End what still runs on the loop, then loop and thread."""
        self.run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_SECONDS)
        self._loop.close()


async def _cancel_others() -> None:
    """Cancel every task, as `asyncio.run` does at its end: a handshake that no client finishes keeps its connection."""
    # What was accepted just now begins in the next turns; cancelled before that, it would leave its socket open.
    for _ in range(3):
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    # A connection that was aborted is closed in the loop's next turn.
    await asyncio.sleep(0)
