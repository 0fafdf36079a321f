"""The scan at scale, against generated fleets: part of `make bench`. Takes some minutes.

The double and the scan run in processes of their own, so that memory is the scan's alone. What is asserted are the
promises (memory, calls, nothing lost); seconds are printed and promised nowhere, they are mostly the double's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Measured = dict[str, Any]
ACCOUNT, REGION = "111111111111", "us-east-1"
HOURLY_ONLY = {"regions": [REGION], "checks": [{"id": "ec2_instance_overprovisioned", "enabled": False}]}
EVERYTHING = {"regions": [REGION]}
_START_SECONDS = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the URL of a double that runs in a process of its own."""
    command = [sys.executable, "-m", "finops_sandbox.aws", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as double:
        assert double.stdout is not None
        url = ""
        deadline = time.monotonic() + _START_SECONDS
        while not url and time.monotonic() < deadline:
            line = double.stdout.readline()
            url = line.partition("listening on ")[2].strip()
        yield url
        double.terminate()
        double.wait(10)


def control(endpoint: str, path: str, body: dict[str, Any] | None = None) -> None:
    """Call the double's control API; waits for it to be loaded."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{endpoint}/_sandbox/{path}", data=data, headers={"content-type": "application/json"}
    )
    for _ in range(100):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{endpoint} does not answer {path}")


@pytest.fixture
def measure(endpoint: str, valkey_url: str, request: pytest.FixtureRequest) -> Iterator[Callable[..., Measured]]:
    """Return a function that scans a fleet of `size` instances and as many volumes in a new process."""
    control(endpoint, "health")
    control(endpoint, "reset", {})

    def run(size: int, spec: dict[str, Any], *, prefix: str = "") -> Measured:
        control(endpoint, "fleet", {"account": ACCOUNT, "region": REGION, "instances": size, "volumes": size})
        orders = {
            "redis": valkey_url,
            "prefix": prefix or f"bench-{request.node.name}-{size}:",
            "accounts": {"production": ACCOUNT},
            "spec": spec,
        }
        environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "AKIASANDBOXOPERATOR1",
            "AWS_SECRET_ACCESS_KEY": "sandbox-operator-secret",
            "AWS_DEFAULT_REGION": REGION,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.scanning", json.dumps(orders)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        measured: Measured = json.loads(done.stdout)
        print(f"\n{request.node.name} {size}: {json.dumps(measured)}")
        return measured

    yield run
    control(endpoint, "reset", {})


def requests_per_thousand(measured: Measured) -> float:
    return float(1000 * measured["hourlyRequests"] / measured["hourlySeries"])


def test_ten_thousand_instances_stay_under_200_megabytes_and_4_requests_per_1000_series(
    measure: Callable[..., Measured],
) -> None:
    small, large = measure(1_000, HOURLY_ONLY), measure(10_000, HOURLY_ONLY)
    assert large["resources"] == 20_000
    assert large["gaps"] == []
    assert large["unknown"] == 0
    assert large["peakMegabytes"] <= 200
    assert large["peakMegabytes"] - small["peakMegabytes"] <= 25
    assert requests_per_thousand(small) <= 4
    assert requests_per_thousand(large) <= 4
    assert large["apiCalls"]["ec2:DescribeInstances"] == 10


def test_a_thousand_instances_with_five_minute_points_stay_under_200_megabytes(
    measure: Callable[..., Measured],
) -> None:
    measured = measure(1_000, EVERYTHING)
    assert measured["fineRequests"] > 0
    assert measured["peakMegabytes"] <= 200
    assert requests_per_thousand(measured) <= 4


def test_a_second_scan_asks_for_no_metrics(measure: Callable[..., Measured]) -> None:
    first = measure(1_000, HOURLY_ONLY, prefix="bench-again:")
    second = measure(1_000, HOURLY_ONLY, prefix="bench-again:")
    assert first["hourlySeries"] > 0
    assert second["hourlySeries"] == second["fineSeries"] == 0
    assert second["recommendations"] == first["recommendations"]


def test_at_40_percent_throttling_nothing_is_lost(endpoint: str, measure: Callable[..., Measured]) -> None:
    calm = measure(2_000, HOURLY_ONLY, prefix="bench-calm:")
    control(endpoint, "faults", {"kind": "throttle", "rate": 0.4})
    stormy = measure(2_000, HOURLY_ONLY, prefix="bench-storm:")
    assert stormy["resources"] == calm["resources"]
    assert stormy["recommendations"] <= calm["recommendations"]
    lost = sum(gap[3] or 0 for gap in stormy["gaps"])
    assert stormy["unknown"] <= lost
    assert stormy["recommendations"] == calm["recommendations"] or lost > 0
