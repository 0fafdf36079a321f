"""What of an instance's storage AWS bills: gigabytes, and IOPS and throughput where the type charges them.

General purpose storage of the third generation includes IOPS and throughput that depend on engine and size, because RDS
stripes larger databases over four volumes; more of either can be had of striped storage and of SQL Server's alone.
Source: the table "Baseline storage performance" of
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage: below 400 GiB (Oracle: 200) and
for SQL Server 3,000 IOPS and 125 MiB/s, from there 12,000 and 500; only what is provisioned beyond is paid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.plugins.kind import BilledPart
from finops_operator.pricing.offers import GB_MONTH, GB_MONTHS, Offer, Offers

BACKUP: Final = "backup"
MAGNETIC: Final = "standard"
GP2: Final = "gp2"
GP3: Final = "gp3"
_ANY: Final = "any"
"""Deployment of backups."""
_WITH_IOPS: Final = frozenset({"io1", "io2"})
_PLAIN: Final = (3000, 125)
_STRIPED: Final = (12000, 500)
_LEAST_GB: Final = 20
_LEAST_GB_WITH_IOPS: Final = 100
_MOST_IOPS_PER_GIB: Final[Mapping[str, int]] = {"io1": 50, "io2": 500}
"""As CreateDBInstance says: IOPS of io1 at most 50 a GiB; half of what io2 Block Express allows."""
_VOLUMES: Final = 4
_GP2_IOPS_PER_GIB: Final = 3
_GP2_LEAST_IOPS: Final = 100
_GP2_MOST_IOPS: Final = 16_000
_GP2_BURST_IOPS: Final = 3_000
_GP2_SMALL_GB: Final = 170
"""Up to this size a volume of gp2 gives 128 MiB/s, larger ones up to 250."""
_GP2_SMALL_MIBPS: Final = 128
_GP2_MIBPS: Final = 250
_STRIPED_FROM_GB: Final[Mapping[str, int]] = {
    "mysql": 400,
    "mariadb": 400,
    "postgres": 400,
    "db2-ae": 400,
    "db2-se": 400,
    "oracle-ee": 200,
    "oracle-ee-cdb": 200,
    "oracle-se2": 200,
    "oracle-se2-cdb": 200,
}
"""Engine → GiB from which its storage is striped; SQL Server's never is."""


BACKUP_OFFERS: Final[Offers] = {
    ("rds", "gb_month"): Offer(
        "AmazonRDS",
        (("productFamily", "Storage Snapshot"),),
        "RDS:ChargedBackupUsage",
        GB_MONTHS,
        GB_MONTH,
        attributes=(("volume_type", BACKUP), ("deployment", _ANY)),
    )
}
"""What backups beyond the free part cost, the same for all engines but Aurora; the tables have it for one region."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What storage gives: operations a second and MiB/s."""

    iops: int
    throughput: int


def striped_from_gb(engine: str) -> int | None:
    """Return the GiB from which an engine's storage is striped over four volumes, None where it never is."""
    return _STRIPED_FROM_GB.get(engine)


def included_with_gp3(engine: str, size_gb: int) -> Performance:
    """Return what gp3 storage of the size gives without a further price."""
    threshold = striped_from_gb(engine)
    return Performance(*(_PLAIN if threshold is None or size_gb < threshold else _STRIPED))


def more_can_be_had(engine: str, size_gb: int) -> bool:
    """Return whether more than what is included with gp3 can be ordered."""
    threshold = striped_from_gb(engine)
    return threshold is None or size_gb >= threshold


def given_by_gp2(engine: str, size_gb: int) -> Performance:
    """Return the most that gp2 storage of the size gives, its bursts included.

    The table "General Purpose SSD storage" of the page above: 3 IOPS a GiB, up to 16,000 on one volume, bursts of
    3,000, and four times as much of striped storage. AWS gives its throughput as a range for a range of sizes; the
    upper end is taken.
    """
    threshold = striped_from_gb(engine)
    volumes = _VOLUMES if threshold is not None and size_gb >= threshold else 1
    baseline = min(max(_GP2_IOPS_PER_GIB * size_gb, _GP2_LEAST_IOPS), _GP2_MOST_IOPS * volumes)
    throughput = _GP2_SMALL_MIBPS if volumes == 1 and size_gb <= _GP2_SMALL_GB else _GP2_MIBPS * volumes
    return Performance(max(baseline, _GP2_BURST_IOPS * volumes), throughput)


def least_size(engine: str, volume_type: str, size_gb: int, iops: float) -> int:
    """Return the GiB below which storage would be slower than it is now, or is not offered.

    `engine`, `volume_type` and `size_gb` are of the storage as it is; `iops` are the operations a second that it must
    give, provisioned or used.
    """
    threshold = striped_from_gb(engine)
    if volume_type in _WITH_IOPS:
        return max(_LEAST_GB_WITH_IOPS, math.ceil(iops / _MOST_IOPS_PER_GIB[volume_type]))
    striped = threshold if threshold is not None and size_gb >= threshold else _LEAST_GB
    return max(striped, math.ceil(iops / _GP2_IOPS_PER_GIB)) if volume_type == GP2 else striped


@dataclass(frozen=True, slots=True)
class Storage:
    """Storage of one instance; None: AWS did not say.

    Attributes:
        throughput: MiB/s.
        deployment: `single-az`, or `multi-az`, where every gigabyte is held twice and priced so.
    """

    region: str
    engine: str
    deployment: str
    volume_type: str
    size_gb: int | None
    iops: int | None
    throughput: int | None

    def parts(self) -> Iterator[BilledPart]:
        """Yield what is billed; what AWS did not say is unknown."""
        yield self._part("gb_month", self.size_gb, "its size is not known")
        if self.volume_type in _WITH_IOPS:
            yield self._part("iops_month", self.iops, "its IOPS are not known")
        elif self.volume_type == GP3:
            yield from self._above_included()
        elif self.volume_type == MAGNETIC:
            yield BilledPart("io_request", Decimal(0), None, "requests to magnetic storage are billed by use")

    def _above_included(self) -> Iterator[BilledPart]:
        """Yield IOPS and throughput above what is included; below the size of stripes nobody can have more."""
        threshold = striped_from_gb(self.engine)
        size = (threshold or 0) if self.size_gb is None else self.size_gb
        if not more_can_be_had(self.engine, size):
            return
        included = included_with_gp3(self.engine, size)
        yield from self._above("iops_month", self.iops, included.iops, "its IOPS are not known")
        throughput = included.throughput
        yield from self._above("throughput_mibps_month", self.throughput, throughput, "its throughput is not known")

    def _above(self, dimension: str, amount: int | None, included: int, reason: str) -> Iterator[BilledPart]:
        if amount is None:
            yield self._part(dimension, None, reason)
        elif amount > included:
            yield self._part(dimension, amount - included, reason)

    def _part(self, dimension: str, quantity: int | None, reason: str) -> BilledPart:
        if quantity is None or not self.volume_type:
            return BilledPart(dimension, Decimal(0), None, reason if quantity is None else "its type is not known")
        query = storage_query(self.region, dimension, self.volume_type, self.deployment)
        return BilledPart(dimension, Decimal(quantity), query)


def backup_query(region: str) -> PriceQuery:
    """Return what to ask about backups and snapshots of every engine but Aurora."""
    return storage_query(region, "gb_month", BACKUP, _ANY)


def storage_query(region: str, dimension: str, volume_type: str, deployment: str) -> PriceQuery:
    """Return what to ask the price tables about storage; backups have the deployment `any`."""
    return PriceQuery("rds", region, dimension, (("volume_type", volume_type), ("deployment", deployment)))
