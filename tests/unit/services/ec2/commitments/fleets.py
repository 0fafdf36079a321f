"""Builders of fleets, commitments and prices for the tests of net savings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from tests.support.facts import instance

from finops.domain.recommendation import ActionType
from finops.domain.resource import Resource
from finops_operator.plugins.commitments import Act
from finops_operator.services.ec2.commitments.fleet import CommittedFleet, placed
from finops_operator.services.ec2.commitments.model import (
    Agreements,
    CapacityReservation,
    Placed,
    PlanType,
    ReservedInstances,
    SavingsPlan,
    Use,
)
from finops_operator.services.ec2.commitments.pausing import PausingFleet
from finops_operator.services.ec2.commitments.sizes import factor

END: Final = date(2027, 3, 1)
PRICES: Final = {"m5": Decimal("0.024"), "c5": Decimal("0.02125"), "t3": Decimal("0.0208")}
"""Family → US dollars an hour of one normalized unit, as AWS lists them in us-east-1."""
LINUX: Final = "linux/unix"


def price_of(use: Use) -> Decimal | None:
    """Return the on-demand price on Linux and shared hardware; other products have none here."""
    unit, units = PRICES.get(use.family), factor(use.size)
    if use.product != LINUX or use.tenancy != "default" or unit is None or units is None:
        return None
    return unit * units


def running(kind: str = "m5.large", identity: str = "", **facts: Any) -> Resource:
    """Return a running instance of a type."""
    one = instance(instance_type=kind, **facts)
    return replace(one, id=identity) if identity else one


def fleet_of(instances: Iterable[Resource]) -> dict[Placed, int]:
    """Count running instances by what they are billed as."""
    fleet: dict[Placed, int] = {}
    for one in instances:
        where = placed(one)
        if where is not None:
            fleet[where] = fleet.get(where, 0) + 1
    return fleet


def fleet(
    instances: Sequence[Resource],
    reserved: Sequence[ReservedInstances] = (),
    capacity: Sequence[CapacityReservation] = (),
    plans: Sequence[SavingsPlan] = (),
    unread: str = "",
) -> CommittedFleet:
    """Return the instances beside commitments."""
    agreements = Agreements(tuple(reserved), tuple(capacity), tuple(plans))
    return CommittedFleet(fleet_of(instances), agreements, price_of, unread)


def month(
    instances: Sequence[Resource],
    reserved: Sequence[ReservedInstances] = (),
    capacity: Sequence[CapacityReservation] = (),
    plans: Sequence[SavingsPlan] = (),
    unread: str = "",
) -> PausingFleet:
    """Return the instances, each with the share of its hours that it ran, beside commitments."""
    return PausingFleet.of(instances, fleet([], reserved, capacity, plans, unread))


def reserved(kind: str = "m5.large", count: int = 1, **use: str) -> ReservedInstances:
    """Return Reserved Instances of the region, or of `zone`."""
    said = {"product": LINUX, "tenancy": "default", "zone": "", **use}
    return ReservedInstances(f"ri-{kind}-{count}-{said['zone']}", Use(kind, **said), count, END)


def capacity(identity: str, slots: int = 1, kind: str = "m5.large", *, ours: bool = True) -> CapacityReservation:
    """Return a capacity reservation in us-east-1a."""
    return CapacityReservation(identity, Use(kind, LINUX, "default", "us-east-1a"), slots, ours=ours)


def plan(commitment: str, rates: dict[str, str], kind: PlanType = PlanType.INSTANCE) -> SavingsPlan:
    """Return a Savings Plan with rates for types on Linux."""
    known = {(name, LINUX, "default"): Decimal(rate) for name, rate in rates.items()}
    return SavingsPlan(f"plan-{kind}-{commitment}", kind, Decimal(commitment), END, known)


def stop(resource: Resource) -> Act:
    """Return the stop of an instance."""
    return Act(resource, ActionType.STOP)


def resize(resource: Resource, target: str) -> Act:
    """Return the change to another type."""
    return Act(resource, ActionType.RIGHTSIZE, target)
