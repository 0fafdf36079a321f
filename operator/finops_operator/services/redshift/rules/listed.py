"""Which rows of AWS's offer file are the figures of clusters.

Sources: those of `pricing/listed.py`.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.listed import HOURLY, Rule, having, part, usage_type

LISTED: Final = (
    Rule(
        *("AmazonRedshift", "redshift", "node_hour", "hour", HOURLY),
        *(having(productfamily="Compute Instance"), usage_type(r"Node:(?P<type>\w+\.\w+)")),
        (("node_type", part("type")),),
    ),
)
