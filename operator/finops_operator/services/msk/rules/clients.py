"""By which ways of authentication CloudWatch counts the connections of clients: it has a figure of each way alone.

The count is published for each broker and way, and a way that nobody may use has none; so the ways of each cluster are
asked about once for a region. A cluster that takes unauthenticated clients alone may have none at all. Source: "Amazon
MSK metrics for monitoring Standard brokers with CloudWatch" (MSK developer guide), ClientConnectionCount.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

LIST: Final = "cloudwatch:ListMetrics"
NAMESPACE: Final = "AWS/Kafka"
COUNT: Final = "ClientConnectionCount"
CLUSTER: Final = "Cluster Name"
WAY: Final = "Client Authentication"


@dataclass(slots=True)
class ClientWays:
    """The ways of the clusters of a region, asked for when the first one is needed.

    Attributes:
        failed: why they are not known.
    """

    reader: PageReader
    failed: list[Gap] = field(default_factory=list)
    _known: dict[str, set[str]] | None = None
    _asked: bool = False

    def of(self, cluster: str) -> tuple[str, ...] | None:
        """Return the ways of a cluster, None where they could not be read."""
        if not self._asked:
            self._asked = True
            self._known = self._read()
        return None if self._known is None else tuple(sorted(self._known.get(cluster, ())))

    def gaps(self) -> Iterator[Gap]:
        """Yield why they are not known."""
        yield from self.failed

    def _read(self) -> dict[str, set[str]] | None:
        found: dict[str, set[str]] = {}
        try:
            for page in self.reader.pages(LIST, {"Namespace": NAMESPACE, "MetricName": COUNT}):
                for metric in page.get("Metrics", ()):
                    named = {str(one.get("Name")): str(one.get("Value")) for one in metric.get("Dimensions", ())}
                    if WAY in named:
                        found.setdefault(named.get(CLUSTER, ""), set()).add(named[WAY])
        except AwsError as error:
            self.failed.append(gap_of(error, self.reader))
            return None
        return found
