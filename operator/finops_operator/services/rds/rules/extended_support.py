"""Extended support of a database's version, which AWS bills by the virtual CPU and hour: whether it is billed now.

The day on which standard support ends is asked of AWS while listing, once for a region and only where something is
enrolled; the time of the scan says whether that day has passed. No table holds the rate, so that what is billed is a
part without a price, and what is not known is never taken for nothing.
Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support-charges.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of
from finops_operator.plugins.kind import BilledPart, Memory
from finops_operator.services.rds.rules.lifecycles import ENROLLED, major_version, standard_ends

DIMENSION: Final = "extended_support_vcpu_hour"
BILLED: Final = "billed"
NOT_YET: Final = "not yet"
_SUPPORT: Final = "extended_support"
_ENDS: Final = "standard_support_ends"


@dataclass(slots=True)
class SupportReading:
    """Finds when standard support ends; what could not be read is unknown, and is a Gap once."""

    reader: PageReader
    failed: list[Gap] = field(default_factory=list)
    _known: dict[str, str] | None = None

    def ends(self, engine: str | None, version: str | None, lifecycle: str | None) -> str | None:
        """Return the ISO day for a version that is enrolled, None for others and where AWS does not say."""
        major = major_version(engine or "", version or "")
        if lifecycle != ENROLLED or not major:
            return None
        if self._known is None:
            self._known = self._read()
        return self._known.get(f"{engine} {major}")

    def _read(self) -> dict[str, str]:
        try:
            return standard_ends(self.reader)
        except AwsError as error:
            self.failed.append(gap_of(error, self.reader))
            return {}


def support_part(resource: Resource) -> Iterator[BilledPart]:
    """Yield what extended support adds to a running database: a part without a price, or nothing if none is billed."""
    engine = resource.text("engine")
    major = major_version(engine, resource.text("engine_version"))
    support = resource.text(_SUPPORT)
    if not _enrolled(resource) or not major or support == NOT_YET:
        return
    reason = (
        f"no price for extended support of {engine} {major}"
        if support == BILLED
        else f"whether {engine} {major} is in extended support is not known"
    )
    yield BilledPart(DIMENSION, Decimal(0), None, reason)


def _enrolled(resource: Resource) -> bool:
    return resource.text("engine_lifecycle_support") == ENROLLED


def _at(resource: Resource, _before: Resource | None, now: datetime) -> Resource:
    """Return the resource with what the day of the scan says; the last scan adds nothing to it."""
    ends = resource.text(_ENDS)
    if not ends:
        return resource
    word = BILLED if date.fromisoformat(ends) < now.date() else NOT_YET
    return replace(resource, attributes={**resource.attributes, _SUPPORT: word})


MEMORY: Final = Memory(applies=_enrolled, carry_over=_at, mark=lambda _: "", reads_back=False)
