"""A scan that pods do finds what one in the operator finds; a killed pod is made again, a failing one is a gap."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.integration.scan.conftest import ACCOUNTS, BOTH, PRODUCTION, Scan
from tests.support.fake_clock import FakeClock
from tests.support.scanning import dependencies, policy, report_of

from finops.domain.resource import Shard
from finops.errors import Refused, StoreUnavailable
from finops.ports.clock import SystemClock
from finops.store.connection import Store
from finops.store.inventory import InventoryStore
from finops.store.keys import Keys
from finops.store.recommendations import RecommendationStore
from finops.store.scan_work import ScanWork
from finops_operator.scan.dependencies import ScanDependencies
from finops_operator.scan.scan import ScanOutcome, brief_of, scan
from finops_operator.scan.spread import asked_of
from finops_sandbox.aws.double import AwsDouble

KINDS = ["ec2-instance", "ebs-volume", "auto-scaling-group", "elastic-ip"]
HERE = policy("production", "staging", resources=KINDS)
IN_PODS = policy("production", "staging", resources=KINDS, execution={"mode": "Job", "parallelism": 2})
PARTS = 4
_INSTANT = re.compile(r"[0-9-]{10}T[0-9:]{8}[.][0-9]+[+]00:00")
TRIES = 3


@dataclass
class LocalPods:
    """Real processes in place of pods; a part whose process fails is begun again, as the Job's back-off does.

    Attributes:
        killed: index → the boundary at which its first process is killed.
        failing: indexes whose processes have no store.
        tried: how often each was begun.
    """

    url: str
    prefix: str
    killed: Mapping[int, str] = field(default_factory=dict)
    failing: frozenset[int] = frozenset()
    tried: Counter[int] = field(default_factory=Counter)
    parallelism: int = 0
    logs: list[str] = field(default_factory=list)

    def run(self, name: str, count: int, parallelism: int, done: Callable[[int], None]) -> Mapping[int, str]:
        self.parallelism = parallelism
        with ThreadPoolExecutor(parallelism) as pool:
            ended = list(pool.map(lambda index: self._part(name, index), range(count)))
        done(sum(ended))
        return {index: "its pod failed" for index, well in enumerate(ended) if not well}

    def _part(self, name: str, index: int) -> bool:
        for number in range(TRIES):
            self.tried[index] += 1
            point = self.killed.get(index, "") if number == 0 else ""
            url = "redis://127.0.0.1:1" if index in self.failing else self.url
            ended = self.process(name, index, kill=point, url=url)
            assert ended.returncode == (-signal.SIGKILL if point else index in self.failing), ended.stderr
            if ended.returncode == 0:
                return True
        return False

    def process(
        self, name: str, index: int | str, *, kill: str = "", url: str = ""
    ) -> subprocess.CompletedProcess[str]:
        own = {
            "JOB_SCAN": name,
            "JOB_COMPLETION_INDEX": str(index),
            "FINOPS_REDIS_URL": url or self.url,
            "FINOPS_REDIS_PREFIX": self.prefix,
            "FINOPS_KILL_POINT": kill,
            "FINOPS_AWS_QUOTA_PERCENT": "100",
        }
        command = [sys.executable, "-m", "finops_operator.scan_pod"]
        ended = subprocess.run(
            command, env={**os.environ, **own}, capture_output=True, text=True, timeout=120, check=False
        )
        self.logs.append(ended.stderr)
        return ended


@pytest.fixture
def pods(store: Store, valkey_url: str) -> LocalPods:
    return LocalPods(valkey_url, store.keys.prefix)


@pytest.fixture
def clock() -> FakeClock:
    """Return one instant for both scans, of which all measurements are there: later ones would see more."""
    return FakeClock(datetime.now(UTC) - timedelta(hours=2))


@pytest.fixture
def spread(aws: AwsDouble, store: Store, pods: LocalPods, clock: FakeClock) -> Iterator[Scan]:
    """Return a function that scans with pods."""
    with ThreadPoolExecutor(4) as pool:
        yield lambda: scan(IN_PODS, ACCOUNTS, replace(dependencies(store, pool), pods=pods), clock)


@pytest.fixture
def expected(aws: AwsDouble, store: Store, clock: FakeClock) -> dict[str, Any]:
    """Return what a scan in the operator leaves."""
    here = Store(store.client, Keys(f"{store.keys.prefix}here:"))
    with ThreadPoolExecutor(4) as pool:
        return content(scan(HERE, ACCOUNTS, dependencies(here, pool), clock), here)


def content(outcome: ScanOutcome, store: Store) -> dict[str, Any]:
    """Return all that a scan leaves, without names and times of its own."""
    # Instants of the scan itself have a fraction; those of the estate have none.
    report = json.loads(_INSTANT.sub("now", json.dumps(report_of(outcome, why=True))))
    recommendations = RecommendationStore(store)
    inventory = InventoryStore(store)
    head = recommendations.head(("default", "all"))
    assert head is not None
    return {
        "summary": {
            key: value for key, value in report["summary"].items() if key not in {"apiCalls", "estimatedApiCost"}
        },
        "resources": report["resources"],
        "recommendations": sorted(report["recommendations"], key=lambda one: str(one["id"])),
        "reasons": sorted(report["notRecommended"], key=str),
        "gaps": report["gaps"],
        "stored": sorted(one.id for one in recommendations.stream(("default", "all"))),
        "costs": head.costs,
        "shards": [
            (shard, [one.id for page in inventory.pages(shard, generation) for one in page])
            for shard, generation in head.shards
        ],
    }


def test_pods_leave_what_a_scan_in_the_operator_leaves(
    expected: dict[str, Any], spread: Scan, pods: LocalPods, store: Store
) -> None:
    outcome = spread()
    found = content(outcome, store)
    for name, value in expected.items():
        assert found[name] == value, name
    assert expected["summary"]["recommendations"] > PARTS
    assert Decimal(expected["summary"]["monthlyCost"]) > 0
    assert pods.tried == dict.fromkeys(range(PARTS), 1)
    assert pods.parallelism == 2
    assert outcome.summary.api_calls["ec2:DescribeInstances"] >= PARTS
    assert outcome.metric_effort.points > 0
    assert store.client.keys(f"{store.keys.prefix}work:*") == [], "what was collected is not kept"


@pytest.mark.parametrize("point", ["scan.swap", "scan.judged", "scan.pod.found"])
def test_a_pod_that_is_killed_is_made_again_alone_and_nothing_is_there_twice(
    point: str, expected: dict[str, Any], spread: Scan, pods: LocalPods, store: Store
) -> None:
    pods.killed = {1: point}
    assert content(spread(), store) == expected
    assert pods.tried == {0: 1, 1: 2, 2: 1, 3: 1}


def test_what_a_killed_pod_recommended_of_something_that_is_gone_is_taken_out(
    aws: AwsDouble, spread: Scan, pods: LocalPods, store: Store
) -> None:
    kept = RecommendationStore(store)

    class Gone(LocalPods):
        """Between two tries an instance goes on whose behalf the first one recommended something."""

        def _part(self, name: str, index: int) -> bool:
            if index == 0:
                first = self.process(name, index, kill="scan.pod.found")
                assert first.returncode == -signal.SIGKILL, first.stderr
                theirs = [one for one in kept.stream(("default", "all"), name) if one.resource.region == "eu-central-1"]
                assert theirs
                stale = replace(theirs[0], id="stale")
                kept.add(("default", "all"), name, [stale], ())
            return LocalPods._part(self, name, index)

    pods.__class__ = Gone
    outcome = spread()
    stored = [one.id for one in kept.stream(("default", "all"))]
    assert "stale" not in stored
    assert len(stored) == len(set(stored)) >= outcome.summary.recommendations


def test_a_part_that_no_pod_can_do_is_one_gap_and_what_was_known_of_it_stays(
    spread: Scan, pods: LocalPods, store: Store
) -> None:
    whole = spread()
    shard = Shard(PRODUCTION, "eu-central-1", "ec2-instance")
    before = InventoryStore(store).head(shard)
    pods.failing, pods.tried = frozenset({0}), Counter()
    outcome = spread()
    (gap,) = outcome.summary.gaps
    assert (gap.account, gap.region, gap.code) == (PRODUCTION, "eu-central-1", "ScanPodFailed")
    assert "was not scanned: its pod failed" in gap.message
    assert 0 < outcome.summary.resources < whole.summary.resources
    assert pods.tried[0] == TRIES
    after = InventoryStore(store).head(shard)
    assert before is not None
    assert after is not None
    assert (after.generation, after.gaps) == (before.generation, (gap,))


def test_nothing_at_all_could_be_scanned_is_said_with_its_cause(spread: Scan, pods: LocalPods) -> None:
    pods.failing = frozenset(range(PARTS))
    summary = spread().summary
    assert summary.complete_failure.startswith("nothing could be scanned: 111111111111 eu-central-1 was not scanned")


@pytest.mark.parametrize(
    "forged",
    ["", "{}", "[]", '{"shards": []}', '{"shards": [{"kind": "ec2-instance"}]}', '{"shards": "no", "gaps": 5}', "\x00"],
)
def test_what_somebody_else_wrote_in_place_of_a_pod_is_a_gap(
    forged: str, aws: AwsDouble, store: Store, pods: LocalPods
) -> None:
    class Forger(LocalPods):
        def run(self, name: str, count: int, parallelism: int, done: Callable[[int], None]) -> Mapping[int, str]:
            for index in range(count):
                ScanWork(store).put(name, index, forged)
            return {}

    pods.__class__ = Forger
    with ThreadPoolExecutor(4) as pool:
        outcome = scan(IN_PODS, ACCOUNTS, replace(dependencies(store, pool), pods=pods), SystemClock())
    assert {gap.code for gap in outcome.summary.gaps} == {"ScanPodFailed"}
    assert len(outcome.summary.gaps) == PARTS


def test_all_pods_together_may_have_as_many_bytes_of_logs_read_as_the_policy_says(
    aws: AwsDouble, store: Store, pods: LocalPods
) -> None:
    bytes_left: list[float] = []
    deps: list[ScanDependencies] = []

    class Asking(LocalPods):
        def run(self, name: str, count: int, parallelism: int, done: Callable[[int], None]) -> Mapping[int, str]:
            text = ScanWork(store).asked(name)
            assert text is not None
            for index in range(count):
                work, _ = asked_of(name, text, index)
                brief = brief_of(work.policy, work.accounts, deps[0], work.started, name, work.parts)
                bytes_left.append(brief.log_bytes.bytes_left)
            return {}

    pods.__class__ = Asking
    with ThreadPoolExecutor(4) as pool:
        deps.append(replace(dependencies(store, pool), pods=pods))
        scan(IN_PODS, ACCOUNTS, deps[0], SystemClock())
    assert bytes_left == [IN_PODS.spec.metrics.logs_max_gb * 1e9 / PARTS] * PARTS


def test_a_scan_that_may_make_no_pods_fails_and_leaves_nothing_to_do(
    aws: AwsDouble, store: Store, pods: LocalPods
) -> None:
    class Refusing(LocalPods):
        def run(self, name: str, count: int, parallelism: int, done: Callable[[int], None]) -> Mapping[int, str]:
            raise Refused("the cluster does not let us create Job scan")

    pods.__class__ = Refusing
    with ThreadPoolExecutor(4) as pool, pytest.raises(Refused):
        scan(IN_PODS, ACCOUNTS, replace(dependencies(store, pool), pods=pods), SystemClock())
    assert store.client.keys(f"{store.keys.prefix}work:*") == []


def test_a_pod_for_which_nobody_waits_does_nothing_and_ends_well(aws: AwsDouble, pods: LocalPods) -> None:
    before = len(aws.calls)
    ended = pods.process("20260301T000000-gone", 0)
    assert ended.returncode == 0, ended.stderr
    assert "nobody waits" in ended.stderr
    assert len(aws.calls) == before


def test_a_pod_of_a_part_that_is_not_there_is_not_tried_again(store: Store, pods: LocalPods) -> None:
    ScanWork(store).ask("scan", "no work at all")
    ended = pods.process("scan", 0)
    assert ended.returncode == 2, "the Job's policy does not try this again"
    assert "names no part of the scan" in ended.stderr


@pytest.mark.parametrize(("name", "index"), [("", "0"), ("scan", ""), ("scan", "first")])
def test_a_pod_that_nobody_asked_for_says_so(name: str, index: str, pods: LocalPods) -> None:
    ended = pods.process(name, index)
    assert ended.returncode == 2
    assert "made by the operator's Jobs alone" in ended.stderr


def test_without_pods_the_command_scans_by_itself(scanned: Scan) -> None:
    wanted = BOTH.model_copy(update={"spec": BOTH.spec.model_copy(update={"execution": IN_PODS.spec.execution})})
    assert scanned(wanted).summary.resources > 0


def test_the_store_that_goes_in_between_ends_the_scan(aws: AwsDouble, store: Store, pods: LocalPods) -> None:
    class Losing(LocalPods):
        def run(self, name: str, count: int, parallelism: int, done: Callable[[int], None]) -> Mapping[int, str]:
            raise StoreUnavailable("the store does not answer")

    pods.__class__ = Losing
    with ThreadPoolExecutor(4) as pool, pytest.raises(StoreUnavailable):
        scan(IN_PODS, ACCOUNTS, replace(dependencies(store, pool), pods=pods), SystemClock())
