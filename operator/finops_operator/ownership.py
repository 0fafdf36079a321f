"""Who owns a resource: something that would undo an act by hand, and what to change instead. Pure.

Asked by the recommend stage for every finding: an owned resource gets advice with a patch text, never a button.
Signs are AWS's own tags and flags; tag values are hostile text, so only those AWS reserves (`aws:…`) are quoted, cut to
a safe alphabet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from finops.domain.canonical import Json
from finops.domain.resource import Resource

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_./:@+=-]+")
_LONGEST_NAME: Final = 128
_TERRAFORM_KEYS: Final = frozenset({"terraform", "terraform-managed", "tf-managed", "opentofu"})
_MANAGER_KEYS: Final = frozenset(
    {"managed-by", "managedby", "managed_by", "provisioner", "iac", "created-by", "createdby"}
)
_TERRAFORM_VALUES: Final = frozenset({"terraform", "opentofu", "tofu", "terragrunt"})
_TEMPLATES: Final = frozenset({"CloudFormation", "Terraform"})
_CONTROLLERS: Final = (
    ("aws:ec2:fleet-id", "an EC2 Fleet"),
    ("aws:ec2spot:fleet-request-id", "a Spot Fleet"),
    ("aws:elasticmapreduce:", "Amazon EMR"),
    ("elasticbeanstalk:", "Elastic Beanstalk"),
    ("k8s.io/cluster-autoscaler/", "the cluster autoscaler"),
    ("AmazonECSManaged", "Amazon ECS"),
    ("aws:ecs:", "Amazon ECS"),
)
"""Prefixes of tag keys set by services that replace or restart what they own."""

_KUBERNETES_VOLUME_PREFIX: Final = "kubernetes.io/created-for/"


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of a resource.

    Attributes:
        system: `CloudFormation`, `Auto Scaling`, …
        name: its name for the thing (a stack, a group), cleaned; may be empty.
        instead: what to change there, one sentence, without the wanted value.
    """

    system: str
    name: str
    instead: str

    def advice(self, patch: str) -> str:
        """Return the text for people: who owns it, and the change to make there."""
        named = f"{self.system} ({self.name})" if self.name else self.system
        return f"Owned by {named}, which would undo a change made here. {self.instead} {patch}".strip()


def owner_of(resource: Resource) -> Owner | None:
    """Return the owner, the one nearest to the resource first, or None when nobody claims it."""
    tags = resource.tags
    if resource.attributes.get("operator_managed") is True:
        principal = _clean(resource.text("operator_principal"))
        return Owner("an AWS service that manages it", principal, "Change it in that service.")
    if "karpenter.sh/nodepool" in tags or "karpenter.sh/provisioner-name" in tags:
        name = tags.get("karpenter.sh/nodepool") or tags.get("karpenter.sh/provisioner-name", "")
        return Owner("Karpenter", _clean(name), "Change the requirements of its NodePool.")
    if "eks:nodegroup-name" in tags:
        name = _clean(tags["eks:nodegroup-name"])
        return Owner("an EKS managed node group", name, "Create a node group with the new settings and drain this one.")
    group = tags.get("aws:autoscaling:groupName") or resource.text("auto_scaling_group")
    if group:
        return Owner("Auto Scaling", _clean(group), "Change its launch template and start an instance refresh.")
    return _cluster_owner(resource) or _backup_owner(resource) or _stack_owner(resource)


def would_undo(owner: Owner, action: str) -> bool:
    """Tell whether the owner undoes this act: templates describe settings, not whether an instance is running."""
    return owner.system not in _TEMPLATES or action != "ec2_instance_stop"


def _cluster_owner(resource: Resource) -> Owner | None:
    for key in resource.tags:
        for prefix, system in _CONTROLLERS:
            if key.startswith(prefix):
                return Owner(system, "", "Change it there.")
        if key.startswith("kubernetes.io/cluster/") or key in ("eks:cluster-name", "aws:eks:cluster-name"):
            return Owner("a Kubernetes cluster", "", "Change it through the cluster, whose nodes come and go.")
        if key.startswith(_KUBERNETES_VOLUME_PREFIX) or key in ("ebs.csi.aws.com/cluster", "CSIVolumeName"):
            return Owner("a Kubernetes cluster", "", "Change or delete the PersistentVolumeClaim or the StorageClass.")
    return None


def _backup_owner(resource: Resource) -> Owner | None:
    for key in resource.tags:
        if key.startswith("aws:backup:"):
            return Owner("AWS Backup", "", "Change its backup plan.")
        if key.startswith(("aws:dlm:", "dlm:")):
            return Owner("Data Lifecycle Manager", "", "Change its lifecycle policy.")
    return None


def _stack_owner(resource: Resource) -> Owner | None:
    stack = resource.tags.get("aws:cloudformation:stack-name")
    if stack is not None:
        return Owner("CloudFormation", _clean(stack), "Change the template and update the stack.")
    for key, value in resource.tags.items():
        folded = key.casefold()
        named = folded in _TERRAFORM_KEYS and value.casefold() not in ("false", "no", "0")
        if named or (folded in _MANAGER_KEYS and value.casefold() in _TERRAFORM_VALUES):
            return Owner("Terraform", "", "Change the configuration and apply it.")
    return None


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
