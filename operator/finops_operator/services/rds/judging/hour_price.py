"""The price of an hour of a database instance whose hours have a fixed one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from finops_operator.plugins.check import Facts
from finops_operator.services.rds.instance import DatabaseFacts, fixed_hour_query


def hour_price(facts: Facts[Any], own: DatabaseFacts) -> Decimal | None:
    """Return US dollars for an hour of an instance with the facts `own`, as if it ran in the region of `facts`.

    None: the price tables hold no such price, or AWS bills the instance by use.
    """
    query = fixed_hour_query(facts.resource.region, own)
    price = None if isinstance(query, str) else facts.lookup(query)
    return None if price is None else price.amount
