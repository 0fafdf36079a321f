"""What a bucket stores, by storage class: the daily metrics of S3 and the price of each.

S3 publishes a point a day for each class in which a bucket holds anything, versions and parts of incomplete uploads
among it, and none for a class that is empty; the last two days may still be missing. Small and archived objects are
billed more than they hold: the metrics of overhead are that part. Source:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html and https://aws.amazon.com/s3/pricing/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.plugins.kind import BilledPart, MetricSpec, PriceLookup

GIB: Final = 2**30
_PER_BYTE: Final = Decimal(1) / GIB
_STANDARD: Final = "standard_first_50tb"
_TB: Final = 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """One metric of what is stored.

    Attributes:
        name: our name of it.
        storage_type: S3's, the dimension `StorageType`.
        price: dimension of the price tables.
        title: the class in words; empty for overhead, which is billed and not stored by anybody.
    """

    name: str
    storage_type: str
    price: str
    title: str = ""


STANDARD: Final = Stored("standardBytes", "StandardStorage", _STANDARD, "Standard")
STORED: Final = (
    STANDARD,
    Stored("standardInfrequentBytes", "StandardIAStorage", "standard_ia", "Standard-IA"),
    Stored("standardInfrequentSmallBytes", "StandardIASizeOverhead", "standard_ia"),
    Stored("oneZoneInfrequentBytes", "OneZoneIAStorage", "onezone_ia", "One Zone-IA"),
    Stored("oneZoneInfrequentSmallBytes", "OneZoneIASizeOverhead", "onezone_ia"),
    Stored("reducedRedundancyBytes", "ReducedRedundancyStorage", "reduced_redundancy", "Reduced Redundancy"),
    Stored(
        "tieringFrequentBytes",
        "IntelligentTieringFAStorage",
        "intelligent_frequent_first_50tb",
        "Intelligent-Tiering, frequent",
    ),
    Stored(
        "tieringInfrequentBytes",
        "IntelligentTieringIAStorage",
        "intelligent_infrequent",
        "Intelligent-Tiering, infrequent",
    ),
    Stored(
        "tieringInstantBytes",
        "IntelligentTieringAIAStorage",
        "intelligent_archive_instant",
        "Intelligent-Tiering, archive instant",
    ),
    Stored("tieringArchiveBytes", "IntelligentTieringAAStorage", "intelligent_archive", "Intelligent-Tiering, archive"),
    Stored("tieringArchiveIndexBytes", "IntAAObjectOverhead", "intelligent_archive"),
    Stored("tieringArchiveNameBytes", "IntAAS3ObjectOverhead", _STANDARD),
    Stored("tieringDeepBytes", "IntelligentTieringDAAStorage", "intelligent_deep_archive", "Intelligent-Tiering, deep"),
    Stored("tieringDeepIndexBytes", "IntDAAObjectOverhead", "intelligent_deep_archive"),
    Stored("tieringDeepNameBytes", "IntDAAS3ObjectOverhead", _STANDARD),
    Stored("glacierInstantBytes", "GlacierInstantRetrievalStorage", "glacier_instant", "Glacier Instant Retrieval"),
    Stored("glacierInstantSmallBytes", "GlacierInstantRetrievalSizeOverhead", "glacier_instant"),
    Stored("glacierBytes", "GlacierStorage", "glacier_flexible", "Glacier Flexible Retrieval"),
    Stored("glacierIndexBytes", "GlacierObjectOverhead", "glacier_flexible"),
    Stored("glacierNameBytes", "GlacierS3ObjectOverhead", _STANDARD),
    Stored("glacierStagingBytes", "GlacierStagingStorage", _STANDARD, "parts of uploads to Glacier"),
    Stored("deepArchiveBytes", "DeepArchiveStorage", "deep_archive", "Glacier Deep Archive"),
    Stored("deepArchiveIndexBytes", "DeepArchiveObjectOverhead", "deep_archive"),
    Stored("deepArchiveNameBytes", "DeepArchiveS3ObjectOverhead", _STANDARD),
    Stored("deepArchiveStagingBytes", "DeepArchiveStagingStorage", _STANDARD, "parts of uploads to Deep Archive"),
)
_STEPS: Final = {
    STANDARD.name: (
        (_STANDARD, Decimal(0), Decimal(50 * _TB)),
        ("standard_next_450tb", Decimal(50 * _TB), Decimal(500 * _TB)),
        ("standard_over_500tb", Decimal(500 * _TB), None),
    ),
    "tieringFrequentBytes": (
        ("intelligent_frequent_first_50tb", Decimal(0), Decimal(50 * _TB)),
        ("intelligent_frequent_next_450tb", Decimal(50 * _TB), Decimal(500 * _TB)),
        ("intelligent_frequent_over_500tb", Decimal(500 * _TB), None),
    ),
}
"""Metric → steps of a price that falls with the amount, counted as if the bucket were alone in the account."""


def _daily(name: str, metric: str, storage_type: str, unit: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/S3",
        metric,
        "BucketName",
        ("Average",),
        unit,
        missing_means_zero=True,
        hourly=False,
        daily=True,
        only_days=30,
        lag_days=2,
        also=(("StorageType", storage_type),),
        discovered=True,
    )


METRICS: Final = (
    *(_daily(one.name, "BucketSizeBytes", one.storage_type, "bytes stored") for one in STORED),
    _daily("objects", "NumberOfObjects", "AllStorageTypes", "objects stored"),
)


def storage_query(region: str, dimension: str) -> PriceQuery:
    """Return what to ask the price tables about a gigabyte of a class."""
    return PriceQuery("s3", region, dimension)


def standard_cost(region: str, gib: Decimal, lookup: PriceLookup) -> Decimal | None:
    """Return what so much in the class Standard costs a month, None when a price of it is not known."""
    total = Decimal(0)
    for dimension, above, up_to in _STEPS[STANDARD.name]:
        within = max(Decimal(0), (gib if up_to is None else min(gib, up_to)) - above)
        price = lookup(storage_query(region, dimension))
        if within and price is None:
            return None
        total += within * price.amount if price is not None else Decimal(0)
    return total


def storage_parts(region: str) -> Iterator[BilledPart]:
    """Yield what is billed for what a bucket stores."""
    for one in STORED:
        for dimension, above, up_to in _STEPS.get(one.name, ((one.price, Decimal(0), None),)):
            query = storage_query(region, dimension)
            yield BilledPart(dimension, _PER_BYTE, query, metric=one.name, above=above, up_to=up_to)
