"""Who owns a resource: something that would undo an act by hand, and what to change instead. Pure.

The one list of owners: the recommend stage asks it for every finding, so that an owned resource gets advice with a
patch text instead of a button, and the preflights of all actions ask it again just before an act. Signs are the owners'
own documented tags and AWS's flags; tag values are hostile text, so they are quoted cut to a safe alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from finops.domain.canonical import Json
from finops.domain.resource import Resource

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_./:@+=-]+")
_LONGEST_NAME: Final = 128
_TERRAFORM_KEYS: Final = ("terraform", "opentofu", "tf-managed")
"""Beginnings of tag keys, in lower case: modules are marked as `terraform_module`, `Terraform:workspace` and so on."""

_MANAGER_KEYS: Final = frozenset(
    {"managed-by", "managedby", "managed_by", "provisioner", "iac", "created-by", "createdby"}
)
_TERRAFORM_VALUES: Final = frozenset({"terraform", "opentofu", "tofu", "terragrunt"})
_NO: Final = frozenset({"false", "no", "0"})
_TEMPLATES: Final = frozenset({"CloudFormation", "Terraform"})
_STOP: Final = "ec2_instance_stop"


@dataclass(frozen=True, slots=True)
class _Sign:
    """Beginnings of tag keys that tell an owner, the tags that name it, and what to do there for a change or a stop."""

    prefixes: tuple[str, ...]
    system: str
    instead: str = "Change it there."
    names: tuple[str, ...] = ()
    instead_of_stop: str = ""


_SIGNS: Final = (
    _Sign(
        ("karpenter.sh/",),
        "Karpenter",
        "Change the requirements of its NodePool.",
        ("karpenter.sh/nodepool", "karpenter.sh/provisioner-name"),
        "Let its NodePool consolidate nodes that are empty or underused, or delete the NodeClaim of this one.",
    ),
    _Sign(
        ("eks:nodegroup-name",),
        "an EKS managed node group",
        "Create a node group with the new settings and drain this one.",
        ("eks:nodegroup-name",),
        "Lower its desired size, and its minimum where that is as high; drain the node first.",
    ),
    _Sign(
        ("aws:autoscaling:",),
        "Auto Scaling",
        "Change its launch template and start an instance refresh.",
        ("aws:autoscaling:groupName",),
        "Lower its desired capacity, and its minimum where that is as high.",
    ),
    _Sign(("aws:ec2:fleet-id",), "an EC2 Fleet", instead_of_stop="Lower its target capacity."),
    _Sign(("aws:ec2spot:fleet-request-id",), "a Spot Fleet", instead_of_stop="Lower its target capacity."),
    _Sign(("aws:elasticmapreduce:",), "Amazon EMR"),
    _Sign(("elasticbeanstalk:",), "Elastic Beanstalk"),
    _Sign(("k8s.io/cluster-autoscaler/",), "the cluster autoscaler"),
    _Sign(("AmazonECSManaged", "aws:ecs:"), "Amazon ECS"),
    _Sign(
        ("kubernetes.io/created-for/", "ebs.csi.aws.com/", "CSIVolumeName"),
        "a Kubernetes cluster",
        "Change or delete the PersistentVolumeClaim or the StorageClass.",
    ),
    _Sign(
        ("kubernetes.io/cluster/", "eks:", "aws:eks:"),
        "a Kubernetes cluster",
        "Change it through the cluster, whose nodes come and go.",
        instead_of_stop="Drain the node and lower the size of its group.",
    ),
    _Sign(("aws:backup:",), "AWS Backup", "Change its backup plan."),
    _Sign(("aws:dlm:", "dlm:"), "Data Lifecycle Manager", "Change its lifecycle policy."),
    _Sign(
        ("aws:cloudformation:",),
        "CloudFormation",
        "Change the template and update the stack.",
        ("aws:cloudformation:stack-name",),
    ),
)
"""The owner nearest to the resource first."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of a resource.

    Attributes:
        system: `CloudFormation`, `Auto Scaling`, …
        name: its name for the thing (a stack, a group), cleaned; may be empty.
        instead: what to change there, one sentence, without the wanted value.
        instead_of_stop: what to do there so that the resource no longer runs; empty where `instead` says it.
    """

    system: str
    name: str
    instead: str
    instead_of_stop: str = ""

    @property
    def is_template(self) -> bool:
        """Whether it is a description of settings that is applied now and then, not a controller that watches."""
        return self.system in _TEMPLATES

    def advice(self, action: str, patch: str) -> str:
        """Return the text for people: who owns it, and what to do there instead of `action`."""
        named = f"{self.system} ({self.name})" if self.name else self.system
        instead = (self.instead_of_stop if action == _STOP else "") or self.instead
        return f"Owned by {named}, which would undo a change made here. {instead} {patch}".strip()


def owner_of(resource: Resource) -> Owner | None:
    """Return the owner, the one nearest to the resource first, or None when nobody claims it."""
    if resource.attributes.get("operator_managed") is True:
        principal = _clean(resource.text("operator_principal"))
        return Owner("an AWS service that manages it", principal, "Change it in that service.")
    group = resource.text("auto_scaling_group")
    tags = {**resource.tags, "aws:autoscaling:groupName": group} if group else resource.tags
    return next(iter(owners(tags)), None)


def owners(tags: Mapping[str, str]) -> tuple[Owner, ...]:
    """Return everybody who claims a resource with these tags, each system once, the nearest first."""
    found: dict[str, Owner] = {}
    for owner in _claims(tags):
        found.setdefault(owner.system, owner)
    return tuple(found.values())


def would_undo(owner: Owner, action: str) -> bool:
    """Tell whether the owner undoes this act: templates describe settings, not whether an instance is running."""
    return not owner.is_template or action != _STOP


def _claims(tags: Mapping[str, str]) -> Iterator[Owner]:
    for sign in _SIGNS:
        if any(key.startswith(sign.prefixes) for key in tags):
            name = next((tags[key] for key in sign.names if tags.get(key)), "")
            yield Owner(sign.system, _clean(name), sign.instead, sign.instead_of_stop)
    if any(_tells_terraform(key.casefold(), value.strip().casefold()) for key, value in tags.items()):
        yield Owner("Terraform", "", "Change the configuration and apply it.")


def _tells_terraform(key: str, value: str) -> bool:
    return (key.startswith(_TERRAFORM_KEYS) and value not in _NO) or (
        key in _MANAGER_KEYS and value in _TERRAFORM_VALUES
    )


def patch_text(owner: Owner, resource: Resource, action: str, parameters: dict[str, Json]) -> str:
    """Return the change in the owner's own words, built from AWS's ids and our parameters only."""
    target = _clean(str(parameters.get("instanceType") or parameters.get("volumeType") or ""))
    if owner.system == "CloudFormation":
        return _cloudformation(action, target, parameters)
    if owner.system == "Terraform":
        return _terraform(action, target, parameters)
    if owner.system == "Auto Scaling" and target:
        return f"Launch template: InstanceType: {target}"
    if target:
        return f"Wanted: {target} instead of {_clean(resource.text('instance_type') or resource.text('volume_type'))}"
    return ""


def _cloudformation(action: str, target: str, parameters: dict[str, Json]) -> str:
    if action == "ec2_instance_resize":
        return f"Properties: InstanceType: {target}"
    if action == "ebs_volume_modify":
        return f"Properties: VolumeType: {target}, Iops: {parameters['iops']}, Throughput: {parameters['throughput']}"
    return "Remove the resource from the template." if action == "ebs_volume_delete" else ""


def _terraform(action: str, target: str, parameters: dict[str, Json]) -> str:
    if action == "ec2_instance_resize":
        return f'instance_type = "{target}"'
    if action == "ebs_volume_modify":
        return f'type = "{target}", iops = {parameters["iops"]}, throughput = {parameters["throughput"]}'
    return "Remove the aws_ebs_volume block." if action == "ebs_volume_delete" else ""


def _clean(text: str) -> str:
    return _UNSAFE.sub("_", text)[:_LONGEST_NAME]
