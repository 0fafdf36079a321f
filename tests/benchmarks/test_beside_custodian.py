"""The scan beside Cloud Custodian on one endpoint: part of `make bench`. Takes minutes, and needs the package index.

Writes docs/benchmarks.json, from which `make generate` makes the tables. Asserted is what does not depend on the
machine (requests, datapoints, memory, the same instances found, nothing lost); seconds and processor time are written
down and promised nowhere.
"""

from __future__ import annotations

import json
import os

import pytest
from tests.benchmarks.speed_program import OUT, PARTS, Bench, document, running_bench

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
INSTANCES = int(os.environ.get("FINOPS_BENCH_INSTANCES", "10000"))


@pytest.fixture(scope="module")
def bench() -> Bench:
    """Return a bench after all its parts; Cloud Custodian that cannot be installed is a failure, not a skip."""
    with running_bench(INSTANCES) as running:
        for part in PARTS.values():
            part(running)
        OUT.write_text(json.dumps(document(running, {}), indent=2) + "\n", encoding="utf-8")
    return running


def test_the_first_scan_asks_for_two_million_datapoints_at_most_and_a_fraction_of_the_requests(bench: Bench) -> None:
    ours, theirs = bench.runs["noQuotas"], bench.runs["custodian"]
    assert ours["datapoints"] <= 200 * INSTANCES
    assert theirs["requests"] >= 30 * ours["requests"]
    assert ours["peakMegabytes"] <= 200


def test_aws_throttles_nothing_of_a_scan_that_keeps_to_its_share(bench: Bench) -> None:
    ours = bench.runs["defaultShare"]
    assert ours["throttled"] == 0
    assert ours["exitCode"] == 0


def test_further_policies_ask_for_no_metric_again(bench: Bench) -> None:
    assert bench.runs["fourPolicies"]["metricRequests"] == bench.runs["thousand"]["metricRequests"]


def test_both_find_the_same_instances(bench: Bench) -> None:
    ours, theirs = bench.runs["sameRule"]["matched"], bench.runs["custodianThousand"]["matched"]
    assert ours
    assert ours == theirs


@pytest.mark.parametrize("run", ["throttled40", "throttled70"])
def test_throttled_no_resource_is_lost_and_what_is_not_known_is_said(bench: Bench, run: str) -> None:
    stormy, calm = bench.runs[run], bench.runs["sameRule"]
    assert stormy["throttled"] > 0
    assert stormy["resources"] == calm["resources"]
    assert stormy["unknown"] == 0 or stormy["gaps"] > 0
