"""The command line as a person runs it: one AWS double for the module, a state folder and an environment per test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.cli.aws_process import AwsProcess, running_aws

from finops_operator.cli.main import run


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


Finops = Callable[..., Ended]
Files = Callable[..., str]


@pytest.fixture(scope="session")
def aws_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProcess]:
    """Return the double, shared by all tests of the session."""
    with running_aws(tmp_path_factory.mktemp("aws")) as process:
        yield process


@pytest.fixture
def aws(aws_process: AwsProcess, shell: pytest.MonkeyPatch) -> Iterator[AwsProcess]:
    """Return the double without faults; the shell talks to it."""
    aws_process.clear_faults()
    for name, value in aws_process.environment().items():
        shell.setenv(name, value)
    yield aws_process
    aws_process.clear_faults()


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Return a shell without settings, with a state folder and a key prefix of its own."""
    for name in list(os.environ):
        if name.startswith(("FINOPS_", "AWS_", "KUBE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("FINOPS_DEMO", "true")
    monkeypatch.setenv("FINOPS_REDIS_PREFIX", f"cli-{uuid.uuid4().hex}:")
    return monkeypatch


@pytest.fixture
def finops(shell: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Finops:
    """Return a function that runs one command and tells how it ended; no command may show a traceback."""

    def call(*arguments: str) -> Ended:
        capsysbinary.readouterr()
        code = run(arguments)
        captured = capsysbinary.readouterr()
        ended = Ended(code, captured.out.decode(), captured.err.decode())
        assert "Traceback" not in ended.err
        return ended

    return call


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return a function that writes documents into one file and returns its path."""

    def write(*documents: dict[str, Any]) -> str:
        path = tmp_path / f"{uuid.uuid4().hex[:8]}.yaml"
        path.write_text(yaml.safe_dump_all(documents), encoding="utf-8")
        return str(path)

    return write
