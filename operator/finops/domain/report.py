"""The outcome of one scan as the command line, the status and Redis tell it: one source for all three."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from finops.domain.resource import Gap


@dataclass(frozen=True, slots=True)
class ShardCost:
    """What resources of one shard cost a month, and how many of them that leaves out.

    Attributes:
        monthly_cost: sum of the rounded costs of those that have a price.
        resources, unpriced: all of them, and those without a price.
    """

    monthly_cost: Decimal
    resources: int
    unpriced: int

    @property
    def known_cost(self) -> Decimal | None:
        """Return the cost, None when there are resources and none of them has a price: that is not free."""
        return None if self.resources and self.resources == self.unpriced else self.monthly_cost


@dataclass(frozen=True, slots=True)
class ScanSummary:
    """Totals of a scan. Money is rounded to cents; `monthly_cost` adds only priced resources.

    Attributes:
        resources: resources seen, after the policy's selector.
        unpriced_resources: of those, how many have no price.
        unknown_resources: of those, how many have too little utilization data to judge.
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
    potential_monthly_savings: Decimal
    recommendations: int
    gaps: tuple[Gap, ...]
    api_calls: Mapping[str, int] = field(default_factory=dict)
    estimated_api_cost: Decimal = Decimal(0)
    currency: str = "USD"
    complete_failure: str = ""
    """Why nothing at all could be scanned, empty otherwise."""

    @property
    def known_monthly_cost(self) -> Decimal | None:
        """`monthly_cost`, None when there are resources and not one of them has a price."""
        return None if 0 < self.resources == self.unpriced_resources else self.monthly_cost
