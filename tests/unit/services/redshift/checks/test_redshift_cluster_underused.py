"""redshift_cluster_underused: connected to, and next to nothing done; one busy hour in a hundred is allowed."""

from __future__ import annotations

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.redshift.warehouses import WAREHOUSES, measured, warehouse, without

from finops_operator.services.redshift.checks.redshift_cluster_underused import CHECK

HOURS = 14 * 24
USED = flat(3)


def test_a_warehouse_with_connections_and_idle_cpus_is_found_and_the_saving_is_unknown() -> None:
    one = WAREHOUSES.found(CHECK, warehouse(), measured(databaseConnections=USED))
    assert (one.action, one.new_monthly_cost, one.evidence["p99CpuPercent"]) == ("", None, "2")


def test_one_hour_in_a_hundred_may_be_busy_and_one_more_breaks_it() -> None:
    allowed = measured(databaseConnections=USED, cpuPercent=summarize([2.0] * (HOURS - 3) + [60.0] * 3))
    WAREHOUSES.found(CHECK, warehouse(), allowed)
    more = measured(databaseConnections=USED, cpuPercent=summarize([2.0] * (HOURS - 4) + [60.0] * 4))
    assert WAREHOUSES.reason(CHECK, warehouse(), more) == "its CPUs reached 60 %, underused is below 5 %"


@pytest.mark.parametrize("name", ["cpuPercent", "databaseConnections"])
def test_a_metric_that_is_missing_is_never_zero(name: str) -> None:
    assert WAREHOUSES.reason(CHECK, warehouse(), without(name)) == f"{name} is unknown (Throttled)"


def test_one_that_nobody_connected_to_is_idle_and_a_paused_one_is_not_judged() -> None:
    assert WAREHOUSES.reason(CHECK, warehouse(), measured()) == "nobody connected to it at all"
    assert WAREHOUSES.reason(CHECK, warehouse("paused"), measured()) == "it is paused, not available"
