"""Who made some of what is planted: templates and controllers, by the tags that each of them sets.

Sources: CloudFormation user guide, "Resource tags"; CDK's library, which marks what its own functions clean up; the AWS
Load Balancer Controller, "Resource tags"; the EBS and EFS CSI drivers, "Tagging"; EKS user guide, "Managed node
groups"; Terraform's AWS provider, `default_tags` as people write them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from finops_sandbox.planted.site import Site, pairs

_STACK: Final = {"aws:cloudformation:stack-name": "shop", "aws:cloudformation:logical-id": "Main"}
_CDK: Final = {**_STACK, "aws-cdk:auto-delete-images": "true"}
_TERRAFORM: Final = {"ManagedBy": "Terraform"}
_VOLUME_CLAIM: Final = {"kubernetes.io/created-for/pvc/name": "data", "ebs.csi.aws.com/cluster": "true"}
_SERVICE: Final = {"elbv2.k8s.aws/cluster": "prod", "service.k8s.aws/stack": "shop/web"}
_NODES: Final = {"eks:nodegroup-name": "workers", "eks:cluster-name": "prod"}

TAGGING: Final = "resourcegroupstaggingapi:GetResources"


def owned(site: Site) -> None:
    """Give tags to what is planted already, and note what people must read of the owner; empty: nothing."""
    _made_by_the_double(site)
    _with_tags_in_listings(site)
    _with_tags_of_the_tagging_api(site)


def _made_by_the_double(site: Site) -> None:
    for kind, section, name, tags, said in (
        ("instance", "instances", "ec2-idle", _STACK, ""),  # A template does not say whether it runs: a stop is asked.
        ("instance", "instances", "ec2-oversized", _TERRAFORM, "Terraform"),
        ("instance", "instances", "ec2-m4", _NODES, "an EKS managed node group (workers)"),
        ("volume", "volumes", "vol-left", _VOLUME_CLAIM, "a Kubernetes cluster"),
    ):
        one = next(item for item in site.loaded[section] if item["name"] == name)
        one["tags"] = {**one.get("tags", {}), **tags}
        site.owners[site.made(kind, name)] = said


def _with_tags_in_listings(site: Site) -> None:
    def give(operation: str, member: str, name: str, tags: Mapping[str, str], *, tag_list: str = "Tags") -> None:
        one = next(item for item in site.lists[operation] if str(item[member]).endswith(name))
        one[tag_list] = [*one.get(tag_list, ()), *pairs(tags)]

    balancer = "app/alb-silent/50dc6c495c0c9188"
    give("elbv2:DescribeTags", "ResourceArn", balancer, _SERVICE)
    site.owners[balancer] = "a Kubernetes cluster (shop/web)"
    give("autoscaling:DescribeAutoScalingGroups", "AutoScalingGroupName", "asg-floor", _STACK)
    site.owners["asg-floor"] = "CloudFormation (shop)"
    for name in ("rds-oversized", "rds-gp2"):
        give("rds:DescribeDBInstances", "DBInstanceIdentifier", name, _STACK, tag_list="TagList")
        site.owners[name] = "CloudFormation (shop)"
    give("efs:DescribeFileSystems", "FileSystemId", "fs-01d1e0000000000a1", {"efs.csi.aws.com/cluster": "true"})
    site.owners["fs-01d1e0000000000a1"] = "a Kubernetes cluster"
    give("redshift:DescribeClusters", "ClusterIdentifier", "dw-silent", _TERRAFORM)
    site.owners["dw-silent"] = "Terraform"


def _with_tags_of_the_tagging_api(site: Site) -> None:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for kind, service, path, name, tags, said in (
        ("lambda:function", "lambda", "function:", "fn-memory", _STACK, "CloudFormation (shop)"),
        ("dynamodb:table", "dynamodb", "table/", "ddb-oversized", _TERRAFORM, "Terraform"),
        ("logs", "logs", "log-group:", "/app/for-ever", _STACK, "CloudFormation (shop)"),
        ("kinesis:stream", "kinesis", "stream/", "stream-silent", _TERRAFORM, "Terraform"),
        ("ecr:repository", "ecr", "repository/", "unused", _CDK, "the AWS CDK (shop)"),
    ):
        found[kind].append({"ResourceARN": site.arn(service, f"{path}{name}"), "Tags": pairs(tags)})
        site.owners[name] = said
    for kind, mappings in found.items():
        site.answered(TAGGING, {"ResourceTypeFilters": [kind]}, ResourceTagMappingList=mappings)
