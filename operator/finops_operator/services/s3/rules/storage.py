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
from finops_operator.plugins.kind import BilledPart, FurtherStep, MetricSpec

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


def stored_in(name: str) -> Stored:
    """Return the metric with our name `name`; raises KeyError where there is none."""
    return {one.name: one for one in STORED}[name]


@dataclass(frozen=True, slots=True)
class Steps:
    """A price that falls with the gigabytes of all buckets of an account in a region; `dimension` names the whole."""

    dimension: str
    first: str
    further: tuple[tuple[Decimal, str], ...]

    def part(self, region: str, metric: str) -> BilledPart:
        further = tuple(FurtherStep(above, storage_query(region, name)) for above, name in self.further)
        return BilledPart(self.dimension, _PER_BYTE, storage_query(region, self.first), metric=metric, further=further)


STANDARD_STORED: Final = "standard"
STEPS: Final = {
    STANDARD.name: Steps(
        STANDARD_STORED,
        _STANDARD,
        ((Decimal(50 * _TB), "standard_next_450tb"), (Decimal(500 * _TB), "standard_over_500tb")),
    ),
    "tieringFrequentBytes": Steps(
        "intelligent_frequent",
        "intelligent_frequent_first_50tb",
        (
            (Decimal(50 * _TB), "intelligent_frequent_next_450tb"),
            (Decimal(500 * _TB), "intelligent_frequent_over_500tb"),
        ),
    ),
}
"""Metric → steps of its price: https://aws.amazon.com/s3/pricing/, "First 50 TB / Month"."""


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


SIZES: Final = tuple(_daily(one.name, "BucketSizeBytes", one.storage_type, "bytes stored") for one in STORED)
METRICS: Final = (*SIZES, _daily("objects", "NumberOfObjects", "AllStorageTypes", "objects stored"))


def storage_query(region: str, dimension: str) -> PriceQuery:
    """Return what to ask the price tables about a gigabyte of a class."""
    return PriceQuery("s3", region, dimension)


def storage_parts(region: str) -> Iterator[BilledPart]:
    """Yield what is billed for what a bucket stores."""
    for one in STORED:
        steps = STEPS.get(one.name)
        if steps is None:
            yield BilledPart(one.price, _PER_BYTE, storage_query(region, one.price), metric=one.name)
        else:
            yield steps.part(region, one.name)
