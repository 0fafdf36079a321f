"""opensearch_domain_gp2: the older storage, and what has other storage or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.opensearch.domains import DOMAINS, domain

from finops.domain.canonical import Json
from finops.domain.price import Price, PriceQuery
from finops_operator.pricing.bundled import SOURCE
from finops_operator.services.opensearch.checks.opensearch_domain_gp2 import CHECK
from finops_operator.services.opensearch.rules.included import included, of_gp2

STORAGE = {"gp2_gb_month": "0.135", "gp3_gb_month": "0.122", "gp3_iops_month": "0.008"}


def listed(query: PriceQuery) -> Price | None:
    amount = STORAGE.get(query.dimension)
    if amount is None:
        return SOURCE.lookup(query)
    return Price(Decimal(amount), "gb-month", "price-list", date(2026, 11, 29), sku="A1")


LISTED = replace(DOMAINS, lookup=listed)


def test_with_both_prices_the_saving_is_the_difference_for_the_disks_of_all_nodes() -> None:
    one = domain(volume_type="gp2", volume_gb=500)
    found = LISTED.found(CHECK, one)
    # Three nodes: 1,500 GB at 0.135 or at 0.122.
    assert LISTED.cost(one).unrounded_monthly == Decimal("310.98") + Decimal("202.5")
    assert found.new_monthly_cost == Decimal("310.98") + Decimal(183)
    said = {fact.label: fact.value for fact in found.facts}
    assert (said["IOPS of a disk"], said["Throughput of a disk"]) == ("1,500 → 3,000", "250 → 250 MiB/s")


def test_where_gp3_costs_no_less_nothing_is_said() -> None:
    def alike(query: PriceQuery) -> Price | None:
        return listed(replace(query, dimension="gp2_gb_month") if query.dimension == "gp3_gb_month" else query)

    dear = replace(DOMAINS, lookup=alike)
    assert dear.reason(CHECK, domain(volume_type="gp2", volume_gb=500)) == "gp3 costs no less there"


@pytest.mark.parametrize(
    ("gigabytes", "iops", "throughput"),
    [
        (10, 3000, 125),
        (170, 3000, 125),
        (171, 3000, 250),
        (1000, 3000, 250),
        (1001, 3003, 250),
        (3001, 9003, 500),
        (6000, 16000, 500),
        (24576, 16000, 1000),
    ],
)
def test_what_gp3_includes_grows_with_its_size(gigabytes: int, iops: int, throughput: int) -> None:
    assert (included(gigabytes).iops, included(gigabytes).throughput) == (iops, throughput)


@given(st.integers(1, 24_576))
def test_gp3_never_includes_fewer_operations_than_gp2_keeps_up_nor_much_less_throughput(gigabytes: int) -> None:
    assert included(gigabytes).iops >= of_gp2(gigabytes).iops
    assert included(gigabytes).throughput >= of_gp2(gigabytes).throughput - 3


def test_gp3_disks_that_are_faster_than_their_size_includes_are_billed_for_it() -> None:
    gp3: dict[str, Json] = {"volume_type": "gp3", "volume_gb": 500, "volume_throughput": 250}
    plain = LISTED.cost(domain(**gp3, volume_iops=3000))
    assert plain.unrounded_monthly == Decimal("310.98") + Decimal(183)
    faster = LISTED.cost(domain(**gp3, volume_iops=5000))
    assert faster.unrounded_monthly == Decimal("310.98") + Decimal(183) + 3 * 2000 * Decimal("0.008")
    wider = LISTED.cost(domain(**{**gp3, "volume_throughput": 251}, volume_iops=3000))
    assert wider.missing == ("throughput_mibps_month: no price for faster gp3 disks",)
    assert LISTED.cost(domain(**gp3)).missing == ("iops_month: how fast its gp3 disks are is not known",)


def test_gp2_storage_is_found_and_what_gp3_saves_is_unknown() -> None:
    one = DOMAINS.found(CHECK, domain(volume_type="gp2", volume_gb=500))
    assert (one.action, one.target, one.new_monthly_cost) == ("", "gp3", None)
    assert {fact.label: fact.value for fact in one.facts}["Storage"] == "gp2, 500 GiB a node, 3 nodes"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"volume_type": "gp3"}, "its storage is gp3"),
        ({"volume_type": "io1"}, "its storage is io1"),
        ({"volume_type": ""}, "its nodes have disks of their own"),
        ({"volume_type": None}, "its storage is not known"),
        ({"volume_type": "gp2", "tags_known": False}, "its tags could not be read, so it may be protected"),
    ],
)
def test_other_storage_is_left_alone(changes: dict[str, Json], why: str) -> None:
    assert DOMAINS.reason(CHECK, domain(**changes)) == why


def test_a_domain_at_work_is_not_judged() -> None:
    assert DOMAINS.reason(CHECK, domain("processing", volume_type="gp2")) == "it is processing, not active"
