"""How EC2 answers changing calls; the same for every act on instances and volumes.

Sources: EC2 API reference, "Server error codes" and "Common client error codes"; EBS user guide, "Requirements for
Amazon EBS encryption"; service authorization reference of EC2 and KMS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from finops.domain.canonical import Json
from finops.domain.recommendation import ResourceRef
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


def start_with_customer_keys(resource: ResourceRef) -> Statement:
    """Allow the grant that EC2 makes on a volume's customer key at every start.

    Without it the start succeeds and the instance stops again at once. Only grants that EC2 asks for are allowed.
    """
    condition: Json = {
        "Bool": {"kms:GrantIsForAWSResource": "true"},
        "StringEquals": {"kms:ViaService": f"ec2.{resource.region}.amazonaws.com"},
    }
    return {"Effect": "Allow", "Action": ["kms:CreateGrant"], "Resource": ["*"], "Condition": condition}
