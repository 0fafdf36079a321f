"""Which databases exist: read once for a region, and only when there is a snapshot that asks.

A listing that failed says nothing: whether the database exists is then unknown, never no.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of


@dataclass(frozen=True, slots=True)
class _Listed:
    """How RDS lists one sort of database."""

    operation: str
    result: str
    identifier: str
    resource_id: str


_INSTANCES: Final = _Listed("rds:DescribeDBInstances", "DBInstances", "DBInstanceIdentifier", "DbiResourceId")
_CLUSTERS: Final = _Listed("rds:DescribeDBClusters", "DBClusters", "DBClusterIdentifier", "DbClusterResourceId")
OPERATIONS: Final = (_INSTANCES.operation, _CLUSTERS.operation)


@dataclass(slots=True)
class SourceReading:
    """Answers whether a database is still there; what could not be read is a Gap once."""

    reader: PageReader
    _known: dict[str, dict[str, str] | None] = field(default_factory=dict)
    _failed: list[Gap] = field(default_factory=list)

    def instance_exists(self, identifier: str, resource_id: str) -> bool | None:
        """Tell whether the instance of a snapshot exists, None when that is not known."""
        return self._exists(_INSTANCES, identifier, resource_id)

    def cluster_exists(self, identifier: str, resource_id: str) -> bool | None:
        """Tell whether the cluster of a snapshot exists, None when that is not known."""
        return self._exists(_CLUSTERS, identifier, resource_id)

    def gaps(self) -> tuple[Gap, ...]:
        """Return why databases could not be read."""
        return tuple(self._failed)

    def _exists(self, listed: _Listed, identifier: str, resource_id: str) -> bool | None:
        if listed.operation not in self._known:
            self._known[listed.operation] = self._read(listed)
        known = self._known[listed.operation]
        if known is None or not identifier:
            return None
        found = known.get(identifier)
        # A renamed database keeps its resource id; a new one of an old name has another.
        return found is not None if not resource_id or found == "" else resource_id in known.values()

    def _read(self, listed: _Listed) -> dict[str, str] | None:
        found: dict[str, str] = {}
        try:
            for page in self.reader.pages(listed.operation, {"MaxRecords": 100}):
                for one in page.get(listed.result, ()):
                    found[str(one[listed.identifier])] = str(one.get(listed.resource_id) or "")
        except AwsError as error:
            self._failed.append(gap_of(error, self.reader))
            return None
        return found
