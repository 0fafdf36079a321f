"""Utilization on a real server: rings as bytes, summaries as records, dimension sets for a day."""

from __future__ import annotations

import math
from array import array
from datetime import UTC, datetime

from finops.domain.days import DayPoints
from finops.domain.resource import Shard
from finops.domain.rings import Ring
from finops.domain.utilization import HoursRan, MetricSummary, MonthlyUse, Utilization
from finops.store.connection import Store
from finops.store.utilization import Discovered, UtilizationStore

SHARD = Shard("111111111111", "us-east-1", "ec2-instance")
START = datetime(2026, 11, 10, tzinfo=UTC)
END = datetime(2026, 11, 24, tzinfo=UTC)


def plain(resource_id: str) -> Discovered:
    return Discovered("mem_used_percent", (("InstanceId", resource_id),))


def test_rings_are_kept_as_bytes_next_to_a_client_that_speaks_text(store: Store) -> None:
    utilization = UtilizationStore(store)
    ring = Ring(490_000, (array("f", [1.5, math.nan, 255.0]), array("f", [2.5, math.nan, 1e30])))
    utilization.put_rings(SHARD, {("i-1", "cpuPercent"): ring, ("i-2", "networkInBytes"): ring})
    found = utilization.rings(SHARD, ["cpuPercent", "networkInBytes"], ["i-1", "i-2"])
    assert set(found) == {("i-1", "cpuPercent"), ("i-2", "networkInBytes")}
    assert found["i-1", "cpuPercent"].values[1].tobytes() == ring.values[1].tobytes()
    assert found["i-1", "cpuPercent"].end_hour == 490_000


def test_days_are_kept_with_the_instant_they_were_asked_at(store: Store) -> None:
    utilization = UtilizationStore(store)
    points = DayPoints(1_763_985_600, 20_416, (array("f", [1.5, math.nan, 255.0]), array("f", [2.5, math.nan, 1e30])))
    utilization.days.put(SHARD, {("i-1", "cpuPercent"): points, ("i-2", "networkInBytes"): points})
    found = utilization.days.read(SHARD, ["cpuPercent", "networkInBytes"], ["i-1", "i-2"])
    assert set(found) == {("i-1", "cpuPercent"), ("i-2", "networkInBytes")}
    kept = found["i-1", "cpuPercent"]
    assert (kept.asked, kept.first_day) == (1_763_985_600, 20_416)
    assert kept.values[1].tobytes() == points.values[1].tobytes()
    later = kept.since(20_418)
    assert later is not None
    assert [list(one) for one in later] == [[255.0], [array("f", [1e30])[0]]]
    assert kept.since(20_415) is None
    assert utilization.rings(SHARD, ["cpuPercent"], ["i-1"]) == {}


def test_summaries_come_back_as_they_were(store: Store) -> None:
    summary = MetricSummary(99.5, 90, 80, 70, 60, 12.25, None, 330, 336, 3600, START, END, 0.5)
    counter = MetricSummary(9, 8, 7, 6, 5, 4, 1e12, 1, 2, 300, START, END, 3.0, 2.0, 1, 7, 86_400)
    before = Utilization(
        "i-1",
        {"cpuPercent": summary},
        {"memoryPercent": "NotPublished"},
        {"networkInBytes": counter},
        {"cpuPercent": START},
        {"sent": MonthlyUse(12.5, 720.0), "kept": MonthlyUse(3.0)},
        ran=HoursRan(0.4167, 14.0),
    )
    utilization = UtilizationStore(store)
    utilization.put_summaries(SHARD, {"i-1": before})
    assert utilization.summaries(SHARD, ["i-1", "i-2"]) == {"i-1": before}


def test_what_is_gone_is_forgotten_everywhere(store: Store) -> None:
    utilization = UtilizationStore(store)
    ring = Ring(10, (array("f", [1.0]),))
    utilization.put_rings(SHARD, {("i-1", "cpuPercent"): ring, ("i-2", "cpuPercent"): ring})
    days = DayPoints(0, 0, (array("f", [1.0]),))
    utilization.days.put(SHARD, {("i-1", "cpuPercent"): days, ("i-2", "cpuPercent"): days})
    utilization.put_summaries(SHARD, {"i-1": Utilization("i-1"), "i-2": Utilization("i-2")})
    utilization.forget(SHARD, ["cpuPercent"], ["i-1"])
    assert set(utilization.rings(SHARD, ["cpuPercent"], ["i-1", "i-2"])) == {("i-2", "cpuPercent")}
    assert set(utilization.days.read(SHARD, ["cpuPercent"], ["i-1", "i-2"])) == {("i-2", "cpuPercent")}
    assert set(utilization.summaries(SHARD, ["i-1", "i-2"])) == {"i-2"}


