"""EKS clusters and node groups on moto's servers: a scan lists them; what moto cannot say is a gap and unknown."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError
from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]
ROLE = "arn:aws:iam::111111111111:role/eks"


def test_clusters_and_node_groups_are_listed(aws: AwsDouble, scanned: Scan) -> None:
    eks = aws.client("eks", role=MAKER)
    network = {"subnetIds": ["subnet-1", "subnet-2"]}
    for name in ("shop", "empty"):
        eks.create_cluster(name=name, roleArn=ROLE, version="1.30", resourcesVpcConfig=network, tags={"team": name})
    eks.create_nodegroup(
        clusterName="shop",
        nodegroupName="workers",
        nodeRole=ROLE,
        subnets=["subnet-1"],
        scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 2},
    )
    outcome = scanned("eks-cluster", "eks-nodegroup")
    assert {(gap.service, gap.operation) for gap in outcome.summary.gaps} == {("eks", "DescribeClusterVersions")}
    found = {one["name"]: one for one in report_of(outcome)["resources"]}
    assert {name: found[name]["attributes"]["node_groups"] for name in ("shop", "empty")} == {"shop": 1, "empty": 0}
    assert found["empty"]["attributes"]["machines"] == 0
    assert (found["shop"]["tags"], found["shop"]["monthlyCost"]) == ({"team": "shop"}, None)
    workers = found["workers"]
    # Nobody has listed the Auto Scaling group behind it.
    assert (workers["monthlyCost"], workers["attributedMonthlyCost"], workers["attributedUnknown"]) == (None,) * 3
    assert workers["attributes"]["desired_size"] == 2


def test_the_node_groups_of_a_cluster_that_is_not_there_are_not_found(aws: AwsDouble) -> None:
    eks = aws.client("eks", role=MAKER)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        eks.list_nodegroups(clusterName="nobody")
