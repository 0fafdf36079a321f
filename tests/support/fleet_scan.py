"""Scans of generated fleets in processes of their own: the double's memory and CPU stay out of what is measured.

Used by the scan's scale test and by the benchmarks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Measured = dict[str, Any]
ACCOUNT, REGION = "111111111111", "us-east-1"
_FLEET = {"regions": [REGION], "resources": ["ec2-instance", "ebs-volume"]}
"""The kinds of which the fleet has any: what the SDK loads to ask for others says nothing of the fleet's size."""
HOURLY_ONLY = {**_FLEET, "checks": [{"id": "ec2_instance_overprovisioned", "enabled": False}]}
EVERYTHING = _FLEET
_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class FleetDouble:
    """The AWS double in a process of its own."""

    url: str

    def environment(self) -> dict[str, str]:
        """Return the variables that lead the SDK here."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIASANDBOXOPERATOR1",
            "AWS_SECRET_ACCESS_KEY": "sandbox-operator-secret",
            "AWS_DEFAULT_REGION": REGION,
        }

    def control(self, path: str, body: dict[str, Any] | None = None) -> None:
        """Call the control API; waits for the double to be loaded."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_sandbox/{path}", data=data, headers={"content-type": "application/json"}
        )
        for _ in range(100):
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    answer.read()
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise AssertionError(f"{self.url} does not answer {path}")

    def fleet(self, size: int) -> None:
        """Replace the account's region by `size` instances and as many volumes."""
        self.control("fleet", {"account": ACCOUNT, "region": REGION, "instances": size, "volumes": size})

    def scan(self, size: int, spec: dict[str, Any], redis: str, prefix: str) -> Measured:
        """Scan a fleet of `size` in a new process and return what it used; see `tests.support.scanning.run_once`."""
        self.fleet(size)
        orders = {"redis": redis, "prefix": prefix, "accounts": {"production": ACCOUNT}, "spec": spec}
        done = subprocess.run(
            [sys.executable, "-m", "tests.support.scanning", json.dumps(orders)],
            env={**os.environ, **self.environment()},
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        measured: Measured = json.loads(done.stdout)
        print(f"\n{prefix} {size}: {json.dumps(measured)}")
        return measured


@contextmanager
def running_fleet_double() -> Iterator[FleetDouble]:
    """Start the double without an estate and stop it in the end."""
    command = [sys.executable, "-m", "finops_sandbox.aws", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        url = ""
        deadline = time.monotonic() + _START_SECONDS
        while not url and time.monotonic() < deadline:
            line = process.stdout.readline()
            url = line.partition("listening on ")[2].strip()
        try:
            double = FleetDouble(url)
            double.control("health")
            yield double
        finally:
            process.terminate()
            process.wait(10)


def requests_per_thousand(measured: Measured) -> float:
    """Return metric requests for days and hours per 1,000 series."""
    requests = measured["dayRequests"] + measured["hourlyRequests"]
    return float(1000 * requests / (measured["daySeries"] + measured["hourlySeries"]))


def growth(small: Sequence[Measured], large: Sequence[Measured]) -> float:
    """Return by how many megabytes the least peak of the larger scans is above the least of the smaller ones.

    Of several runs the least is compared: when the allocator gives freed memory back depends on how threads happen to
    run, and can only add to a peak.
    """
    least = [min(measured["peakMegabytes"] for measured in several) for several in (small, large)]
    return float(least[1] - least[0])
