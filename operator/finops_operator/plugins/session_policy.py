"""Statements of a step's session policy: its changing calls on its ARNs, plus what AWS itself needs behind them.

Called by the actions. Describe calls are not among them: the executor observes with the scanner role. Sources: service
authorization reference of Amazon EC2; EBS user guide, "Requirements for Amazon EBS encryption".
"""

from __future__ import annotations

from finops.domain.canonical import Json
from finops.domain.recommendation import ResourceRef
from finops_operator.plugins.action import Statement


def allow(*actions: str, resource: str) -> Statement:
    """Allow `actions` on one ARN."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": [resource]}


def partition(resource: ResourceRef) -> str:
    """Return the partition of the resource's ARN: `aws`, `aws-cn` or `aws-us-gov`."""
    return resource.arn.split(":")[1] if resource.arn.startswith("arn:") else "aws"


def start_with_customer_keys(resource: ResourceRef) -> Statement:
    """Allow the grant that EC2 makes on a volume's customer key at every start.

    Without it the start succeeds and the instance stops again at once. Only grants that EC2 asks for are allowed.
    """
    condition: Json = {
        "Bool": {"kms:GrantIsForAWSResource": "true"},
        "StringEquals": {"kms:ViaService": f"ec2.{resource.region}.amazonaws.com"},
    }
    return {"Effect": "Allow", "Action": ["kms:CreateGrant"], "Resource": ["*"], "Condition": condition}
