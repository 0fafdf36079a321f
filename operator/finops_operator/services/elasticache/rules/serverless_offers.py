"""Where AWS's price list has the figures of serverless caches, and what is billed of them at least.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types and units as
Cost and Usage Reports of the service spell them. The least: https://aws.amazon.com/elasticache/pricing/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from finops_operator.pricing.offers import Offer, Offers

ENGINE: Final = "engine"
WORDS: Final[Mapping[str, str]] = MappingProxyType({"valkey": "Valkey", "redis": "Redis", "memcached": "Memcached"})
"""Engine as the API has it → as the price list has it."""
_PRODUCTS: Final = (("productFamily", "ElastiCache Serverless"), ("cacheEngine", f"{{{ENGINE}}}"))
_CODE: Final = "AmazonElastiCache"
OFFERS: Final[Offers] = {
    ("elasticache", "serverless_gb_hour"): Offer(
        _CODE,
        _PRODUCTS,
        f"CachedData:{{{ENGINE}}}",
        frozenset({"gb-hours", "gb-hour", "gigabyte hours"}),
        "gb-hour",
        named=(ENGINE,),
    ),
    ("elasticache", "serverless_processing_unit"): Offer(
        _CODE,
        _PRODUCTS,
        f"ElastiCacheProcessingUnits:{{{ENGINE}}}",
        frozenset({"elasticacheprocessingunit", "elasticacheprocessingunits"}),
        "processing-unit",
        named=(ENGINE,),
    ),
}


def least_gb(engine: str, minimum: int | None) -> Decimal:
    """Return the gigabytes that are billed of an empty cache; `minimum`: what its owner set, if anything."""
    return max(Decimal("0.1") if engine == "valkey" else Decimal(1), Decimal(minimum or 0))
