"""Days of the history that are kept in memory are those that the store has, whatever was written since."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

import pytest
from tests.support.fake_clock import FakeClock

from finops.domain.analytics.series import Part
from finops.domain.budget import parts_of
from finops.domain.report import ShardCost
from finops.domain.resource import Shard
from finops.domain.selected import Counted, Parts, Selecting, Tag, asked_by_shard
from finops.errors import StoreUnavailable
from finops.store.backup import Held, Target
from finops.store.connection import Store
from finops.store.cost_history import KEPT_DAYS, CostHistoryStore
from finops.store.selected_costs import CountedDays, SelectedCostStore, days_counted
from finops_web.readings.kept_days import KeptDays

SHARDS = tuple(Shard("111122223333", region, kind) for region in ("us-east-1", "eu-west-1") for kind in ("a", "b", "c"))
MINUTE = 60.0
DayRead: TypeAlias = tuple[date, list[Counted | None]]


def selecting(policy: str, shards: tuple[Shard, ...], team: str = "web") -> Selecting:
    return Selecting(policy, frozenset(shards), {"team": (team,)}, {})


POLICIES = (
    selecting("a/web", SHARDS[:4]),
    selecting("a/web", SHARDS[:4], team="other"),
    selecting("a/pay", SHARDS[2:]),
    Selecting("b/all", frozenset(SHARDS[1:3]), {}, {}),
)


def anew(store: Store, policies: list[Selecting], today: date) -> list[Part]:
    """Return what the store has, read at once and kept nowhere."""
    days = days_counted(store, today - timedelta(days=399), today, policies)
    return parts_of(days, frozenset(asked_by_shard(policies)), today)


def write_something(store: Store, chance: random.Random, today: date) -> None:
    day = today - timedelta(days=chance.choice((0, 0, 1, 2, 3, 7, 30)))
    shards = chance.sample(SHARDS, 3)
    costs = {one: ShardCost(Decimal(chance.randrange(0, 900)), chance.choice((0, 2)), 0) for one in shards}
    parts: dict[tuple[Shard, Tag | None], Parts] = {
        (one, None): tuple(
            (
                frozenset({chance.choice(POLICIES).mark}),
                ShardCost(Decimal(chance.randrange(500)), 1, chance.choice((0, 1))),
            )
            for _ in range(chance.choice((0, 1, 2)))
        )
        for one in shards
    }
    if chance.random() < 0.8:
        CostHistoryStore(store).put(day, costs)
    if chance.random() < 0.7:
        SelectedCostStore(store).put(day, parts)
    if chance.random() < 0.1:
        # As a store that was lost, or a backup that was restored: a day is gone, and how often it was written too.
        for name in ("cost:{}", "cost:{}:selected", "cost-writes:{}", "cost-writes:{}:selected"):
            store.client.delete(store.keys.prefix + name.format(day.isoformat()))


@pytest.mark.parametrize("seed", range(12))
def test_what_is_kept_is_what_is_read_anew_after_any_writes(store: Store, seed: int) -> None:
    chance, clock = random.Random(seed), FakeClock()
    kept = KeptDays(CountedDays(store), clock, most_rows=chance.choice((0, 4, 100)))
    for _ in range(25):
        for _ in range(chance.choice((0, 1, 3))):
            write_something(store, chance, clock.now().date())
        clock.sleep(chance.choice((MINUTE, MINUTE, 86_400.0, 3 * 86_400.0)))
        for _ in range(2):
            policies = chance.sample(POLICIES, chance.choice((0, 1, 2, 3)))
            assert kept.parts(asked_by_shard(policies)) == anew(store, policies, clock.now().date())


def reads(store: Store, kept: KeptDays, policies: list[Selecting]) -> int:
    """Return how many days of hashes are read for a visit."""
    before = store.client.info("commandstats").get("cmdstat_hmget", {}).get("calls", 0)
    kept.parts(asked_by_shard(policies))
    return int(store.client.info("commandstats")["cmdstat_hmget"]["calls"]) - int(before)


def test_a_visit_reads_the_latest_two_days_and_those_that_were_written_since(store: Store) -> None:
    clock, policies = FakeClock(), [POLICIES[0]]
    kept, today = KeptDays(CountedDays(store), clock), clock.now().date()
    cost, mark = ShardCost(Decimal(730), 1, 0), frozenset({POLICIES[0].mark})
    for ago in range(400):
        day = today - timedelta(days=ago)
        CostHistoryStore(store).put(day, {SHARDS[0]: cost})
        SelectedCostStore(store).put(day, {(SHARDS[0], None): ((mark, cost),)})

    assert reads(store, kept, policies) == 2 * 400
    assert reads(store, kept, policies) == 0
    clock.sleep(MINUTE)
    assert reads(store, kept, policies) == 2 * 2
    CostHistoryStore(store).put(today - timedelta(days=300), {SHARDS[0]: cost})
    clock.sleep(MINUTE)
    assert reads(store, kept, policies) == 2 * 3
    clock.sleep(86_400)
    # Of what was the day before yesterday until then nobody knows whether it was written after it was read.
    assert reads(store, kept, policies) == 2 * 3


def test_a_visitor_with_one_more_policy_reads_what_is_missing(store: Store) -> None:
    clock = FakeClock()
    kept = KeptDays(CountedDays(store), clock)
    CostHistoryStore(store).put(clock.now().date(), dict.fromkeys(SHARDS, ShardCost(Decimal(730), 1, 0)))
    alone = reads(store, kept, [POLICIES[0]])

    assert alone == 400 + 8
    assert reads(store, kept, [POLICIES[0]]) == 0
    assert len(kept.parts(asked_by_shard([POLICIES[0], POLICIES[3]]))) == len(SHARDS[:4])
    assert reads(store, kept, [POLICIES[0]]) == 0


def test_a_store_that_is_gone_while_days_are_read_leaves_no_day_half_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, today = FakeClock(), FakeClock().now().date()
    days = CountedDays(store)
    kept = KeptDays(days, clock)
    for ago in range(30):
        CostHistoryStore(store).put(today - timedelta(days=ago), {SHARDS[1]: ShardCost(Decimal(730), 1, 0)})
    policies = [POLICIES[3]]
    kept.parts(asked_by_shard(policies))
    for ago in range(30):
        CostHistoryStore(store).put(today - timedelta(days=ago), {SHARDS[1]: ShardCost(Decimal(73), 1, 0)})
    clock.sleep(MINUTE)
    with monkeypatch.context() as broken:
        broken.setattr(days, "read", lambda asked_days, rows: lost_after(CountedDays(store).read(asked_days, rows), 3))
        with pytest.raises(StoreUnavailable):
            kept.parts(asked_by_shard(policies))

    assert kept.parts(asked_by_shard(policies)) == anew(store, policies, today)


@pytest.mark.parametrize("seen", [False, True])
def test_a_history_that_was_restored_is_seen_also_where_the_store_was_seen_before_or_half_restored(
    store: Store, seen: bool
) -> None:
    clock, today = FakeClock(), FakeClock().now().date()
    kept, policies = KeptDays(CountedDays(store), clock), [POLICIES[0], POLICIES[3]]
    cost = ShardCost(Decimal(730), 1, 0)
    for ago in range(5, 30):
        CostHistoryStore(store).put(today - timedelta(days=ago), dict.fromkeys(SHARDS, cost))
        parts = ((frozenset({POLICIES[0].mark}), cost),)
        SelectedCostStore(store).put(today - timedelta(days=ago), {(SHARDS[0], None): parts})
    before, held = kept.parts(asked_by_shard(policies)), list(Held(store).documents())
    target = Target(store)
    target.clear("digest")
    clock.sleep(MINUTE)
    if seen:
        kept.parts({})
    for document in held:
        target.write(document)
        clock.sleep(MINUTE)
        kept.parts(asked_by_shard(policies[:1]) if seen else {})
    target.finish("2026-11-28")
    clock.sleep(MINUTE)

    assert before
    assert kept.parts(asked_by_shard(policies)) == anew(store, policies, today) == before
    counts = {str(one) for one in store.client.keys(f"{store.keys.prefix}cost-writes:*")}
    restored = [(today - timedelta(days=ago)).isoformat() for ago in range(5, 30)]
    assert {one for one in counts if one.endswith(":selected")} == {
        store.keys.cost(day, "selected", written=True) for day in restored
    }
    assert {store.keys.cost(day, written=True) for day in restored} <= counts
    assert all(0 < store.client.ttl(one) <= KEPT_DAYS * 86_400 for one in counts)


def test_a_day_that_the_backup_lacks_is_gone_also_where_no_release_counted_it(store: Store) -> None:
    clock = FakeClock(datetime.now(UTC))
    kept, policies, today = KeptDays(CountedDays(store), clock), [POLICIES[0], POLICIES[3]], clock.now().date()
    for ago in range(1, 20):
        CostHistoryStore(store).put(today - timedelta(days=ago), dict.fromkeys(SHARDS, ShardCost(Decimal(730), 1, 0)))
    for key in store.client.keys(f"{store.keys.prefix}cost-writes:*"):
        store.client.delete(key)
    held = [one for one in Held(store).documents() if f"{today - timedelta(days=3)}" not in str(one)]
    before = kept.parts(asked_by_shard(policies))
    target = Target(store)
    target.clear("digest")
    for document in held:
        target.write(document)
    target.finish("2026-11-28")
    clock.sleep(MINUTE)

    assert kept.parts(asked_by_shard(policies)) == anew(store, policies, today) != before


def lost_after(days: Iterable[DayRead], count: int) -> Iterator[DayRead]:
    for number, one in enumerate(days):
        if number == count:
            raise StoreUnavailable("the store does not answer", hint="is the server up?")
        yield one
