"""What DynamoDB gives of a table in several answers: the table, its recovery, and who scales its capacity.

Each table takes two calls. A table that is deleted between listing and reading is left out; any other failure is a Gap,
and a table that could not be read at all is missing from the listing, which is then no proof that it is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from finops.domain.resource import Gap
from finops.errors import AwsError, AwsRejected
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

TABLE: Final = "dynamodb:DescribeTable"
RECOVERY: Final = "dynamodb:DescribeContinuousBackups"
SCALING: Final = "application-autoscaling:DescribeScalableTargets"
_GONE: Final = frozenset({"ResourceNotFoundException", "TableNotFoundException"})
_ENABLED: Final = "ENABLED"
_PAGE: Final = 50


@dataclass(slots=True)
class TableReading:
    """Reads table by table and remembers what failed.

    Attributes:
        scaled: ids of what Application Auto Scaling changes (`table/orders`); None: could not be read.
    """

    reader: PageReader
    scaled: frozenset[str] | None = None
    failures: dict[tuple[str, str], Gap] = field(default_factory=dict)

    def read_scaling(self) -> None:
        """Read who scales what, once for the region."""
        found: set[str] = set()
        try:
            for page in self.reader.pages(SCALING, {"ServiceNamespace": "dynamodb", "MaxResults": _PAGE}):
                found |= {str(one.get("ResourceId")) for one in page.get("ScalableTargets", ())}
        except AwsError as error:
            self._failed(error)
        else:
            self.scaled = frozenset(found)

    def table(self, name: str) -> Mapping[str, Any] | None:
        """Return the description of a table, None when it could not be read or is gone."""
        try:
            answer = self.reader.once(TABLE, {"TableName": name})
        except AwsError as error:
            if not _is_gone(error):
                self._failed(error)
            return None
        described: Mapping[str, Any] = answer.get("Table") or {}
        return described

    def recovers(self, name: str) -> bool | None:
        """Return whether a table can be restored to a point in time, None when that could not be read."""
        try:
            answer = self.reader.once(RECOVERY, {"TableName": name})
        except AwsError as error:
            if not _is_gone(error):
                self._failed(error)
            return None
        backups = answer.get("ContinuousBackupsDescription") or {}
        status = (backups.get("PointInTimeRecoveryDescription") or {}).get("PointInTimeRecoveryStatus")
        return status == _ENABLED

    def gaps(self) -> Iterator[Gap]:
        """Yield one Gap for each question and code, with how often it failed and what the first answer said."""
        yield from self.failures.values()

    def _failed(self, error: AwsError) -> None:
        gap = gap_of(error, self.reader)
        first = self.failures.get((gap.operation, gap.code), gap)
        self.failures[gap.operation, gap.code] = replace(first, resources=(first.resources or 0) + 1)


def _is_gone(error: AwsError) -> bool:
    return isinstance(error, AwsRejected) and error.code in _GONE
