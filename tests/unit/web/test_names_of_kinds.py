"""Every kind has a name in the breakdown of costs that reads as its plural, and no two have the same one."""

from __future__ import annotations

import pytest

from finops_operator.plugins.loaded import load_kinds
from finops_web.api.costing import name_of


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ec2-instance", "ec2Instances"),
        ("load-balancer", "loadBalancers"),
        ("auto-scaling-group", "autoScalingGroups"),
        ("ebs-volume", "ebsVolumes"),
        ("rds-instance", "rdsInstances"),
        ("ecr-repository", "ecrRepositories"),
        ("workspaces-workspace", "workspaces"),
        ("nat-gateway", "natGateways"),
        ("kms-key", "kmsKeys"),
        ("elastic-ip", "elasticIps"),
        ("ami", "amis"),
        ("sagemaker-box", "sagemakerBoxes"),
    ],
)
def test_a_kind_is_named_by_its_plural(kind: str, name: str) -> None:
    assert name_of(kind) == name


def test_no_two_kinds_have_one_name() -> None:
    kinds = load_kinds()
    names = {name_of(kind) for kind in kinds}
    assert len(names) == len(kinds) > 20
    assert not [name for name in names if name.endswith(("ys", "ss")) and not name.endswith(("ays", "eys"))]
