"""elasticache_cluster_valkey: the same node for less, and who cannot change in place."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.elasticache.caches import CACHES, cache

from finops.domain.canonical import Json
from finops_operator.services.elasticache.checks.elasticache_cluster_valkey import CHECK


def test_redis_costs_more_than_valkey_on_the_same_node() -> None:
    one = CACHES.found(CHECK, cache())
    assert (one.action, one.target) == ("", "valkey")
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.156", "0.1248")
    assert one.new_monthly_cost == Decimal("91.1040")


def test_extended_support_goes_with_the_engine() -> None:
    assert CACHES.found(CHECK, cache(engine_version="5.0.6")).new_monthly_cost == Decimal("91.1040")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine": "valkey"}, "its engine is valkey"),
        ({"engine": "memcached"}, "its engine is memcached"),
        ({"engine_version": "5.0.5"}, "redis 5.0.5 cannot become Valkey in place"),
        ({"engine_version": None}, "its engine version is not known"),
        ({"global_group": True}, "its group is replicated to other regions, which change first"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_a_cache_that_cannot_change_in_place_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert CACHES.reason(CHECK, cache(**changes)) == why


def test_without_a_price_nothing_is_proposed() -> None:
    odd = cache(cache_node_type="cache.x9.large")
    assert CACHES.reason(CHECK, odd) == "no price for redis in us-east-1"
