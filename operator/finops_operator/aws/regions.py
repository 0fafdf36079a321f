"""Which regions an account has: AWS lists them by a call of EC2, whatever is scanned there.

Called by the scan and by `finops doctor`.
"""

from __future__ import annotations

from typing import Final

from finops.ports.aws_read import PageReader

LISTED_BY: Final = ("ec2", "DescribeRegions")
"""Service and operation of the list, for gaps."""

LIST_REGIONS: Final = ":".join(LISTED_BY)


def enabled_regions(reader: PageReader) -> frozenset[str]:
    """Return the regions that are enabled in the reader's account.

    Raises:
        AwsError: the account cannot be read.
    """
    answer = reader.once(LIST_REGIONS, {"AllRegions": False})
    return frozenset(str(region["RegionName"]) for region in answer.get("Regions", ()))
