"""Which instance types a zone offers, asked of AWS only when something there is a candidate for right-sizing.

Used by the judge of a shard. One paginated read tells all zones of a region and serves all policies for a day. What
cannot be read is None, so that the evidence says "not confirmed"; the act's preflight asks AWS again in any case.
Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypeOfferings.html
"""

from __future__ import annotations

from typing import Any, Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops.store.offerings import OfferingStore
from finops_operator.plugins.described import gap_of

OPERATION: Final = "ec2:DescribeInstanceTypeOfferings"
_EVERY_ZONE: Final[dict[str, Any]] = {"LocationType": "availability-zone", "MaxResults": 1000}


class ZoneOfferings:
    """The offerings of one account and region, as far as one scan needs them."""

    def __init__(self, reader: PageReader, store: OfferingStore) -> None:
        self._reader = reader
        self._store = store
        self._known: dict[str, frozenset[str] | None] = {}
        self._failed: Gap | None = None

    def gaps(self) -> tuple[Gap, ...]:
        """Return why the offerings could not be read, if so."""
        return () if self._failed is None else (self._failed,)

    def in_zone(self, zone: str) -> frozenset[str] | None:
        """Return the types offered in `zone`; None when AWS did not answer or said nothing about this zone.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        if zone not in self._known:
            self._known[zone] = self._look(zone) or None
        return self._known[zone]

    def _look(self, zone: str) -> frozenset[str] | None:
        reader = self._reader
        kept = self._store.in_zone(reader.account, reader.region, zone)
        if kept is not None or self._failed is not None:
            return kept
        zones: dict[str, set[str]] = {}
        try:
            for page in reader.pages(OPERATION, _EVERY_ZONE):
                for offer in page.get("InstanceTypeOfferings", ()):
                    zones.setdefault(str(offer["Location"]), set()).add(str(offer["InstanceType"]))
        except AwsError as error:
            # Half a list would refuse types that are offered: nothing of it is used.
            self._failed = gap_of(error, reader)
            return None
        self._store.put(reader.account, reader.region, zones)
        return frozenset(zones.get(zone, ()))
