"""Where AWS's price list has the figures of storage classes that no table has.

Source: "AWS billing and usage reports for Amazon S3" (S3 user guide) names the usage types; prices are per GB-Mo.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from finops_operator.pricing.offers import GB_MONTH, GB_MONTHS, Offer, Offers

_FAMILY: Final = (("productFamily", "Storage"),)


_FREQUENT: Final = "TimedStorage-INT-FA-ByteHrs"


def _stored(usage: str, begins: int | None = None) -> Offer:
    return Offer("AmazonS3", _FAMILY, usage, GB_MONTHS, GB_MONTH, begins=None if begins is None else Decimal(begins))


OFFERS: Final[Offers] = {
    ("s3", "reduced_redundancy"): _stored("TimedStorage-RRS-ByteHrs"),
    ("s3", "intelligent_frequent_next_450tb"): _stored(_FREQUENT, 50 * 1024),
    ("s3", "intelligent_frequent_over_500tb"): _stored(_FREQUENT, 500 * 1024),
    ("s3", "intelligent_archive"): _stored("TimedStorage-INT-AA-ByteHrs"),
    ("s3", "intelligent_deep_archive"): _stored("TimedStorage-INT-DAA-ByteHrs"),
}
