"""Runs programs as one: starts them, waits until each is ready, drains their output, stops them in reverse order.

Used by `finops demo` and the tests of the whole. Every program gets a session of its own, so that Ctrl-C reaches us
alone and a program's children end with it. One death ends all, with the program's last lines. After `kill -9` of this
process the kernel ends the programs (Linux), and the reaper whatever else there is, folders included; the death of the
reaper ends all too, while there still is somebody to clean up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TextIO, TypeAlias

from finops.errors import FinopsError
from finops_operator.cli.parent_death import die_with_parent
from finops_sandbox import reaper

_TAIL_LINES: Final = 20
_CHUNK: Final = 65_536
_LINE_LIMIT: Final = 65_536
_POLL_SECONDS: Final = 0.05
_GUARD_SECONDS: Final = 0.2


class ProgramFailed(FinopsError):
    """A program died or never became ready; the message ends with its last lines."""


@dataclass(slots=True)
class Running:
    """A started program: its process, its last lines, and what it announced of itself."""

    program: Program
    process: asyncio.subprocess.Process
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))
    announced: dict[str, str] = field(default_factory=dict)
    ready_after_seconds: float = 0.0
    stopping: bool = False
    drained: asyncio.Task[None] | None = None

    @property
    def last_lines(self) -> str:
        return "".join(f"\n  {self.program.name} | {line}" for line in self.tail)


Probe: TypeAlias = Callable[[Running], Awaitable[bool]]
"""Returns whether a program is ready; asked again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to start.

    Attributes:
        environment: the whole environment; nothing is inherited.
        announcement: pattern searched in every line; its named groups go to `Running.announced`.
        stage: stages stop one after the other, the highest first; programs of one stage stop together.
        ready: probe; default: the announcement was seen.
        stop_seconds: how long SIGTERM may take before SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    announcement: str = ""
    stage: int = 0
    ready: Probe | None = None
    ready_seconds: float = 60.0
    stop_seconds: float = 15.0


