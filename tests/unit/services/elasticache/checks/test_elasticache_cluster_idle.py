"""elasticache_cluster_idle: two weeks without a command, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.elasticache.caches import CACHES, cache, measured, without

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.elasticache.checks.elasticache_cluster_idle import CHECK

HOURS = 14 * 24
ONCE = summarize([0.0] * (HOURS - 1) + [1.0])


@pytest.mark.parametrize("engine", ["redis", "valkey", "memcached"])
def test_a_cache_that_served_nothing_for_two_weeks_is_idle_and_nothing_remains_to_be_paid(engine: str) -> None:
    idle = CACHES.found(CHECK, cache(engine=engine), measured())
    assert (idle.action, idle.new_monthly_cost) == ("elasticache_cluster_delete", Decimal(0))
    assert (idle.evidence["commands"], idle.evidence["maximumConnections"]) == ("0", "4")
    assert idle.summary == "It served no command for 14 days."


@pytest.mark.parametrize(
    ("engine", "name"),
    [
        ("redis", "readCommands"),
        ("redis", "writeCommands"),
        ("valkey", "messageCommands"),
        ("memcached", "getCommands"),
        ("memcached", "setCommands"),
    ],
)
def test_a_single_command_of_any_sort_breaks_it(engine: str, name: str) -> None:
    assert CACHES.reason(CHECK, cache(engine=engine), measured(**{name: ONCE})) == "it served 1 commands"


def test_more_connections_than_aws_s_own_are_clients_and_on_memcached_they_say_nothing() -> None:
    CACHES.found(CHECK, cache(), measured(cacheConnections=flat(6)))
    seven = measured(cacheConnections=flat(7))
    assert "up to 7 connections" in CACHES.reason(CHECK, cache(), seven)
    CACHES.found(CHECK, cache(), seven, maximumConnections=Decimal(7))
    CACHES.found(CHECK, cache(engine="memcached"), measured(cacheConnections=flat(30)))


@pytest.mark.parametrize("name", ["readCommands", "writeCommands", "messageCommands", "cacheConnections"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert CACHES.reason(CHECK, cache(), without(name)) == f"{metric_words(name)} is unknown (Throttled)"


def test_a_window_with_holes_or_a_young_cache_proves_nothing() -> None:
    holes = summarize([0.0] * (HOURS // 2), expected=HOURS)
    assert "covers 50 %" in CACHES.reason(CHECK, cache(), measured(readCommands=holes))
    assert CACHES.reason(CHECK, cache("available", "us-east-1", 13), measured()) == "it is younger than 14 days"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"replication_group": "g", "group_nodes": 2, "global_group": False}, "it is one of 2 nodes of a group"),
        ({"replication_group": "g", "group_nodes": 1, "global_group": True}, "its group is replicated"),
        ({"replication_group": "g"}, "the group that it is a node of is not known"),
        ({"tags_known": False}, "its tags could not be read"),
        ({"engine": "new"}, "its engine is not known"),
    ],
)
def test_a_cache_that_others_stand_in_for_or_that_is_not_known_is_not_judged(
    changes: dict[str, Json], why: str
) -> None:
    assert CACHES.reason(CHECK, cache(**changes), measured()).startswith(why)


def test_the_only_node_of_a_group_is_judged() -> None:
    CACHES.found(CHECK, cache(replication_group="g", group_nodes=1, global_group=False), measured())


def test_only_an_available_cache_is_judged() -> None:
    assert CACHES.reason(CHECK, cache("modifying"), measured()) == "it is modifying, not available"
