"""`finops demo` as a person starts it: in a shell full of things that must not leak in."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.support.processes import alive, eventually

ROOT = Path(__file__).parents[3]
LEAKS = {
    "AWS_PROFILE": "the-users-own",
    "AWS_ENDPOINT_URL": "https://aws.example.invalid",
    "AWS_ACCESS_KEY_ID": "AKIATHEUSERSOWN00000",
    "KUBECONFIG": "/nonexistent/kubeconfig",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "FINOPS_REDIS_URL": "redis://127.0.0.1:1/0",
    "SLACK_BOT_TOKEN": "xoxb-the-users-own",
}
DEMO = (sys.executable, "-m", "finops_operator.cli.main", "demo")
MAKE_DEMO = ("make", "--no-print-directory", "-o", ".venv/.installed", f"BIN={Path(sys.executable).parent}", "demo")
"""As the README says it; the environment that runs the tests is taken as it is."""


@dataclass(slots=True)
class DemoProcess:
    """A started demo; `out` and `err` grow as it speaks."""

    process: subprocess.Popen[str]
    folder: Path
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.out)

    @property
    def told(self) -> str:
        return "".join(self.err)

    def wait_for(self, words: str, seconds: float = 120.0) -> None:
        """Wait until it says `words` on either stream; fails with everything it said."""
        seen = eventually(lambda: words in self.text + self.told or self.process.poll() is not None, seconds)
        assert seen, self.told
        assert words in self.text + self.told, self.told

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(90)

    def nothing_left(self) -> bool:
        """Tell whether no process knows the demo's folder any more, and nothing is in it."""
        return eventually(lambda: not alive(str(self.folder)) and not list(self.folder.iterdir()), 15)

    def leftovers(self) -> list[str]:
        return alive(str(self.folder)) + [str(path) for path in self.folder.rglob("*")]

    def pid_of(self, module: str) -> int:
        """Return the pid of one of its programs."""
        (line,) = [line for line in alive(str(self.folder)) if f" -m {module} " in f"{line} "]
        return int(line.split()[0])

    @property
    def commands(self) -> list[str]:
        """What its steps say to open or to type, in order."""
        return re.findall(r"(?m)^ {5}(\S.*)$", self.text)

    @property
    def slack_page(self) -> str:
        (page,) = re.findall(r"Slack +(http[^?]+)", self.text)
        return str(page)

    @property
    def env_file(self) -> Path:
        (found,) = re.findall(r"(?m)^ {5}\. (\S+/env)$", self.text)
        return Path(found)


@contextmanager
def running_demo(*arguments: str, command: Sequence[str] = DEMO) -> Iterator[DemoProcess]:
    """Start `finops demo` with a temporary folder of its own; whatever is left of it at the end is killed."""
    folder = Path(tempfile.mkdtemp(prefix="demo-"))
    environment = {**os.environ, **LEAKS, "TMPDIR": str(folder)}
    with subprocess.Popen(
        [*command, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        demo = DemoProcess(process, folder)
        readers = [
            threading.Thread(target=_read, args=(process.stdout, demo.out)),
            threading.Thread(target=_read, args=(process.stderr, demo.err)),
        ]
        for reader in readers:
            reader.start()
        try:
            yield demo
        finally:
            if process.poll() is None:
                process.kill()
            for line in alive(str(folder)):
                with suppress(ProcessLookupError):
                    os.kill(int(line.split()[0]), signal.SIGKILL)
            for reader in readers:
                reader.join(30)
            shutil.rmtree(folder, ignore_errors=True)


def _read(stream: TextIO | None, lines: list[str]) -> None:
    assert stream is not None
    lines.extend(iter(stream.readline, ""))


def shell(demo: DemoProcess, *commands: str) -> subprocess.CompletedProcess[str]:
    """Run commands as a person pastes them into a terminal where the demo's environment was read."""
    return _bash([f". {demo.env_file}", *commands])


def _bash(lines: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **LEAKS}
    return subprocess.run(
        ["bash", "-c", "\n".join(lines)], env=environment, capture_output=True, text=True, timeout=240, check=False
    )
