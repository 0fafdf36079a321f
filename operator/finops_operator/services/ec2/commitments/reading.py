"""Reads the commitments of one account and region, and puts them beside the instances there.

Called by the scan once for an account and region where something can be saved. What cannot be read is a Gap that names
the right, and no saving beside it is called net: a commitment that is not seen is not taken for none.
Sources: EC2 API reference, DescribeReservedInstances and DescribeCapacityReservations; Savings Plans API reference,
DescribeSavingsPlans and DescribeSavingsPlanRates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from finops.domain.price import PriceQuery
from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.commitments import NOT_READ, Commitments, Reading
from finops_operator.plugins.described import gap_of, moment_of
from finops_operator.services.ec2.commitments.cover import PriceOf
from finops_operator.services.ec2.commitments.fleet import CommittedFleet
from finops_operator.services.ec2.commitments.model import (
    Agreements,
    CapacityReservation,
    Fleet,
    PlanType,
    ReservedInstances,
    SavingsPlan,
    Use,
)
from finops_operator.services.ec2.commitments.pausing import PausingFleet
from finops_operator.services.ec2.commitments.products import product_of, system_of
from finops_operator.services.ec2.rules.zones import outside_of_region

LIST_RESERVED: Final = "ec2:DescribeReservedInstances"
LIST_CAPACITY: Final = "ec2:DescribeCapacityReservations"
LIST_PLANS: Final = "savingsplans:DescribeSavingsPlans"
LIST_RATES: Final = "savingsplans:DescribeSavingsPlanRates"
_NO_PLAN: Final = "00000000-0000-0000-0000-000000000000"
_PAGE: Final = 1000
_TYPES_AT_ONCE: Final = 20
"""Instance types that one question about rates names."""
_ACTIVE: Final = "active"
_TENANCIES: Final = {"shared": "default", "default": "default", "dedicated": "dedicated"}


def read_commitments(reading: Reading) -> tuple[PausingFleet, tuple[Gap, ...]]:
    """Return the fleet with its commitments, and a Gap for each kind of commitment that could not be read."""
    counted = PausingFleet.of(reading.resources, CommittedFleet({}, Agreements(), _prices(reading)))
    fleet, gaps, unread = counted.hour_of_all().fleet, [], []
    agreements = Agreements()
    for name, read in _READS:
        try:
            agreements = replace(agreements, **{name: tuple(read(reading, fleet))})
        except AwsError as error:
            gaps.append(gap_of(error, reading.reader))
            unread.append(error.operation)
    failed = f"{' and '.join(unread)} failed" if unread else ""
    return replace(counted, always=replace(counted.always, agreements=agreements, unread=failed)), tuple(gaps)


def _prices(reading: Reading) -> PriceOf:
    def price_of(use: Use) -> Decimal | None:
        system = system_of(use.product)
        if not system or use.tenancy != "default" or outside_of_region(use.zone):
            return None
        attributes = (("instance_type", use.instance_type), ("os", system))
        price = reading.lookup(PriceQuery("ec2", reading.reader.region, "instance_hour", attributes))
        return None if price is None else price.amount

    return price_of


def _reserved(reading: Reading, _fleet: Fleet) -> Iterator[ReservedInstances]:
    asked = {"Filters": [{"Name": "state", "Values": [_ACTIVE]}]}
    for page in reading.reader.pages(LIST_RESERVED, asked):
        for one in page.get("ReservedInstances", ()):
            end = moment_of(one.get("End"))
            if one.get("State") != _ACTIVE or (end is not None and end <= reading.now):
                continue
            zone = str(one.get("AvailabilityZone") or "") if one.get("Scope") == "Availability Zone" else ""
            use = Use(
                str(one["InstanceType"]),
                product_of(str(one.get("ProductDescription") or "")),
                str(one.get("InstanceTenancy") or "default"),
                zone,
            )
            yield ReservedInstances(
                str(one["ReservedInstancesId"]), use, int(one["InstanceCount"]), None if end is None else end.date()
            )


def _capacity(reading: Reading, _fleet: Fleet) -> Iterator[CapacityReservation]:
    asked = {"MaxResults": _PAGE, "Filters": [{"Name": "state", "Values": [_ACTIVE]}]}
    for page in reading.reader.pages(LIST_CAPACITY, asked):
        for one in page.get("CapacityReservations", ()):
            # A Capacity Block is paid in advance, and its instances are billed no hours.
            if one.get("State") != _ACTIVE or one.get("ReservationType") == "capacity-block":
                continue
            end = moment_of(one.get("EndDate"))
            payer = one.get("UnusedReservationBillingOwnerId") or one.get("OwnerId")
            yield CapacityReservation(
                str(one["CapacityReservationId"]),
                Use(
                    str(one["InstanceType"]),
                    product_of(str(one.get("InstancePlatform") or "")),
                    str(one.get("Tenancy") or "default"),
                    str(one.get("AvailabilityZone") or ""),
                ),
                int(one["TotalInstanceCount"]),
                None if end is None else end.date(),
                ours=payer == reading.reader.account,
            )


def _plans(reading: Reading, fleet: Fleet) -> Iterator[SavingsPlan]:
    reader = reading.reader
    for page in reader.pages(LIST_PLANS, {"states": [_ACTIVE], "maxResults": _PAGE}):
        for one in page.get("savingsPlans", ()):
            end = moment_of(one.get("end"))
            if one.get("state") != _ACTIVE or (end is not None and end <= reading.now):
                continue
            kind = one.get("savingsPlanType")
            # Plans for SageMaker and for databases pay for no instance; one for a family does so in its region alone.
            if kind not in set(PlanType) or (kind == PlanType.INSTANCE and one.get("region") != reader.region):
                continue
            # A plan for a family has the rates of its sizes alone, so all are read: one may become another. A Compute
            # plan has those of every type that AWS offers.
            asked = None if kind == PlanType.INSTANCE else frozenset(placed.use.instance_type for placed in fleet)
            yield SavingsPlan(
                str(one["savingsPlanId"]),
                PlanType(str(kind)),
                Decimal(str(one["commitment"])),
                None if end is None else end.date(),
                _rates(reader, str(one["savingsPlanId"]), asked),
                asked,
            )


def _rates(reader: PageReader, plan: str, types: frozenset[str] | None) -> Mapping[tuple[str, str, str], Decimal]:
    """Return what a plan asks for an hour of some types in the region, or of all."""
    found: dict[tuple[str, str, str], Decimal] = {}
    for chosen in _chosen(types):
        filters = [
            {"name": "region", "values": [reader.region]},
            {"name": "productType", "values": ["EC2"]},
            *chosen,
        ]
        for page in reader.pages(LIST_RATES, {"savingsPlanId": plan, "filters": filters, "maxResults": _PAGE}):
            found.update(_of_instances(page.get("searchResults", ()), reader.region))
    return found


def _chosen(types: frozenset[str] | None) -> Iterator[list[dict[str, Any]]]:
    """Yield the filters of each question about some types, one without any for all types."""
    if types is None:
        yield []
        return
    ordered = sorted(types)
    for start in range(0, len(ordered), _TYPES_AT_ONCE):
        yield [{"name": "instanceType", "values": ordered[start : start + _TYPES_AT_ONCE]}]


def _of_instances(results: Iterable[Mapping[str, Any]], region: str) -> Iterator[tuple[tuple[str, str, str], Decimal]]:
    """Yield type, product and tenancy with the rate, of what instances use; unused capacity has rows of its own."""
    for one in results:
        said = {str(each.get("name")): str(each.get("value")) for each in one.get("properties") or ()}
        tenancy = _TENANCIES.get(said.get("tenancy", "").casefold())
        uses_box = "BoxUsage" in str(one.get("usageType")) or "DedicatedUsage" in str(one.get("usageType"))
        if tenancy is None or not uses_box or said.get("region", region) != region or one.get("unit") != "Hrs":
            continue
        key = said.get("instanceType", ""), product_of(said.get("productDescription", "")), tenancy
        yield key, Decimal(str(one["rate"]))


_Read = Callable[[Reading, Fleet], Iterable[Any]]
_READS: Final[tuple[tuple[str, _Read], ...]] = (("reserved", _reserved), ("capacity", _capacity), ("plans", _plans))

EC2_COMMITMENTS: Final = Commitments(
    otherwise=NOT_READ.otherwise,
    read=read_commitments,
    permissions=(LIST_RESERVED, LIST_CAPACITY, LIST_PLANS, LIST_RATES),
    probes={LIST_RATES: lambda _: {"savingsPlanId": _NO_PLAN}},
    granted_by=frozenset({"ResourceNotFoundException"}),
)
"""Of `ec2-instance`."""
