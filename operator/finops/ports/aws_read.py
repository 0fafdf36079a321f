"""What collectors and the metric planner need of AWS: pages of Describe calls of one account in one region.

Implemented by `finops_operator.aws.reader.AwsReader`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol


class PageReader(Protocol):
    """One account, one region, read only.

    Raises (all methods):
        AwsThrottled, AwsDenied, AwsCredentialsInvalid, AwsUnreachable, AwsRejected: after all retries.
    """

    @property
    def account(self) -> str: ...

    @property
    def region(self) -> str: ...

    def once(
        self, operation: str, parameters: Mapping[str, Any], *, datapoints: int = 0, metrics: int = 0
    ) -> Mapping[str, Any]:
        """Return one answer; `datapoints` is what CloudWatch will count of its points budget, `metrics` what it bills.

        `operation` is `service:Operation`.
        """
        ...

    def pages(self, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield each page, to the last one, however the operation pages."""
        ...
