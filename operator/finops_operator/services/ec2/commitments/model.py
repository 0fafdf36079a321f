"""The commitments of EC2 and what they are applied to, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """What a running instance, or a slot of a capacity reservation, is billed as.

    Attributes:
        product: the platform in small letters, as `products.product_of` writes it: `linux/unix`.
        tenancy: `default` or `dedicated`.
        zone: availability zone.
    """

    instance_type: str
    product: str
    tenancy: str
    zone: str

    @property
    def family(self) -> str:
        """`m5` of `m5.large`."""
        return self.instance_type.partition(".")[0]

    @property
    def size(self) -> str:
        """`large` of `m5.large`."""
        return self.instance_type.partition(".")[2]


@dataclass(frozen=True, slots=True)
class ReservedInstances:
    """One purchase of Reserved Instances; `use.zone` is empty where they reach the whole region."""

    id: str
    use: Use
    count: int
    end: date | None = None


@dataclass(frozen=True, slots=True)
class CapacityReservation:
    """Capacity on demand: all of its slots are billed, used or not. `ours`: the account pays for the unused ones."""

    id: str
    use: Use
    slots: int
    end: date | None = None
    ours: bool = True


class PlanType(StrEnum):
    """Savings Plans that reach EC2, in the order in which AWS applies them."""

    INSTANCE = "EC2Instance"
    COMPUTE = "Compute"


@dataclass(frozen=True, slots=True)
class SavingsPlan:
    """One Savings Plan.

    Attributes:
        commitment: currency units that are paid every hour, whatever is used.
        rates: (instance type, product, tenancy) → price an hour under the plan, in this region. What is missing of the
            types asked for is not reached by the plan.
        asked: the instance types that rates were asked for; None: all.
    """

    id: str
    type: PlanType
    commitment: Decimal
    end: date | None = None
    rates: Mapping[tuple[str, str, str], Decimal] = field(default_factory=dict)
    asked: frozenset[str] | None = None

    def rate(self, use: Use) -> Decimal | None:
        """Return the price of an hour under the plan, None where the plan does not reach it."""
        return self.rates.get((use.instance_type, use.product, use.tenancy))

    def knows(self, instance_type: str) -> bool:
        """Return whether it is known if and how the plan reaches a type."""
        return self.asked is None or instance_type in self.asked


@dataclass(frozen=True, slots=True)
class Agreements:
    """All commitments that an account may read in one region."""

    reserved: tuple[ReservedInstances, ...] = ()
    capacity: tuple[CapacityReservation, ...] = ()
    plans: tuple[SavingsPlan, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.reserved or self.capacity or self.plans)


@dataclass(frozen=True, slots=True, order=True)
class Placed:
    """One running instance: its use, and the capacity reservation that it fills a slot of; empty: none."""

    use: Use
    reservation: str = ""


Fleet = Mapping[Placed, int]
"""How many instances run of each."""
