"""Where AWS's price list has the figures of images.

Source: "Finding services and products using the AWS Price List Query API", Billing user guide; usage types as the offer
file of the service and Cost and Usage Reports spell them.
"""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.offers import GB_MONTH, GB_MONTHS, Offer, Offers

_FAMILY: Final = (("productFamily", "EC2 Container Registry"),)
OFFERS: Final[Offers] = {
    ("ecr", "storage_gb_month"): Offer("AmazonECR", _FAMILY, "TimedStorage-ByteHrs", GB_MONTHS, GB_MONTH),
}