class Supervisor:
    """Use as an async context manager around everything that needs the programs.

    Args:
        log: where the programs' lines go, prefixed with time and name.
        folders: removed by the reaper when this process is killed; a clean stop leaves them to the caller.
        say: called with every milestone.
        echo: called with every line of the programs.
    """

    def __init__(
        self,
        log: Path,
        *,
        folders: tuple[Path, ...] = (),
        say: Callable[[str], None] = lambda _: None,
        echo: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._log_path = log
        self._folders = folders
        self._say, self._echo = say, echo
        self._running: list[Running] = []
        self._died: asyncio.Queue[ProgramFailed] = asyncio.Queue()
        self._log: TextIO | None = None
        self._reaper: subprocess.Popen[bytes] | None = None
        self._guard: asyncio.Task[None] | None = None
        self._halted = False

    async def __aenter__(self) -> Self:
        # Lines of programs may hold more than others on this machine should read.
        self._log = open_private(self._log_path, os.O_APPEND)
        self._reaper = subprocess.Popen(  # noqa: ASYNC220 - a fork of milliseconds, before anything else runs
            [sys.executable, "-I", "-S", reaper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.defpath},
            start_new_session=True,
        )
        for folder in self._folders:
            self._notify_reaper({"folder": str(folder)})
        self._guard = asyncio.create_task(self._guard_reaper(self._reaper), name="guard of the reaper")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._guard is not None:
            self._guard.cancel()
        try:
            await self.stop()
        finally:
            # Done only after everything is down: until then the reaper stays on guard.
            self._notify_reaper({"done": True})
            if self._reaper is not None and self._reaper.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    self._reaper.stdin.close()
                self._reaper.wait(10)
            if self._log is not None:
                self._log.close()

    @property
    def running(self) -> tuple[Running, ...]:
        return tuple(self._running)

    async def start(self, program: Program) -> Running:
        """Start a program and return when it is ready.

        Raises:
            ProgramFailed: it died, or was not ready in time.
        """
        began = time.monotonic()
        running = await self._spawn(program)
        probe = program.ready or _has_announced
        while not await probe(running):
            if running.process.returncode is not None:
                raise self._failure(running)
            if time.monotonic() - began > program.ready_seconds:
                message = f"{program.name} was not ready within {program.ready_seconds:g} seconds"
                raise ProgramFailed(message + running.last_lines)
            await asyncio.sleep(_POLL_SECONDS)
        running.ready_after_seconds = time.monotonic() - began
        self._say(f"{program.name} is ready after {running.ready_after_seconds:.1f} s")
        return running

    async def watch(self) -> None:
        """Return never; raise when a program dies that was not asked to, or the reaper.

        Raises:
            ProgramFailed: with the last lines of the first one that died.
        """
        raise await self._died.get()

    async def stop(self) -> None:
        """Stop everything, what others depend on last; harmless when repeated."""
        while self._running:
            stage = max(running.program.stage for running in self._running)
            last = [running for running in self._running if running.program.stage == stage]
            await asyncio.gather(*(self._end(running) for running in reversed(last)))
            self._running = [running for running in self._running if running not in last]

    def halt(self) -> None:
        """Kill everything at once: somebody asked a second time."""
        self._halted = True
        for running in self._running:
            running.stopping = True
            _signal_group(running, signal.SIGKILL)

    async def _spawn(self, program: Program) -> Running:
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=dict(program.environment),
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        except OSError as error:
            raise ProgramFailed(f"{program.name} cannot be started: {error}") from error
        running = Running(program, process)
        self._running.append(running)
        self._notify_reaper({"child": process.pid, "started": reaper.started(process.pid)})
        running.drained = asyncio.create_task(self._drain(running), name=f"drain {program.name}")
        return running

    async def _drain(self, running: Running) -> None:
        """Read all output, whatever comes, and notice the end."""
        stream = running.process.stdout
        assert stream is not None
        rest = b""
        while chunk := await stream.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LINE_LIMIT:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._line(running, line.decode("utf-8", "replace"))
        if rest:
            self._line(running, rest.decode("utf-8", "replace"))
        await running.process.wait()
        self._notify_reaper({"gone": running.process.pid})
        # Its children, if any, have no business without it.
        _signal_group(running, signal.SIGKILL)
        if not running.stopping:
            self._died.put_nowait(self._failure(running))

    async def _guard_reaper(self, process: subprocess.Popen[bytes]) -> None:
        """Notice the end of the reaper, which has none of its own before we stop it."""
        while process.poll() is None:  # noqa: ASYNC110 - asyncio knows only the processes it started
            await asyncio.sleep(_GUARD_SECONDS)
        message = f"the reaper ended {_how(process.returncode)}: nobody would clean up after a kill"
        self._died.put_nowait(ProgramFailed(message))

    def _line(self, running: Running, text: str) -> None:
        running.tail.append(text)
        pattern = running.program.announcement
        if pattern and not running.announced and (found := re.search(pattern, text)) is not None:
            running.announced.update(found.groupdict(default=""))
        prefixed = f"{time.strftime('%H:%M:%S')} {running.program.name} | {text}"
        if self._log is not None and not self._log.closed:
            self._log.write(f"{prefixed}\n")
        self._echo(prefixed)

    async def _end(self, running: Running) -> None:
        running.stopping = True
        process = running.process
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL if self._halted else signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), running.program.stop_seconds)
            except TimeoutError:
                self._say(f"{running.program.name} does not stop by itself; killed")
                _signal_group(running, signal.SIGKILL)
                await process.wait()
        _signal_group(running, signal.SIGKILL)
        if running.drained is not None:
            await running.drained

    @staticmethod
    def _failure(running: Running) -> ProgramFailed:
        how = _how(running.process.returncode)
        return ProgramFailed(f"{running.program.name} ended {how}; its last lines:{running.last_lines}")

    def _notify_reaper(self, fact: Mapping[str, object]) -> None:
        if self._reaper is None or self._reaper.stdin is None or self._reaper.stdin.closed:
            return
        with contextlib.suppress(BrokenPipeError):
            self._reaper.stdin.write(json.dumps(fact).encode() + b"\n")
            self._reaper.stdin.flush()


def open_private(path: Path, flags: int = os.O_TRUNC) -> TextIO:
    """Open a file for writing that only its owner may read; lines reach it at once."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600), "w", buffering=1, encoding="utf-8")


def remove_folder(folder: Path) -> None:
    """Remove a folder after a clean stop."""
    shutil.rmtree(folder, ignore_errors=True)


def _how(code: int | None) -> str:
    return f"by signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"with exit code {code}"


def _signal_group(running: Running, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(running.process.pid, number)


async def _has_announced(running: Running) -> bool:
    return bool(running.announced)
