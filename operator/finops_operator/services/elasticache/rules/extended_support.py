"""Redis OSS 4 and 5: since 2026-02-01 AWS adds a share of the node hour's price to every hour.

The share is 80 % in the first two years and 160 % from 2028-02-01 until the support ends; no reservation lowers it.
Source: the pages "Versions with ElastiCache Extended Support" and "ElastiCache Extended Support charges" of
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/extended-support.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from finops_operator.services.elasticache.rules.node_types import version
from finops_operator.services.elasticache.rules.use import REDIS

PREMIUM: Final = Decimal("0.8")
"""Share of the node hour's on-demand price, until 2028-01-31."""

ENDED: Final[Mapping[int, date]] = MappingProxyType({4: date(2026, 1, 31), 5: date(2026, 1, 31)})
"""Major version of Redis OSS → the last day of its standard support."""


def in_extended_support(engine: str | None, engine_version: str | None) -> bool:
    """Tell whether AWS bills extended support of a version."""
    number = version(engine_version or "")
    return engine == REDIS and bool(number) and number[0] in ENDED
