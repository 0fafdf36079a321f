"""How a kind says where in AWS's price list its figures stand.

Read by `price_list.py`. An offer names fields and words of AWS's offer files as they stand there. What cannot be named
for certain has none and stays without a price. The part of a usage type before the figure's own name is the region's
(`EU-`, `USE2-`); us-east-1 has none, and the longer ones of Local Zones and Outposts are other products.

Sources: "Finding services and products using the AWS Price List Query API" (Billing user guide), usage types as the
offer files and Cost and Usage Reports of these services spell them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, Protocol

from finops.domain.price import PriceQuery

GB_MONTH: Final = "gb-month"
HOURS: Final = frozenset({"hrs", "hour", "hours"})
GB_MONTHS: Final = frozenset({"gb-mo", "gb-month"})
GIGABYTES: Final = frozenset({"gb", "gigabytes"})
_REGION: Final = r"(?:[A-Z]{2,4}\d?-)?"


@dataclass(frozen=True, slots=True)
class Offer:
    """Where one figure stands in AWS's price list.

    Attributes:
        service_code: AWS's word for the offer file.
        filters: field → word that AWS is asked for, beside the region.
        usage: the usage type without its region; what has another one is another product. Capitals do not matter.
        published: AWS's words for the unit, in lower case; a figure per anything else is not the one that is meant.
        unit: our word for it.
        begins: the unit of a month with which the step begins that is meant, where more of them cost less; None: one
            price for all units. The first units of all begin with 0.
        attributes: those of the query that is meant; a query with others asks for another product.
        named: attributes of the query whose values stand in braces in `filters` and `usage`, such as an instance type.
    """

    service_code: str
    filters: tuple[tuple[str, str], ...]
    usage: str
    published: frozenset[str]
    unit: str
    begins: Decimal | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    named: tuple[str, ...] = ()

    def about(self, query: PriceQuery) -> Offer | None:
        """Return the offer with the values of a query, None where it asks for another product."""
        values = dict(query.attributes)
        if not self.named:
            return self if query.attributes == self.attributes else None
        if values.keys() != set(self.named) or not all(values.values()):
            return None
        filters = tuple((field, word.format_map(values)) for field, word in self.filters)
        return replace(self, filters=filters, usage=self.usage.format_map(values), attributes=query.attributes)

    def is_of(self, usage_type: str) -> bool:
        """Return whether a usage type is this figure's, in whatever region."""
        return re.fullmatch(f"{_REGION}(?i:{re.escape(self.usage)})", usage_type) is not None


Offers = Mapping[tuple[str, str], Offer]
"""A query's service and figure → where it stands; what is not named has no price there."""


class _Offering(Protocol):
    """What of a kind is needed here."""

    @property
    def offers(self) -> Offers: ...


def all_offers(kinds: Iterable[_Offering]) -> Offers:
    """Return where AWS's price list has the figures of these kinds.

    Raises:
        ValueError: two kinds name different places for one figure.
    """
    found: dict[tuple[str, str], Offer] = {}
    for kind in kinds:
        for figure, offer in kind.offers.items():
            if found.setdefault(figure, offer) != offer:
                raise ValueError(f"{'/'.join(figure)} stands at two places of AWS's price list")
    return found


def offer_of(query: PriceQuery, offers: Offers) -> Offer | None:
    """Return where a figure stands in AWS's price list, None where no kind says it."""
    offer = offers.get((query.service, query.dimension))
    return None if offer is None else offer.about(query)
