"""`finops demo --guide`: the steps of the walk one by one, each shown when the one before it is done.

A step that ends with an act is done when the operator says so; Enter goes on from any step. Every step names the
command that does the same on a real installation.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterable
from typing import Final, TextIO

from finops.domain.decision import TERMINAL
from finops_sandbox.demo.running import RunningDemo
from finops_sandbox.demo.steps import INDENT, Step, paragraph, step_lines

_POLL_SECONDS: Final = 0.5


class Guide:
    """Shows steps on `out` and goes on when they are done, or when a line comes from `answers`."""

    def __init__(self, demo: RunningDemo, out: TextIO, answers: TextIO) -> None:
        self._demo, self._out, self._answers = demo, out, answers
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._alone = False
        """Nobody is there to press Enter."""

    async def walk(self, steps: Iterable[Step]) -> None:
        """Show all steps; returns after the last one."""
        loop = asyncio.get_running_loop()
        # A thread of its own, which may block for ever: an executor's would be waited for at the end.
        threading.Thread(target=self._read, args=(loop,), name="answers", daemon=True).start()
        walk = list(steps)
        for number, step in enumerate(walk, 1):
            self._say(
                *step_lines(f"Step {number} of {len(walk)}: ", step),
                f"{INDENT}In production:",
                f"     {step.production}",
            )
            ended = await self._done(step)
            self._say(*(paragraph(f"Done: {ended}") if ended else ()), "")
        self._say("That was the walk. Ctrl-C stops everything and removes it.")

    async def _done(self, step: Step) -> str:
        """Wait until the step is done; return how its request ended, empty when somebody pressed Enter."""
        if self._alone:
            return ""
        self._say(
            "   It goes on by itself when the request has ended; Enter skips it."
            if step.request
            else "   Press Enter to go on."
        )
        while self._lines.empty():
            if step.request and (ended := await asyncio.to_thread(self._end_of, step.request)):
                return ended
            await asyncio.sleep(_POLL_SECONDS)
        self._alone = not self._lines.get_nowait()
        return ""

    def _end_of(self, name: str) -> str:
        found = next((one for one in self._demo.requests() if one.metadata.name == name), None)
        if found is None or found.status.state not in TERMINAL:
            return ""
        outcome = found.status.outcome
        message = (outcome.message if outcome is not None else None) or ""
        return f"{found.spec.resource.name} is {found.status.state}. {message}".strip()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            line = self._answers.readline()
            try:
                loop.call_soon_threadsafe(self._lines.put_nowait, line)
            except RuntimeError:
                # The demo has ended meanwhile.
                return
            if not line:
                return

    def _say(self, *lines: str) -> None:
        self._out.writelines(f"{line}\n" for line in lines)
        self._out.flush()


def guide(demo: RunningDemo) -> Guide:
    """Return a guide for the person at the terminal."""
    return Guide(demo, sys.stdout, sys.stdin)
