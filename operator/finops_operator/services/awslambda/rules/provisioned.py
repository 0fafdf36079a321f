"""Provisioned concurrency of functions: instances that wait for requests, billed whether one comes or not.

AWS lists it for one function at a time only. Whoever may not ask, or where AWS does not answer, leaves one Gap, and of
the functions after it nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from finops.domain.resource import Gap
from finops.errors import AwsError, AwsRejected
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

OPERATION: Final = "lambda:ListProvisionedConcurrencyConfigs"
_PAGE: Final = 50
_GONE: Final = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What waits for requests to one function; None: not known.

    Attributes:
        instances: of all versions and aliases together, as AWS allocated them.
        since: ISO time of the last change of any of them, empty for none.
    """

    instances: int | None = None
    since: str | None = None


@dataclass(slots=True)
class ProvisionedReading:
    """Asks function by function, until a question fails."""

    reader: PageReader
    failed: list[Gap] = field(default_factory=list)

    def of(self, name: str) -> Provisioned:
        """Return what waits for requests to a function; nothing is known of one that was deleted meanwhile."""
        if self.failed:
            return Provisioned()
        instances, since = 0, ""
        try:
            for page in self.reader.pages(OPERATION, {"FunctionName": name, "MaxItems": _PAGE}):
                for one in page.get("ProvisionedConcurrencyConfigs", ()):
                    allocated = one.get("AllocatedProvisionedConcurrentExecutions")
                    instances += int(allocated or one.get("RequestedProvisionedConcurrentExecutions") or 0)
                    since = max(since, str(one.get("LastModified") or ""))
        except AwsRejected as error:
            if error.code != _GONE:
                self.failed.append(gap_of(error, self.reader))
            return Provisioned()
        except AwsError as error:
            self.failed.append(gap_of(error, self.reader))
            return Provisioned()
        return Provisioned(instances, since)

    def gaps(self) -> Iterator[Gap]:
        """Yield the Gap of the question that failed."""
        yield from self.failed
