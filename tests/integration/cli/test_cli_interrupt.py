"""Ctrl-C and kill -9 in the middle of a scan: 130 at once, and no store left running."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Files
from tests.support.processes import alive, eventually


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a short path: the store's socket is in it."""
    made = Path(tempfile.mkdtemp(prefix="scan-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_scan_ends_at_once_and_leaves_no_store_running(
    aws: AwsProcess, files: Files, folder: Path, number: signal.Signals, code: int
) -> None:
    aws.inject(kind="latency", service="ec2", action="DescribeInstances", seconds=20)
    path = files(policy("production"), account("production"))
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    # A shell that starts the tests in the background hands down an ignored Ctrl-C; a person's shell does not.
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "finops_operator.cli.main", "scan", "-f", path],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert eventually((folder / "finops" / "valkey.sock").exists, 20)
        assert eventually(lambda: len(alive(str(folder))) == 2, 10), alive(str(folder))
        # The scan itself begins a moment after its store.
        assert eventually(lambda: bool(_ec2_connections(process.pid)), 20)
        process.send_signal(number)
        out, err = process.communicate(timeout=15)
    assert process.returncode == code
    assert out == ""
    assert "Traceback" not in err
    assert eventually(lambda: not alive(str(folder)), 10), alive(str(folder))


def _ec2_connections(pid: int) -> list[str]:
    """Return the TCP sockets of a process: it has some only once it talks to AWS."""
    found = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.append(target)
    return found if len(found) > 1 else []
