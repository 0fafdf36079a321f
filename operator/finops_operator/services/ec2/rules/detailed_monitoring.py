"""What detailed monitoring of an instance is billed as: seven metrics, which AWS counts with the custom ones.

Source: "EC2 detailed monitoring" and "Metrics" of https://aws.amazon.com/cloudwatch/pricing/. What custom metrics add
to the metrics of an account and region is not known: AWS does not publish in which hours they had data.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.plugins.kind import BilledPart, FurtherStep

METRIC_MONTH: Final = "metric_first_10k"
"""The dimension of CloudWatch's price of a metric, of the first 10,000 of an account and region."""
_OF_AN_INSTANCE: Final = Decimal(7)
_FURTHER: Final = (
    (Decimal(10_000), "metric_next_240k"),
    (Decimal(250_000), "metric_next_750k"),
    (Decimal(1_000_000), "metric_over_1m"),
)
"""Metrics of an account and region above which the price of this dimension holds."""
FEWEST_MONITORED: Final = int(_FURTHER[0][0] / _OF_AN_INSTANCE) + 1
"""So many instances have metrics of the second price."""


@cache
def detailed_monitoring(region: str, share: Decimal = Decimal(1)) -> BilledPart:
    """Return what detailed monitoring of one instance adds to its bill; `share` is that of its hours that it runs."""
    further = tuple(FurtherStep(above, PriceQuery("cloudwatch", region, name)) for above, name in _FURTHER)
    query = PriceQuery("cloudwatch", region, METRIC_MONTH)
    return BilledPart(METRIC_MONTH, _OF_AN_INSTANCE * share, query, further=further)
