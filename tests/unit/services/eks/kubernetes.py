"""EKS clusters for the tests of the kind and its checks; bundled prices."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.services.eks.cluster import KIND

CLUSTERS: Final = Bench(KIND)
ARN: Final = "arn:aws:eks:us-east-1:111122223333:cluster/shop"


def cluster(state: str = "active", region: str = "us-east-1", days: float = 365, /, **attributes: Json) -> Resource:
    """Return a cluster of a version with standard support for two years, with two node groups, changed as asked."""
    facts: dict[str, Json] = {
        "version": "1.34",
        "support": "standard",
        "standard_support_ends": (NOW + timedelta(days=730)).date().isoformat(),
        "upgrade_policy": "EXTENDED",
        "node_groups": 2,
        "fargate_profiles": 0,
        "auto_mode": False,
        "control_plane_tier": "standard",
        "on_outpost": False,
        **attributes,
    }
    return Resource(
        kind="eks-cluster",
        id="shop",
        arn=ARN,
        name="shop",
        account="111122223333",
        region=region,
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )
