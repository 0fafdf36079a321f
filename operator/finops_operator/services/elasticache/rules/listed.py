"""Which rows of AWS's offer file are the figures of cache nodes.

Sources: those of `pricing/listed.py`.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.listed import HOURLY, Rule, having, mapped, spelled, usage_type

_ENGINES: Final = {"Redis": "redis", "Memcached": "memcached", "Valkey": "valkey"}
LISTED: Final = (
    Rule(
        *("AmazonElastiCache", "elasticache", "node_hour", "hour", HOURLY),
        *(having(productfamily="Cache Instance"), usage_type(r"NodeUsage:cache\..+")),
        (("node_type", spelled("instancetype")), ("engine", mapped("cacheengine", _ENGINES))),
    ),
)
