"""Who would undo an act, told from tags and flags, and the change to make there instead."""

from __future__ import annotations

import pytest
from tests.support.action_cases import instance_with, volume_with
from tests.support.facts import instance, kind_of, volume

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops_operator.plugins.action import Action, PolicyFacts
from finops_operator.plugins.ownership import Owner, owners
from finops_operator.services.ec2.actions.ebs_volume_delete import ACTION as DELETE
from finops_operator.services.ec2.actions.ebs_volume_modify import ACTION as MODIFY_ACTION
from finops_operator.services.ec2.actions.ec2_instance_resize import ACTION as RESIZE_ACTION
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP

ACTIONS = {one.id: one for one in (DELETE, MODIFY_ACTION, RESIZE_ACTION, STOP)}
RESIZE = {"instanceType": "m5.large"}
MODIFY = {"volumeType": "gp3", "iops": 3000, "throughput": 128}
PARAMETERS: dict[str, Json] = {"instanceType": "m5.large", "volumeType": "gp3", "iops": 3000, "throughput": 128}


def owner_of(resource: Resource) -> Owner | None:
    return kind_of(resource).owner(resource)


def would_undo(owner: Owner, action: Action) -> bool:
    return owner.would_undo(only_stops=action.at_owner.only_stops)


SIGNS: list[tuple[dict[str, str], str, str]] = [
    ({"aws:cloudformation:stack-name": "shop"}, "CloudFormation", "shop"),
    ({"aws-cdk:x": "true", "aws:cloudformation:stack-name": "shop"}, "the AWS CDK", "shop"),
    ({"aws:autoscaling:groupName": "web"}, "Auto Scaling", "web"),
    ({"eks:nodegroup-name": "ng", "aws:autoscaling:groupName": "eks-ng"}, "an EKS managed node group", "ng"),
    ({"karpenter.sh/nodepool": "default"}, "Karpenter", "default"),
    ({"karpenter.sh/provisioner-name": "old"}, "Karpenter", "old"),
    ({"kubernetes.io/cluster/prod": "owned"}, "a Kubernetes cluster", ""),
    ({"kubernetes.io/created-for/pvc/name": "data"}, "a Kubernetes cluster", ""),
    ({"CSIVolumeName": "pvc-1"}, "a Kubernetes cluster", ""),
    ({"aws:backup:source-resource": "x"}, "AWS Backup", ""),
    ({"aws:dlm:lifecycle-policy-id": "policy-1"}, "Data Lifecycle Manager", ""),
    ({"terraform": "true"}, "Terraform", ""),
    ({"aws:ec2:fleet-id": "fleet-1"}, "an EC2 Fleet", ""),
    ({"elasticbeanstalk:environment-name": "shop"}, "Elastic Beanstalk", ""),
    ({"AmazonECSManaged": ""}, "Amazon ECS", ""),
    ({"Managed-By": "Terraform"}, "Terraform", ""),
    ({"iac": "opentofu"}, "Terraform", ""),
    ({"aws:eks:cluster-name": "prod"}, "a Kubernetes cluster", ""),
    ({"ebs.csi.aws.com/cluster": "true"}, "a Kubernetes cluster", ""),
    ({"terraform_module": "network"}, "Terraform", ""),
    ({"Terraform:workspace": "prod"}, "Terraform", ""),
]


@pytest.mark.parametrize(("tags", "system", "name"), SIGNS)
def test_signs_of_an_owner_are_read(tags: dict[str, str], system: str, name: str) -> None:
    owner = owner_of(instance(tags=tags))
    assert owner is not None
    assert (owner.system, owner.name) == (system, name)


def test_a_stack_of_the_cdk_is_described_by_its_app_alone() -> None:
    tags = {"aws-cdk:auto-delete-objects": "true", "aws:cloudformation:stack-name": "shop", "terraform": "1"}
    assert [(one.system, one.is_template) for one in owners(tags)] == [("the AWS CDK", True), ("Terraform", True)]


@pytest.mark.parametrize(
    ("tag", "system", "instead"),
    [
        (
            "aws:cloud9:environment",
            "AWS Cloud9",
            "Change its environment, which stops by itself when it is not used.",
        ),
        (
            "aws:servicecatalog:provisioningPrincipalArn",
            "Service Catalog",
            "Update the provisioned product.",
        ),
        (
            "AWSElasticDisasterRecoveryManaged",
            "Elastic Disaster Recovery",
            "Change the settings of its source server.",
        ),
    ],
)
def test_instances_of_cloud9_service_catalog_and_disaster_recovery_get_no_act_and_say_why(
    tag: str, system: str, instead: str
) -> None:
    owner = owner_of(instance(tags={tag: "x"}))
    assert owner is not None
    for action in (STOP, RESIZE_ACTION):
        assert would_undo(owner, action)
        why = owner.advice("", only_stops=action.at_owner.only_stops)
        assert why == f"Owned by {system}, which would undo a change made here. {instead}"
        refused = {one.code for one in action.preflight(instance_with({"tags": {tag: "x"}}), PARAMETERS, PolicyFacts())}
        assert "OwnedByController" in refused


