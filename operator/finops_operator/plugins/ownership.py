"""Who owns a resource: something that would undo an act by hand, and what to change instead. Pure.

The recommend stage asks for every finding, so that an owned resource gets advice with a patch text instead of a button,
and the preflights of all actions ask again just before an act. Here stand the signs that any resource may carry; a kind
adds its own. Signs are the owners' own documented tags and AWS's flags; tag values are hostile text, so they are quoted
cut to a safe alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

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
_CDK: Final = "the AWS CDK"
_CLOUDFORMATION: Final = "CloudFormation"
_PARALLEL_CLUSTER: Final = "AWS ParallelCluster"
_TEMPLATES: Final = frozenset({_CDK, _CLOUDFORMATION, _PARALLEL_CLUSTER, "Terraform"})
_STACK: Final = "aws:cloudformation:stack-name"


@dataclass(frozen=True, slots=True)
class Sign:
    """Beginnings of tag keys that show an owner, the tags that name it, and what to do there for a change or a stop."""

    prefixes: tuple[str, ...]
    system: str
    instead: str = "Change it there."
    names: tuple[str, ...] = ()
    instead_of_stop: str = ""


_NEAREST: Final = (
    Sign(
        ("karpenter.sh/",),
        "Karpenter",
        "Change the requirements of its NodePool.",
        ("karpenter.sh/nodepool", "karpenter.sh/provisioner-name"),
        "Let its NodePool consolidate nodes that are empty or underused, or delete the NodeClaim of this one.",
    ),
    Sign(
        ("eks:nodegroup-name",),
        "an EKS managed node group",
        "Create a node group with the new settings and drain this one.",
        ("eks:nodegroup-name",),
        "Lower its desired size, and its minimum where that is as high; drain the node first.",
    ),
    Sign(
        ("aws:autoscaling:",),
        "Auto Scaling",
        "Change its launch template and start an instance refresh.",
        ("aws:autoscaling:groupName",),
        "Lower its desired capacity, and its minimum where that is as high.",
    ),
)
"""Nearer to a resource than any sign of its kind."""

_CONTROLLERS: Final = (
    Sign(
        ("services.k8s.aws/",),
        "a Kubernetes cluster",
        "Change or delete the object that it was made for.",
        ("services.k8s.aws/namespace",),
    ),
    Sign(
        ("crossplane-",),
        "Crossplane",
        "Change or delete the managed resource that it was made for.",
        ("crossplane-name",),
    ),
)
"""Controllers that make resources of any service, and so of every kind, from objects in a cluster."""

_FARTHER: Final = (
    Sign(("aws:elasticmapreduce:",), "Amazon EMR"),
    Sign(("elasticbeanstalk:",), "Elastic Beanstalk"),
    Sign(("AWSBatchServiceTag",), "AWS Batch", "Change its compute environment."),
    # Compute nodes alone name a queue: their scheduler replaces what is stopped. Nobody watches what else is described.
    Sign(
        ("parallelcluster:queue-name", "parallelcluster:compute-resource-name"),
        "the scheduler of AWS ParallelCluster",
        "Change the queue in the configuration file and update the cluster.",
        ("parallelcluster:queue-name",),
    ),
    Sign(
        ("parallelcluster:",),
        _PARALLEL_CLUSTER,
        "Change its configuration file and update the cluster.",
        ("parallelcluster:cluster-name",),
    ),
    Sign(("k8s.io/cluster-autoscaler/",), "the cluster autoscaler"),
    Sign(("AmazonECSManaged", "aws:ecs:"), "Amazon ECS"),
    Sign(
        ("kubernetes.io/created-for/",),
        "a Kubernetes cluster",
        "Change or delete the PersistentVolumeClaim or the StorageClass.",
    ),
    Sign(
        ("kubernetes.io/cluster/", "eks:", "aws:eks:"),
        "a Kubernetes cluster",
        "Change it through the cluster, whose nodes come and go.",
        instead_of_stop="Drain the node and lower the size of its group.",
    ),
    # On recovery points that are resources of their own service, such as an image; what is backed up has no such tag.
    Sign(("aws:backup:",), "AWS Backup", "Change its backup plan."),
    Sign(("aws:dlm:", "dlm:"), "Data Lifecycle Manager", "Change its lifecycle policy."),
    Sign(("aws-cdk:",), _CDK, "Change the app and deploy the stack.", (_STACK,)),
    Sign(("aws:cloudformation:",), _CLOUDFORMATION, "Change the template and update the stack.", (_STACK,)),
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

    def would_undo(self, *, only_stops: bool) -> bool:
        """Return whether the owner undoes an act: a template describes settings, not whether a resource is running."""
        return not (self.is_template and only_stops)

    def advice(self, patch: str, *, only_stops: bool) -> str:
        """Return the text for people: who owns it, and what to do there instead of an act, or of one that stops it."""
        named = f"{self.system} ({self.name})" if self.name else self.system
        instead = (self.instead_of_stop if only_stops else "") or self.instead
        return f"Owned by {named}, which would undo a change made here. {instead} {patch}".strip()


def managed_by_service(principal: str) -> Owner:
    """Return the AWS service that manages a resource of its own, by the principal that AWS names."""
    return Owner("an AWS service that manages it", quoted(principal), "Change it in that service.")


def owner_by_tags(tags: Mapping[str, str], signs: tuple[Sign, ...] = ()) -> Owner | None:
    """Return the owner nearest to a resource with these tags, None when nobody claims it; `signs` are its kind's."""
    return next(iter(owners(tags, signs)), None)


def _nobody(_resource: Resource) -> str | None:
    return None


def owned_by(
    signs: tuple[Sign, ...] = (), *, service: Callable[[Resource], str | None] = _nobody
) -> Callable[[Resource], Owner | None]:
    """Return what a kind says of the owner of a resource: the AWS service that manages it, else whom its tags show.

    Args:
        signs: the kind's own.
        service: principal of the service that AWS names, empty where it manages the resource and is not named, None
            where none does.
    """

    def owner(resource: Resource) -> Owner | None:
        principal = service(resource)
        return owner_by_tags(resource.tags, signs) if principal is None else managed_by_service(principal)

    return owner


def owners(tags: Mapping[str, str], signs: tuple[Sign, ...] = ()) -> tuple[Owner, ...]:
    """Return everybody who claims a resource with these tags, each system once, the nearest first."""
    found: dict[str, Owner] = {}
    for owner in _claims(tags, signs):
        found.setdefault(owner.system, owner)
    if _CDK in found:
        # It writes the template of the stack: who changed that would lose it with the next deployment.
        found.pop(_CLOUDFORMATION, None)
    return tuple(found.values())


def _claims(tags: Mapping[str, str], signs: tuple[Sign, ...]) -> Iterator[Owner]:
    for sign in (*_NEAREST, *signs, *_CONTROLLERS, *_FARTHER):
        if any(key.startswith(sign.prefixes) for key in tags):
            name = next((tags[key] for key in sign.names if tags.get(key)), "")
            yield Owner(sign.system, quoted(name), sign.instead, sign.instead_of_stop)
    if any(_shows_terraform(key.casefold(), value.strip().casefold()) for key, value in tags.items()):
        yield Owner("Terraform", "", "Change the configuration and apply it.")


def _shows_terraform(key: str, value: str) -> bool:
    return (key.startswith(_TERRAFORM_KEYS) and value not in _NO) or (
        key in _MANAGER_KEYS and value in _TERRAFORM_VALUES
    )


def quoted(text: str) -> str:
    """Return text from outside cut to a safe alphabet and length."""
    return _UNSAFE.sub("_", text)[:_LONGEST_NAME]
