"""Which rows of AWS's offer file are the figures of storage classes.

Sources: those of `pricing/listed.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from finops_operator.pricing.listed import GB_MONTHLY, Rule, having, usage_type

_OBJECTS: Final = (
    ("standard_first_50tb", "TimedStorage-ByteHrs", "0"),
    ("standard_next_450tb", "TimedStorage-ByteHrs", "51200"),
    ("standard_over_500tb", "TimedStorage-ByteHrs", "512000"),
    ("standard_ia", "TimedStorage-SIA-ByteHrs", ""),
    ("onezone_ia", "TimedStorage-ZIA-ByteHrs", ""),
    ("glacier_instant", "TimedStorage-GIR-ByteHrs", ""),
    ("glacier_flexible", "TimedStorage-GlacierByteHrs", ""),
    ("deep_archive", "TimedStorage-GDA-ByteHrs", ""),
    ("intelligent_frequent_first_50tb", "TimedStorage-INT-FA-ByteHrs", "0"),
    ("intelligent_infrequent", "TimedStorage-INT-IA-ByteHrs", ""),
    ("intelligent_archive_instant", "TimedStorage-INT-AIA-ByteHrs", ""),
)


def _stored() -> Iterator[Rule]:
    stored = having(productfamily="Storage")
    for dimension, of, begins in _OBJECTS:
        first = Decimal(begins) if begins else None
        yield Rule("AmazonS3", "s3", dimension, "gb-month", GB_MONTHLY, stored, usage_type(of), begins=first)


LISTED: Final = tuple(_stored())
