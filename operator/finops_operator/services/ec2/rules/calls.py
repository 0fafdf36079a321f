"""How EC2 answers changing calls; the same for every act on instances and volumes.

Sources: EC2 API reference, "Server error codes" and "Common client error codes"; EBS user guide, "Requirements for
Amazon EBS encryption"; service authorization reference of EC2 and KMS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.execution import Observation
from finops.domain.plan import Plan, PlanStep
from finops_operator.plugins.action import CallRules, Statement

CALLS: Final = CallRules(
    created=("SnapshotId", "ImageId"),
    not_done=frozenset(
        {
            "InsufficientInstanceCapacity",
            "InsufficientHostCapacity",
            "InsufficientCapacityOnHost",
            "InsufficientCapacity",
            "InsufficientReservedInstanceCapacity",
            "ReservationCapacityExceeded",
            "InsufficientVolumeCapacity",
        }
    ),
    # EC2 judges permissions before it answers a dry run, and answers every dry run with an error.
    dry_run_passed="DryRunOperation",
)

INSTANCE_PROBES: Final[Mapping[str, Callable[[str], Mapping[str, Any]]]] = {
    "ec2:StopInstances": lambda instance: {"InstanceIds": [instance]},
    "ec2:StartInstances": lambda instance: {"InstanceIds": [instance]},
    "ec2:DescribeInstanceAttribute": lambda instance: {"InstanceId": instance, "Attribute": "disableApiStop"},
}
"""Of both acts on instances."""

_MOST_KEYS: Final = 12
"""Different keys of one instance that a session policy of 2,048 characters names beside its call."""

START_WITH_CUSTOMER_KEYS: Final[Statement] = {
    # Without it an instance whose volumes have a customer key never starts again.
    "Sid": "StartWithEncryptedVolumes",
    "Effect": "Allow",
    "Action": "kms:CreateGrant",
    "Resource": "*",
    "Condition": {
        "Bool": {"kms:GrantIsForAWSResource": "true"},
        "StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"},
    },
}


def start_with_keys(plan: Plan, step: PlanStep, now: Observation) -> tuple[Statement, ...]:
    """Allow a start the grants that EC2 makes on the keys of the instance's volumes, and on no other key.

    Without them the start succeeds and the instance stops again at once. So where the keys are not known, or are too
    many for a session policy, any key may be used: only grants that EC2 asks for are allowed in either case.
    """
    if step.operation != "ec2:StartInstances":
        return ()
    keys = now.facts.get("volumeKeys")
    known = isinstance(keys, (list, tuple)) and len(keys) <= _MOST_KEYS
    if known and not keys:
        return ()
    condition: Json = {
        "Bool": {"kms:GrantIsForAWSResource": "true"},
        "StringEquals": {"kms:ViaService": f"ec2.{plan.resource.region}.amazonaws.com"},
    }
    resources: Json = [str(key) for key in keys] if known and isinstance(keys, (list, tuple)) else ["*"]
    return ({"Effect": "Allow", "Action": ["kms:CreateGrant"], "Resource": resources, "Condition": condition},)
