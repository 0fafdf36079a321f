"""elasticache_cluster_idle: two weeks without a command, and what is no proof of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.elasticache.caches import CACHES, cache, measured, without

from finops.domain.canonical import Json
from finops.domain.price import Price, PriceQuery
from finops.domain.recommendation import Finding
from finops_operator.plugins.sufficiency import metric_words
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.elasticache.checks.elasticache_cluster_idle import CHECK

HOURS = 14 * 24
ONCE = summarize([0.0] * (HOURS - 1) + [1.0])


@pytest.mark.parametrize("engine", ["redis", "valkey", "memcached"])
def test_a_cache_that_served_nothing_for_two_weeks_is_idle(engine: str) -> None:
    idle = CACHES.found(CHECK, cache(engine=engine), measured())
    assert idle.action == "elasticache_cluster_delete"
    assert (idle.evidence["commands"], idle.evidence["maximumConnections"]) == ("0", "4")
    assert idle.summary == "It served no command for 14 days."


def listed(query: PriceQuery) -> Price | None:
    """The bundled tables, and the price of snapshots as the price list has it."""
    if query.dimension != "backup_gb_month":
        return SOURCE.lookup(query)
    return Price(Decimal("0.085"), "gb-month", "test", date(2026, 1, 1))


LISTED = replace(CACHES, lookup=listed)


def labelled(found: Finding) -> dict[str, str]:
    return {fact.label: fact.value for fact in found.facts}


def test_the_final_snapshot_that_the_act_makes_is_billed_and_no_more_than_the_used_memory() -> None:
    # An m5.large of EC2 has 8 GiB, and a tenth of the node's memory was used at most.
    used = LISTED.found(CHECK, cache(), measured(memoryPercent=flat(10)))
    assert used.new_monthly_cost == Decimal("0.0680")
    assert labelled(used)["Final snapshot"] == "0.07 USD a month at most; the act makes it"
    whole = LISTED.found(CHECK, cache(), without("memoryPercent"))
    assert whole.new_monthly_cost == Decimal("0.680"), "where no memory was measured, all of it"


def test_without_a_price_of_snapshots_the_saving_is_unknown_and_less_than_the_cost() -> None:
    idle = CACHES.found(CHECK, cache(), measured())
    assert (idle.new_monthly_cost, idle.saving_knowable) == (None, False)
    most = labelled(idle)["Saves, at most"]
    assert most.endswith("less what the final snapshot costs that the act makes, which holds 1.6 GiB at most")
    unbounded = CACHES.found(CHECK, cache(cache_node_type="cache.r6gd.xlarge"), measured())
    assert not labelled(unbounded).get("Saves, at most", "").endswith("at most")
    assert "final snapshot" in CHECK.saving_unknown


def test_of_nodes_with_disks_nothing_bounds_the_snapshot_and_memcached_has_none() -> None:
    tiered = cache(cache_node_type="cache.r6gd.xlarge", engine="valkey")
    unbounded = LISTED.found(CHECK, tiered, measured())
    assert (unbounded.new_monthly_cost, unbounded.saving_knowable) == (None, False)
    assert unbounded.unpriced == "how much its final snapshot holds is not known, which AWS bills by that"
    assert CACHES.found(CHECK, tiered, measured()).unpriced == CHECK.saving_unknown
    assert LISTED.found(CHECK, cache(), measured()).unpriced == ""
    lost = CACHES.found(CHECK, cache(engine="memcached"), measured())
    assert lost.new_monthly_cost == 0
    assert labelled(lost)["Final snapshot"].startswith("none")


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


@pytest.mark.parametrize("name", ["readCommands", "cacheConnections"])
def test_a_lost_day_may_have_been_the_one_with_clients(name: str) -> None:
    lost = measured(**{name: day_lost()})
    assert CACHES.reason(CHECK, cache(), lost) == f"nothing is known of {metric_words(name)} in 24 of its hours"
