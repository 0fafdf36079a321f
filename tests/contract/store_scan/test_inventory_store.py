"""Inventory on a real server: generations swap, pages come back once, interrupted ones stay invisible."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.store_scan.side_by_side import swap_side_by_side

from finops.domain.resource import Gap, Resource, Shard
from finops.errors import StoreUnavailable
from finops.store.connection import Store
from finops.store.inventory import RESOURCES, InventoryStore, ShardHead, new_generation

SHARD = Shard("111111111111", "us-east-1", "ec2-instance")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def resource(number: int, **changes: object) -> Resource:
    fields: dict[str, object] = {
        "kind": SHARD.kind,
        "id": f"i-{number}",
        "arn": f"arn:aws:ec2:us-east-1:111111111111:instance/i-{number}",
        "name": "",
        "account": SHARD.account,
        "region": SHARD.region,
        "state": "running",
    }
    return Resource(**{**fields, **changes})  # type: ignore[arg-type]  # the fields of a Resource


def head(generation: str, count: int, *gaps: Gap) -> ShardHead:
    return ShardHead(SHARD, generation, count, 1, 1, gaps, NOW, NOW, NOW, {"ec2:DescribeInstances": 1})


def visible(inventory: InventoryStore) -> list[str]:
    found = inventory.head(SHARD)
    assert found is not None
    return [one.id for page in inventory.pages(SHARD, found.generation) for one in page]


def test_a_generation_is_invisible_until_it_is_swapped_in(store: Store) -> None:
    inventory = InventoryStore(store)
    inventory.add(SHARD, "g1", 0, [resource(1)])
    assert inventory.head(SHARD) is None
    assert inventory.get(SHARD, "i-1") is None
    inventory.swap(head("g1", 1))
    assert visible(inventory) == ["i-1"]
    inventory.add(SHARD, "g2", 0, [resource(2)])
    assert visible(inventory) == ["i-1"]
    assert inventory.swap(head("g2", 1)) == "g1"
    assert visible(inventory) == ["i-2"]
    assert [one.shard for one in inventory.heads()] == [SHARD]


def test_a_reader_in_the_middle_of_a_replaced_generation_finishes_it(store: Store) -> None:
    inventory = InventoryStore(store)
    for page in range(3):
        inventory.add(SHARD, "g1", page, [resource(page)])
    inventory.swap(head("g1", 3))
    reading = inventory.pages(SHARD, "g1")
    first = next(reading)
    inventory.swap(head("g2", 0))
    assert [one.id for page in [first, *reading] for one in page] == ["i-0", "i-1", "i-2"]


def test_what_an_interrupted_scan_leaves_expires_and_what_is_visible_does_not(store: Store) -> None:
    inventory = InventoryStore(store)
    inventory.add(SHARD, "g1", 0, [resource(1)])
    key = store.keys.shard(SHARD).generation("g1")
    assert 0 < store.client.ttl(key) <= 86_400
    inventory.swap(head("g1", 1))
    assert store.client.ttl(key) == -1
    inventory.swap(head("g2", 0))
    assert 0 < store.client.ttl(key) <= 3600


def test_a_shard_that_nobody_scans_goes_and_its_readers_have_an_hour(store: Store) -> None:
    inventory = InventoryStore(store)
    inventory.add(SHARD, "g1", 0, [resource(1)])
    inventory.swap(head("g1", 1))
    for _ in range(2):
        inventory.forget(head("g1", 1))
    assert inventory.shards() == ()
    assert inventory.head(SHARD) is None
    assert [one.id for page in inventory.pages(SHARD, "g1") for one in page] == ["i-1"]
    assert 0 < store.client.ttl(store.keys.shard(SHARD).generation("g1")) <= 3600


def test_a_shard_that_was_tried_again_meanwhile_is_not_forgotten(store: Store) -> None:
    inventory = InventoryStore(store)
    gap = Gap(SHARD.account, SHARD.region, "ec2", "DescribeInstances", "UnauthorizedOperation", "no")
    inventory.note_failure(SHARD, [gap], NOW)
    failed = inventory.head(SHARD)
    assert failed is not None
    inventory.note_failure(SHARD, [gap], NOW + timedelta(seconds=1))
    inventory.forget(failed)
    assert inventory.shards() == (SHARD,)
    inventory.swap(head("g1", 0))
    inventory.forget(replace(failed, attempted=NOW))
    assert inventory.shards() == (SHARD,)
    inventory.note_failure(SHARD, [gap], NOW + timedelta(seconds=2))
    inventory.forget(head("g1", 0))
    assert inventory.shards() == (SHARD,)


def test_of_two_scans_of_one_shard_that_end_together_no_generation_stays_for_ever(
    store: Store, valkey_url: str
) -> None:
    made = [f"g{number}" for number in range(40)]
    for generation in made:
        InventoryStore(store).add(SHARD, generation, 0, [resource(1)])
    swap_side_by_side(valkey_url, store, made, lambda one, name: InventoryStore(one).swap(head(name, 1)))
    shown = InventoryStore(store).head(SHARD)
    assert shown is not None
    lasting = [name for name in made if store.client.ttl(store.keys.shard(SHARD).generation(name)) == -1]
    assert lasting == [shown.generation]


def test_a_swap_that_is_sent_twice_gives_the_same_answer(store: Store) -> None:
    inventory = InventoryStore(store)
    for generation in ("g1", "g2"):
        inventory.add(SHARD, generation, 0, [resource(1)])
    inventory.swap(head("g1", 1))
    assert [inventory.swap(head("g2", 1)) for _ in range(2)] == ["g1", "g1"]
    assert visible(inventory) == ["i-1"]


def test_a_generation_that_goes_while_it_is_read_is_never_taken_for_all_of_it(store: Store) -> None:
    inventory = InventoryStore(store)
    for page in range(3):
        inventory.add(SHARD, "g1", page, [resource(page)])
    inventory.swap(head("g1", 3))
    reading = inventory.pages(SHARD, "g1")
    assert [one.id for one in next(reading)] == ["i-0"]
    store.client.delete(store.keys.shard(SHARD).generation("g1"))
    with pytest.raises(StoreUnavailable, match="lost resources"):
        list(reading)


def test_a_generation_that_is_gone_before_it_is_read_is_no_empty_one(store: Store) -> None:
    inventory = InventoryStore(store)
    inventory.add(SHARD, "g1", 0, [resource(1)])
    inventory.swap(head("g1", 1))
    store.client.delete(store.keys.shard(SHARD).generation("g1"))
    with pytest.raises(StoreUnavailable, match="lost resources"):
        list(inventory.pages(SHARD, "g1"))
    inventory.swap(head("g2", 0))
    assert list(inventory.pages(SHARD, "g2")) == []
    with pytest.raises(StoreUnavailable, match="lost resources"):
        list(inventory.pages(SHARD, "g1"))


def test_a_replaced_generation_lasts_an_hour_from_its_last_reading(store: Store) -> None:
    inventory = InventoryStore(store)
    for page in range(2):
        inventory.add(SHARD, "g1", page, [resource(page)])
    inventory.swap(head("g1", 2))
    inventory.swap(head("g2", 0))
    key = store.keys.shard(SHARD).generation("g1")
    store.client.expire(key, 60)
    reading = inventory.pages(SHARD, "g1")
    next(reading)
    assert store.client.ttl(key) > 3500
    # What nobody has replaced stays, whoever reads it.
    inventory.add(SHARD, "g3", 0, [resource(1)])
    inventory.swap(head("g3", 1))
    assert visible(inventory) == ["i-1"]
    assert store.client.ttl(store.keys.shard(SHARD).generation("g3")) == -1


def test_a_page_that_is_sent_twice_counts_once(store: Store) -> None:
    inventory = InventoryStore(store)
    assert inventory.add(SHARD, "g", 0, [resource(1), resource(2)]) == 2
    assert inventory.add(SHARD, "g", 0, [resource(1), resource(2)]) == 2
    inventory.swap(head("g", 2))
    assert visible(inventory) == ["i-1", "i-2"]


def test_a_resource_that_aws_lists_on_two_pages_counts_once(store: Store) -> None:
    inventory = InventoryStore(store)
    assert inventory.add(SHARD, "g", 0, [resource(1), resource(2)]) == 2
    assert inventory.add(SHARD, "g", 1, [resource(2), resource(3)]) == 1
    inventory.swap(head("g", 3))
    assert visible(inventory) == ["i-1", "i-2", "i-3"]


def test_a_shard_that_could_not_be_listed_keeps_its_old_generation_and_names_the_gap(store: Store) -> None:
    inventory = InventoryStore(store)
    gap = Gap(SHARD.account, SHARD.region, "ec2", "DescribeInstances", "UnauthorizedOperation", "no")
    inventory.note_failure(SHARD, [gap], NOW)
    never = inventory.head(SHARD)
    assert never is not None
    assert (never.generation, never.count, never.gaps) == ("", 0, (gap,))
    assert list(inventory.pages(SHARD, never.generation)) == []
    inventory.add(SHARD, "g1", 0, [resource(1)])
    inventory.swap(head("g1", 1))
    inventory.note_failure(SHARD, [gap], NOW + timedelta(hours=1))
    found = inventory.head(SHARD)
    assert found is not None
    assert (found.generation, found.gaps, found.completed) == ("g1", (gap,), NOW)
    assert found.attempted == NOW + timedelta(hours=1)


def test_a_head_comes_back_as_it_was_written(store: Store) -> None:
    inventory = InventoryStore(store)
    gap = Gap("1", "r", "ec2", "DescribeInstances", "PartialPages", 'a "quoted" message', 3)
    wanted = head("g1", 7, gap)
    inventory.swap(wanted)
    assert inventory.head(SHARD) == wanted


def test_what_is_gone_is_the_difference_of_two_generations(store: Store) -> None:
    inventory = InventoryStore(store)
    inventory.add(SHARD, "g1", 0, [resource(1), resource(2)])
    inventory.add(SHARD, "g1", 1, [resource(3)])
    inventory.add(SHARD, "g2", 0, [resource(2)])
    assert [one for page in inventory.gone(SHARD, "g1", "g2") for one in page] == ["i-1", "i-3"]
    assert list(inventory.gone(SHARD, "", "g2")) == []


def test_generation_names_never_collide_and_sort_by_time() -> None:
    names: list[str] = []

    def make() -> None:
        names.extend(new_generation(NOW) for _ in range(200))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(set(names)) == 800
    assert max(names) < new_generation(NOW + timedelta(seconds=1))


TEXT = st.text(max_size=20)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(name=TEXT, tags=st.dictionaries(TEXT, TEXT, max_size=3), state=TEXT)
def test_hostile_text_comes_back_unchanged(store: Store, name: str, tags: dict[str, str], state: str) -> None:
    before = resource(1, name=name, tags=tags, state=state, created=NOW, attributes={"iops": None, "a": [True, "x"]})
    assert RESOURCES.value(RESOURCES.text(before)) == before
    generation = new_generation(NOW)
    inventory = InventoryStore(store)
    inventory.add(SHARD, generation, 0, [before])
    assert list(inventory.pages(SHARD, generation)) == [[before]]
