"""The dashboard with 10,000 resources and 400 days of history: 95 of 100 lists within 300 ms, and no growth.

FINOPS_BENCH_RESOURCES=100000 measures a larger one, whose lists may take a second.
"""

from __future__ import annotations

import gc
import resource as limits
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.benchmarks.dashboard_estate import RESOURCES, write_estate, write_history
from tests.support.web_estate import NOW, Site, running_site

from finops.store.connection import Store

ROUNDS = 60
LISTS = (
    "/resources",
    "/resources?kind=ec2-instance&region=eu-west-1&sort=name",
    "/resources?find=web-9",
    "/api/resources?limit=100",
    "/api/costing/current",
)
COMPUTED = ("/", "/anomalies", "/api/costing/forecast")
"""What is computed from the history at each visit; the bound is that of a first paint."""
COMPUTED_SECONDS = 1.0 if RESOURCES <= 10_000 else 3.0
P95_SECONDS = 0.3 if RESOURCES <= 10_000 else 1.0
GROWTH_MIB = 40


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * limits.getpagesize() / 2**20


@pytest.mark.timeout(900)
def test_lists_of_ten_thousand_resources_answer_within_the_bound(site: Site, store: Store) -> None:
    write_estate(store)
    write_history(store, NOW.date())
    client, headers = site.client(store), site.bearer()
    first = time.perf_counter()
    assert client.get("/resources", headers=headers).status_code == 200
    first = time.perf_counter() - first
    # The history is read once, and kept.
    assert client.get("/", headers=headers).status_code == 200
    gc.collect()
    before = resident_mib()

    for path in (*LISTS, *COMPUTED):
        took = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            answer = client.get(path, headers=headers)
            took.append(time.perf_counter() - started)
            assert answer.status_code == 200
        p95 = statistics.quantiles(took, n=20)[-1]
        print(f"{path}: median {statistics.median(took) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms")
        assert p95 < (P95_SECONDS if path in LISTS else COMPUTED_SECONDS), path

    gc.collect()
    grown = resident_mib() - before
    print(f"first page after a scan {first:.2f} s; {ROUNDS * len((*LISTS, *COMPUTED))} requests later {grown:+.1f} MiB")
    assert grown < GROWTH_MIB
