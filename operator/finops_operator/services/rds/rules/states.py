"""What AWS bills in each status of an instance; a status that is in none of the sets is one we know nothing of.

Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Status.html (column
"Billed"). Backups are billed in every status.
"""

from __future__ import annotations

from typing import Final

AVAILABLE: Final = "available"
STOPPED: Final = "stopped"
DOWN: Final = frozenset({"stopping", STOPPED})
WORKING: Final = frozenset(
    {
        AVAILABLE,
        "backing-up",
        "backtracking",
        "configuring-enhanced-monitoring",
        "configuring-iam-database-auth",
        "configuring-log-exports",
        "converting-to-vpc",
        "incompatible-option-group",
        "incompatible-parameters",
        "maintenance",
        "modifying",
        "moving-to-vpc",
        "rebooting",
        "renaming",
        "resetting-master-credentials",
        "restore-error",
        "storage-config-upgrade",
        "storage-full",
        "storage-initialization",
        "storage-optimization",
        "upgrading",
    }
)
"""Hours and storage are billed."""

STORAGE_ONLY: Final = frozenset({STOPPED, "stopping", "starting", "inaccessible-encryption-credentials-recoverable"})
NOT_BILLED: Final = frozenset(
    {
        "creating",
        "delete-precheck",
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "incompatible-create",
        "incompatible-network",
        "incompatible-restore",
        "insufficient-capacity",
    }
)
ILL: Final = frozenset(
    {
        *("failed", "incompatible-network", "incompatible-option-group", "incompatible-parameters"),
        *("incompatible-restore", "inaccessible-encryption-credentials", "restore-error", "storage-full"),
    }
)
"""States in which a database needs somebody."""
