"""elasticache_cluster_graviton: as much memory for less, and versions that do not run there."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.unit.services.elasticache.caches import CACHES, GROUPS, cache, group

from finops.domain.canonical import Json
from finops_operator.services.elasticache.checks.elasticache_cluster_graviton import CHECK


def test_an_x86_node_is_found_with_the_cheapest_graviton_type_of_its_size() -> None:
    one = CACHES.found(CHECK, cache())
    assert (one.action, one.target) == ("", "cache.m6g.large")
    assert (one.evidence["hourlyPrice"], one.evidence["targetHourlyPrice"]) == ("0.156", "0.149")
    assert one.new_monthly_cost == Decimal("108.770")


def test_the_nodes_of_a_group_are_changed_together_and_their_savings_are_one() -> None:
    one = GROUPS.found(CHECK, group())
    assert {fact.label: fact.value for fact in one.facts}["Group"] == "3 nodes, which are changed together"
    assert (one.target, one.new_monthly_cost) == ("cache.m6g.large", Decimal("326.310"))  # 3 × 0.149 × 730


def test_a_group_whose_nodes_differ_is_left_alone() -> None:
    assert GROUPS.reason(CHECK, group(cache_node_type=None)) == "its engine or its node type is not known"


@pytest.mark.parametrize("name", ["cache.m6g.large", "cache.t2.micro", "cache.m4.large", "cache.t4g.micro"])
def test_a_type_without_a_graviton_type_of_as_much_memory_is_left_alone(name: str) -> None:
    assert CACHES.reason(CHECK, cache(cache_node_type=name)) == f"no Graviton type takes the place of {name}"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine_version": "5.0.5"}, "redis 5.0.5 does not run on Graviton, 5.0.6 does"),
        ({"engine_version": "4.0.10"}, "redis 4.0.10 does not run on Graviton, 5.0.6 does"),
        ({"engine": "memcached", "engine_version": "1.5.10"}, "memcached 1.5.10 does not run on Graviton"),
        ({"engine_version": None}, "its engine version is not known"),
        ({"tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_a_version_that_does_not_run_there_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert CACHES.reason(CHECK, cache(**changes)).startswith(why)


def test_the_first_version_that_runs_there_is_found() -> None:
    CACHES.found(CHECK, cache(engine_version="5.0.6"))
    CACHES.found(CHECK, cache(engine="memcached", engine_version="1.5.16"))
    CACHES.found(CHECK, cache(engine="valkey", engine_version="7.2.6"))


def test_without_a_price_nothing_is_proposed() -> None:
    assert CACHES.reason(CHECK, cache("available", "nowhere-1")) == "no price for cache.m5.large in nowhere-1"
