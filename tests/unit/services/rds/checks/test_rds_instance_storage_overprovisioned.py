"""rds_instance_storage_overprovisioned: half of it free, what less storage must still give, and what cannot shrink."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.unit.services.rds.databases import cost, database, found, reason

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.rds.checks.rds_instance_storage_overprovisioned import CHECK
from finops_operator.services.rds.rules.storage import least_size

HOURS = 14 * 24
GIB = 2**30
MIB = 2**20


def roomy(**changes: Json) -> Resource:
    """Return a database with 300 GiB of gp3."""
    return database(**{"storage_type": "gp3", "allocated_storage_gb": 300, **changes})


def free(gib: float, **changes: MetricSummary) -> Utilization:
    usual = {
        "freeStorageSpace": flat(gib * GIB),
        "readIops": flat(100),
        "writeIops": flat(100),
        "readThroughput": flat(MIB),
        "writeThroughput": flat(MIB),
    }
    return Utilization("orders", metrics={**usual, **changes})


def test_a_database_that_fills_a_fifth_of_its_storage_is_found_with_what_is_enough() -> None:
    one = found(CHECK, roomy(), free(240))
    assert (one.action, one.target) == ("", "90 GiB")  # 60 GiB in use, 30 % of the target free
    now = cost(roomy()).unrounded_monthly
    assert now is not None
    assert one.new_monthly_cost == now - 210 * Decimal("0.115")
    assert "Storage cannot shrink in place" in one.summary
    assert (one.evidence["usedGib"], one.evidence["freePercent"]) == ("60", "80")


def test_in_two_zones_the_storage_is_saved_twice() -> None:
    one, now = found(CHECK, roomy(multi_az=True), free(240)), cost(roomy(multi_az=True)).unrounded_monthly
    assert now is not None
    assert one.new_monthly_cost == now - 210 * Decimal("0.23")


def test_half_of_it_free_is_enough_and_a_little_less_is_not() -> None:
    one = found(CHECK, roomy(), free(150))
    assert one.target == "220 GiB"
    assert one.summary.startswith("At least 50 % of its 300 GiB were free at all times.")
    assert reason(CHECK, roomy(), free(149)) == "49.7 % of its storage were free at its fullest, 50 % are needed"


def test_one_hour_that_filled_it_breaks_it() -> None:
    once = summarize([240.0 * GIB] * (HOURS - 1) + [30.0 * GIB])
    assert "10 % of its storage were free" in reason(CHECK, roomy(), free(240, freeStorageSpace=once))


def test_what_is_not_measured_is_never_free() -> None:
    unread = Utilization("orders", unknown={"freeStorageSpace": "Throttled"})
    assert reason(CHECK, roomy(), unread) == "free storage space is unknown (Throttled)"
    assert reason(CHECK, roomy(), free(240, freeStorageSpace=flat(240 * GIB, days=13))).startswith("only 13 days")
    assert reason(CHECK, replace(roomy(), created=None), free(240)) == "its age is not known"


@pytest.mark.parametrize(
    ("engine", "volume_type", "size", "iops", "least"),
    [
        ("mysql", "gp3", 300, 3000, 20),
        ("mysql", "gp3", 400, 12000, 400),
        ("mysql", "gp2", 300, 600, 200),
        ("mysql", "gp2", 500, 600, 400),
        ("postgres", "io1", 1000, 20000, 400),
        ("postgres", "io1", 1000, 1000, 100),
        ("postgres", "io2", 1000, 200000, 400),
        ("mysql", "standard", 300, 0, 20),
    ],
)
def test_less_storage_keeps_stripes_and_the_operations_that_come_with_its_size(
    engine: str, volume_type: str, size: int, iops: float, least: int
) -> None:
    assert least_size(engine, volume_type, size, iops) == least


def test_storage_of_400_gib_stays_striped() -> None:
    assert found(CHECK, roomy(allocated_storage_gb=1000), free(950)).target == "400 GiB"
    why = "less storage would be slower than what it uses"
    assert reason(CHECK, roomy(allocated_storage_gb=400), free(350)) == why


def test_gp2_keeps_the_operations_that_were_used() -> None:
    small = roomy(storage_type="gp2")
    assert found(CHECK, small, free(240)).target == "90 GiB"
    busy = free(240, readIops=flat(500))
    assert found(CHECK, small, busy).target == "200 GiB"
    unread = replace(busy, metrics={"freeStorageSpace": flat(240 * GIB)}, unknown={"readIops": "Throttled"})
    assert reason(CHECK, small, unread).startswith("its IOPS fall with its size, and ")


def test_provisioned_operations_need_a_gigabyte_for_every_fifty_of_them() -> None:
    provisioned = roomy(storage_type="io1", storage_iops=10000)
    assert found(CHECK, provisioned, free(240)).target == "200 GiB"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"engine": "oracle-se2"}, "AWS offers no way to less storage of oracle-se2"),
        ({"engine": "sqlserver-se"}, "AWS offers no way to less storage of sqlserver-se"),
        ({"replicates_from": "primary"}, "it is a replica, whose storage is its source's"),
        ({"db_cluster_id": "c"}, "it is a member of a cluster"),
        ({"db_cluster_id": None}, "whether it belongs to others is not known"),
        ({"allocated_storage_gb": None}, "its storage is not known"),
        ({"allocated_storage_gb": 99}, "it has 99 GiB, 100 are needed"),
        ({"additional_volumes": 1}, "it has storage volumes beside the first"),
    ],
)
def test_what_cannot_shrink_or_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert reason(CHECK, roomy(**changes), free(240)) == why


def test_only_an_available_database_is_judged_and_one_without_a_price_is_found() -> None:
    assert reason(CHECK, replace(roomy(), state="stopped"), free(240)) == "it is stopped, not available"
    assert found(CHECK, replace(roomy(), region="nowhere-1"), free(240)).new_monthly_cost is None
