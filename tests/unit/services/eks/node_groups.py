"""Node groups for the tests of their checks; nothing of their own has a price."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from tests.support.facts import NOW, summarize
from tests.support.judging import Bench

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MetricSummary, Utilization
from finops_operator.services.eks.nodegroup import KIND, NODE_CPU, NODE_NETWORK

NODE_GROUPS: Final = Bench(KIND)
_ID: Final = "shop/workers/12345678-1234-1234-1234-123456789012"


def node_group(state: str = "active", days: float = 365, /, **attributes: Json) -> Resource:
    """Return a node group of six machines, the fewest that it may have, changed as asked; None: not known."""
    facts: dict[str, Json] = {
        "cluster": "shop",
        "instance_types": ["m5.large"],
        "capacity_type": "ON_DEMAND",
        "minimum_size": 6,
        "maximum_size": 12,
        "desired_size": 6,
        "auto_scaling_groups": ["eks-workers-1"],
        **attributes,
    }
    return Resource(
        kind="eks-nodegroup",
        id=_ID,
        arn=f"arn:aws:eks:us-east-1:111122223333:nodegroup/{_ID}",
        name="workers",
        account="111122223333",
        region="us-east-1",
        state=state,
        created=NOW - timedelta(days=days),
        attributes={name: value for name, value in facts.items() if value is not None},
    )


def node_cpu(summary: MetricSummary, megabytes: float = 100.0) -> Utilization:
    """Return what was measured: the CPU of the machines, and what each of the six sent and received a day."""
    bytes_an_hour = megabytes * 1_000_000 * 6 / 24
    carried = summarize([bytes_an_hour / 2] * 14 * 24)
    return Utilization(_ID, metrics={NODE_CPU: summary, **dict.fromkeys(NODE_NETWORK, carried)})
