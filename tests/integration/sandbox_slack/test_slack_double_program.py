"""The double as a program: its address on stdout, its end on a signal, its errors by name."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from slack_sdk import WebClient

from finops_sandbox.slack import SlackControl, SlackDouble
from finops_sandbox.slack.workspace import DEFAULT_WORKSPACE

ROOT = Path(__file__).parents[3]


@contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "finops_sandbox.slack", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "operator")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_and_ends_on_a_signal(number: signal.Signals) -> None:
    with program("--port", "0", "--limits", "off") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert SlackControl(ready["url"]).observed.health()["ok"]
        assert WebClient(token="xoxb-sandbox-finops", base_url=ready["api_url"]).auth_test()["ok"]
        process.send_signal(number)
        assert process.wait(10) == 0


def test_the_sockets_address_is_the_one_the_client_used_or_the_advertised_one() -> None:
    with program("--port", "0", "--advertise-host", "slack.finops.svc:8090") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        url = WebClient(base_url=ready["api_url"]).apps_connections_open(app_token="xapp-sandbox-finops")["url"]
        assert url.startswith("ws://slack.finops.svc:8090/link/?ticket=")
    with SlackDouble() as slack:
        base = slack.api_url.replace("127.0.0.1", "localhost")
        url = WebClient(base_url=base).apps_connections_open(app_token="xapp-sandbox-finops")["url"]
        assert url.startswith("ws://localhost:")


def test_a_bad_file_and_a_taken_port_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"
    with program("--workspace", str(missing)) as process:
        assert process.wait(10) == 2
        assert process.stderr is not None
        assert str(missing) in process.stderr.read()
    with SlackDouble() as slack:
        port = int(slack.url.rpartition(":")[2])
        with program("--port", str(port)) as process:
            assert process.wait(10) == 2
        with pytest.raises(OSError, match="in use"):
            SlackDouble(port=port).start()


def test_another_workspace_can_be_given(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(DEFAULT_WORKSPACE.read_text().replace("Finops Sandbox", "Other Place"))
    with SlackDouble(workspace=path) as slack:
        client = WebClient(token="xoxb-sandbox-finops", base_url=slack.api_url)
        assert client.auth_test()["team"] == "Other Place"
