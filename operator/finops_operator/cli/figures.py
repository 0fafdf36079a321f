"""Names of all figures that the tables and AWS's price list hold, for `finops prices lookup --figure`; pure.

A name is the service, the figure and the values that select one product: `lambda/x86_gb_second_tier1`,
`rds/gb_month/gp3/single-az`. In capitals stands what a value is of: `rds/gb_month/VOLUME_TYPE/DEPLOYMENT`.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from finops.domain.price import PriceQuery
from finops.errors import InvalidInput
from finops_operator.pricing.bundled import selectors
from finops_operator.pricing.offers import Offer, Offers

_SEVERAL: Final = 5


def figure_query(region: str, name: str, offers: Offers) -> PriceQuery:
    """Return what a name asks for in a region.

    Raises:
        InvalidInput: neither the tables of the region nor AWS's price list have such a figure; `hint` names those that
            there are, the nearest alone where some resemble it.
    """
    service, _, rest = name.partition("/")
    dimension, *values = rest.split("/")
    if all(values):
        names = selectors(region).get((service, dimension))
        if names is not None and len(values) == len(names):
            query = PriceQuery(service, region, dimension, tuple(zip(names, values, strict=True)))
            return _as_offered(query, offers)
        offer = offers.get((service, dimension))
        attributes = None if offer is None else _attributes(offer, tuple(values))
        if attributes is not None:
            return PriceQuery(service, region, dimension, attributes)
    known = sorted({*_tabled(region), *listed_names(offers)})
    near = [one for one in known if one.startswith(f"{service}/")] or get_close_matches(name, known, _SEVERAL)
    raise InvalidInput(
        f"neither the tables nor AWS's price list have a figure {name!r}",
        field="--figure",
        hint=f"one of {', '.join(near or known)}",
    )


def _attributes(offer: Offer, values: tuple[str, ...]) -> tuple[tuple[str, str], ...] | None:
    """Return the attributes of the product that the values select, None where they select none."""
    if offer.named:
        return tuple(zip(offer.named, values, strict=True)) if len(values) == len(offer.named) else None
    return offer.attributes if values == tuple(value for _, value in offer.attributes) else None


def _as_offered(query: PriceQuery, offers: Offers) -> PriceQuery:
    """Return the query with its attributes in the order of the offer that means the same product."""
    offer = offers.get((query.service, query.dimension))
    if offer is None or dict(offer.attributes) != dict(query.attributes):
        return query
    return PriceQuery(query.service, query.region, query.dimension, offer.attributes)


def _tabled(region: str) -> Iterator[str]:
    for (service, dimension), names in selectors(region).items():
        yield "/".join((service, dimension, *(one.upper() for one in names)))


def listed_names(offers: Offers) -> Iterator[str]:
    """Yield the names of the figures that AWS's price list has, in the order of the offers."""
    for (service, dimension), offer in offers.items():
        values = (value for _, value in offer.attributes)
        yield "/".join((service, dimension, *(one.upper() for one in offer.named), *values))
