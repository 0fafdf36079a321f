"""Node groups as collected: sizes, machines, owners, errors as gaps, and no cost of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages

from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied
from finops_operator.plugins.facts import facts_of
from finops_operator.plugins.kind import MetricSpec
from finops_operator.services.eks.nodegroup import KIND, NodeGroupFacts

MODEL = botocore.session.get_session().get_service_model("eks")
CLUSTERS, LIST, DESCRIBE = "eks:ListClusters", "eks:ListNodegroups", "eks:DescribeNodegroup"
END = "shop/workers/12345678-1234-1234-1234-123456789012"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "nodegroupName": "workers",
        "nodegroupArn": f"arn:aws:eks:us-east-1:111122223333:nodegroup/{END}",
        "clusterName": "shop",
        "status": "ACTIVE",
        "createdAt": "1767225600.5",
        "scalingConfig": {"minSize": 1, "maxSize": 5, "desiredSize": 2},
        "instanceTypes": ["m5.large"],
        "capacityType": "SPOT",
        "amiType": "AL2023_x86_64_STANDARD",
        "diskSize": 20,
        "resources": {"autoScalingGroups": [{"name": "eks-workers-1"}]},
        "tags": {"team": "shop", "eks:cluster-name": "shop"},
        **changes,
    }


def reader(group: dict[str, Any], **answers: Any) -> Pages:
    return Pages(
        {
            CLUSTERS: [{"clusters": ["shop"]}],
            LIST: [{"nodegroups": ["workers"]}],
            DESCRIBE: [{"nodegroup": group}],
            **answers,
        }
    )


def collected(**changes: Any) -> Resource:
    (only,) = KIND.listing.collect(reader(described(**changes)), "aws")
    assert isinstance(only, Resource)
    return only


def test_a_group_carries_its_sizes_and_where_its_machines_are() -> None:
    one = collected()
    own = facts_of(NodeGroupFacts, one)
    assert (one.id, one.name, one.state, KIND.type_of(one)) == (END, "workers", "active", "SPOT")
    assert (own.cluster, own.instance_types, own.auto_scaling_groups) == ("shop", ("m5.large",), ("eks-workers-1",))
    assert (own.minimum_size, own.maximum_size, own.desired_size, own.disk_gb) == (1, 5, 2, 20)
    assert described().keys() <= MODEL.shape_for("Nodegroup").members.keys()


def test_calls_are_as_the_api_allows() -> None:
    asked = reader(described())
    assert len(list(KIND.listing.collect(asked, "aws"))) == 1
    for operation, parameters in asked.asked:
        shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


@pytest.mark.parametrize("operation", [CLUSTERS, LIST, DESCRIBE])
def test_what_cannot_be_read_is_a_gap_and_never_an_empty_list(operation: str) -> None:
    denied = AwsDenied("no", operation=operation, code="AccessDenied")
    (gap,) = KIND.listing.collect(reader(described(), **{operation: [denied]}), "aws")
    assert isinstance(gap, Gap)


def test_a_group_that_is_being_deleted_is_left_out_and_its_machines_are_billed_as_instances() -> None:
    assert list(KIND.listing.collect(reader(described(status="DELETING")), "aws")) == []
    assert KIND.billed_parts(collected()) == ()


def test_the_tags_of_its_cluster_are_no_owner_and_a_template_is() -> None:
    assert KIND.owner(collected()) is None
    owner = KIND.owner(replace(collected(), tags={"aws:cloudformation:stack-name": "shop", "eks:cluster-name": "shop"}))
    assert owner is not None
    assert owner.system == "CloudFormation"


@pytest.mark.parametrize("spec", KIND.metrics, ids=lambda spec: spec.name)
def test_what_its_machines_do_is_measured_at_the_only_group_behind_it(spec: MetricSpec) -> None:
    assert spec.dimensions is not None
    assert spec.dimensions(collected()) == (("AutoScalingGroupName", "eks-workers-1"),)
    assert spec.applies(collected())
    without = {"scalingConfig": {"minSize": 0, "maxSize": 5, "desiredSize": 0}}
    several = {"resources": {"autoScalingGroups": [{"name": "a"}, {"name": "b"}]}}
    for changes in (without, several, {"resources": None}, {"status": "CREATING"}):
        assert not spec.applies(collected(**changes))
