"""Reserved Instances, capacity reservations and Savings Plans of an estate's document, and how AWS describes them.

Sources: EC2 API reference, ReservedInstances and CapacityReservation; Savings Plans API reference, SavingsPlan.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from finops_sandbox.aws.estate_fields import EstateError, age, known

PLACE_FIELDS = frozenset({"reservedInstances", "capacityReservations", "savingsPlans", "commitmentCoverage"})
_TERM = timedelta(days=365)
_SECONDS_OF_TERM = int(_TERM.total_seconds())


@dataclass(frozen=True, slots=True)
class ReservedSpec:
    """Reserved Instances; `zone` is a letter, empty for those of the whole region."""

    name: str
    instance_type: str
    count: int = 1
    zone: str = ""
    product: str = "Linux/UNIX"
    tenancy: str = "default"
    state: str = "active"
    ends: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class CapacitySpec:
    """A capacity reservation with the names of the instances that run in it; `owner` is empty for the account's own."""

    name: str
    instance_type: str
    count: int = 1
    zone: str = "a"
    platform: str = "Linux/UNIX"
    owner: str = ""
    instances: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """A Savings Plan; `rates`: instance type → what an hour costs under it, for Linux on shared hardware."""

    name: str
    plan_type: str
    commitment: str
    family: str = ""
    state: str = "active"
    ends: timedelta = timedelta(days=90)
    rates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CoveredSpec:
    """What of a day's use commitments pay for, as Cost Explorer has it: hours of instances, and US dollars."""

    reserved_hours: Decimal
    on_demand_hours: Decimal
    plans_spend: Decimal
    on_demand_spend: Decimal


@dataclass(frozen=True, slots=True)
class CommitmentSpecs:
    """All commitments that one place of an estate declares."""

    reserved: tuple[ReservedSpec, ...] = ()
    capacity: tuple[CapacitySpec, ...] = ()
    plans: tuple[PlanSpec, ...] = ()
    covered: CoveredSpec | None = None


_RESERVED = {"type": "instance_type", "product": "product", "zone": "zone", "tenancy": "tenancy", "state": "state"}
_CAPACITY = {"type": "instance_type", "zone": "zone", "platform": "platform"}
_PLAN = {"type": "plan_type", "family": "family", "state": "state"}


def commitment_specs(item: Mapping[str, Any], where: str) -> CommitmentSpecs:
    """Return what a place of the document declares. Raises EstateError."""
    return CommitmentSpecs(
        tuple(_reserved(one, where) for one in item.get("reservedInstances") or []),
        tuple(_capacity(one, where) for one in item.get("capacityReservations") or []),
        tuple(_plan(one, where) for one in item.get("savingsPlans") or []),
        _covered(item.get("commitmentCoverage"), where),
    )


_COVERED = ("reservedHours", "onDemandHours", "plansSpend", "onDemandSpend")


def _covered(item: Any, where: str) -> CoveredSpec | None:
    if item is None:
        return None
    known(item, set(_COVERED), f"{where}, commitmentCoverage")
    return CoveredSpec(*(Decimal(str(item.get(name, 0))) for name in _COVERED))


def _plain(item: Mapping[str, Any], names: Mapping[str, str], more: set[str], where: str) -> dict[str, Any]:
    where = f"{where}, commitment {item.get('name')}"
    known(item, {"name", *names, *more}, where)
    if "name" not in item or "type" not in item:
        raise EstateError(f"{where}: name and type are required")
    return {"name": str(item["name"]), **{names[key]: str(item[key]) for key in names if key in item}}


def _reserved(item: Mapping[str, Any], where: str) -> ReservedSpec:
    plain = _plain(item, _RESERVED, {"count", "ends"}, where)
    return ReservedSpec(**plain, count=int(item.get("count", 1)), ends=age(item.get("ends", "90d")))


def _capacity(item: Mapping[str, Any], where: str) -> CapacitySpec:
    plain = _plain(item, _CAPACITY, {"count", "owner", "instances"}, where)
    inside = tuple(str(one) for one in item.get("instances") or [])
    count, owner = int(item.get("count", 1)), str(item.get("owner", ""))
    if len(inside) > count:
        raise EstateError(f"{where}, commitment {item['name']}: more instances than slots")
    return CapacitySpec(**plain, count=count, owner=owner, instances=inside)


def _plan(item: Mapping[str, Any], where: str) -> PlanSpec:
    plain = _plain(item, _PLAN, {"commitment", "rates", "ends"}, where)
    if plain["plan_type"] not in ("Compute", "EC2Instance", "SageMaker", "Database"):
        raise EstateError(f"{where}, commitment {item['name']}: no Savings Plan is of type {plain['plan_type']}")
    rates = {str(key): str(value) for key, value in (item.get("rates") or {}).items()}
    return PlanSpec(**plain, commitment=str(item["commitment"]), rates=rates, ends=age(item.get("ends", "90d")))


