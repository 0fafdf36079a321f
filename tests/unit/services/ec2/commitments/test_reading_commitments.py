"""What is read of EC2's commitments, what counts of it, and what a page that cannot be read leaves."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.support.facts import NOW
from tests.unit.services.ec2.commitments.fleets import resize, running, stop

from finops.domain.resource import Resource
from finops.errors import AwsDenied
from finops_operator.plugins.commitments import Reading, Unsaved
from finops_operator.pricing.bundled import BundledPrices
from finops_operator.services.ec2.commitments.model import Use
from finops_operator.services.ec2.commitments.pausing import PausingFleet
from finops_operator.services.ec2.commitments.reading import (
    LIST_CAPACITY,
    LIST_PLANS,
    LIST_RATES,
    LIST_RESERVED,
    read_commitments,
)

LATER, BEFORE = "2027-03-01T00:00:00+00:00", "2026-11-01T00:00:00+00:00"
RESERVED = {
    "ReservedInstancesId": "ri-1",
    "InstanceType": "m5.large",
    "InstanceCount": 1,
    "ProductDescription": "Linux/UNIX (Amazon VPC)",
    "InstanceTenancy": "default",
    "Scope": "Region",
    "State": "active",
    "End": LATER,
}
CAPACITY = {
    "CapacityReservationId": "cr-1",
    "OwnerId": "111111111111",
    "InstanceType": "m5.large",
    "InstancePlatform": "Linux/UNIX",
    "AvailabilityZone": "us-east-1a",
    "Tenancy": "default",
    "TotalInstanceCount": 2,
    "State": "active",
}
PLAN = {
    "savingsPlanId": "sp-1",
    "savingsPlanType": "EC2Instance",
    "region": "us-east-1",
    "commitment": "0.5",
    "state": "active",
    "end": "2027-03-01T00:00:00.000Z",
}


def rate(amount: str, usage: str = "BoxUsage:m5.large", **said: str) -> dict[str, Any]:
    properties = {
        "region": "us-east-1",
        "instanceType": "m5.large",
        "productDescription": "Linux/UNIX",
        "tenancy": "shared",
        **said,
    }
    listed = [{"name": name, "value": value} for name, value in properties.items()]
    return {"rate": amount, "unit": "Hrs", "usageType": usage, "properties": listed}


class Pages:
    """A reader with given pages of each operation; an exception among them is raised."""

    account, region = "111111111111", "us-east-1"

    def __init__(self, **pages: list[Mapping[str, Any] | Exception]) -> None:
        self._pages = pages
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        raise AssertionError("commitments are read page by page")

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        self.asked.append((operation, dict(parameters)))
        for page in self._pages.get(operation.partition(":")[2], ()):
            if isinstance(page, Exception):
                raise page
            yield page


def read(reader: Pages, *kinds: str) -> tuple[PausingFleet, tuple[Any, ...]]:
    instances = [running(kind) for kind in kinds or ("m5.large",)]
    return read_commitments(Reading(reader, instances, BundledPrices().lookup, NOW))


def test_instances_are_counted_one_by_one_and_none_is_kept() -> None:
    alive: weakref.WeakSet[Marked] = weakref.WeakSet()
    most = 0

    class Marked(str):
        """An id that says whether its instance is still kept."""

        __slots__ = ("__weakref__",)

        __hash__ = str.__hash__

    def every() -> Iterator[Resource]:
        nonlocal most
        for number in range(500):
            name = Marked(f"i-{number}")
            alive.add(name)
            most = max(most, len(alive))
            yield running(identity=name)

    fleet, _ = read_commitments(Reading(Pages(), every(), BundledPrices().lookup, NOW))
    assert most <= 3
    assert sum(fleet.always.fleet.values()) == 500


def test_what_is_active_now_counts_from_every_page() -> None:
    over = {**RESERVED, "ReservedInstancesId": "ri-2", "End": BEFORE}
    queued = {**RESERVED, "ReservedInstancesId": "ri-3", "State": "queued"}
    zonal = {**RESERVED, "ReservedInstancesId": "ri-4", "Scope": "Availability Zone", "AvailabilityZone": "us-east-1b"}
    reader = Pages(
        DescribeReservedInstances=[{"ReservedInstances": [RESERVED, over]}, {"ReservedInstances": [queued, zonal]}]
    )
    fleet, gaps = read(reader)
    assert not gaps
    found = {one.id: (one.use.zone, one.use.product, one.end) for one in fleet.always.agreements.reserved}
    end = date(2027, 3, 1)
    assert found == {"ri-1": ("", "linux/unix", end), "ri-4": ("us-east-1b", "linux/unix", end)}


@pytest.mark.parametrize(
    ("change", "ours"),
    [
        ({}, [True]),
        ({"OwnerId": "222222222222"}, [False]),
        ({"UnusedReservationBillingOwnerId": "222222222222"}, [False]),
        ({"State": "cancelled"}, []),
        ({"ReservationType": "capacity-block"}, []),
    ],
)
def test_who_pays_for_a_capacity_reservation_that_nothing_fills_is_said(
    change: dict[str, str], ours: list[bool]
) -> None:
    fleet, _ = read(Pages(DescribeCapacityReservations=[{"CapacityReservations": [{**CAPACITY, **change}]}]))
    assert [one.ours for one in fleet.always.agreements.capacity] == ours


COMPUTE = {**PLAN, "savingsPlanType": "Compute"}


def test_rates_of_a_compute_plan_are_asked_for_what_runs_and_those_of_used_boxes_count() -> None:
    rows = [
        rate("0.06"),
        rate("0.07", "UnusedBox:m5.large"),
        rate("0.09", tenancy="dedicated"),
        rate("1", tenancy="host"),
    ]
    reader = Pages(
        DescribeSavingsPlans=[{"savingsPlans": [COMPUTE]}], DescribeSavingsPlanRates=[{"searchResults": rows}]
    )
    fleet, gaps = read(reader, "m5.large", "c5.xlarge")
    (plan,) = fleet.always.agreements.plans
    assert not gaps
    assert plan.rates == {
        ("m5.large", "linux/unix", "default"): Decimal("0.06"),
        ("m5.large", "linux/unix", "dedicated"): Decimal("0.09"),
    }
    ((_, asked),) = [one for one in reader.asked if one[0] == LIST_RATES]
    assert {"name": "instanceType", "values": ["c5.xlarge", "m5.large"]} in asked["filters"]


def test_a_plan_for_a_family_is_read_whole_so_that_a_size_that_does_not_run_is_covered_by_it() -> None:
    sizes = {"m5.2xlarge": "0.20", "m5.xlarge": "0.10"}
    pages: list[Mapping[str, Any] | Exception] = [
        {"searchResults": [rate(amount, f"BoxUsage:{kind}", instanceType=kind)]} for kind, amount in sizes.items()
    ]
    plan = {**PLAN, "commitment": "0.30"}
    reader = Pages(DescribeSavingsPlans=[{"savingsPlans": [plan]}], DescribeSavingsPlanRates=pages)
    fleet, _ = read(reader, "m5.2xlarge", "m5.2xlarge")
    ((_, asked),) = [one for one in reader.asked if one[0] == LIST_RATES]
    assert [one["name"] for one in asked["filters"]] == ["region", "productType"]
    # 0.30 pays for one and a half at 0.20; then for one, and for the smaller at 0.10: 0.192 an hour leaves the bill.
    assert fleet.unsaved(resize(running("m5.2xlarge"), "m5.xlarge")).hourly == 0


def test_beside_a_compute_plan_the_saving_of_a_type_whose_rate_was_not_read_is_not_known() -> None:
    reader = Pages(
        DescribeSavingsPlans=[{"savingsPlans": [COMPUTE]}], DescribeSavingsPlanRates=[{"searchResults": [rate("0.06")]}]
    )
    fleet, _ = read(reader, "m5.large")
    found = fleet.unsaved(resize(running(), "t3.medium"))
    assert found == Unsaved(None, "a Savings Plan's rate for t3.medium was not read")


@pytest.mark.parametrize(
    "change",
    [
        {"region": "eu-central-1"},
        {"savingsPlanType": "SageMaker"},
        {"savingsPlanType": "Database"},
        {"state": "retired"},
        {"end": "2026-01-01T00:00:00.000Z"},
    ],
)
def test_plans_that_pay_for_no_instance_here_are_left_out(change: dict[str, str]) -> None:
    reader = Pages(DescribeSavingsPlans=[{"savingsPlans": [{**PLAN, **change}]}])
    assert not read(reader)[0].always.agreements.plans
    assert [operation for operation, _ in reader.asked] == [LIST_RESERVED, LIST_CAPACITY, LIST_PLANS]


@pytest.mark.parametrize("operation", [LIST_RESERVED, LIST_CAPACITY, LIST_PLANS, LIST_RATES])
def test_a_page_that_cannot_be_read_is_a_gap_and_nothing_beside_it_is_called_net(operation: str) -> None:
    denied = AwsDenied("may not", operation=operation, code="AccessDenied")
    pages: list[Mapping[str, Any] | Exception] = [{}, denied]
    listed: dict[str, list[Mapping[str, Any] | Exception]] = {"DescribeSavingsPlans": [{"savingsPlans": [PLAN]}]}
    fleet, gaps = read(Pages(**{**listed, operation.partition(":")[2]: pages}))
    assert [gap.operation for gap in gaps] == [operation.partition(":")[2]]
    assert fleet.unsaved(stop(running())) == Unsaved(None, f"{operation} failed")


def test_a_local_zone_has_no_price_of_the_region() -> None:
    fleet, _ = read(Pages())
    here = Use("m5.large", "linux/unix", "default", "us-east-1a")
    assert fleet.always.price_of(here) == Decimal("0.096")
    assert fleet.always.price_of(replace(here, zone="us-east-1-bos-1a")) is None


def test_many_types_are_asked_for_in_parts() -> None:
    kinds = [f"m5.{size}xlarge" for size in range(2, 47)]
    reader = Pages(DescribeSavingsPlans=[{"savingsPlans": [COMPUTE]}])
    read(reader, *kinds)
    asked = [given["filters"][2]["values"] for operation, given in reader.asked if operation == LIST_RATES]
    assert sorted(kind for several in asked for kind in several) == sorted(kinds)
    assert max(map(len, asked)) <= 20


def test_the_scans_instant_decides_what_has_ended() -> None:
    reader = Pages(DescribeReservedInstances=[{"ReservedInstances": [RESERVED]}])
    later = datetime(2027, 3, 2, tzinfo=UTC)
    fleet, _ = read_commitments(Reading(reader, [running()], BundledPrices().lookup, later))
    assert not fleet.always.agreements.reserved
