"""The memory of the dashboard's process while it lists 10,000 resources with 400 days of history: 150 MB at most.

FINOPS_BENCH_RESOURCES=100000 measures as many, FINOPS_BENCH_ROUNDS=2 opens each page twice. What is measured is a
process of its own, as the image starts it in a pod.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from tests.benchmarks.dashboard_estate import RESOURCES, write_estate, write_history
from tests.support.processes import eventually
from tests.support.web_estate import Site, running_site

from finops.store.connection import Store
from finops_sandbox.ports import free_port

ROUNDS: Final = int(os.environ.get("FINOPS_BENCH_ROUNDS", "10"))
LARGEST_MB: Final = 150.0
LONGEST_CPU_SECONDS: Final = 1.0
"""Of a dashboard whose history was read by a visit before."""
PATHS: Final = (
    *("/", "/resources", "/resources?kind=ec2-instance&region=eu-west-1&sort=name", "/resources?find=web-9"),
    *(
        "/api/resources?limit=500",
        "/api/costing/current",
        "/api/costing/by-tag/team",
        "/resources.csv",
        "/resources.json",
    ),
    *("/optimizations", "/requests", "/savings", "/anomalies", "/budgets", "/policies", "/audit"),
)
_IN_A_POD: Final = """
import sys
from pathlib import Path
from finops.k8s import person
from finops_web.__main__ import main
person.SERVICE_ACCOUNT_CA = Path(sys.argv[1])
sys.exit(main())
"""
"""The image's program, but for the place of the API server's certificate."""
_DOCKERFILE: Final = Path(__file__).parents[2] / "Dockerfile"
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A running process of the dashboard."""

    pid: int
    address: str
    token: str

    def megabytes(self, field: str = "VmRSS") -> float:
        """Return its resident size; with the field VmHWM the largest so far."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition(f"{field}:")[2].split()[0]) / 1024

    def cpu_seconds_of(self, path: str) -> float:
        """Return how long the process computes for a page."""
        before = self._cpu_seconds()
        assert self.ask(path) == 200, path
        return self._cpu_seconds() - before

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask(self, path: str) -> int:
        """Return the status of an answer that was read to its end; 0 when nobody listens."""
        request = urllib.request.Request(self.address + path, headers={"Authorization": f"Bearer {self.token}"})
        try:
            with _OPENER.open(request, timeout=120) as answer:
                while answer.read(1 << 16):
                    pass
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0


@contextmanager
def running(site: Site, store_url: str, prefix: str) -> Iterator[Dashboard]:
    """Start the dashboard as its image does in a pod, and end it."""
    port, server = free_port(), urlsplit(site.cluster.url)
    environment = {
        **dict(re.findall(r"(MALLOC_\w+)=(\S+)", _DOCKERFILE.read_text("utf-8").partition(" AS web\n")[2])),
        "PATH": os.environ["PATH"],
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "FINOPS_REDIS_URL": store_url,
        "FINOPS_REDIS_PREFIX": prefix,
        "FINOPS_STORE_ALLOW_UNAUTHENTICATED": "true",
        "FINOPS_WEB_HOST": "127.0.0.1",
        "FINOPS_WEB_PORT": str(port),
    }
    program = [sys.executable, "-c", _IN_A_POD, str(site.cluster.ca_file)]
    with subprocess.Popen(program, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            dashboard = Dashboard(process.pid, f"http://127.0.0.1:{port}", site.token())
            assert eventually(lambda: dashboard.ask("/healthz") == 200, 120), "the dashboard did not start"
            yield dashboard
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.mark.timeout(1800)
def test_the_process_stays_below_its_bound_however_often_it_is_asked(site: Site, store: Store, valkey_url: str) -> None:
    write_estate(store)
    shards = write_history(store, datetime.now(UTC).date())
    with running(site, valkey_url, store.keys.prefix) as dashboard:
        started, rounds = dashboard.megabytes(), list[float]()
        assert dashboard.ask("/resources") == 200
        first, later = dashboard.cpu_seconds_of("/"), dashboard.cpu_seconds_of("/")
        for _ in range(ROUNDS):
            for path in PATHS:
                assert dashboard.ask(path) == 200, path
            rounds.append(dashboard.megabytes())
        peak = dashboard.megabytes("VmHWM")
    print(
        f"{RESOURCES:,} resources: {started:.0f} MB at the start, {rounds[0]:.0f} after a round of {len(PATHS)} pages, "
        f"{rounds[ROUNDS // 2]:.0f} after {ROUNDS // 2}, {rounds[-1]:.0f} after {ROUNDS}, {peak:.0f} at most; "
        f"400 days of {shards} shards: {first:.2f} CPU seconds for the first dashboard, {later:.2f} for the next"
    )
    assert later < LONGEST_CPU_SECONDS
    assert peak < LARGEST_MB
    assert rounds[-1] - rounds[ROUNDS // 2] < 5, "it grows"
