"""Where AWS's price list has the price of a cache's snapshots, the same for all engines."""

from __future__ import annotations

from typing import Final

from finops_operator.pricing.offers import GB_MONTH, GB_MONTHS, Offer, Offers

SERVICE: Final = "elasticache"
BACKUP: Final = "backup_gb_month"
SNAPSHOT_OFFERS: Final[Offers] = {
    (SERVICE, BACKUP): Offer(
        "AmazonElastiCache",
        (("productFamily", "Storage Snapshot"),),
        "ElastiCache:BackupUsage",
        GB_MONTHS,
        GB_MONTH,
    )
}
