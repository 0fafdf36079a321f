"""The price source that ships in the wheel: AWS's on-demand list prices per region, each with its date.

Asked by the pricing stage. Rules: a figure of exactly the region and product, or None; never another region's. Where
a region has a type's Linux price but not the one of another operating system, the answer is that price plus what the
system costs above Linux, which AWS charges by type and not by region (compiled only where every region seen agrees);
such an answer says `derived` and carries the older of the two dates.
Regions of AWS China bill in another currency and are not in the tables: they are unknown.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from finops.domain.price import Price, PriceQuery
from finops.ports.price_source import PriceSource
from finops_operator.pricing.price_tables import Age, Table, ages_of, line_of, read_table

_DATA: Final = files("finops_operator.pricing").joinpath("data")
_ID: Final = "bundled"
_GLOBAL: Final = "global"
"""Where the figures stand that are the same in all regions."""


@cache
def _table(region: str, service: str) -> Table | None:
    """Return the figures of a service in a region, None when there are none; only this service's line is parsed."""
    line = line_of(_DATA.joinpath(f"prices-{region}.jsonl.gz").read_bytes(), service)
    return None if line is None else read_table(json.loads(line), _ID)


def tabled(region: str, service: str) -> frozenset[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return the figures of a service that the table of a region holds: dimension and attributes."""
    table = _table(region, service) if region in known_regions() else None
    return frozenset() if table is None else frozenset(table.figures())


@cache
def _surcharges() -> tuple[str, Table]:
    """Return the service of which these are, and what its hours cost above Linux with another operating system."""
    document = json.loads(gzip.decompress(_DATA.joinpath("surcharges.json.gz").read_bytes()))
    return document["service"], read_table(document, _ID)


@cache
def known_regions() -> frozenset[str]:
    """Return the regions that have a table."""
    names = json.loads(_DATA.joinpath("sources.json").read_text(encoding="utf-8"))["regions"]
    return frozenset(names)


@cache
def selectors(region: str) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return service and figure → the attributes that select one product, of all figures of a region.

    Raises:
        KeyError: no table is of this region; see `known_regions`.
    """
    if region not in known_regions():
        raise KeyError(region)
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for place in (region, _GLOBAL):
        for line in gzip.decompress(_DATA.joinpath(f"prices-{place}.jsonl.gz").read_bytes()).split(b"\n"):
            document = json.loads(line)
            for name, dimension in document["dimensions"].items():
                found.setdefault((document["service"], name), tuple(dimension["attributes"]))
    return found


def ages(regions: Iterable[str]) -> dict[str, Age]:
    """Return service → the age of its figures in `regions`, those without a table left out; reads no figure."""
    return ages_of(line for region in sorted(known_regions().intersection(regions)) for line in _lines(region))


def _lines(region: str) -> Iterator[bytes]:
    text = gzip.decompress(_DATA.joinpath(f"prices-{region}.jsonl.gz").read_bytes())
    return filter(None, text.split(b"\n"))


@dataclass(frozen=True, slots=True)
class BundledPrices:
    """Lookup in the tables of the wheel; each region is read on its first question and kept."""

    id: str = _ID

    def lookup(self, query: PriceQuery) -> Price | None:
        """Return the figure, or None when the tables have no row for exactly this question.

        Each dimension is selected by attributes of its own: `ec2` `instance_hour` by `instance_type` and `os`, the
        dimensions of `ebs` by `volume_type`, `rds` `instance_hour` by `class`, `engine` and `deployment`. Another set
        of attributes (a tenancy, a licence) selects a product that is not in the tables, so the answer is None.
        """
        if query.region not in known_regions():
            return None
        attributes = dict(query.attributes)
        for region in (query.region, _GLOBAL):
            table = _table(region, query.service)
            price = table.figure(query.dimension, attributes) if table is not None else None
            if price is not None:
                return price
        return _derived(query) if query.dimension == "instance_hour" else None


def _derived(query: PriceQuery) -> Price | None:
    """Return the Linux price plus what the operating system costs above it."""
    service, surcharges = _surcharges()
    table = _table(query.region, service) if query.service == service else None
    if table is None:
        return None
    attributes = dict(query.attributes)
    linux = table.figure(query.dimension, {**attributes, "os": "linux"})
    above = surcharges.figure("surcharge_hour", attributes)
    if linux is None or above is None:
        return None
    return Price(linux.amount + above.amount, linux.unit, "derived", min(linux.as_of, above.as_of))


SOURCE: Final[PriceSource] = BundledPrices()
