"""The outcome of one scan as the command line, the status and Redis show it: one source for all three."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from finops.domain.money import to_cents
from finops.domain.price import Cost
from finops.domain.recommendation import Recommendation, Status
from finops.domain.resource import Gap


class Change(StrEnum):
    """How a piece of advice of a policy that is tried differs from what stands."""

    NEW = "New"
    GONE = "Gone"
    CHANGED = "Changed"
    UNDECIDED = "Undecided"
    """It stands, and something that a scan would know of its resource is not there: it is not gone by that."""
    SAME = "Same"


@dataclass(frozen=True, slots=True)
class ShardCost:
    """What resources of one shard cost a month, and how many of them that leaves out.

    Attributes:
        monthly_cost: sum of the rounded costs, as far as they are known: with `unpriced` it is at least this.
        resources, unpriced: all of them, and those of which a part has no price, whatever is known of the others.
        groups: of all, those for which AWS bills nothing, since it bills their members: these are counted as such.
    """

    monthly_cost: Decimal = Decimal(0)
    resources: int = 0
    unpriced: int = 0
    groups: int = 0

    def plus(self, cost: Cost) -> ShardCost:
        """Return the sum with one more resource, of which the parts count that have a price.

        A group adds nothing to it, and lacks no price.
        """
        group = cost.of_members
        return ShardCost(
            self.monthly_cost + (Decimal(0) if group else cost.known_monthly or Decimal(0)),
            self.resources + 1,
            self.unpriced + (cost.monthly is None and not group),
            self.groups + group,
        )

    @classmethod
    def of(cls, costs: Iterable[Cost]) -> ShardCost:
        """Return the sum of all, as `plus` makes it of one after the other; lists add up a hundred thousand."""
        total, resources, unpriced, groups = Decimal("0.00"), 0, 0, 0
        for cost in costs:
            resources += 1
            if cost.of_members:
                groups += 1
                continue
            monthly = cost.monthly
            if monthly is None:
                unpriced += 1
                monthly = cost.known_monthly or Decimal(0)
            total += monthly
        return cls(total, resources, unpriced, groups)

    def with_all_of(self, other: ShardCost) -> ShardCost:
        """Return the sum with another shard, or with a sum of several."""
        return ShardCost(
            self.monthly_cost + other.monthly_cost,
            self.resources + other.resources,
            self.unpriced + other.unpriced,
            self.groups + other.groups,
        )

    @property
    def known_cost(self) -> Decimal | None:
        """Return what is known of it, None when there are resources and no part has a price: that is not free."""
        nothing = 0 < self.resources == self.unpriced and not self.monthly_cost
        return None if nothing else self.monthly_cost

    @property
    def own_cost(self) -> Decimal | None:
        """Return the cost as it is shown: None also where all are groups, which have none of their own."""
        nothing = 0 < self.resources == self.unpriced + self.groups and not self.monthly_cost
        return None if nothing else self.monthly_cost


@dataclass(frozen=True, slots=True)
class StatusSum:
    """What the counted recommendations of one status save together, and how many they are.

    Attributes:
        monthly_savings: of acts that last, every month.
        count: of all.
        once_savings: of acts that AWS undoes by itself, in the month of the act and not again; no part of the other.
        unknown: of how many the saving is not known, so that they are in neither sum.
    """

    monthly_savings: Decimal = Decimal("0.00")
    count: int = 0
    once_savings: Decimal = Decimal("0.00")
    unknown: int = 0

    def __add__(self, other: StatusSum) -> StatusSum:
        return StatusSum(
            self.monthly_savings + other.monthly_savings,
            self.count + other.count,
            self.once_savings + other.once_savings,
            self.unknown + other.unknown,
        )

    def __sub__(self, other: StatusSum) -> StatusSum:
        return StatusSum(
            self.monthly_savings - other.monthly_savings,
            self.count - other.count,
            self.once_savings - other.once_savings,
            self.unknown - other.unknown,
        )

    def plus(self, savings: Decimal | None, *, once: bool) -> StatusSum:
        """Return this with one recommendation more; an unknown saving adds nothing but is counted."""
        if savings is None:
            return self + StatusSum(count=1, unknown=1)
        known = to_cents(savings)
        return self + (StatusSum(count=1, once_savings=known) if once else StatusSum(known, 1))


@dataclass(frozen=True, slots=True)
class Savings:
    """Savings by what can be done about them; three figures that are never added into one total."""

    actionable: StatusSum = StatusSum()
    advice: StatusSum = StatusSum()
    blocked: StatusSum = StatusSum()

    def __add__(self, other: Savings) -> Savings:
        return Savings(self.actionable + other.actionable, self.advice + other.advice, self.blocked + other.blocked)

    def __sub__(self, other: Savings) -> Savings:
        return Savings(self.actionable - other.actionable, self.advice - other.advice, self.blocked - other.blocked)

    def plus(self, status: Status, savings: Decimal | None, *, once: bool) -> Savings:
        """Return these with one recommendation more; an unknown saving adds nothing but is counted.

        Args:
            status: of the recommendation.
            savings: what it saves in a month.
            once: whether it saves in the month of the act alone.
        """
        return self + _of(status, StatusSum().plus(savings, once=once))

    def moved(self, item: Recommendation, status: Status) -> Savings:
        """Return these after `item`, which is part of them, got another status."""
        part = StatusSum().plus(item.monthly_savings, once=bool(item.lasts_days))
        return self - _of(item.status, part) + _of(status, part)

    @property
    def count(self) -> int:
        """Return how many recommendations were counted."""
        return self.actionable.count + self.advice.count + self.blocked.count


def _of(status: Status, part: StatusSum) -> Savings:
    return Savings(**{status.value.lower(): part})


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """Totals of a scan. Money is rounded to cents; `monthly_cost` adds what has a price.

    Attributes:
        resources: resources seen, after the policy's selector.
        unpriced_resources: of those, how many have a part without a price; with some, the cost is at least that.
        unknown_resources: of those, how many have too little utilization data to judge.
        groups: of those, how many are groups, which cost what their members cost.
        savings: what counted recommendations would save, by status.
        api_calls: `service:Operation` → number of requests sent.
        estimated_api_cost: what these calls cost at AWS's list price, unrounded.
    """

    policy: str
    start_time: datetime
    completion_time: datetime
    resources: int
    monthly_cost: Decimal
    unpriced_resources: int
    unknown_resources: int
    savings: Savings
    gaps: tuple[Gap, ...]
    api_calls: Mapping[str, int] = field(default_factory=dict)
    estimated_api_cost: Decimal = Decimal(0)
    currency: str = "USD"
    groups: int = 0
    complete_failure: str = ""
    """Why nothing at all could be scanned, empty otherwise."""

    @property
    def potential_monthly_savings(self) -> Decimal:
        """What people can approve, or would be asked to: the actionable part of `savings`."""
        return self.savings.actionable.monthly_savings

    @property
    def recommendations(self) -> int:
        """Recommendations that count, whatever their status."""
        return self.savings.count

    @property
    def known_monthly_cost(self) -> Decimal | None:
        """`monthly_cost`, None when there are resources and nothing of them has a price of its own."""
        none_priced = 0 < self.resources == self.unpriced_resources + self.groups
        return None if none_priced and not self.monthly_cost else self.monthly_cost
