"""Work that goes on after the request that began it; it ends with the server."""

import asyncio
from collections.abc import Coroutine


class BackgroundTasks:
    """Holds running tasks, because asyncio itself keeps only weak references to them."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start work on the running event loop."""
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def cancel(self) -> None:
        """Cancel whatever still runs."""
        for task in list(self._tasks):
            task.cancel()
