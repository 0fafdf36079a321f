"""Unit prices and what a resource costs, each figure with its source and date."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from finops.domain.money import CURRENCY, to_cents

HOUR: Final = "hour"
"""The unit of prices that are multiplied by the hours of a month."""


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
        source: `price-list` (AWS was asked), `bundled`, `derived`.
        as_of: the date the figure was published or seen.
        sku: AWS's number of the product, empty where the source has none.
        last: where `amount` is the average of steps that fall with the number of units, the cheapest of those that are
            reached; None: every unit costs `amount`.
    """

    amount: Decimal
    unit: str
    source: str
    as_of: date
    currency: str = CURRENCY
    sku: str = ""
    last: Decimal | None = None


@dataclass(frozen=True, slots=True)
class NotListed:
    """A source was asked and does not say one figure; `why` in words for people."""

    why: str


@dataclass(frozen=True, slots=True)
class BilledQuantity:
    """One billed part of a resource with its unit price, whatever the hours of a month.

    Attributes:
        quantity: how many units.
        used_in_hours: of a part that is billed by use the measured hours that `quantity` was used in, from which a
            month's use is worked out; None: it is billed as it stands.
    """

    dimension: str
    quantity: Decimal
    price: Price
    used_in_hours: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CostComponent:
    """One billed part of a resource: `quantity` of `price.unit`; `monthly` is unrounded.

    `used_in_hours` as in `BilledQuantity`: `quantity` is then what was measured in these hours, not in a month.
    """

    dimension: str
    quantity: Decimal
    price: Price
    monthly: Decimal
    used_in_hours: Decimal | None = None

    @property
    def monthly_at_last(self) -> Decimal:
        """`monthly` if every unit had the price of the last one."""
        last, amount = self.price.last, self.price.amount
        return self.monthly if last is None or not amount else self.monthly * last / amount

    @property
    def by_use(self) -> bool:
        """Whether it is billed by use, and so goes when the use goes."""
        return self.used_in_hours is not None


@dataclass(frozen=True, slots=True)
class GroupOf:
    """Whose cost is that of a group, in the group's account and region.

    Attributes:
        kind: of the members.
        ids: of the members, None where AWS did not say; with `through` those of the groups that have the members.
        through: kind of the groups between, empty where there are none.
    """

    kind: str
    ids: tuple[str, ...] | None
    through: str = ""


@dataclass(frozen=True, slots=True)
class Attributed:
    """What the members of a group cost: shown as attributed to it, and in every total once, as the members'.

    `members` are their ids with their costs; None: not known which they are, which is no zero.
    """

    members: tuple[tuple[str, Cost], ...] | None = None

    @property
    def monthly(self) -> Decimal | None:
        """The sum of the rounded costs that are known, None where not one is; without a member there is none to pay."""
        known = [cost.monthly for _, cost in self.members or () if cost.monthly is not None]
        return sum(known, Decimal("0.00")) if known or self.members == () else None

    @property
    def unknown(self) -> int | None:
        """How many members' costs are not in `monthly`; None where the members are not known."""
        return None if self.members is None else sum(cost.monthly is None for _, cost in self.members)

    @property
    def whole(self) -> Decimal | None:
        """`monthly` where no member is missing in it, else None."""
        return None if self.unknown else self.monthly

    def over(self, hours_per_month: Decimal) -> Attributed:
        """Return the same in a month of so many hours."""
        if self.members is None:
            return self
        return Attributed(tuple((one, cost.over(hours_per_month)) for one, cost in self.members))


