"""Managed node groups: what they may grow to and what their machines are; the machines are billed as instances.

Loaded by the registry; walked by the discover and measure stages. EKS keeps the machines in an Auto Scaling group that
belongs to it: what is changed there is undone, so that a node group is changed through EKS.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, Members, MetricSpec, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.ownership import Owner, owner_by_tags
from finops_operator.services.eks.rules.signs import SIGNS

_CLUSTERS: Final = "eks:ListClusters"
_LIST: Final = "eks:ListNodegroups"
_DESCRIBE: Final = "eks:DescribeNodegroup"
_PAGE: Final = 100
_GONE: Final = "DELETING"
ACTIVE: Final = "active"
_WORKING: Final = frozenset({ACTIVE, "updating", "degraded"})
_ON_DEMAND: Final = "ON_DEMAND"
NODE_CPU: Final = "nodeCpuPercent"
NODE_NETWORK: Final = ("nodeNetworkInBytes", "nodeNetworkOutBytes")
"""Of all its machines together."""


@dataclass(frozen=True, slots=True)
class NodeGroupFacts:
    """What is known of one node group; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        instance_types: what it may start; empty where a launch template says it.
        capacity_type: `ON_DEMAND`, `SPOT` or `CAPACITY_BLOCK`.
        auto_scaling_groups: where EKS keeps its machines.
        disk_gb: of each machine.
    """

    cluster: str | None = None
    instance_types: tuple[str, ...] | None = None
    capacity_type: str | None = None
    ami_type: str | None = None
    minimum_size: int | None = None
    maximum_size: int | None = None
    desired_size: int | None = None
    disk_gb: int | None = None
    auto_scaling_groups: tuple[str, ...] | None = None
    version: str | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield the node groups of one cluster after the other; what cannot be read ends the listing with a Gap."""
    del partition
    try:
        for clusters in reader.pages(_CLUSTERS, {"maxResults": _PAGE}):
            for cluster in clusters.get("clusters", ()):
                for page in reader.pages(_LIST, {"clusterName": cluster, "maxResults": _PAGE}):
                    for name in page.get("nodegroups", ()):
                        asked = {"clusterName": cluster, "nodegroupName": name}
                        group = reader.once(_DESCRIBE, asked).get("nodegroup") or {}
                        if group.get("status") != _GONE:
                            yield _resource(str(cluster), str(name), group, reader)
    except AwsError as error:
        yield gap_of(error, reader)


def _resource(cluster: str, name: str, group: Mapping[str, Any], reader: PageReader) -> Resource:
    arn, created = str(group.get("nodegroupArn") or ""), group.get("createdAt")
    return Resource(
        kind="eks-nodegroup",
        # A group that is deleted and made again under its name gets another ARN, and is another resource.
        id=arn.partition(":nodegroup/")[2] or f"{cluster}/{name}",
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(group.get("status") or "").lower(),
        tags={str(key): str(value) for key, value in (group.get("tags") or {}).items()},
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(_facts(cluster, group)),
    )


def _facts(cluster: str, group: Mapping[str, Any]) -> NodeGroupFacts:
    size, kept = group.get("scalingConfig") or {}, (group.get("resources") or {}).get("autoScalingGroups") or ()
    return NodeGroupFacts(
        cluster=cluster,
        instance_types=tuple(group.get("instanceTypes") or ()),
        capacity_type=group.get("capacityType") or _ON_DEMAND,
        ami_type=group.get("amiType"),
        minimum_size=size.get("minSize"),
        maximum_size=size.get("maxSize"),
        desired_size=size.get("desiredSize"),
        disk_gb=group.get("diskSize"),
        auto_scaling_groups=tuple(str(one.get("name") or "") for one in kept),
        version=group.get("version"),
    )


def billed_parts(group: Resource) -> tuple[BilledPart, ...]:
    """Return nothing: AWS bills the machines, which are listed as instances, and adds nothing for the group."""
    del group
    return ()


def _groups(resource: Resource) -> tuple[str, ...]:
    return facts_of(NodeGroupFacts, resource).auto_scaling_groups or ()


def _measured(resource: Resource) -> bool:
    """A group without a machine publishes nothing, and the CPU of several groups is no one metric."""
    own = facts_of(NodeGroupFacts, resource)
    return resource.state in _WORKING and bool(own.desired_size) and len(_groups(resource)) == 1


def _of_machines(name: str, metric: str, statistics: tuple[str, ...], unit: str) -> MetricSpec:
    return MetricSpec(
        name,
        "AWS/EC2",
        metric,
        "AutoScalingGroupName",
        statistics,
        unit,
        dimensions=lambda resource: (("AutoScalingGroupName", _groups(resource)[0]),),
        applies=_measured,
    )


def _owner(resource: Resource) -> Owner | None:
    # Every node group carries tags of the cluster that it is a part of; those do not own it.
    tags = {key: value for key, value in resource.tags.items() if not key.startswith(_OF_ITS_CLUSTER)}
    return owner_by_tags(tags, SIGNS)


_OF_ITS_CLUSTER: Final = ("eks:", "aws:eks:", "kubernetes.io/cluster/", "k8s.io/cluster-autoscaler/")
_SAMPLE: Final = "my-cluster/my-group/12345678-1234-1234-1234-123456789012"

KIND: Final = ResourceKind(
    id="eks-nodegroup",
    title="EKS node group",
    service="eks",
    id_pattern=r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}/[0-9A-Za-z][A-Za-z0-9_-]{0,62}(?:/[0-9a-f-]{36})?",
    arn_pattern="arn:*:eks:*:*:nodegroup/*",
    limits={
        "disk_gb": Limit(65_536, "GiB", "Amazon EBS user guide, “Amazon EBS volume types”"),
    },
    facts=NodeGroupFacts,
    listing=Listing(
        permissions=(_CLUSTERS, _LIST, _DESCRIBE, "cloudwatch:GetMetricData"),
        collect=_collect,
        probes={
            _LIST: lambda known: {"clusterName": known.partition("/")[0]},
            _DESCRIBE: lambda known: {"clusterName": known.split("/")[0], "nodegroupName": known.split("/")[1]},
        },
    ),
    billed_as=BilledAs("Amazon Elastic Kubernetes Service", "Compute", "Containers"),
    states=States(running=_WORKING),
    # CloudWatch's average, highest and sum over all machines of the Auto Scaling group behind it.
    metrics=(
        _of_machines(NODE_CPU, "CPUUtilization", ("Average", "Maximum"), "percent"),
        _of_machines(NODE_NETWORK[0], "NetworkIn", ("Sum",), "bytes"),
        _of_machines(NODE_NETWORK[1], "NetworkOut", ("Sum",), "bytes"),
    ),
    billed_parts=billed_parts,
    left_out=(),
    console_url=console_page("eks/home?region={region}#/nodegroups/{id}"),
    sample=Sample(_SAMPLE, f"arn:aws:eks:us-east-1:111111111111:nodegroup/{_SAMPLE}"),
    owner=_owner,
    type_of=lambda resource: resource.text("capacity_type"),
    # EKS names the Auto Scaling groups behind it, and not their instances; tags of instances anybody may set.
    members=Members(
        "ec2-instance",
        lambda resource: facts_of(NodeGroupFacts, resource).auto_scaling_groups,
        through="auto-scaling-group",
    ),
)
