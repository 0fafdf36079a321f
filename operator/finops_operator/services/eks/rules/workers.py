"""What a cluster can run pods on: managed node groups, Fargate profiles, and machines that others started for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from finops.domain.resource import Gap
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import gap_of

GROUPS: Final = "eks:ListNodegroups"
PROFILES: Final = "eks:ListFargateProfiles"
MACHINES: Final = "ec2:DescribeInstances"
_PAGE: Final = 100
_EC2_PAGE: Final = 1000


@dataclass(slots=True)
class Workers:
    """Counts for one cluster after the other; what could not be read is unknown, and each call is a Gap once."""

    reader: PageReader
    failed: dict[str, Gap] = field(default_factory=dict)

    def groups(self, cluster: str) -> int | None:
        """Return how many managed node groups there are."""
        return self._count(GROUPS, {"clusterName": cluster, "maxResults": _PAGE}, "nodegroups")

    def profiles(self, cluster: str) -> int | None:
        """Return how many Fargate profiles there are."""
        return self._count(PROFILES, {"clusterName": cluster, "maxResults": _PAGE}, "fargateProfileNames")

    def machines(self, cluster: str) -> int | None:
        """Return how many instances carry the cluster's tag: Karpenter's and self-managed ones have no group."""
        wanted = [
            {"Name": "tag-key", "Values": [f"kubernetes.io/cluster/{cluster}"]},
            {"Name": "instance-state-name", "Values": ["pending", "running"]},
        ]
        return self._count(MACHINES, {"Filters": wanted, "MaxResults": _EC2_PAGE}, "Reservations")

    def _count(self, operation: str, parameters: Mapping[str, Any], result: str) -> int | None:
        if operation in self.failed:
            return None
        try:
            return sum(len(page.get(result, ())) for page in self.reader.pages(operation, parameters))
        except AwsError as error:
            self.failed[operation] = gap_of(error, self.reader)
            return None