@dataclass(frozen=True, slots=True)
class Cost:
    """What a resource costs as it stands; `monthly` is None as soon as one component has no price.

    Attributes:
        monthly: cents-rounded list price per month for `hours_per_month`, None when unknown, and of a group for which
            AWS bills nothing; of another group what is billed for itself.
        hourly: unrounded hourly figure where the resource is billed by the hour, else None.
        components: the priced parts.
        missing: dimensions without a price, with the reason in words.
        group: of a group, whose cost is its cost too.
        attributed: what these cost; None where nobody has asked, and for what is no group.
    """

    monthly: Decimal | None
    hourly: Decimal | None
    components: tuple[CostComponent, ...] = ()
    missing: tuple[str, ...] = ()
    group: GroupOf | None = None
    attributed: Attributed | None = None

    @property
    def of_members(self) -> bool:
        """Whether AWS bills nothing for it, but for its members alone."""
        return self.group is not None and self.monthly is None and not self.missing

    @property
    def at_stake(self) -> Decimal | None:
        """What a month may save at most: its cost, of a group with its members', None where a part is not known."""
        if self.group is None:
            return self.monthly
        members = None if self.attributed is None else self.attributed.whole
        if self.of_members or members is None:
            return members
        return None if self.monthly is None else self.monthly + members

    def part(self, dimensions: Collection[str]) -> Decimal | None:
        """Return what parts of these dimensions cost a month, unrounded, zero without one; None where one has no price.

        Args:
            dimensions: of components; none: all that is at stake.
        """
        if not dimensions:
            return self.at_stake
        unpriced = {one.partition(":")[0] for one in self.missing}
        if unpriced.intersection(dimensions) or (self.missing and not self.components):
            return None
        return sum((one.monthly for one in self.components if one.dimension in dimensions), Decimal(0))

    def by_use_of(self, dimensions: Collection[str]) -> Decimal | None:
        """Return what of `part` is billed by use, unrounded; None where the part is not known."""
        if self.part(dimensions) is None:
            return None
        members = () if self.attributed is None or dimensions else self.attributed.members or ()
        every = (*self.components, *(one for _, cost in members for one in cost.components))
        by_use = (one for one in every if one.by_use)
        return sum((one.monthly for one in by_use if not dimensions or one.dimension in dimensions), Decimal(0))

    @property
    def at_least(self) -> Decimal | None:
        """What is known of `at_stake`, rounded: all of it or a part; None where nothing is."""
        members = None if self.attributed is None else self.attributed.monthly
        known = [one for one in (self.known_monthly, members) if one is not None]
        return sum(known, Decimal("0.00")) if known else None

    @property
    def known_monthly(self) -> Decimal | None:
        """What a month costs at least, rounded: `monthly`, else its priced parts; None where no part has a price."""
        if self.monthly is not None or not self.components:
            return self.monthly
        return to_cents(sum((one.monthly for one in self.components), Decimal(0)))

    @property
    def unrounded_monthly(self) -> Decimal | None:
        """The monthly cost before rounding, from which savings are computed; None when it is unknown."""
        if self.monthly is None or not self.components:
            return self.monthly
        return sum((component.monthly for component in self.components), Decimal(0))

    @property
    def least_saved(self) -> Decimal | None:
        """What the bill surely falls by, rounded, when it goes: `monthly` with the last units of each price.

        An account's units are counted together, and what goes takes the cheapest with it (ADR 0032).
        """
        if self.monthly is None or all(one.price.last is None for one in self.components):
            return self.monthly
        return to_cents(sum((one.monthly_at_last for one in self.components), Decimal(0)))

    @property
    def monthly_by_use(self) -> Decimal | None:
        """The part of `monthly` that is billed by use, rounded; zero where nothing is, None when `monthly` is."""
        if self.monthly is None:
            return None
        return to_cents(sum((one.monthly for one in self.components if one.by_use), Decimal(0)))

    def over(self, hours_per_month: Decimal) -> Cost:
        """Return the same cost in a month of so many hours."""
        parts = (BilledQuantity(one.dimension, one.quantity, one.price, one.used_in_hours) for one in self.components)
        attributed = None if self.attributed is None else self.attributed.over(hours_per_month)
        if self.of_members and self.group is not None:
            return cost_of_group(self.group, attributed)
        own = cost_from(parts, self.missing, hours_per_month)
        return replace(own, group=self.group, attributed=attributed)

    @property
    def price(self) -> Price | None:
        """The price of the main component, for the report's `price` field."""
        return self.components[0].price if self.components else None


def cost_of_group(group: GroupOf, attributed: Attributed | None = None) -> Cost:
    """Return the cost of what AWS bills nothing for: none of its own."""
    return Cost(None, None, group=group, attributed=attributed)


def missing_in_words(missing: Iterable[str]) -> str:
    """Return what has no price for people: `instance_hour: no price for …` → `instance hour: no price for …`."""
    named = (one.partition(":") for one in missing)
    return "; ".join(f"{dimension.replace('_', ' ')}{colon}{why}" for dimension, colon, why in named)


def cost_from(parts: Iterable[BilledQuantity], missing: Iterable[str], hours_per_month: Decimal) -> Cost:
    """Return what the parts cost a month at list price, rounded to cents; unknown as soon as something is missing.

    Hourly parts are added before they are multiplied, and the monthly figure is rounded once. What was used in the
    measured hours is worked out for the hours of the month. Nothing billed (a stopped instance without addresses) costs
    0.00, and that is known.
    """
    components: list[CostComponent] = []
    hourly: Decimal | None = None
    for part in parts:
        monthly = part.quantity * part.price.amount * _months(part, hours_per_month)
        components.append(CostComponent(part.dimension, part.quantity, part.price, monthly, part.used_in_hours))
        if part.price.unit == HOUR:
            hourly = (hourly or Decimal(0)) + part.quantity * part.price.amount
    unknown = tuple(missing)
    total = None if unknown else to_cents(sum((one.monthly for one in components), Decimal(0)))
    return Cost(total, None if unknown else hourly, tuple(components), unknown)


def _months(part: BilledQuantity, hours_per_month: Decimal) -> Decimal:
    """Return what makes the part's price a month's: its hours, or how much longer a month is than what was measured."""
    if part.used_in_hours is not None:
        return hours_per_month / part.used_in_hours
    return hours_per_month if part.price.unit == HOUR else Decimal(1)
