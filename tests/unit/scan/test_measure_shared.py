"""Several policies on one shard: what one has measured serves the others, and none takes anything away from another."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.unit.scan.measuring import NOW, CloudWatch, instance, measure, volume

from finops.domain.resource import Resource
from finops.store.connection import Store


def test_a_second_policy_and_a_second_scan_within_a_day_ask_for_nothing(store: Store) -> None:
    first, _ = measure(store, CloudWatch(), instance())
    again = CloudWatch()
    second, _ = measure(store, again, instance(), now=NOW + timedelta(hours=20))
    assert again.requests == []
    assert second == first


def test_a_longer_lookback_asks_for_the_older_hours_alone(store: Store) -> None:
    measure(store, CloudWatch(), instance())
    reader = CloudWatch(lambda *_: 70.0)
    found, _ = measure(store, reader, instance(), days=32)
    cpu = found["i-1"].metrics["cpuPercent"]
    assert (cpu.expected, cpu.points, cpu.maximum) == (768, 768, 70.0)
    assert cpu.average == pytest.approx((18 * 70 + 14 * 10) / 32)
    (start, period, _), *others = reader.requests
    assert (start, period, others) == (int((NOW.replace(minute=0) - timedelta(days=32)).timestamp()), 3600, [])


def test_older_hours_that_could_not_be_read_are_asked_for_again_and_take_nothing_away(store: Store) -> None:
    measure(store, CloudWatch(), instance())
    failing, _ = measure(store, CloudWatch(refused=frozenset({"CPUUtilization"})), instance(), days=32)
    assert failing["i-1"].unknown["cpuPercent"] == "InternalError"
    assert measure(store, CloudWatch(), instance())[0]["i-1"].metrics["cpuPercent"].points == 336
    found, _ = measure(store, CloudWatch(), instance(), days=32)
    assert found["i-1"].metrics["cpuPercent"].points == 768


def test_a_longer_lookback_asks_for_the_whole_window_once_the_newest_hours_lack_too(store: Store) -> None:
    measure(store, CloudWatch(), instance())
    reader, tomorrow = CloudWatch(), NOW + timedelta(days=1)
    found, _ = measure(store, reader, instance(), days=32, now=tomorrow)
    assert found["i-1"].metrics["cpuPercent"].points == 768
    # AWS bills by metrics asked, however short the window.
    assert [start for start, _, _ in reader.requests] == [
        int((tomorrow.replace(minute=0) - timedelta(days=32)).timestamp())
    ]


def test_the_shorter_lookback_is_served_by_the_longer_ring(store: Store) -> None:
    measure(store, CloudWatch(), instance(), days=32)
    # And the shorter policy is served from the longer ring.
    assert measure(store, CloudWatch(), instance())[0]["i-1"].metrics["cpuPercent"].expected == 336


def test_two_policies_that_search_for_the_agent_at_once_both_learn_of_every_machine(store: Store) -> None:
    agents = [[{"Name": "InstanceId", "Value": f"i-{number}"}] for number in (1, 2)]
    half, begun, ended = (threading.Event() for _ in range(3))

    class First(CloudWatch):
        def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
            for pairs in agents if parameters["MetricName"] == "mem_used_percent" else []:
                yield {"Metrics": [{"Dimensions": pairs}]}
                half.set()
                assert begun.wait(10)

    class Second(CloudWatch):
        def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
            begun.set()
            assert ended.wait(10)
            yield from super().pages(operation, parameters)

    with ThreadPoolExecutor(2) as policies:
        first = policies.submit(measure, store, First(), instance(1), instance(2))
        assert half.wait(10)
        second = policies.submit(measure, store, Second(agents=agents), instance(1), instance(2))
        found, _ = first.result(10)
        ended.set()
        again, _ = second.result(10)
    for known in (found, again):
        assert all("memoryPercent" in one.metrics for one in known.values())


def test_a_policy_that_wants_no_five_minute_picture_takes_none_away(store: Store) -> None:
    first, _ = measure(store, CloudWatch(), instance(), fine=True)
    between, _ = measure(store, CloudWatch(), instance(), fine=False, now=NOW + timedelta(hours=1))
    assert between["i-1"].fine == {}
    again = CloudWatch()
    second, _ = measure(store, again, instance(), fine=True, now=NOW + timedelta(hours=2))
    assert again.requests == []
    assert second == first


def test_policies_with_different_lookbacks_each_keep_their_five_minute_picture(store: Store) -> None:
    first = {days: measure(store, CloudWatch(), instance(), fine=True, days=days)[0] for days in (14, 21)}
    assert {days: one["i-1"].fine["cpuPercent"].expected for days, one in first.items()} == {14: 4032, 21: 6048}
    for hours in (1, 2):
        for days in (14, 21):
            again = CloudWatch()
            found, _ = measure(store, again, instance(), fine=True, days=days, now=NOW + timedelta(hours=hours))
            assert again.requests == []
            assert found["i-1"].fine == first[days]["i-1"].fine


def test_a_five_minute_picture_holds_past_midnight(store: Store) -> None:
    evening = NOW.replace(hour=23)
    measure(store, CloudWatch(), instance(), fine=True, now=evening)
    again = CloudWatch()
    measure(store, again, instance(), fine=True, now=evening + timedelta(hours=5))
    assert again.requests == []


def test_policies_that_want_idleness_of_different_length_do_not_undo_each_others(store: Store) -> None:
    first = {days: measure(store, CloudWatch(lambda *_: None), volume("available"), silence=days) for days in (20, 32)}
    for days in (20, 32):
        again = CloudWatch()
        found, _ = measure(store, again, volume("available"), silence=days, now=NOW + timedelta(hours=1))
        assert again.requests == []
        assert found == first[days][0]


def test_a_volume_that_was_attached_in_between_is_asked_about_anew(store: Store) -> None:
    def detached(since: datetime) -> Resource:
        return replace(volume("available"), attributes={"unattached_since": since.isoformat()})

    measure(store, CloudWatch(lambda *_: None), detached(NOW - timedelta(days=40)))
    worked = (NOW - timedelta(hours=1)).timestamp()
    reader = CloudWatch(lambda _m, _s, at: 7.0 if abs(at - worked) < 86_400 else None)
    found, _ = measure(store, reader, detached(NOW + timedelta(hours=1)), now=NOW + timedelta(hours=2))
    assert reader.periods == [86_400]
    assert "volumeReadOps" in found["vol-1"].metrics
