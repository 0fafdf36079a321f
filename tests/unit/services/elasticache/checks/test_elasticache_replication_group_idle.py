"""elasticache_replication_group_idle: two weeks without a command on any node, and what is no proof of it."""

from __future__ import annotations

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.elasticache.caches import GROUPS, group, measured, without

from finops.domain.canonical import Json
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.services.elasticache.checks.elasticache_replication_group_idle import CHECK

HOURS = 14 * 24
ONCE = summarize([0.0] * (HOURS - 1) + [1.0])


@pytest.mark.parametrize("engine", ["redis", "valkey"])
def test_a_group_whose_nodes_served_nothing_for_two_weeks_is_deleted_as_a_whole(engine: str) -> None:
    idle = GROUPS.found(CHECK, group(engine=engine), measured())
    facts = {fact.label: fact.value for fact in idle.facts}
    assert (idle.action, idle.new_monthly_cost) == ("elasticache_replication_group_delete", None)
    assert facts["Nodes"] == "3 of cache.m5.large"
    assert facts["Deleted together"] == "all of its nodes, replicas and shards among them"


def test_a_single_command_on_any_node_or_clients_on_one_break_it() -> None:
    assert GROUPS.reason(CHECK, group(), measured(readCommands=ONCE)) == "it served 1 commands"
    assert "up to 7 connections" in GROUPS.reason(CHECK, group(), measured(cacheConnections=flat(7)))


@pytest.mark.parametrize("name", ["readCommands", "writeCommands", "messageCommands", "cacheConnections"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert GROUPS.reason(CHECK, group(), without(name)) == f"{metric_words(name)} is unknown (Throttled)"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"global_group": True}, "its group is replicated to other regions"),
        ({"cache_node_type": None}, "its engine or its node type is not known"),
        ({"tags_known": False}, "its tags could not be read"),
    ],
)
def test_a_group_that_is_not_known_or_has_copies_elsewhere_is_not_judged(changes: dict[str, Json], why: str) -> None:
    assert GROUPS.reason(CHECK, group(**changes), measured()).startswith(why)


def test_a_young_group_and_one_that_changes_are_not_judged() -> None:
    assert GROUPS.reason(CHECK, group("available", 13), measured()) == "it is younger than 14 days"
    assert GROUPS.reason(CHECK, group("modifying"), measured()) == "it is modifying, not available"


@pytest.mark.parametrize("name", ["readCommands", "cacheConnections"])
def test_a_lost_day_may_have_been_the_one_with_clients(name: str) -> None:
    lost = measured(**{name: day_lost()})
    assert GROUPS.reason(CHECK, group(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
