"""Who owns a resource besides its account, by its tags: an act on it would be reverted or break the owner.

Called by the preflights of all actions. Tag keys are the owners' own documented ones (Auto Scaling, CloudFormation,
EKS, Karpenter, ECS, Elastic Beanstalk, EMR, EC2 Fleet, AWS Backup, Data Lifecycle Manager).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from finops.domain.resource import IGNORE_TAG, PROTECTED_TAG
from finops_operator.action_plugin import PolicyFacts, Refusal

CONTROLLERS: Final[Mapping[str, str]] = {
    "aws:autoscaling:": "an Auto Scaling group",
    "aws:ec2:fleet-id": "an EC2 Fleet",
    "aws:ec2spot:fleet-request-id": "a Spot Fleet",
    "aws:elasticmapreduce:": "Amazon EMR",
    "elasticbeanstalk:": "Elastic Beanstalk",
    "aws:eks:": "Amazon EKS",
    "eks:": "Amazon EKS",
    "kubernetes.io/cluster/": "a Kubernetes cluster",
    "k8s.io/cluster-autoscaler/": "the cluster autoscaler",
    "karpenter.sh/": "Karpenter",
    "AmazonECSManaged": "Amazon ECS",
    "aws:ecs:": "Amazon ECS",
}
"""Prefixes of tag keys set by controllers that replace or restart what they own."""

TEMPLATES: Final[Mapping[str, str]] = {
    "aws:cloudformation:": "CloudFormation",
    "terraform": "Terraform",
    "Terraform": "Terraform",
}
"""Prefixes of tag keys set by templates that revert a change of configuration, but not a stop."""

VOLUME_OWNERS: Final[Mapping[str, str]] = {
    "kubernetes.io/created-for/": "a Kubernetes persistent volume",
    "kubernetes.io/cluster/": "a Kubernetes cluster",
    "ebs.csi.aws.com/": "the EBS CSI driver",
    "CSIVolumeName": "the EBS CSI driver",
    "aws:backup:": "AWS Backup",
    "aws:dlm:": "Data Lifecycle Manager",
    "dlm:": "Data Lifecycle Manager",
}

_YES: Final = frozenset({"true", "yes", "1"})
_OPT_OUT: Final = (IGNORE_TAG, PROTECTED_TAG)
_STOP_OPT_OUT: Final = "DoNotStop"


def protected(tags: Mapping[str, str], facts: PolicyFacts) -> tuple[Refusal, ...]:
    """Refuse what its owner or the policy has put out of reach by a tag."""
    found = [
        Refusal("Protected", f"The tag {key} protects this resource.")
        for key in _OPT_OUT
        if tags.get(key, "").strip().lower() in _YES
    ]
    found.extend(
        Refusal("Protected", f"The policy protects resources with tag {key}={tags[key]}.")
        for key, values in facts.protect_tags.items()
        if key in tags and tags[key] in values and key not in _OPT_OUT
    )
    return tuple(found)


def stop_opt_out(tags: Mapping[str, str]) -> tuple[Refusal, ...]:
    """Refuse instances that carry DoNotStop, whatever its value."""
    return (Refusal("Protected", "The tag DoNotStop is set."),) if _STOP_OPT_OUT in tags else ()


def owned(tags: Mapping[str, str], owners: Mapping[str, str], code: str = "OwnedByController") -> tuple[Refusal, ...]:
    """Refuse what somebody in `owners` controls; one refusal per owner."""
    names = {owner for key in tags for prefix, owner in owners.items() if key.startswith(prefix)}
    return tuple(
        Refusal(code, f"It belongs to {name}, which would revert or break the act; change it there.")
        for name in sorted(names)
    )


def template_owners(tags: Mapping[str, str]) -> tuple[str, ...]:
    """Name the templates that will see a drift."""
    return tuple(sorted({name for key in tags for prefix, name in TEMPLATES.items() if key.startswith(prefix)}))
