"""The doubles of AWS and Slack as processes on this machine, at the address where pods reach them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.cluster import ROOT, Object, plain_environment, wait_until

from finops_sandbox.ports import free_port

ACCOUNT, REGION = "111111111111", "us-east-1"
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextlib.contextmanager
def running(module: str, *arguments: str, health: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a double until the block ends; it begins when the double says that it is ready."""
    environment = {**plain_environment(), "PYTHONPATH": f"{ROOT / 'operator'}:{ROOT / 'slackbot'}"}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments], env=environment, stdout=subprocess.DEVNULL, cwd=ROOT
    )
    try:
        wait_until(f"{module} serves", lambda: process.poll() is None and _answers(health), seconds=30, every=0.2)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _answers(url: str) -> bool:
    try:
        with _OPENER.open(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Aws:
    """The control API of the AWS double."""

    url: str

    def _ask(self, path: str, body: Object | None = None, method: str = "") -> Any:
        data = None if body is None else json.dumps(body).encode()
        verb = method or ("GET" if body is None else "POST")
        request = urllib.request.Request(f"{self.url}/_sandbox/{path}", data=data, method=verb)
        with _OPENER.open(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def resource(self, resource_id: str) -> Object:
        """The state as AWS holds it now."""
        found: Object = self._ask(f"resources/{ACCOUNT}/{REGION}/{resource_id}")
        return found

    def change(self, resource_id: str, **changes: Any) -> None:
        """Change it by hand, as somebody in the console would."""
        self._ask(f"resources/{ACCOUNT}/{REGION}/{resource_id}", dict(changes))

    def inject(self, **fault: Any) -> None:
        self._ask("faults", dict(fault))

    def clear_faults(self) -> None:
        self._ask("faults", method="DELETE")

    def changes(self, resource_id: str = "") -> list[Object]:
        """The changing calls that took effect, in order; of one resource or of all."""
        return [call for call in self.calls() if call["applied"] and (not resource_id or _concerns(call, resource_id))]

    def calls(self) -> list[Object]:
        """Every changing call that AWS saw, in order."""
        seen: list[Object] = self._ask("calls")["calls"]
        return seen

    def hits(self) -> int:
        """How often a fault struck."""
        faults = self._ask("faults")
        listed = faults["faults"] if isinstance(faults, dict) else faults
        return sum(int(fault["hits"]) for fault in listed)


def _concerns(call: Object, resource_id: str) -> bool:
    return resource_id in json.dumps([call["targets"], call["parameters"]])


@contextlib.contextmanager
def aws_double(host: str, estate: Path, state_seconds: float) -> Iterator[Aws]:
    """Run an AWS double whose transitional states last `state_seconds`."""
    port = free_port(host)
    url = f"http://{host}:{port}"
    where = ("--host", host, "--port", str(port))
    with running(
        "finops_sandbox.aws",
        *where,
        *("--estate", str(estate), "--state-seconds", str(state_seconds)),
        health=f"{url}/_sandbox/health",
    ):
        yield Aws(url)


@contextlib.contextmanager
def slack_double(host: str) -> Iterator[str]:
    """Run a Slack double; yields its address."""
    port = free_port(host)
    url = f"http://{host}:{port}"
    with running(
        "finops_sandbox.slack", "--host", host, "--port", str(port), "--limits", "normal", health=f"{url}/_fake/health"
    ):
        yield url
