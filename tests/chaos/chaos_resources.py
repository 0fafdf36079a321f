"""What an act is about, as the AWS double holds it: read before the act and after it, past the operator's own eyes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from finops.domain.recommendation import ResourceRef

_NAMED: Final = {
    "s3-bucket": "bucket:",
    "log-group": "log-group:",
    "dynamodb-table": "table/",
    "rds-instance": "db:",
    "rds-cluster": "cluster:",
    "rds-snapshot": "db-",
    "lambda-function": "function:",
    "ecs-service": "service/",
    "auto-scaling-group": "held:auto-scaling-group/",
    "elasticache-cluster": "held:elasticache-cluster/",
    "elasticache-replication-group": "held:elasticache-group/",
    "opensearch-domain": "held:opensearch-domain/",
}
"""Kind → what the double puts before the id of its resources; those of EC2 have their ids."""
_SOON: Final = {"pending": "running"}
"""States that become others by themselves."""


def id_in_double(resource: ResourceRef) -> str:
    """Return the id under which the double shows a resource."""
    if resource.kind == "load-balancer":
        return f"held:load-balancer/{resource.id.split('/')[1]}"
    if resource.kind == "eks-nodegroup":
        return f"held:eks-nodegroup/{resource.id.rpartition('/')[0]}"
    return _NAMED.get(resource.kind, "") + resource.id


def members(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the double shows of a resource, in a form that can be compared and printed."""
    found: dict[str, Any] = json.loads(json.dumps(dict(shown), default=str))
    state = found.get("state")
    return {**found, "state": _SOON.get(state, state)} if isinstance(state, str) else found
