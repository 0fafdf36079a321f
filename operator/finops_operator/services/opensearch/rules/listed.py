"""Which rows of AWS's offer file are the figures of domains.

Sources: those of `pricing/listed.py`.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.listed import HOURLY, Rule, having, spelled, usage_type

LISTED: Final = (
    Rule(
        *("AmazonES", "opensearch", "instance_hour", "hour", HOURLY),
        *(having(productfamily="Amazon OpenSearch Service Instance"), usage_type(r"ESInstance:.+")),
        (("instance_type", spelled("instancetype")),),
    ),
)