@pytest.mark.parametrize("tags", [{}, {"terraform": "false"}, {"managed-by": "alice"}, {"Name": "terraform"}])
def test_resources_of_nobody_are_acted_on(tags: dict[str, str]) -> None:
    assert owner_of(instance(tags=tags)) is None


def test_a_managed_instance_and_a_group_member_are_recognised_by_their_attributes() -> None:
    managed = owner_of(instance(operator_managed=True, operator_principal="eks.amazonaws.com"))
    member = owner_of(instance(auto_scaling_group="web"))
    assert managed is not None
    assert member is not None
    assert managed.name == "eks.amazonaws.com"
    assert member.system == "Auto Scaling"


def test_hostile_names_are_cut_to_a_safe_alphabet() -> None:
    owner = owner_of(instance(tags={"aws:cloudformation:stack-name": "<!channel>\n*x*" + "a" * 300}))
    assert owner is not None
    assert owner.name.startswith("_channel_x_")
    assert len(owner.name) <= 128
    assert not set(owner.advice("", only_stops=False)) & set("<!>*\n")


@pytest.mark.parametrize(
    ("tags", "action", "parameters", "patch"),
    [
        ({"terraform": "1"}, "ec2_instance_resize", RESIZE, 'instance_type = "m5.large"'),
        ({"terraform": "1"}, "ebs_volume_modify", MODIFY, 'type = "gp3", iops = 3000, throughput = 128'),
        ({"terraform": "1"}, "ebs_volume_delete", {}, "Remove the aws_ebs_volume block."),
        ({"terraform": "1"}, "ec2_instance_stop", {}, ""),
        ({"aws:cloudformation:stack-name": "s"}, "ec2_instance_resize", RESIZE, "Properties: InstanceType: m5.large"),
        (
            {"aws:cloudformation:stack-name": "s"},
            "ebs_volume_modify",
            MODIFY,
            "Properties: VolumeType: gp3, Iops: 3000, Throughput: 128",
        ),
        ({"aws:cloudformation:stack-name": "s"}, "ebs_volume_delete", {}, "Remove the resource from the template."),
        ({"aws:cloudformation:stack-name": "s"}, "ec2_instance_stop", {}, ""),
        ({"aws:autoscaling:groupName": "g"}, "ec2_instance_resize", RESIZE, "Launch template: InstanceType: m5.large"),
        ({"karpenter.sh/nodepool": "p"}, "ec2_instance_resize", RESIZE, "Wanted: m5.large instead of m5.2xlarge"),
        ({"karpenter.sh/nodepool": "p"}, "ec2_instance_stop", {}, ""),
    ],
)
def test_the_patch_speaks_the_owners_language(
    tags: dict[str, str], action: str, parameters: dict[str, str | int], patch: str
) -> None:
    resource = instance(tags=tags)
    owner = owner_of(resource)
    assert owner is not None
    assert ACTIONS[action].at_owner.patch(owner, resource, dict(parameters)) == patch


def test_a_template_does_not_undo_a_stop_but_a_controller_does() -> None:
    template, group = owner_of(instance(tags={"terraform": "1"})), owner_of(instance(auto_scaling_group="web"))
    assert template is not None
    assert group is not None
    assert not would_undo(template, STOP)
    assert would_undo(template, RESIZE_ACTION)
    assert would_undo(group, STOP)


@pytest.mark.parametrize("tags", [tags for tags, _, _ in SIGNS])
@pytest.mark.parametrize("action", [STOP, RESIZE_ACTION, MODIFY_ACTION, DELETE], ids=lambda action: action.id)
def test_a_recommendation_is_advice_exactly_where_the_preflight_refuses(tags: dict[str, str], action: Action) -> None:
    owner = owner_of(instance(tags=tags))
    assert owner is not None
    observed = instance_with({"tags": tags}) if action in (STOP, RESIZE_ACTION) else volume_with({"tags": tags})
    refused = {one.code for one in action.preflight(observed, PARAMETERS, PolicyFacts())}
    assert bool(refused & {"OwnedByController", "OwnedByTemplate"}) == would_undo(owner, action)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"aws:autoscaling:groupName": "web"}, "Lower its desired capacity"),
        ({"eks:nodegroup-name": "ng"}, "Lower its desired size"),
        ({"aws:ec2:fleet-id": "fleet-1"}, "Lower its target capacity"),
        ({"karpenter.sh/nodepool": "default"}, "delete the NodeClaim of this one"),
        ({"kubernetes.io/cluster/prod": "owned"}, "lower the size of its group"),
    ],
)
def test_instead_of_a_stop_the_owner_is_advised_to_run_fewer_and_not_to_run_others(
    tags: dict[str, str], words: str
) -> None:
    owner = owner_of(instance(tags=tags))
    assert owner is not None
    told = owner.advice(STOP.at_owner.patch(owner, instance(tags=tags), {}), only_stops=True)
    assert words in told
    assert "launch template" not in told
    assert words not in owner.advice("", only_stops=False)


def test_advice_without_a_name_reads_well() -> None:
    owner = owner_of(volume(tags={"CSIVolumeName": "pvc-1"}))
    assert owner is not None
    assert owner.advice("", only_stops=False) == (
        "Owned by a Kubernetes cluster, which would undo a change made here. "
        "Change or delete the PersistentVolumeClaim or the StorageClass."
    )
