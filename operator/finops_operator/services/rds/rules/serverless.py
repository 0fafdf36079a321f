"""Aurora Serverless v2: an instance without a size, billed by the capacity units that it had, second by second.

Each instance of class `db.serverless` publishes its capacity, a paused one 0. AWS's price list alone has the price of a
unit's hour, one for each engine, and a higher one where the cluster's storage is optimized for requests. Sources:
"Performance and scaling for Aurora Serverless v2" in the Aurora user guide, https://aws.amazon.com/rds/aurora/pricing/;
usage types as Cost and Usage Reports spell them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops.domain.resource import Resource
from finops_operator.plugins.kind import BilledPart, MetricSpec
from finops_operator.pricing.offers import Offer, Offers
from finops_operator.services.rds.rules.engines import IO_OPTIMIZED, SERVERLESS, is_aurora

MEMBER_CAPACITY: Final = "capacityUnits"
_ENGINE: Final = "database_engine"
_LISTED: Final[Mapping[str, str]] = {
    "aurora": "Aurora MySQL",
    "aurora-mysql": "Aurora MySQL",
    "aurora-postgresql": "Aurora PostgreSQL",
}
_FILTERS: Final = (("productFamily", "ServerlessV2"), ("databaseEngine", f"{{{_ENGINE}}}"))
_USUAL: Final = "aurora"
"""`StorageType` of a member whose storage is not optimized for requests."""
_UNIT: Final = "acu-hour"
_HOUR: Final = "capacity_unit_hour"
_OPTIMIZED_HOUR: Final = "ioopt_capacity_unit_hour"


def _offer(usage: str) -> Offer:
    return Offer("AmazonRDS", _FILTERS, usage, frozenset({"acu-hr", "acu-hrs"}), _UNIT, named=(_ENGINE,))


OFFERS: Final[Offers] = {
    ("rds", _HOUR): _offer("Aurora:ServerlessV2Usage"),
    ("rds", _OPTIMIZED_HOUR): _offer("Aurora:ServerlessV2IOOptimizedUsage"),
}


def capacity_metric(publishes: Callable[[Resource], bool]) -> MetricSpec:
    """Return the capacity of a serverless instance by the day; `publishes`: whether a resource has metrics at all."""
    return MetricSpec(
        MEMBER_CAPACITY,
        "AWS/RDS",
        "ServerlessDatabaseCapacity",
        "DBInstanceIdentifier",
        ("Average",),
        "capacity units",
        hourly=False,
        daily=True,
        only_days=30,
        billed_hours=True,
        applies=lambda one: publishes(one) and is_serverless(one.text("db_instance_class"), one.text("engine")),
    )


def is_serverless(instance_class: str | None, engine: str | None) -> bool:
    """Return whether an instance is one of Aurora Serverless v2."""
    return instance_class == SERVERLESS and is_aurora(engine)


def capacity_hours(region: str, engine: str, storage_type: str) -> BilledPart:
    """Return the hours of the capacity units that an instance had."""
    dimension = {IO_OPTIMIZED: _OPTIMIZED_HOUR, _USUAL: _HOUR}.get(storage_type)
    if dimension is None:
        reason = "serverless capacity is billed by use, and whether its storage is optimized for requests is not known"
        return BilledPart(_HOUR, Decimal(0), None, reason)
    query = PriceQuery("rds", region, dimension, ((_ENGINE, _LISTED[engine]),))
    return BilledPart(_HOUR, Decimal(1), query, "no price for serverless capacity", metric=MEMBER_CAPACITY)
