"""Hours fill forward where they were read: once a whole window, then 24 points a day; of the others none at all."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.scan.measuring import NOW, CloudWatch, instance, measure

from finops.domain.resource import Shard
from finops.domain.rings import pack
from finops.store.connection import Store
from finops.store.utilization import UtilizationStore
from finops_operator.plugins.check import Settled
from finops_operator.scan.metrics.first_days import DaysPicture
from finops_operator.scan.metrics.queries import HOUR

SHARD = Shard("111111111111", "us-east-1", "ec2-instance")
LONG_AGO = NOW - timedelta(days=900)


def ring_key(store: Store) -> str:
    return store.keys.shard(SHARD).ring("cpuPercent")


def by_days(_resource: Any, _picture: DaysPicture) -> Settled:
    return Settled.BY_DAYS


def full(_metric: str, statistic: str, _at: int) -> float:
    return 1440.0 if statistic == "SampleCount" else 10.0


def test_of_what_days_decide_no_hour_is_read_and_none_is_kept(store: Store) -> None:
    for day in range(3):
        reader = CloudWatch(full)
        measure(store, reader, instance(), settled=by_days, now=NOW + timedelta(days=day))
        assert set(reader.periods) == {86_400}
    assert store.client.exists(ring_key(store)) == 0


def test_a_window_that_is_read_once_is_billed_as_an_increment_is(store: Store) -> None:
    first, second = CloudWatch(), CloudWatch()
    measure(store, first, instance())
    measure(store, second, instance(), now=NOW + timedelta(days=1))
    assert [series for _, _, series in first.requests] == [series for _, _, series in second.requests]


def test_after_a_window_was_read_each_day_brings_24_points_a_series_and_asks_for_two_days_before_them(
    store: Store,
) -> None:
    measure(store, CloudWatch(), instance())
    for day in range(1, 15):
        reader = CloudWatch(lambda _metric, _statistic, at: float(at % 7))
        found, _ = measure(store, reader, instance(), now=NOW + timedelta(days=day))
        end = (NOW + timedelta(days=day)).replace(minute=0).timestamp()
        assert [(end - start, period) for start, period, _ in reader.requests] == [(72 * HOUR, HOUR)]
        assert found["i-1"].metrics["cpuPercent"].points == 336
    kept = UtilizationStore(store).rings(SHARD, ["cpuPercent"], ["i-1"])["i-1", "cpuPercent"]
    # Two weeks later not a point of the first reading is left.
    assert [list(one) for one in kept.values] == [[float(at % 7) for at in hours_of(kept.start_hour)]] * 2


def hours_of(start: int) -> range:
    return range(start * HOUR, (start + 336) * HOUR, HOUR)


@pytest.mark.parametrize(("days", "size"), [(14, 2_696), (62, 11_912), (455, 87_368)])
def test_the_bytes_of_a_ring_do_not_grow_with_the_days_that_pass(store: Store, days: int, size: int) -> None:
    for passed in (0, 1, 2):
        measure(store, CloudWatch(), instance(created=LONG_AGO), days=days, now=NOW + timedelta(days=passed))
        assert store.client.hstrlen(ring_key(store), "i-1") == size == 8 + 4 * 2 * 24 * days
    assert 0 < store.client.ttl(ring_key(store)) <= 70 * 86_400


def test_an_hour_without_a_point_is_a_hole_that_stays_one(store: Store) -> None:
    lacking = int((NOW - timedelta(days=3)).timestamp()) // HOUR
    reader = CloudWatch(lambda _m, _s, at: None if at // HOUR == lacking else 10.0)
    for day in (0, 1):
        found, _ = measure(store, reader, instance(), now=NOW + timedelta(days=day))
        cpu = found["i-1"].metrics["cpuPercent"]
        assert (cpu.points, cpu.expected, cpu.lowest) == (335, 336, 10.0)
    kept = UtilizationStore(store).rings(SHARD, ["cpuPercent"], ["i-1"])["i-1", "cpuPercent"]
    assert all(math.isnan(one[lacking - kept.start_hour]) for one in kept.values)


def test_hours_that_could_not_be_read_are_not_in_the_ring_and_are_asked_for_again(store: Store) -> None:
    measure(store, CloudWatch(), instance())
    tomorrow = NOW + timedelta(days=1)
    failed, _ = measure(store, CloudWatch(refused=frozenset({"CPUUtilization"})), instance(), now=tomorrow)
    assert failed["i-1"].unknown["cpuPercent"] == "InternalError"
    reader = CloudWatch()
    found, _ = measure(store, reader, instance(), now=tomorrow + timedelta(hours=1))
    assert found["i-1"].metrics["cpuPercent"].points == 336
    assert [start for start, _, _ in reader.requests] == [int(NOW.replace(minute=0).timestamp()) - 48 * HOUR]


def test_a_ring_of_another_layout_is_read_anew(store: Store) -> None:
    measure(store, CloudWatch(), instance())
    kept = UtilizationStore(store).rings(SHARD, ["cpuPercent"], ["i-1"])["i-1", "cpuPercent"]
    store.client.hset(ring_key(store), "i-1", b"\x02" + pack(kept)[1:])
    reader = CloudWatch()
    found, _ = measure(store, reader, instance())
    assert found["i-1"].metrics["cpuPercent"].points == 336
    assert [series for _, _, series in reader.requests] == [2]
