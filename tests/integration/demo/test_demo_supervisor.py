"""The supervisor with small programs: readiness, order, last lines, and nothing left however it ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.demo.supervised import POLITE, program
from tests.support.processes import alive, eventually

from finops_sandbox.supervisor import Program, ProgramFailed, Supervisor

ROOT = Path(__file__).parents[3]


def supervised(folder: Path, work: Callable[[Supervisor], Coroutine[Any, Any, None]]) -> list[str]:
    """Run `work` under a supervisor and return what it said."""
    said: list[str] = []

    async def main() -> None:
        async with Supervisor(folder / "programs.log", say=said.append) as supervisor:
            await work(supervisor)

    asyncio.run(main())
    assert alive(str(folder)) == []
    return said


@contextmanager
def process() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Run a supervisor of its own process and yield it with its folder, when all is up."""
    folder = Path(tempfile.mkdtemp(prefix="supervised-"))
    command = [sys.executable, "-m", "tests.integration.demo.supervised", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "operator")])}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "up\n", running.stderr.read() if running.stderr else ""
        try:
            yield running, folder
        finally:
            running.kill()
            shutil.rmtree(folder, ignore_errors=True)


def test_a_program_is_ready_when_it_says_so_and_its_lines_are_kept(tmp_path: Path) -> None:
    async def work(supervisor: Supervisor) -> None:
        running = await supervisor.start(program("one", POLITE, str(tmp_path)))
        assert running.announced == {"what": "polite"}

    said = supervised(tmp_path, work)
    assert said[0].startswith("one is ready after")
    log = (tmp_path / "programs.log").read_text(encoding="utf-8")
    assert "one | ready polite" in log
    assert "one | bye" in log


def test_stages_stop_from_the_highest_to_the_lowest(tmp_path: Path) -> None:
    async def work(supervisor: Supervisor) -> None:
        for name, stage in (("store", 0), ("operator", 2), ("double", 1)):
            await supervisor.start(program(name, POLITE, str(tmp_path), stage=stage))

    supervised(tmp_path, work)
    log = (tmp_path / "programs.log").read_text(encoding="utf-8").splitlines()
    assert [line.split()[1] for line in log if line.endswith("bye")] == ["operator", "double", "store"]


def test_a_program_that_dies_while_starting_is_reported_with_its_last_lines(tmp_path: Path) -> None:
    dying = program("dying", "print('first'); print('the reason', flush=True); raise SystemExit(7)", str(tmp_path))

    async def work(supervisor: Supervisor) -> None:
        await supervisor.start(program("one", POLITE, str(tmp_path)))
        with pytest.raises(ProgramFailed, match=r"(?s)dying ended with exit code 7.*dying \| the reason"):
            await supervisor.start(dying)

    supervised(tmp_path, work)


def test_a_program_that_is_never_ready_is_reported_and_stopped(tmp_path: Path) -> None:
    silent = Program(
        name="silent",
        command=(sys.executable, "-c", "import time; print('still loading', flush=True); time.sleep(60)"),
        environment={"MARK": str(tmp_path)},
        announcement="^ready (?P<what>.*)",
        ready_seconds=1.0,
    )

    async def work(supervisor: Supervisor) -> None:
        with pytest.raises(ProgramFailed, match=r"(?s)not ready within 1 seconds.*still loading"):
            await supervisor.start(silent)

    supervised(tmp_path, work)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    missing = Program(name="missing", command=(str(tmp_path / "none"),), environment={})

    async def work(supervisor: Supervisor) -> None:
        with pytest.raises(ProgramFailed, match="missing cannot be started"):
            await supervisor.start(missing)

    supervised(tmp_path, work)


def test_a_flood_of_output_without_line_ends_blocks_nobody(tmp_path: Path) -> None:
    text = "import sys; sys.stdout.write('x' * 3_000_000); print(); print('ready flood', flush=True); input()"
    flood = program("flood", text.replace("input()", "__import__('time').sleep(60)"), str(tmp_path))

    async def work(supervisor: Supervisor) -> None:
        await supervisor.start(flood)

    supervised(tmp_path, work)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_program_even_one_that_does_not_listen(number: signal.Signals) -> None:
    with process() as (running, folder):
        assert len(alive(str(folder))) >= 4
        running.send_signal(number)
        assert running.wait(20) == 0
        assert eventually(lambda: alive(str(folder)) == [], 5), alive(str(folder))


def test_kill_9_of_the_parent_leaves_no_process_and_no_file() -> None:
    with process() as (running, folder):
        running.kill()
        running.wait(10)
        assert eventually(lambda: alive(str(folder)) == [] and not folder.exists(), 10), alive(str(folder))


def test_the_death_of_one_program_ends_all_and_is_reported() -> None:
    with process() as (running, folder):
        (polite,) = [line for line in alive(str(folder)) if "ready polite" in line]
        os.kill(int(polite.split()[0]), signal.SIGKILL)
        _, told = running.communicate(timeout=20)
        assert running.returncode == 1
        assert "polite ended by signal SIGKILL" in told
        assert "polite | ready polite" in told
        assert eventually(lambda: alive(str(folder)) == [], 5), alive(str(folder))


def test_the_death_of_the_reaper_ends_all_while_somebody_can_still_clean_up() -> None:
    with process() as (running, folder):
        os.kill(reaper_of(running.pid), signal.SIGKILL)
        _, told = running.communicate(timeout=20)
        assert running.returncode == 1
        assert "the reaper ended by signal SIGKILL" in told
        assert "Traceback" not in told
        assert eventually(lambda: alive(str(folder)) == [], 5), alive(str(folder))


def reaper_of(parent: int) -> int:
    """Return the pid of the reaper among the children of a process."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    (found,) = [one for one in children if b"reaper.py" in Path(f"/proc/{one}/cmdline").read_bytes()]
    return int(found)
