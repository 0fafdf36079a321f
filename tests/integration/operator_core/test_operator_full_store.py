"""While the store has little room left no act begins, and people see it before and at that point."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
from kubernetes import client
from tests.integration.operator_core.test_operator_freezes import act, code
from tests.integration.operator_core.test_operator_pictures import begin
from tests.support.operator_parts import NAMESPACE, Parts
from tests.support.scan_samples import policy

from finops.crds.conditions import find_condition
from finops.ports.act import ActRequest
from finops.store.space import Fill, measure

__all__ = ["act"]


@pytest.fixture
def roomless(parts: Parts) -> Iterator[Parts]:
    """The parts, with a store whose limit the test may set."""
    yield parts
    parts.store.client.config_set("maxmemory", "0")


def fill_to(parts: Parts, percent: int) -> None:
    """Set the server's limit so that what it holds is about that much of it."""
    used = measure(parts.store).used
    assert used is not None
    parts.store.client.config_set("maxmemory", str(used * 100 // percent))


def events(parts: Parts, reason: str) -> int:
    found = client.EventsV1Api(parts.connection.api).list_namespaced_event(NAMESPACE).items
    return [one.reason for one in found].count(reason)


def test_no_act_begins_on_a_nearly_full_store_and_all_may_again_with_more_room(
    roomless: Parts, act: ActRequest
) -> None:
    fill_to(roomless, 80)
    assert roomless.gate.may_start(act) is None
    fill_to(roomless, 95)
    for asked in (roomless.gate.may_start, roomless.gate.still_allowed):
        stop = asked(act)
        assert stop is not None
        assert (stop.kind, stop.code) == ("Hold", "StoreNearlyFull")
        assert "the store is 9" in stop.message
    assert code(roomless.gate.may_call(act)) == "", "an announced call is made"
    begin(roomless, act)
    assert code(roomless.gate.still_allowed(act)) == "", "an act that has begun goes on to its end"
    fill_to(roomless, 20)
    assert roomless.gate.still_allowed(act) is None


def test_a_filling_store_is_an_event_once_and_a_nearly_full_one_a_condition(roomless: Parts) -> None:
    roomless.policies.create(policy())
    sample = roomless.telemetry.registry.get_sample_value
    earlier = events(roomless, "StoreFilling"), events(roomless, "StoreNearlyFull")
    roomless.store_space.show()
    limit = sample("finops_store_limit_bytes")
    assert limit is not None
    assert math.isnan(limit), "a server without a limit has none of zero"
    assert (sample("finops_store_used_bytes") or 0) > 0
    assert roomless.store_space.said is Fill.UNKNOWN

    fill_to(roomless, 75)
    for _ in range(2):
        roomless.store_space.show()
        roomless.obstacles.show()
    assert (sample("finops_store_limit_bytes") or 0) > 0
    assert events(roomless, "StoreFilling") == earlier[0] + 1
    assert events(roomless, "StoreNearlyFull") == earlier[1]

    fill_to(roomless, 95)
    roomless.obstacles.show()
    found = roomless.policies.api.get(NAMESPACE, "p")
    assert found is not None
    condition = find_condition(found.status.conditions, "ActsPossible")
    assert condition is not None
    assert (condition.status, condition.reason) == ("False", "StoreNearlyFull")
    assert events(roomless, "StoreNearlyFull") == earlier[1] + 1