def test_an_unfinished_discovery_says_nothing_and_a_finished_one_says_who_has_no_metrics(store: Store) -> None:
    utilization = UtilizationStore(store)
    discovery = utilization.start_discovery(SHARD, "memoryPercent")
    utilization.add_discovered(discovery, {"i-1": plain("i-1")})
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1"]) is None
    assert 0 < store.client.ttl(discovery) <= 3600
    utilization.finish_discovery(SHARD, "memoryPercent", discovery, seconds=60)
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1", "i-2"]) == {"i-1": plain("i-1")}
    assert 0 < store.client.ttl(f"{store.keys.shard(SHARD).ring('memoryPercent')}:dimensions") <= 60


def test_a_discovery_that_found_nothing_is_finished_too_and_one_that_is_finished_twice_keeps_its_set(
    store: Store,
) -> None:
    utilization = UtilizationStore(store)
    nothing = utilization.start_discovery(SHARD, "memoryPercent")
    utilization.add_discovered(nothing, {})
    utilization.finish_discovery(SHARD, "memoryPercent", nothing, seconds=60)
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1"]) == {}
    found = utilization.start_discovery(SHARD, "memoryPercent")
    utilization.add_discovered(found, {"i-1": plain("i-1")})
    for _ in range(2):
        utilization.finish_discovery(SHARD, "memoryPercent", found, seconds=60)
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1"]) == {"i-1": plain("i-1")}


def test_two_discoveries_side_by_side_each_keep_all_they_found(store: Store) -> None:
    utilization = UtilizationStore(store)
    one, other = (utilization.start_discovery(SHARD, "memoryPercent") for _ in range(2))
    utilization.add_discovered(one, {"i-1": plain("i-1")})
    utilization.add_discovered(other, {"i-1": plain("i-1")})
    utilization.add_discovered(one, {"i-2": plain("i-2")})
    utilization.finish_discovery(SHARD, "memoryPercent", one, seconds=60)
    both = {"i-1": plain("i-1"), "i-2": plain("i-2")}
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1", "i-2"]) == both
    utilization.add_discovered(other, {"i-2": plain("i-2")})
    utilization.finish_discovery(SHARD, "memoryPercent", other, seconds=60)
    assert utilization.discovered(SHARD, "memoryPercent", ["i-1", "i-2"]) == both


def test_answers_to_other_questions_and_of_what_the_resource_was_before_are_not_found(store: Store) -> None:
    utilization = UtilizationStore(store)
    answer = Utilization("i-1", unknown={"ebsReadOps": "NotPublished"})
    utilization.put_answers(SHARD, "fine-14-1", {"i-1": "launched", "i-2": ""}, {"i-1": answer})
    assert utilization.answers(SHARD, "fine-14-1", {"i-1": "launched", "i-2": ""}) == {"i-1": answer}
    assert utilization.answers(SHARD, "fine-14-1", {"i-1": "launched again"}) == {}
    assert utilization.answers(SHARD, "fine-21-1", {"i-1": "launched"}) == {}
    kept = store.client.ttl(f"{store.keys.shard(SHARD).utilization}:fine-14-1")
    assert 86_400 < kept <= 2 * 86_400


def test_the_plain_dimension_set_wins_whichever_page_has_it(store: Store) -> None:
    utilization = UtilizationStore(store)
    full = Discovered("mem_used_percent", (("ImageId", "ami-1"), ("InstanceId", "i-1")))
    for order in ([plain("i-1"), full], [full, plain("i-1")]):
        discovery = utilization.start_discovery(SHARD, "memoryPercent")
        for one in order:
            utilization.add_discovered(discovery, {"i-1": one})
        utilization.finish_discovery(SHARD, "memoryPercent", discovery, seconds=60)
        assert utilization.discovered(SHARD, "memoryPercent", ["i-1"]) == {"i-1": plain("i-1")}
