"""How full the store is comes from the server itself, and what it does not say stays unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.valkey import running_guarded_valkey, running_valkey

from finops.errors import StoreUnavailable
from finops.store.connection import open_store, store_errors
from finops.store.space import NEARLY_FULL, Fill, Space, measure, require_space, space_of, too_full

LIMIT = 64 * 1_048_576


def test_a_real_server_is_roomy_then_filling_then_nearly_full_and_only_then_refuses() -> None:
    with running_valkey("--maxmemory", str(LIMIT)) as server:
        store = open_store(server.url)
        seen = {measure(store).fill: ""}
        refused = False
        for number in range(200):
            try:
                with store_errors():
                    store.client.set(f"filler:{number}", "x" * 1_048_576)
            except StoreUnavailable:
                refused = True
                break
            space = measure(store)
            seen.setdefault(space.fill, too_full(space))
        full = measure(store)
        assert list(seen) == [Fill.ROOM, Fill.FILLING, Fill.NEARLY_FULL]
        assert not seen[Fill.FILLING]
        assert "the store is 9" in seen[Fill.NEARLY_FULL]
        assert refused
        assert full.fill is Fill.NEARLY_FULL
        with pytest.raises(StoreUnavailable) as held:
            require_space(store)
        assert held.value.code == NEARLY_FULL

        store.client.config_set("maxmemory", str(4 * LIMIT))
        require_space(store)
        assert measure(store).fill is Fill.ROOM
        store.client.close()


def test_a_server_without_a_limit_is_unknown_and_not_empty() -> None:
    with running_valkey() as server:
        store = open_store(server.url)
        space = measure(store)
        store.client.close()
    assert (space.fill, space.limit, space.percent) == (Fill.UNKNOWN, None, None)
    assert space.used
    assert "not known how full" in str(space)
    assert "maxmemory" in space.hint


def test_the_operators_user_may_ask() -> None:
    with running_guarded_valkey() as server:
        store = open_store(server.url)
        assert measure(store).used
        store.client.close()


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({}, Space(None, None)),
        ({"used_memory": 5}, Space(5, None)),
        ({"used_memory": 5, "maxmemory": 0}, Space(5, None)),
        ({"used_memory": "5", "maxmemory": "many"}, Space(None, None)),
        ({"maxmemory": 100}, Space(None, 100)),
        ({"used_memory": 95, "maxmemory": 100, "mem_not_counted_for_evict": 30}, Space(65, 100)),
    ],
)
def test_what_the_server_leaves_out_is_not_made_up(info: dict[str, object], expected: Space) -> None:
    assert space_of(info) == expected
    assert (expected.fill is Fill.UNKNOWN) is (expected.used is None or expected.limit is None)


@given(used=st.integers(0, 2**50), limit=st.integers(1, 2**50))
def test_nothing_begins_exactly_from_nine_tenths_on(used: int, limit: int) -> None:
    space = Space(used, limit)
    assert bool(too_full(space)) is (used * 10 >= limit * 9)
    assert (space.fill is Fill.ROOM) is (used * 10 < limit * 7)
