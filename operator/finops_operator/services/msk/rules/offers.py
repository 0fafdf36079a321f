"""Where AWS's price list has the figures of brokers.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types as the offer
file of the service and Cost and Usage Reports spell them.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.offers import GB_MONTH, GB_MONTHS, Offer, Offers

_VOLUMES: Final = (("productFamily", "Managed Streaming for Apache Kafka (MSK)"), ("operation", "RunVolume"))
OFFERS: Final[Offers] = {
    ("msk", "storage_gb_month"): Offer("AmazonMSK", _VOLUMES, "Kafka.Storage.GP2", GB_MONTHS, GB_MONTH),
}
