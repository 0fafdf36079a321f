"""elasticache_cluster_overprovisioned: all of it fits into half, and what would not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.elasticache.caches import CACHES, GROUPS, cache, group, measured, without

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.elasticache.checks.elasticache_cluster_overprovisioned import CHECK

HOURS = 14 * 24


def large(**changes: Json) -> Resource:
    return cache(**{"cache_node_type": "cache.m5.2xlarge", **changes})


def test_a_cache_that_uses_a_fifth_of_its_memory_fits_into_half_the_size() -> None:
    one = CACHES.found(CHECK, large(), measured())
    assert (one.action, one.target) == ("", "cache.m5.xlarge")
    assert one.evidence["maximumMemoryPercent"] == "20"
    assert one.new_monthly_cost == Decimal("227.030")  # 0.311 × 730
    assert one.expectation == "Expected memory about 40 %, CPU about 4 %."


def test_a_group_is_judged_by_its_fullest_node_and_all_of_its_nodes_become_smaller() -> None:
    several = group(cache_node_type="cache.m5.2xlarge")
    one = GROUPS.found(CHECK, several, measured())
    assert (one.target, one.new_monthly_cost) == ("cache.m5.xlarge", Decimal("681.090"))  # 3 × 0.311 × 730
    assert "41 % of its memory" in GROUPS.reason(CHECK, several, measured(memoryPercent=flat(41)))
    assert GROUPS.reason(CHECK, several, without("cpuPercent")) == "CPU is unknown (Throttled)"


def test_one_hour_of_more_memory_breaks_it() -> None:
    peak = summarize([20.0] * (HOURS - 1) + [40.0])
    assert "40 % of its memory were used" in CACHES.reason(CHECK, large(), measured(memoryPercent=peak))
    CACHES.found(CHECK, large(), measured(memoryPercent=summarize([20.0] * (HOURS - 1) + [39.9])))


def test_cpu_counts_for_all_but_the_rarest_moments() -> None:
    assert "its CPU reached 45 %" in CACHES.reason(CHECK, large(), measured(cpuPercent=flat(45)))
    CACHES.found(CHECK, large(), measured(cpuPercent=summarize([5.0] * (HOURS - 1) + [90.0])))


@pytest.mark.parametrize("name", ["memoryPercent", "cpuPercent"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert CACHES.reason(CHECK, large(), without(name)) == f"{metric_words(name)} is unknown (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"cache_node_type": "cache.t3.micro"}, "no type has half the size of cache.t3.micro"),
        ({"cache_node_type": "cache.m5.large"}, "no price in us-east-1 for what could take the place"),
        ({"engine": "memcached"}, "Memcached fills its memory by design"),
        ({"replication_group": "g", "group_nodes": 2, "global_group": False}, "it is one of 2 nodes of a group"),
        ({"tags_known": False}, "its tags could not be read"),
    ],
)
def test_a_cache_without_a_smaller_type_or_with_others_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert CACHES.reason(CHECK, large(**changes), measured()).startswith(why)


def test_a_short_window_proves_nothing() -> None:
    assert "only 13 days" in CACHES.reason(CHECK, large(), measured(memoryPercent=flat(20, days=13)))
