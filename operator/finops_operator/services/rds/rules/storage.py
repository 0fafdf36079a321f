"""What of an instance's storage AWS bills: gigabytes, and IOPS and throughput where the type charges them.

General purpose storage of the third generation includes IOPS and throughput that depend on engine and size, because RDS
stripes larger databases over four volumes; more of either can be had of striped storage and of SQL Server's alone.
Source: the table "Baseline storage performance" of
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage: below 400 GiB (Oracle: 200) and
for SQL Server 3,000 IOPS and 125 MiB/s, from there 12,000 and 500; only what is provisioned beyond is paid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from finops.domain.price import PriceQuery
from finops_operator.plugins.kind import BilledPart

BACKUP: Final = "backup"
MAGNETIC: Final = "standard"
GP3: Final = "gp3"
_WITH_IOPS: Final = frozenset({"io1", "io2"})
_PLAIN: Final = (3000, 125)
_STRIPED: Final = (12000, 500)
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
        threshold = _STRIPED_FROM_GB.get(self.engine)
        if threshold is not None and self.size_gb is not None and self.size_gb < threshold:
            return
        iops, throughput = _PLAIN if threshold is None else _STRIPED
        yield from self._above("iops_month", self.iops, iops, "its IOPS are not known")
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


def storage_query(region: str, dimension: str, volume_type: str, deployment: str) -> PriceQuery:
    """Return what to ask the price tables about storage; backups have the deployment `any`."""
    return PriceQuery("rds", region, dimension, (("volume_type", volume_type), ("deployment", deployment)))
