"""Utilization on a real server: rings as bytes, summaries as records, dimension sets for a day."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime

from finops.domain.resource import Shard
from finops.domain.rings import Ring
from finops.domain.utilization import MetricSummary, Utilization
from finops.store.connection import Store
from finops.store.utilization import Discovered, UtilizationStore

SHARD = Shard("111111111111", "us-east-1", "ec2-instance")
START = datetime(2026, 11, 10, tzinfo=UTC)
END = datetime(2026, 11, 24, tzinfo=UTC)


def test_rings_are_kept_as_bytes_next_to_a_client_that_speaks_text(store: Store) -> None:
    utilization = UtilizationStore(store)
    ring = Ring(490_000, (array("f", [1.5, math.nan, 255.0]), array("f", [2.5, math.nan, 1e30])))
    utilization.put_rings(SHARD, {("i-1", "cpuPercent"): ring, ("i-2", "networkInBytes"): ring})
    found = utilization.rings(SHARD, ["cpuPercent", "networkInBytes"], ["i-1", "i-2"])
    assert set(found) == {("i-1", "cpuPercent"), ("i-2", "networkInBytes")}
    assert found["i-1", "cpuPercent"].values[1].tobytes() == ring.values[1].tobytes()
    assert found["i-1", "cpuPercent"].end_hour == 490_000


def test_summaries_come_back_as_they_were(store: Store) -> None:
    summary = MetricSummary(99.5, 90, 80, 70, 60, 12.25, None, 330, 336, 3600, START, END)
    counter = MetricSummary(9, 8, 7, 6, 5, 4, 1e12, 1, 2, 300, START, END)
    before = Utilization(
        "i-1",
        {"cpuPercent": summary},
        {"memoryPercent": "NotPublished"},
        {"networkInBytes": counter},
        {"cpuPercent": START},
    )
    utilization = UtilizationStore(store)
    utilization.put_summaries(SHARD, {"i-1": before})
    assert utilization.summaries(SHARD, ["i-1", "i-2"]) == {"i-1": before}


def test_what_is_gone_is_forgotten_everywhere(store: Store) -> None:
    utilization = UtilizationStore(store)
    ring = Ring(10, (array("f", [1.0]),))
    utilization.put_rings(SHARD, {("i-1", "cpuPercent"): ring, ("i-2", "cpuPercent"): ring})
    utilization.put_summaries(SHARD, {"i-1": Utilization("i-1"), "i-2": Utilization("i-2")})
    utilization.forget(SHARD, ["cpuPercent"], ["i-1"])
    assert set(utilization.rings(SHARD, ["cpuPercent"], ["i-1", "i-2"])) == {("i-2", "cpuPercent")}
    assert set(utilization.summaries(SHARD, ["i-1", "i-2"])) == {"i-2"}


def test_an_unfinished_discovery_says_nothing_and_a_finished_one_says_who_is_silent(store: Store) -> None:
    utilization = UtilizationStore(store)
    plain = Discovered("mem_used_percent", (("InstanceId", "i-1"),))
    utilization.add_discovered(SHARD, "memoryPercent", {"i-1": plain}, seconds=60)
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1"]) is None
    utilization.finish_discovery(SHARD, "memoryPercent", seconds=60)
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1", "i-2"]) == {"i-1": plain}
    utilization.start_discovery(SHARD, "memoryPercent")
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1"]) is None


def test_the_plain_dimension_set_wins_whichever_page_tells_it(store: Store) -> None:
    utilization = UtilizationStore(store)
    plain = Discovered("mem_used_percent", (("InstanceId", "i-1"),))
    full = Discovered("mem_used_percent", (("ImageId", "ami-1"), ("InstanceId", "i-1")))
    for order in ([plain, full], [full, plain]):
        utilization.start_discovery(SHARD, "memoryPercent")
        for one in order:
            utilization.add_discovered(SHARD, "memoryPercent", {"i-1": one}, seconds=60)
        utilization.finish_discovery(SHARD, "memoryPercent", seconds=60)
        assert utilization.discovered(SHARD, "memoryPercent", ["i-1"]) == {"i-1": plain}
