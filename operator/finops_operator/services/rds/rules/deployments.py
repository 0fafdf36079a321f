"""Whether a database or cluster is part of a blue/green deployment, and why none of it is touched then.

The two sides follow each other and are switched over as they are; whoever stops, changes or deletes one of them breaks
the deployment. Source: Amazon RDS user guide, "Overview of Amazon RDS Blue/Green Deployments"; RDS API reference,
DescribeBlueGreenDeployments and SwitchoverDetail, which names the replicas and members of both sides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from finops.domain.execution import Observation
from finops.ports.aws_steps import Reader
from finops_operator.plugins.action import Refusal

READ_DEPLOYMENTS: Final = "rds:DescribeBlueGreenDeployments"
FACT: Final = "deployed"


def deployed(reader: Reader, arn: str) -> bool | None:
    """Return whether a deployment names the ARN, None where AWS has more of them than it answers with. Raises as it."""
    answer = reader.read(READ_DEPLOYMENTS, {})
    if any(arn in _named(one) for one in answer.get("BlueGreenDeployments", ())):
        return True
    return None if answer.get("Marker") else False


def _named(deployment: Mapping[str, Any]) -> Iterator[object]:
    yield deployment.get("Source")
    yield deployment.get("Target")
    for detail in deployment.get("SwitchoverDetails") or ():
        yield detail.get("SourceMember")
        yield detail.get("TargetMember")


def in_deployment(observation: Observation) -> Iterator[Refusal]:
    """Yield why an act on a database instance must wait for the deployment that it is part of."""
    found = observation.facts.get(FACT)
    if found is True:
        why = "It is part of a blue/green deployment. Who wants it changed ends that first."
        yield Refusal("InBlueGreenDeployment", why)
    elif found is None:
        yield Refusal("DeploymentUnknown", "Whether it is part of a blue/green deployment was not read to the end.")
