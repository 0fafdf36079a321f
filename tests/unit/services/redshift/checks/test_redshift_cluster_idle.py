"""redshift_cluster_idle: a week without a connection, and what is no proof of it."""

from __future__ import annotations

from decimal import Decimal

from tests.support.facts import day_lost, flat, summarize
from tests.unit.services.redshift.warehouses import WAREHOUSES, measured, warehouse, without

from finops_operator.services.redshift.checks.redshift_cluster_idle import CHECK

HOURS = 14 * 24


def test_a_warehouse_that_nobody_connected_to_is_idle_and_a_pause_leaves_its_storage() -> None:
    idle = WAREHOUSES.found(CHECK, warehouse(), measured())
    assert (idle.action, idle.new_monthly_cost) == ("", Decimal(0))
    assert WAREHOUSES.found(CHECK, warehouse(node_type="ra3.xlplus"), measured()).new_monthly_cost is None


def test_a_single_connection_breaks_it() -> None:
    once = measured(databaseConnections=summarize([0.0] * (HOURS - 1) + [1.0]))
    assert WAREHOUSES.reason(CHECK, warehouse(), once) == "up to 1 connections were open at once"


def test_connections_that_are_missing_or_too_few_are_never_zero() -> None:
    reason = WAREHOUSES.reason(CHECK, warehouse(), without("databaseConnections"))
    assert reason == "database connections is unknown (Throttled)"
    short = measured(databaseConnections=flat(0, days=6))
    assert "only 6 days" in WAREHOUSES.reason(CHECK, warehouse(), short)
    WAREHOUSES.found(CHECK, warehouse(), measured(databaseConnections=flat(0, days=7)))


def test_a_young_or_paused_one_is_not_judged() -> None:
    young = warehouse("available", "us-east-1", 6)
    assert WAREHOUSES.reason(CHECK, young, measured()) == "it is younger than 7 days"
    assert WAREHOUSES.reason(CHECK, warehouse("paused"), measured()) == "it is paused, not available"


def test_a_lost_day_may_have_been_the_one_with_a_query() -> None:
    lost = measured(databaseConnections=day_lost())
    assert WAREHOUSES.reason(CHECK, warehouse(), lost) == "nothing is known of database connections in 24 of its hours"
