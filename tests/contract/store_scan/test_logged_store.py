"""What logs said of resources, on a real server: beside each other, each for a day."""

from __future__ import annotations

from datetime import timedelta

from tests.support.facts import NOW, flat

from finops.domain.logged import LeftOut, Logged
from finops.domain.resource import Shard
from finops.store.connection import Store
from finops.store.keys import LoggedKeys
from finops.store.logged import KEPT_SECONDS, LEFT_OUT_SECONDS, LoggedStore

SHARD = Shard("111111111111", "us-east-1", "lambda-function")
READ = Logged(flat(20.0, period=86_400), 97.5, "its logs have 39 REPORT lines of 40 invocations on 2026-11-02")
LOST = Logged(reason="the query of its logs did not end in 300 s", failed="QueryTimedOut")


def test_what_is_kept_of_a_resource_comes_back_beside_that_of_others(store: Store) -> None:
    logged = LoggedStore(store)
    assert logged.get(SHARD, "memoryPercent", ["one"]) == {}
    logged.put(SHARD, "memoryPercent", {"one": READ})
    logged.put(SHARD, "memoryPercent", {"other": LOST})
    assert logged.get(SHARD, "memoryPercent", ["one", "other", "third"]) == {"one": READ, "other": LOST}
    assert logged.get(SHARD, "memoryPercent", []) == {}


def test_what_is_kept_of_each_resource_goes_a_day_after_it_was_read(store: Store) -> None:
    logged, keys = LoggedStore(store), LoggedKeys(store.keys.prefix)
    first, other = (keys.of_one(*SHARD_PARTS, "memoryPercent", one) for one in ("one", "other"))
    logged.put(SHARD, "memoryPercent", {"one": READ})
    store.client.expire(first, 60)
    logged.put(SHARD, "memoryPercent", {"other": LOST})
    logged.put(SHARD, "memoryPercent", {})
    assert 0 < store.client.ttl(first) <= 60
    assert 60 < store.client.ttl(other) <= KEPT_SECONDS


def test_what_is_no_answer_counts_as_none(store: Store) -> None:
    store.client.set(LoggedKeys(store.keys.prefix).of_one(*SHARD_PARTS, "memoryPercent", "one"), '{"summary": 3}')
    assert LoggedStore(store).get(SHARD, "memoryPercent", ["one"]) == {}


def test_what_is_left_out_comes_back_until_it_is_forgotten(store: Store) -> None:
    logged, key = LoggedStore(store), LoggedKeys(store.keys.prefix).left_out(*SHARD_PARTS, "memoryPercent", POLICY)
    assert logged.left_out(SHARD, "memoryPercent", POLICY) == {}
    one = LeftOut("too much", 3e9, NOW, NOW - timedelta(days=3))
    logged.leave_out(SHARD, "memoryPercent", POLICY, {"one": one, "two": one})
    logged.leave_out(SHARD, "memoryPercent", POLICY, {})
    assert 0 < store.client.ttl(key) <= LEFT_OUT_SECONDS
    logged.forget_left_out(SHARD, "memoryPercent", POLICY, ["two"])
    logged.forget_left_out(SHARD, "memoryPercent", POLICY, [])
    store.client.hset(key, "three", '{"reason": 3}')
    assert logged.left_out(SHARD, "memoryPercent", POLICY) == {"one": one}
    assert logged.left_out(SHARD, "memoryPercent", ("team-b", "nightly")) == {}


POLICY = ("team-a", "nightly")
SHARD_PARTS = (SHARD.account, SHARD.region, SHARD.kind)
