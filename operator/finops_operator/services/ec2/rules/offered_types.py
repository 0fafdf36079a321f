"""Which instance types each zone of a region offers, as the kind asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from finops.ports.aws_read import PageReader

OFFERINGS: Final = "ec2:DescribeInstanceTypeOfferings"
_EVERY_ZONE: Final[dict[str, Any]] = {"LocationType": "availability-zone", "MaxResults": 1000}


def offered_types(reader: PageReader) -> Mapping[str, Iterable[str]]:
    """Return zone → instance types offered there. One paginated read answers for all zones of a region.

    Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html
    """
    zones: dict[str, set[str]] = {}
    for page in reader.pages(OFFERINGS, _EVERY_ZONE):
        for offer in page.get("InstanceTypeOfferings", ()):
            zones.setdefault(str(offer["Location"]), set()).add(str(offer["InstanceType"]))
    return zones
