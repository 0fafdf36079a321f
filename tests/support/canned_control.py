"""Starts the canned endpoint in a process of its own and steers it; used by benchmarks and by its tests."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class CannedEndpoint:
    """The running endpoint: where it listens and which process it is."""

    url: str
    pid: int

    def environment(self) -> dict[str, str]:
        """Return the variables that lead an SDK here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIACANNED",
            "AWS_SECRET_ACCESS_KEY": "canned-secret",
            "AWS_DEFAULT_REGION": REGION,
        }

    def fleet(self, size: int, *, now: float | None = None, replaced_percent: int = 0) -> None:
        """Prepare `size` instances whose last points are at `now`, else at this moment."""
        at = {} if now is None else {"now": now}
        self._control("fleet", {"size": size, "replacedPercent": replaced_percent, **at})

    def switches(
        self,
        *,
        latency_milliseconds: float = 0,
        quotas: bool = False,
        throttled_share: float = 0,
        throttled_services: tuple[str, ...] | None = None,
    ) -> None:
        """Set the switches, and the counters to zero."""
        services = {} if throttled_services is None else {"throttledServices": throttled_services}
        document = {"latencyMilliseconds": latency_milliseconds, "quotas": quotas, "throttledShare": throttled_share}
        self._control("switches", {**document, **services})

    def counters(self) -> dict[str, Any]:
        """Return what was asked since the switches were set."""
        return self._control("counters")

    def cpu_seconds(self) -> float:
        """Return the processor time that the endpoint has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def _control(self, order: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.url}/_canned/{order}", data=data, timeout=300) as answer:
            counters: dict[str, Any] = json.load(answer)
        return counters


@contextmanager
def running_canned_endpoint() -> Iterator[CannedEndpoint]:
    """Start the endpoint without instances and stop it in the end."""
    command = [sys.executable, "-m", "tests.support.canned_aws"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().partition("listening on ")[2].strip()
            assert url, "the canned endpoint did not start"
            yield CannedEndpoint(url, process.pid)
        finally:
            process.terminate()
            process.wait(10)
