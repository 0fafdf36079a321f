"""rds_instance_storage_gp2: gp3 at the same price with more in it, sizes at which that changes, and what needs more."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.support.facts import flat, summarize
from tests.support.judging import without
from tests.unit.services.rds.databases import cost, database, found, reason

from finops.domain.canonical import Json
from finops.domain.price import Price, PriceQuery
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.plugins.kind import PriceLookup
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.rds.checks.rds_instance_storage_gp2 import CHECK
from finops_operator.services.rds.rules.storage import Performance, given_by_gp2, included_with_gp3, more_can_be_had

HOURS = 14 * 24
MIB = 1024 * 1024


def used(**changes: MetricSummary) -> Utilization:
    """Return 200 IOPS and 2 MiB/s all the time."""
    usual = {
        "readIops": flat(100),
        "writeIops": flat(100),
        "readThroughput": flat(MIB),
        "writeThroughput": flat(MIB),
    }
    return Utilization("orders", metrics={**usual, **changes})


def test_gp3_at_the_price_of_gp2_is_found_and_saves_nothing_by_itself() -> None:
    one = found(CHECK, database(), used())
    assert (one.action, one.target) == ("", "gp3")
    assert one.new_monthly_cost == cost(database()).unrounded_monthly == Decimal("136.330")
    assert one.summary == "gp3 gives 3,000 IOPS and 125 MiB/s at its size and costs the same."
    assert (one.evidence["chargedIops"], one.evidence["chargedThroughputMibps"]) == (0, 0)


@pytest.mark.parametrize(
    ("engine", "size", "gp3", "gp2", "more"),
    [
        ("mysql", 100, (3000, 125), (3000, 128), False),
        ("mysql", 171, (3000, 125), (3000, 250), False),
        ("mysql", 399, (3000, 125), (3000, 250), False),
        ("mysql", 400, (12000, 500), (12000, 1000), True),
        ("postgres", 5000, (12000, 500), (15000, 1000), True),
        ("postgres", 30000, (12000, 500), (64000, 1000), True),
        ("oracle-se2", 200, (12000, 500), (12000, 1000), True),
        ("sqlserver-se", 400, (3000, 125), (3000, 250), True),
        ("sqlserver-se", 8000, (3000, 125), (16000, 250), True),
    ],
)
def test_what_both_types_give_depends_on_engine_and_size(
    engine: str, size: int, gp3: tuple[int, int], gp2: tuple[int, int], *, more: bool
) -> None:
    assert included_with_gp3(engine, size) == Performance(*gp3)
    assert given_by_gp2(engine, size) == Performance(*gp2)
    assert more_can_be_had(engine, size) is more


def test_at_400_gib_more_is_included() -> None:
    assert found(CHECK, database(allocated_storage_gb=399), used()).evidence["gp3Iops"] == 3000
    large = found(CHECK, database(allocated_storage_gb=400), used())
    assert (large.evidence["gp3Iops"], large.evidence["gp3ThroughputMibps"]) == (12000, 500)


def test_what_needs_more_throughput_than_can_be_had_is_left_on_gp2() -> None:
    near = used(readThroughput=flat(103 * MIB))  # with the writes 104, with headroom 125
    found(CHECK, database(allocated_storage_gb=300), near)
    over = used(readThroughput=flat(104 * MIB))
    why = "gp3 of 300 GiB gives 3,000 IOPS and 125 MiB/s: it needs 240 IOPS and 126 MiB/s"
    assert reason(CHECK, database(allocated_storage_gb=300), over) == why
    once = used(readThroughput=summarize([1.0 * MIB] * (HOURS - 1) + [200.0 * MIB]))
    assert "it needs 240 IOPS and 242 MiB/s" in reason(CHECK, database(allocated_storage_gb=300), once)


def test_the_last_three_mib_of_a_small_volume_count_neither_where_they_are_used_nor_where_that_is_unknown() -> None:
    full = used(readThroughput=flat(127 * MIB))
    for use in (full, without(full, "readThroughput")):
        assert found(CHECK, database(allocated_storage_gb=170), use).evidence["gp3ThroughputMibps"] == 125
        assert "gp3 of 171 GiB gives 3,000" in reason(CHECK, database(allocated_storage_gb=171), use)


def test_more_than_is_included_is_paid_so_that_gp3_would_cost_more_or_its_price_is_unknown() -> None:
    busy = used(readThroughput=flat(500 * MIB))
    large: dict[str, Json] = {"allocated_storage_gb": 1000}
    assert reason(CHECK, database("available", "us-east-1", **large), busy).startswith("the saving is not known (")
    why = "gp3 with 12000 IOPS and 625 MiB/s would cost more"
    assert reason(CHECK, database("available", "eu-west-1", **large), busy) == why


def test_without_measurements_gp3_must_give_what_gp2_gives() -> None:
    unread = Utilization("orders", unknown={"readIops": "Throttled"})
    assert found(CHECK, database(allocated_storage_gb=170), unread).target == "gp3"  # 125 for 128 MiB/s
    why = "gp3 of 171 GiB gives 3,000 IOPS and 125 MiB/s: gp2 gives more, and read IOPS is unknown (Throttled)"
    assert reason(CHECK, database(allocated_storage_gb=171), unread).lower() == why.lower()
    young = replace(database(allocated_storage_gb=171), created=None)
    assert reason(CHECK, young, used()).endswith("gp2 gives more, and its age is not known")


def test_a_lower_price_is_saved_in_both_zones_and_a_higher_one_is_not_advised() -> None:
    def lookup(factor: str) -> PriceLookup:
        def priced(query: PriceQuery) -> Price | None:
            price = SOURCE.lookup(query)
            gp3 = dict(query.attributes).get("volume_type") == "gp3"
            return replace(price, amount=price.amount * Decimal(factor)) if price and gp3 else price

        return priced

    double = database(multi_az=True)
    cheaper = found(CHECK, double, used(), lookup=lookup("0.9"))
    now = cost(double).unrounded_monthly
    assert now is not None
    assert cheaper.new_monthly_cost == now - Decimal("2.300")  # a tenth of 100 GiB at 0.23
    assert "costs less" in cheaper.summary
    # In this region gp3 in two zones is listed a tenth of a cent above gp2.
    dear = database("available", "af-south-1", multi_az=True)
    assert reason(CHECK, dear, used()) == "gp3 with 3000 IOPS and 125 MiB/s would cost more"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"storage_type": "gp3"}, "its storage is of type gp3, not gp2"),
        ({"storage_type": None}, "its storage is of type that AWS did not name, not gp2"),
        ({"db_cluster_id": "c"}, "it is a member of a cluster"),
        ({"db_cluster_id": None}, "whether it is a member of a cluster is not known"),
        ({"allocated_storage_gb": 19}, "it has 19 GiB, and gp3 begins at 20"),
        ({"allocated_storage_gb": None}, "the size of its storage is not known"),
        ({"engine": None}, "its engine is not known"),
    ],
)
def test_other_storage_and_what_is_not_known_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert reason(CHECK, database(**changes), used()) == why


def test_only_an_available_database_and_one_with_a_price_is_judged() -> None:
    assert reason(CHECK, database("stopped"), used()) == "it is stopped, not available"
    assert reason(CHECK, database("available", "nowhere-1"), used()).startswith("the saving is not known (")
