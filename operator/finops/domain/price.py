"""Unit prices and what a resource costs, each figure with its source and date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from finops.domain.money import CURRENCY


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """What a price source is asked.

    Attributes:
        service: `ec2`, `ebs`, `vpc`.
        region: region code; a source never answers with another region's figure.
        dimension: what is billed, e.g. `instance_hour`, `gb_month`, `iops_month`, `throughput_mibps_month`,
            `snapshot_gb_month`, `public_ipv4_hour`.
        attributes: sorted pairs that select the product, e.g. `(("instance_type", "t2.large"), ("os", "linux"))`.
    """

    service: str
    region: str
    dimension: str
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Price:
    """A unit price.

    Attributes:
        amount: currency units per `unit`, never rounded.
        unit: `hour`, `gb-month`, `iops-month`, `mibps-month`.
        source: `bundled`, `derived`, later `price-list-api` or `bill`.
        as_of: the date the figure was published or seen.
    """

    amount: Decimal
    unit: str
    source: str
    as_of: date
    currency: str = CURRENCY


@dataclass(frozen=True, slots=True)
class CostComponent:
    """One billed part of a resource: `quantity` of `price.unit`; `monthly` is unrounded."""

    dimension: str
    quantity: Decimal
    price: Price
    monthly: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """What a resource costs as it stands; `monthly` is None as soon as one component has no price.

    Attributes:
        monthly: cents-rounded list price per month for `hours_per_month`, None when unknown.
        hourly: unrounded hourly figure where the resource is billed by the hour, else None.
        components: the priced parts.
        missing: dimensions without a price, with the reason in words.
    """

    monthly: Decimal | None
    hourly: Decimal | None
    components: tuple[CostComponent, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def unrounded_monthly(self) -> Decimal | None:
        """The monthly cost before rounding, from which savings are computed; None when it is unknown."""
        if self.monthly is None:
            return None
        return sum((component.monthly for component in self.components), Decimal(0))

    @property
    def price(self) -> Price | None:
        """The price of the main component, for the report's `price` field."""
        return self.components[0].price if self.components else None
