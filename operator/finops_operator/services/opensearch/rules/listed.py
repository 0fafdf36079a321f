"""Which rows of AWS's offer file are the figures of domains.

Source: "Reading the service price list file" (Billing user guide); usage types as the offer files and Cost and Usage
Reports spell them.
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
