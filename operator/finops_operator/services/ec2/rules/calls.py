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
from finops_operator.services.ec2.rules.served_targets import CLASSIC_HEALTH, CLASSIC_HEALTH_CALL
from finops_operator.services.ec2.rules.vcpu_quota import GET_QUOTA, GET_QUOTA_CALL, QUOTA_PROBE
from finops_operator.services.ec2.rules.volume_keys import DESCRIBE_KEY

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
    DESCRIBE_KEY: lambda _: {"KeyId": "alias/aws/ebs"},
    GET_QUOTA: lambda _: QUOTA_PROBE,
    CLASSIC_HEALTH: lambda _: {"LoadBalancerName": "finops-doctor"},
}
"""Of both acts on instances."""
INSTANCE_CALLS: Final[Mapping[str, str]] = {GET_QUOTA: GET_QUOTA_CALL, CLASSIC_HEALTH: CLASSIC_HEALTH_CALL}
"""Permissions of both acts on instances whose services the SDK names otherwise."""
KEYS_WITHOUT_DRY_RUN: Final = frozenset({"kms"})
"""EC2 makes grants on keys in our name; KMS itself is only read."""

_MOST_KEYS: Final = 12
"""Different keys of one instance that a session policy of 2,048 characters names beside its call."""

_DOMAINS: Final = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
"""How the regions of a partition begin whose services stand in a domain of their own."""
EC2_ANYWHERE: Final = ["ec2.*.amazonaws.com", *(f"ec2.*.{domain}" for domain in _DOMAINS.values())]


def via_ec2(region: str) -> list[Json]:
    """Return the names by which KMS may know EC2 of a region as the caller (`kms:ViaService`).

    KMS writes them with the domain of AWS; where a partition has one of its own, that one counts as well.
    """
    own = [domain for prefix, domain in _DOMAINS.items() if region.startswith(prefix)]
    return [f"ec2.{region}.{domain}" for domain in ("amazonaws.com", *own)]


GRANTS_FOR_AWS: Final[Statement] = {
    # Without it an instance whose volumes have a customer key never starts again, and no such volume is made.
    "Sid": "StartWithEncryptedVolumes",
    "Effect": "Allow",
    "Action": "kms:CreateGrant",
    "Resource": "*",
    "Condition": {
        "Bool": {"kms:GrantIsForAWSResource": "true"},
        "StringLike": {"kms:ViaService": EC2_ANYWHERE},
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
        "StringEquals": {"kms:ViaService": via_ec2(plan.resource.region)},
    }
    resources: Json = [str(key) for key in keys] if known and isinstance(keys, (list, tuple)) else ["*"]
    return ({"Effect": "Allow", "Action": ["kms:CreateGrant"], "Resource": resources, "Condition": condition},)
