"""What another AWS service made or manages is that service's to change, however AWS says whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from finops.domain.execution import Observation
from finops.domain.resource import Resource
from finops_operator.plugins.action import PolicyFacts
from finops_operator.plugins.loaded import load_actions, load_kinds
from finops_operator.plugins.ownership import Owner
from finops_operator.services.ec2.ebs_snapshot import SnapshotFacts, held_by

KINDS: Final = load_kinds()
_SERVICE: Final = "an AWS service that manages it"

BY_FIELD: Final[tuple[tuple[str, Mapping[str, Any], str], ...]] = (
    ("ec2-instance", {"operator_managed": True, "operator_principal": "eks.amazonaws.com"}, "eks.amazonaws.com"),
    ("ebs-volume", {"operator_managed": True, "operator_principal": "eks.amazonaws.com"}, "eks.amazonaws.com"),
    ("elastic-ip", {"service_managed": "alb"}, "alb"),
    ("elastic-ip", {"service_managed": "nlb"}, "nlb"),
    ("elastic-ip", {"service_managed": "rds"}, "rds"),
    ("vpc-endpoint", {"requester_managed": True}, ""),
    ("transit-gateway-attachment", {"attached_type": "network-function"}, "network-firewall.amazonaws.com"),
    ("auto-scaling-group", {"operator_principal": "eks.amazonaws.com"}, "eks.amazonaws.com"),
    (
        "lambda-function",
        {"main_function": "arn:aws:lambda:us-east-1:111111111111:function:viewer"},
        "replicator.lambda.amazonaws.com",
    ),
    ("secretsmanager-secret", {"owning_service": "rds"}, "rds"),
    ("route53-health-check", {"linked_service": "servicediscovery.amazonaws.com"}, "servicediscovery.amazonaws.com"),
    ("cloudwatch-alarm", {"made_by_scaling": True}, "application-autoscaling"),
    ("ecs-service", {"managed_by": "ECS"}, "ECS"),
)
"""Kind, what its listing keeps of AWS's own word for the owner, and the principal that people read."""

BY_TAGS: Final[tuple[tuple[tuple[str, ...], Mapping[str, str], str], ...]] = (
    # Elastic Beanstalk tags what its environment is made of.
    (
        ("ec2-instance", "load-balancer", "auto-scaling-group", "rds-instance", "elastic-ip", "cloudwatch-alarm"),
        {"elasticbeanstalk:environment-name": "shop-prod", "elasticbeanstalk:environment-id": "e-1"},
        "Elastic Beanstalk",
    ),
    # Recovery points of AWS Backup, in each service that keeps them as its own.
    (("ebs-snapshot", "ami", "rds-snapshot"), {"aws:backup:source-resource": "vol-1"}, "AWS Backup"),
    (("ebs-snapshot", "ami"), {"aws:dlm:lifecycle-policy-id": "policy-1"}, "Data Lifecycle Manager"),
    (("ebs-snapshot",), {"dlm:managed": "true"}, "Data Lifecycle Manager"),
    (("load-balancer",), {"kubernetes.io/service-name": "shop/web"}, "a Kubernetes cluster"),
    (("load-balancer", "auto-scaling-group"), {"AmazonECSManaged": "true"}, "Amazon ECS"),
    (("load-balancer", "ec2-instance", "ebs-volume"), {"eks:eks-cluster-name": "prod"}, "a Kubernetes cluster"),
    (("ec2-instance", "auto-scaling-group"), {"AWSBatchServiceTag": "batch"}, "AWS Batch"),
    (("ec2-instance", "ebs-volume"), {"aws:elasticmapreduce:job-flow-id": "j-1"}, "Amazon EMR"),
    (
        ("ec2-instance", "ebs-volume"),
        {"parallelcluster:cluster-name": "hpc", "parallelcluster:queue-name": "spot"},
        "the scheduler of AWS ParallelCluster",
    ),
    (("ec2-instance",), {"aws:ec2:fleet-id": "fleet-1"}, "an EC2 Fleet"),
    (("ec2-instance",), {"aws:cloud9:environment": "e1"}, "AWS Cloud9"),
    (("ec2-instance", "ebs-volume"), {"AWSElasticDisasterRecoveryManaged": "drs"}, "Elastic Disaster Recovery"),
    (("ec2-instance",), {"aws:autoscaling:groupName": "web"}, "Auto Scaling"),
    (("rds-instance",), {"application-autoscaling:resourceId": "cluster:shop"}, "Application Auto Scaling"),
    (
        ("efs-file-system",),
        {"ManagedByAmazonSageMakerResource": "arn:aws:sagemaker:us-east-1:111111111111:domain/d-1"},
        "Amazon SageMaker",
    ),
    (("sagemaker-endpoint",), {"sagemaker:project-name": "churn"}, "a SageMaker project"),
    (("vpc-endpoint",), {"AWSMSKManaged": "true", "ClusterArn": "arn:aws:kafka:us-east-1:1:cluster/c/1"}, "Amazon MSK"),
    (("vpc-endpoint",), {"GuardDutyManaged": "true"}, "Amazon GuardDuty"),
)
"""Kinds, the tags that a service documents to put on what it makes, and whom people read as the owner."""