@dataclass(slots=True)
class LiveCommitments:
    """What the accounts hold: of EC2 by account and region, Savings Plans by account with their region."""

    reserved: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    capacity: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    plans: dict[str, list[tuple[dict[str, Any], str, Mapping[str, str]]]] = field(default_factory=dict)
    covered: dict[str, list[CoveredSpec]] = field(default_factory=dict)
    inside: dict[str, str] = field(default_factory=dict)
    """Id of an instance → the capacity reservation that it runs in."""

    def add(
        self, account: str, region: str, specs: CommitmentSpecs, now: datetime, id_of: Callable[[str], str]
    ) -> None:
        """Take over what a place declares; `id_of` returns the id of an instance by its name."""
        place = account, region
        self.reserved.setdefault(place, []).extend(_described_reserved(place, one, now) for one in specs.reserved)
        for one in specs.capacity:
            described = _described_capacity(place, one, now)
            self.capacity.setdefault(place, []).append(described)
            self.inside.update({id_of(name): described["CapacityReservationId"] for name in one.instances})
        if specs.covered is not None:
            self.covered.setdefault(account, []).append(specs.covered)
        for plan in specs.plans:
            described = _described_plan(place, plan, now)
            self.plans.setdefault(account, []).append((described, region, plan.rates))


def _digest(kind: str, place: tuple[str, str], name: str) -> str:
    return hashlib.sha256(f"{'/'.join(place)}/{kind}/{name}".encode()).hexdigest()


def _described_reserved(place: tuple[str, str], spec: ReservedSpec, now: datetime) -> dict[str, Any]:
    digest = _digest("reserved", place, spec.name)
    identity = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    shown: dict[str, Any] = {
        "ReservedInstancesId": identity,
        "InstanceType": spec.instance_type,
        "InstanceCount": spec.count,
        "ProductDescription": spec.product,
        "InstanceTenancy": spec.tenancy,
        "Scope": "Availability Zone" if spec.zone else "Region",
        "State": spec.state,
        "Start": now + spec.ends - _TERM,
        "End": now + spec.ends,
        "Duration": _SECONDS_OF_TERM,
        "OfferingClass": "standard",
        "OfferingType": "No Upfront",
        "FixedPrice": 0.0,
        "UsagePrice": 0.0,
        "CurrencyCode": "USD",
        "RecurringCharges": [{"Amount": 0.05, "Frequency": "Hourly"}],
        "Tags": [],
    }
    return {**shown, "AvailabilityZone": place[1] + spec.zone} if spec.zone else shown


def _described_capacity(place: tuple[str, str], spec: CapacitySpec, now: datetime) -> dict[str, Any]:
    account, region = place
    identity = f"cr-0{_digest('capacity', place, spec.name)[:16]}"
    owner = spec.owner or account
    return {
        "CapacityReservationId": identity,
        "OwnerId": owner,
        "CapacityReservationArn": f"arn:aws:ec2:{region}:{owner}:capacity-reservation/{identity}",
        "InstanceType": spec.instance_type,
        "InstancePlatform": spec.platform,
        "AvailabilityZone": region + spec.zone,
        "Tenancy": "default",
        "TotalInstanceCount": spec.count,
        "AvailableInstanceCount": spec.count - len(spec.instances),
        "EbsOptimized": True,
        "EphemeralStorage": False,
        "State": "active",
        "StartDate": now - timedelta(days=30),
        "CreateDate": now - timedelta(days=30),
        "EndDateType": "unlimited",
        "InstanceMatchCriteria": "open",
        "ReservationType": "default",
        "Tags": [],
    }


def _described_plan(place: tuple[str, str], spec: PlanSpec, now: datetime) -> dict[str, Any]:
    account, region = place
    digest = _digest("plan", place, spec.name)
    identity = "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    shown: dict[str, Any] = {
        "savingsPlanId": identity,
        "savingsPlanArn": f"arn:aws:savingsplans::{account}:savingsplan/{identity}",
        "offeringId": identity,
        "state": spec.state,
        "savingsPlanType": spec.plan_type,
        "paymentOption": "No Upfront",
        "productTypes": ["EC2", "Fargate", "Lambda"] if spec.plan_type == "Compute" else ["EC2"],
        "currency": "USD",
        "commitment": spec.commitment,
        "upfrontPaymentAmount": "0.0",
        "recurringPaymentAmount": spec.commitment,
        "termDurationInSeconds": _SECONDS_OF_TERM,
        "start": f"{now + spec.ends - _TERM:%Y-%m-%dT%H:%M:%S.000Z}",
        "end": f"{now + spec.ends:%Y-%m-%dT%H:%M:%S.000Z}",
        "tags": {},
    }
    return {**shown, "region": region, "ec2InstanceFamily": spec.family} if spec.family else shown
