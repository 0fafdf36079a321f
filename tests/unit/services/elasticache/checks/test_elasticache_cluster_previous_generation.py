"""elasticache_cluster_previous_generation: the current type of the size, where it costs no more and all would fit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import flat
from tests.support.judging import Bench
from tests.unit.services.elasticache.caches import CACHES, GROUPS, cache, group, measured, without

from finops.domain.price import Price, PriceQuery
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.elasticache.checks.elasticache_cluster_previous_generation import CHECK
from finops_operator.services.elasticache.cluster import KIND


def test_a_type_of_a_previous_generation_is_found_with_the_current_one_of_its_size() -> None:
    one = CACHES.found(CHECK, cache(cache_node_type="cache.r3.large"), measured())
    assert (one.action, one.target) == ("", "cache.r5.large")
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.228", "0.216")
    assert one.new_monthly_cost == Decimal("157.680")
    assert one.summary == "cache.r3.large is of a previous generation; cache.r5.large is faster and costs less."


def test_a_group_of_a_previous_generation_is_found_as_one_with_the_cost_of_all_its_nodes() -> None:
    one = GROUPS.found(CHECK, group(cache_node_type="cache.r3.large"), measured())
    assert (one.target, one.new_monthly_cost) == ("cache.r5.large", Decimal("473.040"))  # 3 × 0.216 × 730
    full = measured(memoryPercent=flat(81))
    assert "81 %" in GROUPS.reason(CHECK, group(cache_node_type="cache.r3.large"), full)


def test_a_nearly_full_cache_is_left_alone_because_the_new_type_may_have_less_memory() -> None:
    full = measured(memoryPercent=flat(81))
    assert "81 % of its memory were used" in CACHES.reason(CHECK, cache(cache_node_type="cache.m3.large"), full)
    CACHES.found(CHECK, cache(cache_node_type="cache.m3.large"), measured(memoryPercent=flat(80)))
    CACHES.found(CHECK, cache(cache_node_type="cache.m3.large", engine="memcached"), full)


def test_without_its_memory_nothing_is_said() -> None:
    reason = CACHES.reason(CHECK, cache(cache_node_type="cache.m3.large"), without("memoryPercent"))
    assert reason == "memory is unknown (Throttled)"


@pytest.mark.parametrize("name", ["cache.m5.large", "cache.t2.micro", "cache.m4.large", "cache.r6g.large"])
def test_a_current_type_is_left_alone(name: str) -> None:
    assert (
        CACHES.reason(CHECK, cache(cache_node_type=name), measured()) == f"{name} is no type of a previous generation"
    )


@pytest.mark.parametrize("name", ["cache.m1.large", "cache.t1.micro", "cache.c1.xlarge"])
def test_a_size_that_no_current_type_has_is_left_alone(name: str) -> None:
    assert CACHES.reason(CHECK, cache(cache_node_type=name), measured()) == f"no current type has the size of {name}"


def test_a_dearer_type_and_one_without_a_price_are_not_proposed() -> None:
    def dearer(query: PriceQuery) -> Price | None:
        price = SOURCE.lookup(query)
        newer = dict(query.attributes)["node_type"] == "cache.m5.large"
        return replace(price, amount=price.amount * 2) if price is not None and newer else price

    old = cache(cache_node_type="cache.m3.large")
    assert Bench(KIND, dearer).reason(CHECK, old, measured()) == "cache.m5.large would cost more"
    nowhere = cache("available", "nowhere-1", cache_node_type="cache.m3.large")
    assert CACHES.reason(CHECK, nowhere, measured()) == "no price for cache.m3.large in nowhere-1"


def test_a_cache_that_is_about_to_change_or_may_be_protected_is_not_judged() -> None:
    changing = cache(cache_node_type="cache.m3.large", pending_node_type="cache.m5.large")
    assert CACHES.reason(CHECK, changing, measured()) == "it is about to become cache.m5.large"
    untagged = cache(cache_node_type="cache.m3.large", tags_known=False)
    assert "may be protected" in CACHES.reason(CHECK, untagged, measured())