def owner_of(kind: str, tags: Mapping[str, str], attributes: Mapping[str, Any]) -> Owner | None:
    sample = KINDS[kind].sample
    one = Resource(kind, sample.id, sample.arn, "", "111111111111", "us-east-1", "available", tags, None, attributes)
    return KINDS[kind].owner(one)


@pytest.mark.parametrize(("kind", "attributes", "principal"), BY_FIELD)
def test_what_aws_says_that_a_service_manages_is_owned_by_it(
    kind: str, attributes: Mapping[str, Any], principal: str
) -> None:
    assert owner_of(kind, {}, {}) is None
    owner = owner_of(kind, {"aws:cloudformation:stack-name": "shop"}, attributes)
    assert owner is not None
    assert (owner.system, owner.name, owner.is_template) == (_SERVICE, principal, False)
    assert owner.would_undo(only_stops=True)


@pytest.mark.parametrize(("kinds", "tags", "system"), BY_TAGS)
def test_what_a_service_marks_as_its_own_is_owned_by_it(
    kinds: tuple[str, ...], tags: Mapping[str, str], system: str
) -> None:
    for kind in kinds:
        owner = owner_of(kind, tags, {})
        assert owner is not None, kind
        assert (kind, owner.system, owner.is_template) == (kind, system, False)
        assert owner.would_undo(only_stops=True), kind


@pytest.mark.parametrize("kind", ["ec2-instance", "ebs-snapshot", "ami", "efs-file-system", "fsx-file-system"])
def test_what_a_configuration_of_parallelcluster_describes_is_watched_by_nobody(kind: str) -> None:
    owner = owner_of(kind, {"parallelcluster:cluster-name": "hpc", "aws:cloudformation:stack-name": "hpc"}, {})
    assert owner is not None
    assert (owner.system, owner.name, owner.is_template) == ("AWS ParallelCluster", "hpc", True)
    assert not owner.would_undo(only_stops=True)


def test_nothing_deletes_a_snapshot_of_a_cluster_of_parallelcluster_that_is_gone() -> None:
    facts = SnapshotFacts(tier="standard", used_by_image=False, locked=False, fast_restore_zones=0)
    assert held_by(facts, {"parallelcluster:cluster-name": "gone"}, "completed") == ""


_PLAIN_SIGNS: Final = ("elasticbeanstalk:environment-name", "AWSBatchServiceTag", "parallelcluster:queue-name")


@pytest.mark.parametrize("tag", _PLAIN_SIGNS)
@pytest.mark.parametrize("name", sorted(load_actions()))
def test_every_act_is_refused_on_what_another_service_made(name: str, tag: str) -> None:
    action = load_actions()[name]
    assumed = dict(action.sample.assumed)
    now = Observation(exists=True, fingerprint=assumed, facts={**assumed, "tags": {tag: "x"}})
    codes = {one.code for one in action.preflight(now, action.sample.parameters, PolicyFacts())}
    assert "OwnedByController" in codes
