"""Which rows of AWS's offer file are the figures of brokers.

Sources: those of `pricing/listed.py`.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.listed import HOURLY, Rule, part, usage_type

LISTED: Final = (
    Rule(
        *("AmazonMSK", "msk", "broker_hour", "hour", HOURLY, (), usage_type(r"Kafka\.(?P<type>[a-z]\w*\.\w+)")),
        (("instance_type", part("type")),),
    ),
)
