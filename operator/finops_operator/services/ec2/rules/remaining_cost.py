"""What is still billed after an act, for the checks that recommend it and for checks of a policy's own; pure."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from finops.domain.price import PriceQuery
from finops_operator.plugins.check import Facts


def stopped_cost(facts: Facts[Any]) -> Decimal | None:
    """Return what an instance costs while it is stopped, unrounded: its Elastic IP addresses."""
    return facts.cost_of(replace(facts.resource, state="stopped")).unrounded_monthly


def running_cost(facts: Facts[Any]) -> Decimal | None:
    """Return what an instance costs once it runs, unrounded."""
    return facts.cost_of(replace(facts.resource, state="running")).unrounded_monthly


def snapshot_cost(facts: Facts[Any]) -> Decimal | None:
    """Return what a volume's snapshot costs at most: it holds no more than the volume's size."""
    price = facts.lookup(PriceQuery("ebs", facts.resource.region, "snapshot_gb_month"))
    size = facts.resource.number("size_gb")
    return None if price is None or size is None else price.amount * size
