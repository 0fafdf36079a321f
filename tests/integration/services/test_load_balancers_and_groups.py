"""Load balancers and Auto Scaling groups on moto's servers: a scan lists, prices and judges them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_both_generations_of_load_balancers_are_listed_priced_and_tagged(aws: AwsDouble, scanned: Scan) -> None:
    elb, elbv2, ec2 = (aws.client(name, role=MAKER) for name in ("elb", "elbv2", "ec2"))
    elb.create_load_balancer(
        LoadBalancerName="old",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}],
        AvailabilityZones=["us-east-1a"],
        Tags=[{"Key": "team", "Value": "web"}],
    )
    subnets = [one["SubnetId"] for one in ec2.describe_subnets()["Subnets"][:2]]
    for name in ("shop", "api"):
        elbv2.create_load_balancer(Name=name, Subnets=subnets, Scheme="internal", Tags=[{"Key": "team", "Value": name}])
    outcome = scanned("load-balancer")
    assert outcome.summary.gaps == ()
    found = {one["name"]: one for one in report_of(outcome)["resources"]}
    # What they are used for is billed too, and on the first day no metric says how much.
    assert {one["monthlyCost"] for one in found.values()} == {None}
    assert {name: (one["costParts"][0]["monthlyCost"], one["tags"]["team"]) for name, one in found.items()} == {
        "old": ("18.25", "web"),
        "shop": ("16.43", "shop"),
        "api": ("16.43", "api"),
    }
    assert found["shop"]["attributes"]["registered_targets"] == 0
    assert found["shop"]["id"].startswith("app/shop/")
    advice = {(one["check"], one["resource"]["id"]) for one in report_of(outcome)["recommendations"]}
    assert advice == {("load_balancer_classic", "old")}


def test_groups_are_listed_with_no_cost_of_their_own(aws: AwsDouble, scanned: Scan) -> None:
    groups = aws.client("autoscaling", role=MAKER)
    groups.create_launch_configuration(LaunchConfigurationName="web", ImageId="ami-12c6146b", InstanceType="t3.micro")
    for number in range(3):
        groups.create_auto_scaling_group(
            AutoScalingGroupName=f"web {number}",
            LaunchConfigurationName="web",
            MinSize=0,
            MaxSize=4,
            DesiredCapacity=0,
            AvailabilityZones=["us-east-1a"],
        )
    outcome = scanned("auto-scaling-group")
    assert outcome.summary.gaps == ()
    found = report_of(outcome)["resources"]
    costs = {one["id"]: (one["state"], one["monthlyCost"], one["attributedMonthlyCost"]) for one in found}
    assert costs == {f"web {number}": ("empty", None, "0.00") for number in range(3)}
    assert report_of(outcome)["summary"]["monthlyCost"] is None
