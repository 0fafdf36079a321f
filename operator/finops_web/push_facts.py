"""Whether what somebody pushed can be: sizes as AWS allows them, and an ARN that names the same resource.

A figure that AWS never sells would price as a cost that nobody pays, and stand in every sum. Bounded is what is listed
here, most of what is billed by its size; what was used (requests, bytes, hours) and counts of nodes and shards are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any, Final

from pydantic import Field

from finops.domain.resource import Resource
from finops.errors import InvalidInput
from finops_web.kind_facts import arn_pattern

_GLOBAL: Final = "global"
_ARN_PARTS: Final = 6
_BREAKS: Final = re.compile(r"[/:]")
_EBS: Final = "Amazon EBS user guide, “Amazon EBS volume types”"
_RDS: Final = "Amazon RDS user guide, “Amazon RDS DB instance storage”"


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that AWS allows of a fact, in `unit`; `source` says where AWS says so."""

    most: int
    unit: str
    source: str


_VOLUME_GIB: Final = Limit(65_536, "GiB", _EBS)
_AURORA_GIB: Final = Limit(262_144, "GiB", "Amazon Aurora user guide, “Quotas and constraints for Amazon Aurora”")
_WORKSPACE_GIB: Final = Limit(2_000, "GB", "Amazon WorkSpaces administration guide, “Modify a WorkSpace”")
_FUNCTION: Final = "AWS Lambda developer guide, “Lambda quotas”"
LIMITS: Final[Mapping[str, Mapping[str, Limit]]] = {
    "ebs-volume": {
        "size_gb": _VOLUME_GIB,
        "iops": Limit(256_000, "IOPS", _EBS),
        "throughput": Limit(4_000, "MiB/s", _EBS),
    },
    "ebs-snapshot": {
        "volume_size_gb": _VOLUME_GIB,
        "full_bytes": Limit(65_536 << 30, "bytes", _EBS),
    },
    "rds-instance": {
        "allocated_storage_gb": Limit(65_536, "GiB", _RDS),
        "storage_iops": Limit(256_000, "IOPS", _RDS),
        "storage_throughput": Limit(4_000, "MiB/s", _RDS),
        "backup_retention_days": Limit(35, "days", "Amazon RDS user guide, “Backup retention period”"),
    },
    "rds-cluster": {
        "allocated_storage_gb": _AURORA_GIB,
        "storage_iops": Limit(256_000, "IOPS", _RDS),
        "minimum_capacity": Limit(256, "ACU", "Amazon Aurora user guide, “Aurora Serverless v2 capacity”"),
        "maximum_capacity": Limit(256, "ACU", "Amazon Aurora user guide, “Aurora Serverless v2 capacity”"),
    },
    "rds-snapshot": {"size_gb": _AURORA_GIB},
    "lambda-function": {
        "memory_mb": Limit(10_240, "MB", _FUNCTION),
        "ephemeral_storage_mb": Limit(10_240, "MB", _FUNCTION),
    },
    "eks-nodegroup": {"disk_gb": _VOLUME_GIB},
    "ecs-service": {"task_disk_gib": Limit(200, "GiB", "Amazon ECS developer guide, “Fargate task ephemeral storage”")},
    "msk-cluster": {"volume_gb": Limit(16_384, "GiB", "Amazon MSK developer guide, “Amazon MSK quota”")},
    "sagemaker-notebook": {
        "volume_gb": Limit(16_384, "GB", "Amazon SageMaker API reference, “CreateNotebookInstance”")
    },
    "workspaces-workspace": {"root_gib": _WORKSPACE_GIB, "user_gib": _WORKSPACE_GIB},
}
"""Kind → fact, named as in a scan report → the most that AWS allows; the least is 0."""

_SHARED: Final = frozenset({"cloudtrail-trail"})
"""Kinds whose ARN may name another account: the trail of an organization is its management account's."""


def at_most(kind: str, fact: str) -> Any:
    """Return the field of a fact that has a limit: its description and its schema name the most that AWS allows.

    What is more is refused by `require_possible`, with the limit and its source.
    """
    limit = LIMITS[kind][fact]
    described = f"{limit.unit}, at most {limit.most:,}: {limit.source}."
    return Field(default=None, description=described, json_schema_extra={"maximum": limit.most})


def require_possible(sent: Resource, number: int) -> None:
    """Raise InvalidInput unless a resource can be: it is the one with this number among those that were sent."""
    for fact, limit in LIMITS.get(sent.kind, {}).items():
        value: Any = sent.attributes.get(fact)
        if isinstance(value, int | float | Decimal) and not 0 <= value <= limit.most:
            raise InvalidInput(
                f"of resource {number} is {value}, and AWS allows 0 to {limit.most:,} {limit.unit}",
                field=fact,
                hint=f"send it in {limit.unit}, as AWS says it; {limit.source}",
            )
    if sent.arn:
        problem = arn_problem(sent)
        if problem:
            raise InvalidInput(
                f"of resource {number} {problem}",
                field="arn",
                hint="send the ARN that AWS gives the resource, or none",
            )


def arn_problem(sent: Resource) -> str:
    """Return what an ARN names otherwise than the resource that has it; empty where they agree."""
    parts = sent.arn.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS:
        return "is no ARN"
    _, _, _, region, account, named = parts
    if not fnmatchcase(sent.arn, arn_pattern(sent.kind)):
        return f"names no resource of kind {sent.kind}"
    if account and account != sent.account and sent.kind not in _SHARED:
        return f"names account {account}, and the resource is of {sent.account}"
    if region and sent.region not in {region, _GLOBAL}:
        return f"names region {region}, and the resource is in {sent.region}"
    if sent.id != sent.arn and not _names(named, sent):
        return f"does not name {sent.id}"
    return ""


def _names(named: str, sent: Resource) -> bool:
    """Return whether every part of an id stands in the last part of an ARN, whatever the case."""
    return set(filter(None, _BREAKS.split(sent.id.lower()))) <= set(_BREAKS.split(named.lower()))
