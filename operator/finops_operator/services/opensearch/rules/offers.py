"""Where AWS's price list has the figures of domains.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types as the offer
file of the service and Cost and Usage Reports spell them.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.offers import GB_MONTH, GB_MONTHS, Offer, Offers

_VOLUMES: Final = (("productFamily", "Amazon OpenSearch Service Volume"),)
_IOPS_MONTHS: Final = frozenset({"iops-mo", "iops-month"})
_THROUGHPUT_MONTHS: Final = frozenset({"mibps-mo", "mbps-mo", "mibps-month", "mbps-month"})
OFFERS: Final[Offers] = {
    ("opensearch", "gp3_iops_month"): Offer("AmazonES", _VOLUMES, "ES:GP3-PIOPS", _IOPS_MONTHS, "iops-month"),
    ("opensearch", "gp3_throughput_mibps_month"): Offer(
        "AmazonES", _VOLUMES, "ES:GP3-Provisioned-Throughput", _THROUGHPUT_MONTHS, "mibps-month"
    ),
    ("opensearch", "gp3_gb_month"): Offer("AmazonES", _VOLUMES, "ES:GP3-Storage", GB_MONTHS, GB_MONTH),
    ("opensearch", "gp2_gb_month"): Offer("AmazonES", _VOLUMES, "ES:GP2-Storage", GB_MONTHS, GB_MONTH),
}
