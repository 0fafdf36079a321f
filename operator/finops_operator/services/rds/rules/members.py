"""The classes of the instances behind clusters: read once for a region, and only when there is a cluster with any."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

OPERATION: Final = "rds:DescribeDBInstances"
_PAGE: Final = 100


class MemberReading:
    """Looks members up by their identifiers; what could not be read is unknown, and is a Gap once."""

    def __init__(self, reader: PageReader) -> None:
        self._reader = reader
        self._classes: dict[str, str] | None = None
        self._failed: Gap | None = None

    def classes(self, members: tuple[str, ...]) -> tuple[str, ...] | None:
        """Return the class of each member, None when one of them is not known."""
        if not members:
            return ()
        known = self._read()
        found = tuple(known.get(member, "") for member in members)
        return found if all(found) else None

    def gaps(self) -> Iterator[Gap]:
        """Yield why members could not be read, if so."""
        if self._failed is not None:
            yield self._failed

    def _read(self) -> dict[str, str]:
        if self._classes is None:
            self._classes = {}
            try:
                for page in self._reader.pages(OPERATION, {"MaxRecords": _PAGE}):
                    for one in page.get("DBInstances", ()):
                        if one.get("DBClusterIdentifier"):
                            self._classes[str(one["DBInstanceIdentifier"])] = str(one.get("DBInstanceClass") or "")
            except AwsError as error:
                self._failed = gap_of(error, self._reader)
        return self._classes
