"""`finops demo` from start to end: folders, signals, programs, story, and leaving nothing behind.

Called by the command line alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from finops.errors import InvalidInput
from finops_operator.cli.output import Format, note
from finops_sandbox.demo import first_screen
from finops_sandbox.demo.environment import Places, forget_the_user, shell_file
from finops_sandbox.demo.guide import guide
from finops_sandbox.demo.loop import run_loop
from finops_sandbox.demo.running import RunningDemo, apply, build
from finops_sandbox.demo.steps import steps, written
from finops_sandbox.ports import free_port
from finops_sandbox.supervisor import Supervisor, open_private, remove_folder

INTERRUPTED: Final = 130
NOT_VERIFIED: Final = 1
_SOCKET_PATH_LIMIT: Final = 100
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STARTED_BY: Final = "DEMO_STARTED_BY"
"""Environment variable: pid of the process without which the demo has no business; `make demo` names make itself."""
_PARENT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What was asked on the command line.

    Attributes:
        headless: approve one card by script, report, end.
        keep: folder for all files, which then stays; None: a temporary one, removed at the end.
        guided: show the steps of the walk one by one.
        output: JSON or YAML for the headless report.
        verbose: also show the programs' own lines.
    """

    headless: bool = False
    keep: Path | None = None
    guided: bool = False
    output: Format = Format.JSON
    verbose: bool = False


def run(options: DemoOptions) -> int:
    """Run the demo and return the exit code: 0 done, 1 the loop was not verified, 130 interrupted before it was ready.

    Raises:
        InvalidInput: the folder to keep cannot be used.
        FinopsError: a program failed; everything is stopped.
    """
    # Taken out, so that no program of the demo thinks it was meant.
    starter = os.environ.pop(STARTED_BY, "")
    forget_the_user()
    with _folders(options.keep) as (state, sockets, temporary):
        # Clients keep certificates in temporary files; in the state folder they go even after kill -9.
        tempfile.tempdir = str(state)
        places = Places(state, sockets, free_port(), free_port(), free_port(), free_port())
        return asyncio.run(Demo(options, places, int(starter) if starter.isdecimal() else 0).main(temporary))


@contextlib.contextmanager
def _folders(keep: Path | None) -> Iterator[tuple[Path, Path, tuple[Path, ...]]]:
    """Yield the state folder, that of the store's socket, and those that go at the end."""
    temporary: list[Path] = []
    if keep is None:
        state = Path(tempfile.mkdtemp(prefix="finops-demo-"))
        temporary.append(state)
    else:
        state = keep.absolute()
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
            state.chmod(0o700)
        except OSError as error:
            raise InvalidInput(f"{keep} cannot be used: {error.strerror}", field="--keep") from error
        if any(state.iterdir()):
            raise InvalidInput(f"{keep} is not empty", field="--keep", hint="name a new or an empty folder")
    sockets = state
    if len(os.fsencode(state / "valkey.sock")) > _SOCKET_PATH_LIMIT:
        # Unix sockets have short paths.
        sockets = Path(tempfile.mkdtemp(prefix="finops-demo-", dir="/tmp"))
        temporary.append(sockets)
    try:
        yield state, sockets, tuple(temporary)
    finally:
        for folder in temporary:
            remove_folder(folder)


class Demo:
    """One run of the demo; `starter` is the pid of the parent it ends with, 0 for none."""

    def __init__(self, options: DemoOptions, places: Places, starter: int = 0) -> None:
        self._options, self._places, self._starter = options, places, starter
        self._up = False

    async def main(self, temporary: tuple[Path, ...]) -> int:
        echo = note if self._options.verbose else _discard
        log = self._places.state / "programs.log"
        async with Supervisor(log, folders=temporary, say=note, echo=echo) as supervisor:
            asked = _on_signals(supervisor)
            orphaned = asyncio.create_task(_parent_gone(self._starter, asked), name="orphaned")
            story = asyncio.create_task(self._story(supervisor), name="story")
            death = asyncio.create_task(supervisor.watch(), name="death")
            signalled = asyncio.create_task(asked.wait(), name="signalled")
            tasks: set[asyncio.Task[Any]] = {story, death, signalled, orphaned}
            try:
                done, _ = await asyncio.wait(tasks - {orphaned}, return_when=asyncio.FIRST_COMPLETED)
                if signalled in done:
                    note("stopping")
                    # Staying up until Ctrl-C is all that was asked for; anything before was cut short.
                    return 0 if self._up and not self._options.headless else INTERRUPTED
                if death in done:
                    death.result()
                return story.result()
            except BaseExceptionGroup as group:
                raise _first(group) from None
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _story(self, supervisor: Supervisor) -> int:
        note("starting doubles of AWS, Kubernetes and Slack, a store and the three programs")
        demo = await build(supervisor, self._places)
        self._up = True
        with open_private(self._places.state / "env") as file:
            file.write(shell_file(self._places))
        if self._options.headless:
            return self._report(await run_loop(demo))
        note(f"ready after {demo.seconds['policyReady']:.1f} s; the account of all services is scanned next")
        await asyncio.to_thread(apply, demo, "services")
        await asyncio.to_thread(apply, demo, "budgets")
        await self._accompany(demo)
        await asyncio.Event().wait()
        return 0

    async def _accompany(self, demo: RunningDemo) -> None:
        """Print what a person needs to go on: what there is, and the steps of the walk, all or one by one."""
        await asyncio.to_thread(first_screen.show, demo, sys.stdout)
        walk = steps(
            demo.dashboard("alice"), demo.slack_page, demo.places.state / "env", await asyncio.to_thread(demo.requests)
        )
        if self._options.guided:
            sys.stdout.write("\n")
            await guide(demo).walk(walk)
            return
        sys.stdout.write("\nWhat to do next, and what you see then (finops demo --guide goes step by step):\n\n")
        sys.stdout.writelines(f"{line}\n" for line in written(walk))
        sys.stdout.write("Ctrl-C stops everything and removes it.\n")
        sys.stdout.flush()

    def _report(self, loop: dict[str, Any]) -> int:
        if self._options.output is Format.YAML:
            sys.stdout.write(yaml.safe_dump(loop, sort_keys=False))
        else:
            sys.stdout.write(json.dumps(loop, indent=2) + "\n")
        sys.stdout.flush()
        return 0 if loop["verified"] else NOT_VERIFIED


def _discard(_: str) -> None:
    return None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that a person should read: parts of a group fail together, the first one is the cause."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


async def _parent_gone(pid: int, asked: asyncio.Event) -> None:
    """Ask for the end when the process that started us has gone: nobody is left who could press Ctrl-C."""
    if pid:
        while os.getppid() == pid:  # noqa: ASYNC110 - the system sends no notice
            await asyncio.sleep(_PARENT_SECONDS)
        asked.set()


def _on_signals(supervisor: Supervisor) -> asyncio.Event:
    """Return what is set by the first signal; the second one kills the programs instead of asking them."""
    asked = asyncio.Event()

    def handle() -> None:
        if asked.is_set():
            supervisor.halt()
        asked.set()

    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, handle)
    return asked
