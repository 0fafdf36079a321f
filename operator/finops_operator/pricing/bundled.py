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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from finops.domain.price import Price, PriceQuery
from finops.ports.price_source import PriceSource

_DATA: Final = files("finops_operator.pricing").joinpath("data")
_EBS_DIMENSIONS: Final[Mapping[str, str]] = {
    "gb_month": "gb_month",
    "iops_month": "iops_month",
    "iops_month_tier2": "iops_month_tier2_32001_64000",
    "iops_month_tier3": "iops_month_tier3_over_64000",
    "throughput_mibps_month": "mibps_month",
}
"""Our dimension → the table's."""

_OTHER_DIMENSIONS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("vpc", "public_ipv4_hour"): ("public-ipv4", "in_use"),
    ("vpc", "idle_public_ipv4_hour"): ("public-ipv4", "idle"),
    ("cloudwatch", "get_metric_data_metric"): ("cloudwatch", "get_metric_data"),
    ("cloudwatch", "api_request"): ("cloudwatch", "api_request"),
}


@dataclass(frozen=True, slots=True)
class _Table:
    origins: tuple[tuple[str, str, str], ...]
    prices: Mapping[str, Any]

    def figure(self, *path: str) -> Price | None:
        node: Any = self.prices
        for word in path:
            node = node.get(word)
            if node is None:
                return None
        amount, origin = node
        _, as_of, unit = self.origins[origin]
        return Price(Decimal(amount), unit, "bundled", date.fromisoformat(as_of))


@cache
def _table(name: str) -> _Table:
    document = json.loads(gzip.decompress(_DATA.joinpath(name).read_bytes()))
    return _Table(tuple((row[0], row[1], row[2]) for row in document["origins"]), document["prices"])


@cache
def known_regions() -> frozenset[str]:
    """Return the regions that have a table."""
    names = json.loads(_DATA.joinpath("sources.json").read_text(encoding="utf-8"))["regions"]
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class BundledPrices:
    """Lookup in the tables of the wheel; each region is read on its first question and kept."""

    id: str = "bundled"

    def lookup(self, query: PriceQuery) -> Price | None:
        """Return the figure, or None when the tables have no row for exactly this question.

        `ec2` `instance_hour` needs the attributes `instance_type` and `os`; `ebs` needs `volume_type`
        (`snapshot_gb_month` needs none); `vpc` and `cloudwatch` need none. An attribute that is not understood here
        (another tenancy, a licence) selects a product that is not in the tables, so the answer is None.
        """
        if query.region not in known_regions():
            return None
        table = _table(f"prices-{query.region}.json.gz")
        attributes = dict(query.attributes)
        if query.service == "ec2" and query.dimension == "instance_hour":
            return _instance_hour(table, attributes)
        if query.service == "ebs":
            return _ebs(table, query.dimension, attributes)
        path = _OTHER_DIMENSIONS.get((query.service, query.dimension))
        return table.figure("other", *path) if path and not attributes else None


def _instance_hour(table: _Table, attributes: Mapping[str, str]) -> Price | None:
    if attributes.keys() != {"instance_type", "os"}:
        return None
    name, system = attributes["instance_type"], attributes["os"]
    exact = table.figure("ec2", system, name)
    if exact is not None:
        return exact
    linux = table.figure("ec2", "linux", name)
    above = _table("surcharges.json.gz").figure(system, name)
    if linux is None or above is None:
        return None
    return Price(linux.amount + above.amount, linux.unit, "derived", min(linux.as_of, above.as_of))


def _ebs(table: _Table, dimension: str, attributes: Mapping[str, str]) -> Price | None:
    if dimension == "snapshot_gb_month":
        return table.figure("ebs", "snapshot", "gb_month") if not attributes else None
    column = _EBS_DIMENSIONS.get(dimension)
    if column is None or attributes.keys() != {"volume_type"}:
        return None
    return table.figure("ebs", attributes["volume_type"], column)


SOURCE: Final[PriceSource] = BundledPrices()
